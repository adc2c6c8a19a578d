"""Methods as they are asked for, each resolved once: class, checked settings, or the reason why it cannot run.

    specs = parse_specs("linear,causal@zero=MODEL,causal@tuned=MODEL", {"causal@zero": {"epochs": 0}}, task)
    [spec.id for spec in specs]                  # ["linear", "causal@zero", "causal@tuned"]
    specs[1].create().settings.epochs            # 0

A word is METHOD, METHOD=BASE_MODEL, or either with a name of its own, METHOD@NAME: so one method can be there twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from slmfit import methods
from slmfit.errors import UsageError, did_you_mean
from slmfit.methods import TABLE, Row, strangers
from slmfit.methods.base import Method, Remote
from slmfit.records import FLOORS
from slmfit.storage import file_name
from slmfit.tasks.base import Task

OWN_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,38}[A-Za-z0-9_-])?")
# What an older slmfit wrote behind ID@ when it set a run aside.
OLD_MARK = re.compile(r"[0-9a-f]{8}|unreadable")
TAKEN = (*TABLE, "predictions", "con", "prn", "aux", "nul")  # ids of ours, and what Windows keeps for itself
# What is fitted beside a ranker of options, to show how far the answers come without the question.
FLOOR_SETTINGS = dict(zip(FLOORS, ({"reads": "options"}, {"reads": "lengths"}), strict=True))


class Word(NamedTuple):
    """What stands in --methods: `causal@zero=MODEL`."""

    method: str
    own: str | None
    base_model: str | None

    @classmethod
    def of(cls, text: str) -> Word:
        """Raises UsageError for a name of its own that no folder could have."""
        left, _, base_model = text.partition("=")
        method, at, own = left.partition("@")
        if at and (not OWN_NAME.fullmatch(own) or OLD_MARK.fullmatch(own)):
            fix = "a name has up to 40 of A-Z, a-z, 0-9, '.', '_' and '-', for example linear@small"
            if OLD_MARK.fullmatch(own):
                fix = "choose another; runs that an older slmfit set aside are called so"
            raise UsageError(f"the name after @ cannot be {own!r}", where=text, fix=fix)
        return cls(method, own or None, base_model or None)

    @property
    def kinds(self) -> tuple[str, ...]:
        """What settings may be given for, the last of which wins."""
        return (self.method, f"{self.method}@{self.own}") if self.own else (self.method,)


@dataclass(frozen=True)
class Spec:
    """One method asked for, resolved for a task.

    id: names its run. name: of the method: its row in TABLE, an entry point, or "module:Class". row: what the table
    says of it. settings: checked, base model included; None where there is a `reason` why it cannot run.
    remote: whether it asks a server. seeded: whether another seed makes another model.
    """

    id: str
    name: str
    base_model: str | None
    row: Row
    settings: Any = None
    reason: str | None = None
    remote: bool = False
    seeded: bool = False

    @property
    def trained(self) -> bool:
        """Whether it takes the time it is given."""
        return self.row.trained

    @property
    def quick(self) -> bool:
        """Whether it takes the seconds it needs, and is neither trained nor waits for a server."""
        return not (self.trained or self.remote)

    @property
    def embeds(self) -> bool:
        """Whether it stands on vectors that a named model makes, which may be slow."""
        method = methods.method_class(self.name)
        return not self.trained and bool(getattr(self.settings, method.base_model_setting or "", None))

    def create(self) -> Method:
        """The method, ready to fit."""
        return methods.method_class(self.name)(self.settings)

    def __getstate__(self) -> dict[str, Any]:
        # A key that stands in a server's address stays in this process; records never show it either.
        return self.__dict__ | {"settings": None if self.reason else self.create().settings}


def parse_specs(
    asked: str | Sequence[str], given: Mapping[str, Mapping[str, Any]] | None = None, task: Task | None = None
) -> list[Spec]:
    """Specs from "linear,knn@five,knn=models/potion", each with its settings.

    given: method -> settings for all of that kind, or method@name -> those of one, which win.
    task: what they shall do; None = whatever they do.

    Raises UsageError for an unknown method, one named twice, a setting that does not fit, or settings for a method
    that is not asked for; and what importing another's method raises.
    """
    texts = [text.strip() for text in (asked.split(",") if isinstance(asked, str) else asked) if text.strip()]
    if not texts:
        raise UsageError("no method is named", fix="for example --methods majority,linear,knn")
    given, words = dict(given or {}), [Word.of(text) for text in texts]
    specs = [_resolved(word, given, task) for word in words]
    kinds = sorted({kind for word in words for kind in word.kinds})
    for kind in given:
        if kind not in kinds:
            what = f"there are settings for the method {kind!r}, which is not compared"
            raise UsageError(what, fix=did_you_mean(kind, kinds))
    if own := next((spec.id for spec in specs if spec.id in FLOORS), None):
        fix = "choose another name; for multiple choice it is fitted beside linear anyhow"
        raise UsageError(f"the name {own!r} is that of a floor, which others must beat", fix=fix)
    ids = [spec.id.lower() for spec in specs]  # on some file systems, A and a are one folder
    if twice := next((spec for spec in specs if ids.count(spec.id.lower()) > 1), None):
        fix = f"name it once, or give each a name of its own: {twice.name}@one,{twice.name}@two"
        raise UsageError(f"the method {twice.id!r} is named twice", fix=fix)
    return specs


def with_floors(specs: Sequence[Spec], task: Task) -> list[Spec]:
    """The specs, and behind a ranker of options those that rank without the question."""
    if task.classifies or task.marks:
        return list(specs)
    found = []
    for spec in specs:
        found.append(spec)
        if spec.id == "linear" and not spec.reason:
            found += [_resolved(Word.of(id), {spec.name: given}, task) for id, given in FLOOR_SETTINGS.items()]
    return found


def _resolved(word: Word, given: Mapping[str, Mapping[str, Any]], task: Task | None) -> Spec:
    row = methods.row_of(word.method)
    spec = Spec(_id(word, row), word.method, word.base_model, row, seeded=row.trained)
    reason = methods.unavailable(word.method, None if task is None else task.name)
    if reason:
        return replace(spec, reason=reason)
    values = {name: value for kind in word.kinds for name, value in given.get(kind, {}).items()}
    settings = methods.checked_settings(word.method, values, word.base_model)
    method = methods.method_class(word.method)(settings)
    seeded = row.trained and method.seeded
    return replace(spec, settings=settings, remote=isinstance(method, Remote), seeded=seeded)


def _id(word: Word, row: Row) -> str:
    """What the run is called: METHOD@NAME, METHOD-BASEMODEL or METHOD."""
    name = word.method
    if ":" in name and row.place:
        name = strangers.label(row.place, methods.method_class(name), TAKEN)
    if word.own:
        return f"{name}@{word.own}"
    return f"{name}-{file_name(word.base_model)}" if word.base_model else name
