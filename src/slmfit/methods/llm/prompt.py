"""What a model is asked: the words of `prompts/TASK.txt`, examples as turns of a talk, and the row last.

    prompt = Prompt.of(task, {"billing": "invoices, charges and refunds"})
    prompt.messages("my card was charged twice", shots=[Example("7", "where is my parcel", "delivery")])

What is the same for every row comes first, so that a server can keep it in its cache. A row stands between two tags
that it cannot hold itself, and each request has one row: what a row says reaches no other.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Self

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from slmfit.errors import DataError, UsageError, did_you_mean
from slmfit.records import Example, Input, Question
from slmfit.tasks.base import Task

HERE = Path(__file__).parent / "prompts"

Message = dict[str, str]


class Prompt:
    """The words for one task. `opening` is what holds for every row."""

    def __init__(self, task: Task, opening: str) -> None:
        self.task, self.opening = task, opening
        self._template = _template(task.name)

    @classmethod
    def of(cls, task: Task, descriptions: Mapping[str, str]) -> Self:
        """The prompt in which labels are described.

        Raises UsageError for a description of a label that the task has not, or has no use for.
        """
        opening = _block(_template(task.name), "task", task=task, described=lambda name: _described(name, descriptions))
        known = [name for field in fields(task) for name in getattr(task, field.name)]  # type: ignore[arg-type]
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
            talk.append({"role": "user", "content": self._row(shot.input)})
            talk.append({"role": "assistant", "content": self.task.write(shot.target, shot.input)})
        return [*talk, {"role": "user", "content": self._row(input)}]

    def _row(self, input: Input) -> str:
        return _block(self._template, "row", task=self.task, input=input, tag=_tag(self.task, input))


def read_descriptions(path: str | Path) -> dict[str, str]:
    """Label -> what it means, from a TOML or JSON file with one line per label.

    Raises DataError when the file cannot be read or says anything else.
    """
    place, form = str(path), 'write lines such as "LABEL" = "what it means" in TOML, or one JSON object of them'
    try:
        text = Path(path).read_text(encoding="utf-8")
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


def _tag(task: Task, input: Input) -> str:
    """A name for the tags around a row that the row cannot write: it would have to hold its own hash."""
    name, words = "question" if isinstance(input, Question) else "text", task.text(input)
    if not re.search(rf"<[^\w<]*{name}", words, re.IGNORECASE):
        return name
    return f"{name}-{hashlib.sha256(words.encode('utf-8', 'backslashreplace')).hexdigest()[:12]}"


def _template(task: str) -> Template:
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=False,  # a model reads it, not a browser
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.select_template([f"{task}.txt", "any.txt"])


def _block(template: Template, name: str, **names: Any) -> str:
    """One block of a template, filled in."""
    return "".join(template.blocks[name](template.new_context(names))).strip("\n")
