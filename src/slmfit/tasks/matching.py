"""How the entities found compare with the true ones: the four schemes of SemEval-2013 task 9.1.

    true, found = [Span(0, 4, "CITY"), Span(9, 12, "DAY")], [Span(0, 2, "CITY")]
    matched(true, found, "type")           # [(Span(0, 4, "CITY"), Span(0, 2, "CITY")), (Span(9, 12, "DAY"), None)]
    f1(tally([true], [found], "partial").sum(axis=0))        # 0.5 right of 1 found and 2 true: 1/3

    strict      start, end and type are those of a true entity; the F1 of this is CoNLL's
    boundary    start and end are, whatever the type
    partial     as boundary, and an overlap counts half
    type        the type is, and there is some overlap

Every found entity, in order, takes the true one that suits it best of those still free, as in nervaluate 1.2 (where
an overlap is a hundredth of the true one or more, and here a character). For the score of one type, only the entities
of that type are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from slmfit.records import Span

Pair: TypeAlias = tuple[Span | None, Span | None]  # a true entity and what was found for it; one of them may lack

SCHEMES = ("strict", "boundary", "partial", "type")
NOWHERE = -1  # start and end of an entity that was named but has no place: it overlaps nothing


class Outcomes(NamedTuple):
    """How many entities ended in what (Chinchor & Sundheim 1993): the last two have no partner."""

    correct: int
    incorrect: int
    partial: int
    missed: int
    spurious: int


def _bounds_differ(true: Span, found: Span) -> bool:
    return (true.start, true.end) != (found.start, found.end)


def _types_differ(true: Span, found: Span) -> tuple[bool, int]:
    """Of several of its type, an entity takes the one whose edges are nearest."""
    distance = abs(true.start - found.start) + abs(true.end - found.end)
    return (True, 0) if true.label != found.label else (False, distance)


# scheme -> what makes a partner less welcome; of equally welcome ones the first is taken
_ORDER: dict[str, Callable[[Span, Span], Any]] = {
    "strict": lambda true, found: true != found,
    "boundary": _bounds_differ,
    "partial": _bounds_differ,
    "type": _types_differ,
}


def matched(true: Sequence[Span], found: Sequence[Span], scheme: str) -> list[Pair]:
    """The pairs of one row, in the order of what was found; then what was missed."""
    free, pairs, order = list(true), list[Pair](), _ORDER[scheme]
    for span in found:
        near = [t for t in free if t.start < span.end and span.start < t.end]
        best = min(near, key=lambda t: order(t, span), default=None)
        if best is not None:
            free.remove(best)
        pairs.append((best, span))
    return [*pairs, *((t, None) for t in free)]


def outcomes(rows: Iterable[Sequence[Pair]], scheme: str) -> Outcomes:
    """What became of the entities of all rows, each row's as `matched` by the same scheme."""
    counts = dict.fromkeys(Outcomes._fields, 0)
    for pairs in rows:
        for pair in pairs:
            counts[_outcome(*pair, scheme)] += 1
    return Outcomes(**counts)


def _outcome(true: Span | None, found: Span | None, scheme: str) -> str:
    if true is None:
        return "spurious"
    if found is None:
        return "missed"
    right = true.label == found.label if scheme == "type" else not _ORDER[scheme](true, found)
    return "correct" if right else "partial" if scheme == "partial" else "incorrect"


def tally(true: Iterable[Sequence[Span]], found: Iterable[Sequence[Span]], scheme: str = "strict") -> np.ndarray:
    """float64 [rows, 3]: entities that are right (a partial one is half right), found, true."""
    rows = [(_credit(matched(t, f, scheme), scheme), len(f), len(t)) for t, f in zip(true, found, strict=True)]
    return np.array(rows, dtype=np.float64).reshape(-1, 3)


def tally_by_type(
    true: Iterable[Sequence[Span]], found: Iterable[Sequence[Span]], labels: Sequence[str], scheme: str = "strict"
) -> np.ndarray:
    """float64 [rows, labels + 1, 3]: `tally` of each type alone; in the last place, all types not in labels."""
    place = {label: i for i, label in enumerate(labels)}
    pairs = list(zip(true, found, strict=True))
    table = np.zeros((len(pairs), len(labels) + 1, 3))
    for row, (t, f) in zip(table, pairs, strict=True):
        for label in {span.label for span in (*t, *f)}:
            mine, theirs = ([span for span in spans if span.label == label] for spans in (t, f))
            right = _credit(matched(mine, theirs, scheme), scheme)
            row[place.get(label, -1)] += (right, len(theirs), len(mine))
    return table


def _credit(pairs: Sequence[Pair], scheme: str) -> float:
    found = outcomes([pairs], scheme)
    return found.correct + 0.5 * found.partial


def precision(counts: np.ndarray) -> np.ndarray:
    """[..., 3] right, found, true -> [...]; 0 where nothing was found."""
    return ratio(counts[..., 0], counts[..., 1])


def recall(counts: np.ndarray) -> np.ndarray:
    """[..., 3] right, found, true -> [...]; 0 where there was nothing to find."""
    return ratio(counts[..., 0], counts[..., 2])


def f1(counts: np.ndarray) -> np.ndarray:
    """[..., 3] right, found, true -> [...]; the harmonic mean of `precision` and `recall`, 0 where both are."""
    return ratio(2 * counts[..., 0], counts[..., 1] + counts[..., 2])


def macro(counts: np.ndarray, score: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """[..., types, 3] -> [...]: the mean of a score over the types that are in truth or were found."""
    present = counts[..., 1:].sum(axis=-1) > 0
    return ratio((score(counts) * present).sum(axis=-1), present.sum(axis=-1))


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, 0 where the whole is 0."""
    return np.divide(part, whole, out=np.zeros(np.shape(whole)), where=np.asarray(whole) > 0)
