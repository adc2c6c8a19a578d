"""The tasks, by Hugging Face's task ids: `by_name("text-classification")`."""

from __future__ import annotations

from importlib import import_module

from slmfit.errors import UsageError, did_you_mean
from slmfit.tasks.base import Task

TASKS = {
    "text-classification": "slmfit.tasks.classification:TextClassification",
    "token-classification": "slmfit.tasks.tagging:TokenClassification",
    "multiple-choice": "slmfit.tasks.choice:MultipleChoice",
}


def by_name(name: str, labels: tuple[str, ...] = ()) -> Task:
    """The task of that name. Raises UsageError for any other."""
    if name not in TASKS:
        raise UsageError(f"there is no task {name!r}", fix=did_you_mean(name, list(TASKS)))
    module, _, attribute = TASKS[name].partition(":")
    return getattr(import_module(module), attribute)(labels=labels)
