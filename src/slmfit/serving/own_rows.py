"""A chat that asks a tuned run for what it was tuned for, and how the answer is to be said.

    asked = own_row(task, settings, writes=True)
    asked.text, asked.said(prediction)        # the input; the answer's text

It is asked so in two ways: by one message of a user that is an input and nothing else, and as the method `llm` asks for
a row of the same task, whose answer is an object that fits the schema beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from slmfit.records import Prediction
from slmfit.tasks.base import Task


@dataclass(frozen=True)
class Row:
    """See the module."""

    text: str
    said: Callable[[Prediction], str]


def own_row(task: Task, settings: dict[str, Any], *, writes: bool) -> Row | None:
    """What is asked, where it is an input of the task; None for any other chat.

    writes: whether the run writes its answers; one that scores what may be answered has no words of its own.
    """
    if not (task.marks or (task.classifies and not task.texts)):
        return None
    messages, schema = settings["messages"], settings["schema"]
    content = messages[-1]["content"]
    if schema is None:
        alone = len(messages) == 1 and messages[0]["role"] == "user"
        return Row(content, _as_written) if alone and writes else None
    text = content.partition(">\n")[2].rpartition("\n</")[0]
    form = task.form()
    if messages[-1]["role"] != "user" or content != form.turn(text) or schema != form.schema(text):
        return None

    def said(answer: Prediction) -> str:
        return _as_written(answer) if answer.target is None else form.write(answer.target, text)

    return Row(text, said)


def _as_written(answer: Prediction) -> str:
    return answer.raw or ""
