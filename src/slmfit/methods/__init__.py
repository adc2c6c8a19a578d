"""The table of methods: name -> where its class is, what it needs, what it does.

    method = create("knn", {"k": 5})
    row_of("my_module:MyMethod").tasks         # of another's class: what it says of itself

A method is named by its row in TABLE, by an entry point of an installed package, or as `module:Class`.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Self

from slmfit.environment import EXTRAS, install, missing
from slmfit.errors import MissingPart, SlmfitError, UsageError, did_you_mean
from slmfit.methods import strangers
from slmfit.methods.base import Method, parse_settings
from slmfit.tasks import TASKS
from slmfit.text.figures import joined

CLASSIFICATION = ("text-classification",)
ALL_TASKS = tuple(TASKS)


@dataclass(frozen=True)
class Row:
    """One row of the table. `place` is "module:Class", or None for one of a package that is broken.

    trained: whether it takes as long as it is given: budgets are shared among such methods, and seeds are for them.
    """

    summary: str
    place: str | None
    tasks: tuple[str, ...]
    extra: str | None = None  # the extra that brings what it needs
    trained: bool = False
    task_extras: Mapping[str, str] = field(default_factory=dict)  # task -> an extra that fitting takes, not predicting

    @classmethod
    def of(cls, place: str, method: type[Method]) -> Self:
        """The row of a class that says of itself what the table says of ours."""
        first = inspect.cleandoc(method.__doc__ or "").partition("\n")[0]
        return cls(method.summary or first, place, tuple(method.tasks), trained=method.trained)


TABLE: dict[str, Row] = {
    "majority": Row("Always the most frequent answer: the floor.", "slmfit.methods.majority:Majority", ALL_TASKS),
    "linear": Row(
        "TF-IDF with a linear classifier; for entities a linear-chain CRF; for options a ranker.",
        "slmfit.methods.linear:Linear",
        ALL_TASKS,
        task_extras={"token-classification": "entities"},
    ),
    "knn": Row(
        "Nearest-neighbour vote on embeddings; for options, the nearest.",
        "slmfit.methods.knn:Knn",
        (*CLASSIFICATION, "multiple-choice"),
    ),
    "encoder": Row(
        "A fine-tuned encoder.",
        "slmfit.methods.encoder:Encoder",
        ALL_TASKS,
        "train",
        trained=True,
    ),
    "causal": Row(
        "A small causal model with LoRA; entities it writes out, options it scores.",
        "slmfit.methods.causal:Causal",
        ALL_TASKS,
        "train",
        trained=True,
    ),
    "seq2seq": Row(
        "A T5 that turns a text into its answer.", "slmfit.methods.seq2seq:Seq2seq", ALL_TASKS, "train", trained=True
    ),
    "llm": Row("A large model behind an API.", "slmfit.methods.llm:Llm", ALL_TASKS),
    "cascade": Row(
        "A small model that hands unsure cases to a large one.", "slmfit.methods.cascade:Cascade", ALL_TASKS
    ),
}

# What exports are served by: no methods that can be fitted, so no rows of the table.
SERVED: dict[str, Row] = {
    "onnx": Row(
        "A fine-tuned model that was exported, by ONNX Runtime.",
        "slmfit.methods.exported:Onnx",
        ("text-classification", "token-classification"),
        "onnx",
    ),
}


def names() -> list[str]:
    """The methods that can be named here: our own, then those of installed packages."""
    return [*TABLE, *(name for name in strangers.installed() if name not in TABLE)]


def row_of(name: str) -> Row:
    """What there is to say of a method that the caller names; another's is imported for it.

    Raises UsageError for an unknown name, and what `strangers.named` raises.
    """
    if name in TABLE:
        return TABLE[name]
    if ":" not in name and name not in strangers.installed():
        raise UsageError(f"there is no method {name!r}", fix=did_you_mean(name, names()))
    return Row.of(*strangers.named(name))


def method_class(name: str) -> type[Method]:
    """The class of a method that the caller names. Raises as `row_of`, and MissingPart when it cannot run here."""
    return _imported(name, row_of(name), unavailable(name))


def _imported(name: str, row: Row, reason: str | None) -> type[Method]:
    """The class of a row. reason: why it cannot run here. Raises MissingPart then."""
    if reason or row.place is None:
        raise MissingPart(f"the method {name!r} cannot run here", fix=reason)
    module, _, attribute = row.place.partition(":")
    return getattr(import_module(module), attribute)


def recorded_class(name: str, where: Path, package: str | None = None) -> type[Method]:
    """The class of a method that a file names: no file makes us import a module (see `strangers`)."""
    if name in SERVED:
        return _imported(name, SERVED[name], _lacking(SERVED[name]))
    return method_class(name) if name in TABLE else strangers.recorded(name, where, package)


def unavailable(name: str, task: str | None = None) -> str | None:
    """Why a method cannot run here (be fitted on this task), with the line that enables it; None when it can."""
    row = row_of(name)
    if task is not None and task not in row.tasks:
        return f"does {joined(row.tasks)}, not {task}"
    return _lacking(row, task)


def _lacking(row: Row, task: str | None = None) -> str | None:
    """The line that brings what a row needs and is not here."""
    extras = (row.extra, row.task_extras.get(task or ""))
    return next((install(extra) for extra in extras if extra and missing(*EXTRAS[extra])), None)


def list_methods() -> list[dict[str, Any]]:
    """Of every method that can be named here: `name`, `summary`, `tasks`, and as `missing` why it cannot run, if so."""
    rows = []
    for name in names():
        try:
            row, reason = row_of(name), unavailable(name)
        except SlmfitError as error:  # an installed package that is broken is listed as such
            row, reason = Row(f"of the package {strangers.package_of(name)}", None, ()), str(error)
        rows.append({"name": name, "summary": row.summary, "tasks": row.tasks, "missing": reason})
    return rows


def create(name: str, given: Mapping[str, Any] | None = None, base_model: str | None = None) -> Method:
    """A method with its settings checked, ready to fit."""
    return method_class(name)(checked_settings(name, given or {}, base_model))


def checked_settings(name: str, given: Mapping[str, Any], base_model: str | None = None) -> Any:
    """A method's settings. Raises UsageError for one that does not fit, and for a base model that it does not take."""
    cls, values = method_class(name), dict(given)
    if base_model is not None:
        if cls.base_model_setting is None:
            raise UsageError(f"{name} takes no base model", where=f"{name}={base_model}", fix=f"write just {name}")
        values[cls.base_model_setting] = base_model
    return parse_settings(name, cls.Settings, values)
