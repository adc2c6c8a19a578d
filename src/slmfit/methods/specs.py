"""Methods as they are asked for, each resolved once: class, checked settings, or the reason why it cannot run.

    specs = parse_specs("linear,causal@zero=MODEL,causal@tuned=MODEL", {"causal@zero": {"epochs": 0}}, task)
    [spec.id for spec in specs]                  # ["linear", "causal@zero", "causal@tuned"]
    specs[1].create().settings.epochs            # 0

A word is METHOD, METHOD=BASE_MODEL, or either with a name of its own, METHOD@NAME: so one method can be there twice.
Where BASE_MODEL is a folder that `slmfit tune` left, the base model and the settings are those that it kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from slmfit import methods, storage
from slmfit.errors import UsageError, did_you_mean
from slmfit.methods import TABLE, Row, strangers, tuned
from slmfit.methods.base import Method, Remote
from slmfit.records import FLOORS
from slmfit.storage import file_name
from slmfit.tasks.base import Task

CASCADE = "cascade"
HOW = "name a small one and a large one, or two folders of runs: cascade=linear+encoder"
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
    remote: whether it asks a server. seeded: whether another seed makes another model. parts: the methods that it is
    made of. run: the folder of a finished run, which it stands for then.
    """

    id: str
    name: str
    base_model: str | None
    row: Row
    settings: Any = None
    reason: str | None = None
    remote: bool = False
    seeded: bool = False
    parts: tuple[Spec, ...] = ()
    run: Path | None = None

    @property
    def trained(self) -> bool:
        """Whether it takes the time it is given."""
        return self.row.trained

    @property
    def quick(self) -> bool:
        """Whether it takes the seconds it needs, and is neither trained nor waits for a server."""
        return not (self.trained or self.remote or self.parts)

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
    whole = [_resolved(word, given, task) for word in words if word.method != CASCADE]
    rest = iter(whole)
    specs = [_made_of(word, whole, given, task) if word.method == CASCADE else next(rest) for word in words]
    parts = [part for spec in specs for part in spec.parts if part.run is None]
    kinds = sorted(
        {*(kind for word in words for kind in word.kinds), *(name for p in parts for name in (p.name, p.id))}
    )
    for kind in given:
        if kind not in kinds:
            fix = did_you_mean(kind, kinds, f"add {kind} to the methods, or leave its settings out")
            raise UsageError(f"{kind!r} has settings, but is not one of the methods: {', '.join(kinds)}", fix=fix)
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


def with_parts(specs: Sequence[Spec]) -> list[Spec]:
    """The specs, and before one that is made of others those of them that nobody asked for and that are no runs yet."""
    found, asked = [], {spec.id for spec in specs}
    for spec in specs:
        missing = [part for part in spec.parts if part.run is None and part.id not in asked]
        asked |= {part.id for part in missing}
        found += [*missing, spec]
    return found


def _made_of(word: Word, asked: Sequence[Spec], given: Mapping[str, Mapping[str, Any]], task: Task | None) -> Spec:
    """The spec of a method that is made of two others: those asked for beside it, others, or finished runs.

    Raises UsageError where it is not made of two, of itself, or of a small one that a server answers.
    """
    names = _two(word)
    parts = tuple(_part(name, asked, given, task) for name in names)
    small, large = parts
    row, joined_ids = methods.row_of(CASCADE), f"{small.id}+{large.id}"
    if any(part.name == CASCADE for part in parts) or (small.id, small.run) == (large.id, large.run):
        raise UsageError(
            "a cascade is made of two different methods that are none", where=str(word.base_model), fix=HOW
        )
    if small.remote:
        fix = "let a model that is here answer first, and the server the rest: cascade=linear+llm=MODEL"
        raise UsageError("the small part of a cascade asks a server", where=str(word.base_model), fix=fix)
    own = f"{CASCADE}@{word.own}" if word.own else f"{CASCADE}-{file_name(joined_ids)}"
    spec = Spec(own, CASCADE, None, row, remote=large.remote, parts=parts)
    if reason := next((f"{part.id}: {part.reason}" for part in parts if part.reason), None):
        return replace(spec, reason=reason)
    values = {name: value for kind in word.kinds for name, value in given.get(kind, {}).items()}
    return replace(spec, settings=methods.checked_settings(CASCADE, values, joined_ids))


def _two(word: Word) -> tuple[str, str]:
    """The names of the parts. A plus may stand in a name, too: then the cut is where what is before it is known."""
    pieces = (word.base_model or "").split("+")
    cuts = [("+".join(pieces[:i]), "+".join(pieces[i:])) for i in range(1, len(pieces))]
    known = [cut for cut in cuts if _is_run(cut[0]) or Word.of(cut[0]).method in methods.names()]
    if not (found := next(iter(known or cuts), None)) or not all(name.strip() for name in found):
        raise UsageError("a cascade is made of two methods", where=f"{CASCADE}={word.base_model or ''}", fix=HOW)
    return found[0].strip(), found[1].strip()


def _part(name: str, asked: Sequence[Spec], given: Mapping[str, Mapping[str, Any]], task: Task | None) -> Spec:
    """A part by its id, by the name of the only method of its kind that is asked for, as a finished run, or anew."""
    named = [spec for spec in asked if spec.id == name] or [spec for spec in asked if spec.name == name]
    if len(named) == 1:
        return named[0]
    if _is_run(name):
        return _finished(Path(name))
    return _resolved(Word.of(name), given, task)


def _is_run(name: str) -> bool:
    return bool(name.strip()) and (Path(name) / "run.json").is_file()


def _finished(folder: Path) -> Spec:
    """A finished run as a spec. Raises SlmfitError where its record is damaged."""
    about = storage.read_json(folder / "run.json", "id", "method", "remote")
    id, method = str(about["id"]), str(about["method"])
    row = methods.TABLE.get(method) or Row(f"a run of {method}", None, ())
    return Spec(id, method, None, row, remote=bool(about["remote"]), run=folder)


def _resolved(word: Word, given: Mapping[str, Mapping[str, Any]], task: Task | None) -> Spec:
    row = methods.row_of(word.method)
    base_model: str | None = word.base_model
    settled: dict[str, Any] = {}
    if base_model is not None and tuned.is_tuned(base_model):
        base_model, settled = tuned.kept(base_model, word.method)
    spec = Spec(_id(word, row), word.method, base_model, row, seeded=row.trained)
    reason = methods.unavailable(word.method, None if task is None else task.name)
    if reason:
        return replace(spec, reason=reason)
    values = {name: value for kind in word.kinds for name, value in given.get(kind, {}).items()}
    settings = methods.checked_settings(word.method, settled | values, base_model)
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
