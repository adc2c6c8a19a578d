"""The tasks, by Hugging Face's task ids: `by_name("text-classification")`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from importlib import import_module
from typing import Any

from slmfit.errors import UsageError, did_you_mean
from slmfit.tasks.base import Task

TASKS = {
    "text-classification": "slmfit.tasks.classification:TextClassification",
    "token-classification": "slmfit.tasks.tagging:TokenClassification",
    "multiple-choice": "slmfit.tasks.choice:MultipleChoice",
}

TEXTS = "texts"  # the field of a task that names columns, where the others name answers


def by_name(name: str, **known: tuple[str, ...]) -> Task:
    """The task of that name, without labels unless `known` gives them. Raises UsageError for any other."""
    if name not in TASKS:
        raise UsageError(f"there is no task {name!r}", fix=did_you_mean(name, TASKS))
    module, _, attribute = TASKS[name].partition(":")
    return getattr(import_module(module), attribute)(**known)


def marks(plain: Mapping[str, Any]) -> bool:
    """Whether the task of a record has answers that are stretches of a text; False for one that nobody here knows."""
    return plain.get("name") in TASKS and by_name(plain["name"]).marks


def to_plain(task: Task) -> dict[str, Any]:
    """A task as JSON: {"name": …, "labels": […], …}."""
    own = {f.name: list(getattr(task, f.name)) for f in fields(task)}  # type: ignore[arg-type]
    return {"name": task.name, **{name: value for name, value in own.items() if value or name != TEXTS}}


def names_of(task: Task) -> dict[str, tuple[str, ...]]:
    """What the answers of a task are made of, by kind: {"labels": …}, {"labels": …, "intents": …}."""
    return {f.name: getattr(task, f.name) for f in fields(task) if f.name != TEXTS}  # type: ignore[arg-type]


def from_plain(plain: Mapping[str, Any]) -> Task:
    """The inverse of `to_plain`. Raises TypeError for labels that are no texts."""
    known = {name: tuple(values) for name, values in plain.items() if name != "name"}
    if not all(isinstance(value, str) for values in known.values() for value in values):
        raise TypeError("a label that is no text")
    return by_name(plain["name"], **known)
