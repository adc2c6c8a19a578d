"""Public data sets by name: columns, licence, size and what others scored on them, each score with its source.

    entry = lookup("ag_news")
    entry.rows["test"], entry.licence          # 7600, "for research and other non-commercial use"
    [(score.method, score.value) for score in entry.scores]

The facts stand in catalog.toml; nothing is downloaded.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from slmfit.errors import UsageError, did_you_mean


@dataclass(frozen=True, slots=True)
class KnownScore:
    """What somebody reports: `value` between 0 and 1, `metric` by slmfit's names. Settings may differ from yours."""

    method: str
    metric: str
    value: float
    source: str
    split: str = "test"


@dataclass(frozen=True, slots=True)
class Entry:
    """One data set.

    hub: its name on Hugging Face's hub, None where it is elsewhere. columns: role -> column.
    rows: split -> number of labelled rows. labels: their names, or how many there are (types, for entities).
    strip: the text recipe that it is usually used with.
    """

    name: str
    title: str
    task: str
    columns: Mapping[str, str]
    rows: Mapping[str, int]
    labels: tuple[str, ...] | int
    licence: str
    about: str
    scores: tuple[KnownScore, ...]
    hub: str | None = None
    strip: tuple[str, ...] = ()


def names() -> list[str]:
    """All names, sorted."""
    return sorted(_catalog())


def lookup(name: str) -> Entry:
    """The entry of that name, or of that name on the hub. Raises UsageError for any other."""
    catalog = _catalog()
    found = catalog.get(name) or next((entry for entry in catalog.values() if name == entry.hub), None)
    if found is None:
        raise UsageError(f"the catalogue has no data set {name!r}", fix=did_you_mean(name, names()))
    return found


@cache
def _catalog() -> dict[str, Entry]:
    facts = tomllib.loads(Path(__file__).with_name("catalog.toml").read_text(encoding="utf-8"))
    return {name: _entry(name, fact) for name, fact in facts.items()}


def _entry(name: str, fact: dict) -> Entry:
    labels = fact.pop("labels")
    scores = tuple(KnownScore(**score) for score in fact.pop("scores"))
    strip = tuple(fact.pop("strip", ()))
    return Entry(name, labels=labels if isinstance(labels, int) else tuple(labels), scores=scores, strip=strip, **fact)
