"""What twins among the texts mean: leaks from split to split, repeats inside a split, contradicting labels.

twins = find_duplicates(rows.texts)
leaks(rows, twins)        # [{"kind": "leak", "count": 62, "message": "62 of 7,600 test rows (0.8 %) have ...", ...}]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slmfit.data.audit.copies import MANY_COPIES, Bags
from slmfit.data.audit.edits import Integers
from slmfit.data.audit.findings import Finding, Rows, finding
from slmfit.data.audit.near import Duplicates
from slmfit.data.audit.overlaps import Runs
from slmfit.evidence.verdict import MANY_REPEATS
from slmfit.text.figures import number_of, part_of, percent, verb_of

_WORDS = {
    "exact": "identical",
    "variant": "the same but for case, spaces, punctuation and markup",
    "near": "with at most one word in ten changed",
}
# (rows that are scored, rows that were learnt from or chosen on)
_LEAKS = (("test", "train"), ("test", "validation"), ("validation", "train"))
_UNTIL = {"test": "the score may be too good", "validation": "settings are chosen by texts learnt before"}


@dataclass(frozen=True, slots=True)
class _Matches:
    """For some rows the first twin each has among others, closest kind first.

    rows, twins: (m,) row numbers. kinds: (m,) words. differ: how many have a twin with another label.
    """

    rows: Integers
    twins: Integers
    kinds: list[str]
    differ: int

    def by_kind(self, complete: bool) -> str:
        """'3 identical, 61 with at most one word in ten changed'."""
        parts = []
        for kind, words in _WORDS.items():
            if count := self.kinds.count(kind):
                parts.append(f"{'at least ' if kind == 'near' and not complete else ''}{count:,} {words}")
        return ", ".join(parts)


def leaks(rows: Rows, twins: Duplicates) -> list[Finding]:
    """A finding for every split whose rows have twins in a split that is learnt from or chosen on."""
    found = []
    splits = np.array(rows.splits)
    for scored, seen in _LEAKS:
        of, among = splits == scored, splits == seen
        match = _matches(rows, twins, of, among)
        if count := len(match.rows):
            found_in = part_of(count, int(of.sum()), f"{scored} row", "have")
            what = f"{match.by_kind(twins.complete)}{_other_labels(match.differ)}"
            message = f"{found_in} a twin in {seen}: {what}."
            fix = (
                f"Remove these rows from {seen} (`slmfit compare` lists all of them in data/twins.jsonl), or give all "
                f"rows as one file: slmfit then keeps a text and its twins in one split. Until then {_UNTIL[scored]}."
            )
            found.append(finding("leak", "warning", count, message, fix, _examples(rows, match)))
    return found


def copies(rows: Rows, twins: Duplicates) -> Iterator[Finding]:
    """A finding where many test rows are copies, and no twins, of rows that are learnt from or chosen on."""
    splits, bags, runs = np.array(rows.splits), Bags(twins.words), Runs(twins.words)
    for scored, seen in _LEAKS[:2]:
        of, among = np.flatnonzero(splits == scored), np.flatnonzero(splits == seen)
        new = of[~np.isin(of, _matches(rows, twins, splits == scored, splits == seen).rows)]
        found, looked = bags.copies(among, new)
        missing = MANY_COPIES * len(of) * looked - (found >= 0).sum()
        found = np.where(found >= 0, found, runs.overlapping(among, new, missing))
        hit = np.flatnonzero(found >= 0)
        if len(hit) <= MANY_COPIES * len(of) * looked:
            continue
        first, second = rows.ids[new[hit[0]]], rows.ids[among[found[hit[0]]]]
        share = part_of(len(hit), len(of), f"{scored} row", "share")
        message = (
            f"{share} nearly all of their words with a {seen} row, or the words at an edge: words in another order, "
            f"one text inside the other, or both cut from one, as {first!r} and {second!r}."
        )
        if looked < 1:
            message += f" There may be more: of so many texts only about {percent(looked)} were compared."
        fix = (
            "If these are copies (augmented, quoted, parts of one conversation or document), keep one of each, or "
            "write what they were made from into a column, and split by it: --group COLUMN. Until then "
            f"{_UNTIL[scored]}."
        )
        pairs = zip(new[hit].tolist(), among[found[hit]].tolist(), strict=True)
        examples = (rows.example([twin, row]) for row, twin in pairs)
        yield finding("copies", "warning", len(hit), message, fix, examples)


def repeats(rows: Rows, twins: Duplicates) -> list[Finding]:
    """A finding for every split that holds the same text more than once."""
    found = []
    splits = np.array(rows.splits)
    for split in dict.fromkeys(rows.splits):
        inside = splits == split
        match = _matches(rows, twins, inside, inside)
        if count := len(match.rows):
            found_in = part_of(count, int(inside.sum()), f"{split} row", "repeat")
            what = f"{match.by_kind(twins.complete)}{_other_labels(match.differ)}"
            message = f"{found_in} an earlier {split} row: {what}."
            fix = "Keep one of each, unless the same texts come again as often in real use."
            many = split == "test" and count > MANY_REPEATS * inside.sum()
            if many:
                message += _rest(int(inside.sum()), count, match.kinds.count("exact"))
            found.append(
                finding("duplicate", "warning" if many else "note", count, message, fix, _examples(rows, match))
            )
    return found


def _rest(rows: int, repeats: int, identical: int) -> str:
    """What so many repeats mean for the figures: only identical rows are counted as one."""
    alike = repeats - identical
    words = f" Scores rest on the {number_of(rows - repeats, 'other')}: intervals and tests count"
    if not alike:
        return f"{words} rows with the same text as one."
    first = "identical rows as one, and " if identical else ""
    return f"{words} {first}the {alike:,} that differ a little as rows of their own, so intervals are too narrow."


def every_twin(rows: Rows, twins: Duplicates) -> Iterator[dict[str, str]]:
    """Every row that has a twin, once for each split that holds one, with the first of these; in a row's own split only
    the later ones. By id, without texts.
    """
    splits = np.array(rows.splits)
    every = list(dict.fromkeys(rows.splits))
    for of in every:
        for among in every:
            match = _matches(rows, twins, splits == of, splits == among)
            for row, twin, kind in zip(match.rows.tolist(), match.twins.tolist(), match.kinds, strict=True):
                yield {"id": rows.ids[row], "split": of, "twin": rows.ids[twin], "twin_split": among, "kind": kind}


def contradictions(rows: Rows, twins: Duplicates, near_too: bool) -> list[Finding]:
    """Texts that occur with several labels; near pairs that do, unless an answer depends on every word."""
    codes = _codes(rows)
    low, high = _label_range(twins.variant, codes, np.ones(len(codes), bool))
    torn = np.flatnonzero(high > low)
    found = []
    if len(torn):
        inside = np.isin(twins.variant, torn) & (codes >= 0)
        count = int(inside.sum())
        message = (
            f"{number_of(len(torn), 'text', 'occur')} with different labels, on "
            f"{number_of(count, 'row')} in all (case, spaces, punctuation and markup aside)."
        )
        fix = "Decide on one label for each: no method can be right on all of these rows."
        examples = (rows.example(_contrast(np.flatnonzero(inside & (twins.variant == text)), codes)) for text in torn)
        found.append(finding("contradiction", "warning", len(torn), message, fix, examples))
    one, other = codes[twins.near].T if len(twins.near) else (np.zeros(0, int), np.zeros(0, int))
    apart = np.flatnonzero((one >= 0) & (other >= 0) & (one != other))
    if near_too and len(apart):
        message = (
            f"{number_of(len(apart), 'pair')} of nearly the same text (at most one word in ten changed) "
            f"{verb_of(len(apart), 'have')} different labels."
        )
        fix = "Look at the examples: some of the labels are probably wrong, or two labels mean the same."
        examples = (
            rows.example(twins.near[pair].tolist(), similarity=round(float(twins.similarity[pair]), 3))
            for pair in apart
        )
        found.append(finding("near_contradiction", "note", len(apart), message, fix, examples))
    return found


def _other_labels(count: int) -> str:
    return f"; of all these, {count:,} {verb_of(count, 'have')} a twin with another label" if count else ""


def _examples(rows: Rows, match: _Matches) -> Iterator[dict[str, Any]]:
    for row, twin, kind in zip(match.rows.tolist(), match.twins.tolist(), match.kinds, strict=True):
        yield rows.example([twin, row], match=kind)


def _contrast(members: Integers, codes: Integers) -> list[int]:
    """The first row of each label, three at most."""
    first = np.unique(codes[members], return_index=True)[1]
    return sorted(members[first].tolist())[:3]


# --- who has a twin where ---------------------------------------------------------------------------------------------


def _matches(rows: Rows, twins: Duplicates, of: NDArray[np.bool_], among: NDArray[np.bool_]) -> _Matches:
    """Rows under `of` with a twin under `among`; where both are the same rows, only later rows match earlier ones."""
    n = len(of)
    everyone = np.arange(n)
    before = np.where(of & among, everyone, n)  # a twin's row must be lower than this
    exact = _first(twins.exact, among)[twins.exact]
    variant_first = _first(twins.variant, among)
    variant = variant_first[twins.variant]
    closest = np.full(n, n)
    for mine, theirs in (twins.near.T, twins.near.T[::-1]):
        np.minimum.at(closest, mine, variant_first[theirs])
    near = closest[twins.variant]

    kind = np.select([exact < before, variant < before, near < before], [0, 1, 2], 3)
    hit = np.flatnonzero(of & (kind < 3))
    twin = np.choose(kind[hit], [exact[hit], variant[hit], near[hit]])
    names = [list(_WORDS)[k] for k in kind[hit].tolist()]
    return _Matches(hit, twin, names, _differing(rows, twins, hit, among))


def _differing(rows: Rows, twins: Duplicates, hit: Integers, among: NDArray[np.bool_]) -> int:
    """How many of these rows have a twin of any kind among the others with a label unlike theirs."""
    codes = _codes(rows)
    low, high = _label_range(twins.variant, codes, among)
    widest_low, widest_high = low.copy(), high.copy()
    for mine, theirs in (twins.near.T, twins.near.T[::-1]):
        np.minimum.at(widest_low, mine, low[theirs])
        np.maximum.at(widest_high, mine, high[theirs])
    own, text = codes[hit], twins.variant[hit]
    return int(((own >= 0) & ((widest_low[text] < own) | (widest_high[text] > own))).sum())


def _codes(rows: Rows) -> Integers:
    """(n,) labels as numbers, -1 for none."""
    numbers: dict[str | None, int] = {None: -1}
    for label in rows.labels:
        numbers.setdefault(label, len(numbers) - 1)
    return np.fromiter((numbers[label] for label in rows.labels), np.int64, len(rows.labels))


def _label_range(texts: Integers, codes: Integers, among: NDArray[np.bool_]) -> tuple[Integers, Integers]:
    """(n,) lowest and highest label number of each text among some rows; a text without any is an empty range."""
    some = among & (codes >= 0)
    low, high = np.full(len(codes), np.iinfo(np.int64).max), np.full(len(codes), -1)
    np.minimum.at(low, texts[some], codes[some])
    np.maximum.at(high, texts[some], codes[some])
    return low, high


def _first(texts: Integers, among: NDArray[np.bool_]) -> Integers:
    """(n,) for each text its first row among some, n where it has none."""
    first = np.full(len(texts), len(texts))
    np.minimum.at(first, texts[among], np.flatnonzero(among))
    return first
