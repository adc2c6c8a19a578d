"""What a model is asked: the words of the task's form, examples as turns of a talk, and the row last.

    prompt = Prompt.of(task, {"billing": "invoices, charges and refunds"})
    prompt.messages("my card was charged twice", shots=[Example("7", "where is my parcel", "delivery")])

What is the same for every row comes first, so that a server can keep it in its cache. A row stands between two tags
that it cannot hold itself, and each request has one row: what a row says reaches no other.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from slmfit.errors import DataError, UsageError, did_you_mean
from slmfit.records import Example, Input
from slmfit.tasks import names_of
from slmfit.tasks.base import Task

Message = dict[str, str]


class Prompt:
    """The words for one task. `opening` is what holds for every row."""

    def __init__(self, task: Task, opening: str) -> None:
        self.form, self.opening = task.form(), opening

    @classmethod
    def of(cls, task: Task, descriptions: Mapping[str, str]) -> Self:
        """The prompt in which labels are described.

        Raises UsageError for a description of a label that the task has not, or has no use for.
        """
        opening = task.form().opening(lambda name: _described(name, descriptions))
        known = [name for names in names_of(task).values() for name in names]
        for name in descriptions:
            if name not in known:
                raise UsageError(f"describes {name!r}, which is no label", fix=did_you_mean(name, known))
            if _described(name, descriptions) not in opening:
                raise UsageError(f"{task.name} has no labels to describe", fix="leave llm.descriptions out")
        return cls(task, opening)

    def messages(self, input: Input, shots: Sequence[Example] = ()) -> list[Message]:
        """The talk so far: what holds for all, examples with their answers, and the row that is to be answered."""
        talk = [{"role": "system", "content": self.opening}]
        for shot in shots:
            assert shot.target is not None
            talk.append({"role": "user", "content": self.form.turn(shot.input)})
            talk.append({"role": "assistant", "content": self.form.write(shot.target, shot.input)})
        return [*talk, {"role": "user", "content": self.form.turn(input)}]


def read_descriptions(path: str | Path) -> dict[str, str]:
    """Label -> what it means, from a TOML or JSON file with one line per label.

    Raises DataError when the file cannot be read or says anything else.
    """
    place, form = str(path), 'write lines such as "LABEL" = "what it means" in TOML, or one JSON object of them'
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
        read: Any = json.loads(text) if place.lower().endswith(".json") else tomllib.loads(text)
    except OSError as error:
        fix = "check the path that llm.descriptions gives"
        raise DataError(f"cannot be read: {error.strerror}", where=place, fix=fix) from None
    except UnicodeDecodeError:
        raise DataError("is not UTF-8 text", where=place, fix="save it as UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"cannot be read: {error}", where=place, fix=form) from None
    if not isinstance(read, dict):
        raise DataError("holds no descriptions", where=place, fix=form)
    for label, words in read.items():
        if not isinstance(words, str) or not words.strip():
            raise DataError(f"the description of {label!r} is no text", where=place, fix=form)
    return {label: " ".join(words.split()) for label, words in read.items()}


def _described(name: str, descriptions: Mapping[str, str]) -> str:
    return f": {descriptions[name]}" if name in descriptions else ""
