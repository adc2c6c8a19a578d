"""The table of methods: name -> where its class is, what it needs, what it does.

method = create("knn", {"k": 5})
specs = parse_specs("majority,linear,knn=models/potion", {"knn": {"k": "5"}})
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from slmfit.environment import EXTRAS, install, missing
from slmfit.errors import MissingPart, UsageError, did_you_mean
from slmfit.methods.base import Method, parse_settings
from slmfit.storage import file_name
from slmfit.tasks import TASKS

CLASSIFICATION = ("text-classification",)
ALL_TASKS = tuple(TASKS)


@dataclass(frozen=True)
class Row:
    """One row of the table. `place` is "module:Class", or None for a method that is still to come."""

    summary: str
    place: str | None
    tasks: tuple[str, ...]
    extra: str | None = None  # the extra that brings what it needs
    remote: bool = False  # asks a server: every answer costs time or money, and no file here is the model
    task_extras: Mapping[str, str] = field(default_factory=dict)  # task -> an extra that fitting takes, not predicting

    @property
    def trained(self) -> bool:
        """Whether it takes as long as it is given: a budget is shared among such methods."""
        return self.extra == "train"

    @property
    def quick(self) -> bool:
        """Whether it takes the seconds it needs, and is neither trained nor waits for a server."""
        return not (self.trained or self.remote)


TABLE: dict[str, Row] = {
    "majority": Row("Always the most frequent answer: the floor.", "slmfit.methods.majority:Majority", ALL_TASKS),
    "linear": Row(
        "TF-IDF with a linear classifier; for entities a linear-chain CRF.",
        "slmfit.methods.linear:Linear",
        (*CLASSIFICATION, "token-classification"),
        task_extras={"token-classification": "entities"},
    ),
    "knn": Row("Votes of the nearest neighbours on embeddings.", "slmfit.methods.knn:Knn", CLASSIFICATION),
    "encoder": Row(
        "A fine-tuned encoder.",
        "slmfit.methods.encoder:Encoder",
        (*CLASSIFICATION, "token-classification"),
        "train",
    ),
    "causal": Row(
        "A small causal model with LoRA; entities it writes out.",
        "slmfit.methods.causal:Causal",
        (*CLASSIFICATION, "token-classification"),
        "train",
    ),
    "seq2seq": Row("A sequence-to-sequence model.", None, ALL_TASKS, "train"),
    "llm": Row("A large model behind an API.", "slmfit.methods.llm:Llm", ALL_TASKS, remote=True),
    "cascade": Row("A small run that asks a large one when unsure.", None, ALL_TASKS),
}


@dataclass(frozen=True)
class Spec:
    """One method asked for: `id` names its run, `settings` are what was given for it."""

    id: str
    name: str
    base_model: str | None = None
    given: Mapping[str, Any] = field(default_factory=dict)


def method_class(name: str) -> type[Method]:
    """The class of a method. Raises UsageError for an unknown name, MissingPart when it cannot run here."""
    row = TABLE.get(name)
    if row is None:
        raise UsageError(f"there is no method {name!r}", fix=did_you_mean(name, TABLE))
    reason = unavailable(name)
    if reason or row.place is None:
        raise MissingPart(f"the method {name!r} cannot run here", fix=reason)
    module, _, attribute = row.place.partition(":")
    return getattr(import_module(module), attribute)


def unavailable(name: str, task: str | None = None) -> str | None:
    """Why a method cannot run here (be fitted on this task), with the line that enables it; None when it can."""
    row = TABLE[name]
    if row.place is None:
        return "comes with a later version of slmfit"
    if task is not None and task not in row.tasks:
        return f"does {', '.join(row.tasks)}, not {task}"
    extras = (row.extra, row.task_extras.get(task or ""))
    return next((install(extra) for extra in extras if extra and missing(*EXTRAS[extra])), None)


def create(name: str, given: Mapping[str, Any] | None = None, base_model: str | None = None) -> Method:
    """A method with its settings checked, ready to fit."""
    cls = method_class(name)
    values = dict(given or {})
    if base_model is not None:
        if cls.base_model_setting is None:
            raise UsageError(f"{name} takes no base model", where=f"{name}={base_model}", fix=f"write just {name}")
        values[cls.base_model_setting] = base_model
    return cls(parse_settings(name, cls.Settings, values))


def parse_specs(methods: str | Sequence[str], given: Mapping[str, Mapping[str, Any]] | None = None) -> list[Spec]:
    """Specs from "linear,knn,knn=models/potion", each with its settings from `given` (method -> settings).

    Raises UsageError for an unknown method, one named twice, or settings for a method that is not asked for.
    """
    words = [w.strip() for w in (methods.split(",") if isinstance(methods, str) else methods) if w.strip()]
    if not words:
        raise UsageError("no method is named", fix="for example --methods majority,linear,knn")
    given, specs = dict(given or {}), []
    for word in words:
        name, _, base_model = word.partition("=")
        if name not in TABLE:
            raise UsageError(f"there is no method {name!r}", fix=did_you_mean(name, TABLE))
        settings = dict(given.get(name, {}))
        id = f"{name}-{file_name(base_model)}" if base_model else name
        specs.append(Spec(id, name, base_model or None, settings))
    for name in given:
        if name not in {spec.name for spec in specs}:
            named = sorted({spec.name for spec in specs})
            what = f"there are settings for the method {name!r}, which is not compared"
            raise UsageError(what, fix=did_you_mean(name, named))
    ids = [spec.id for spec in specs]
    twice = next((i for i in ids if ids.count(i) > 1), None)
    if twice:
        raise UsageError(f"the method {twice!r} is named twice", fix="name it once, or give each another base model")
    return specs
