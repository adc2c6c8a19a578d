"""How often answers are right, told by few rows that a person checked: which rows to check, and what they say of all.

    group = grouped(agree, sureness)             # [rows]: SURE, UNSURE, SOME, MOST or EVERY
    asked = asking_order(group, seed=0)[:150]    # the first n of it, whatever n
    accuracy(group, asked, right)                # Score(0.941, 0.912, 0.965), of all rows
    difference(group, differ, asked, a, b)       # Score(0.012, -0.003, 0.027), teacher less method

*Which rows.* Every row has an answer of the teacher and of each method, so that it is known where they differ. Three of
five checks go there; of the others a third to the quarter of the rows that the methods are least sure of, where an
error that all of them share is likeliest. Within a group every row is as likely to be drawn as any other, and there is
one order for all numbers of rows: whoever stops early, or goes on later, has checked a proper sample.

*What they say.* The groups' shares of all rows are known, and only what is right within each is estimated: the
stratified estimate, which is prediction-powered inference with groups for a prediction (Angelopoulos et al. 2023; Fisch
et al. 2024). A method's rows are told apart further by whether it agrees with the teacher. Where the two agree their
difference is 0, whatever is right, so that it rests on the other rows alone. The interval holds the values under which
what was seen is not much less likely than under the likeliest (the profile likelihood of a stratified mean, as in Zhong
& Rao 2000, with outcomes that were not seen allowed for): to it a group without an error is not one without errors.
On top comes that the rows are themselves a sample: it is the share of rows to come that is meant.
benchmarks/checking.py measures that they hold, and which others do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slmfit.evidence.statistic import LEVEL, tango
from slmfit.records import Score

# All answers agree, and the methods are sure, or not; some, most or all methods answer otherwise than the teacher.
SURE, UNSURE, SOME, MOST, EVERY = 0, 1, 2, 3, 4
GROUPS = 5
UNSURE_ROWS = 0.25  # of the rows where all agree
CHECKS = {SURE: 0.28, UNSURE: 0.135, SOME: 0.585}  # each one's part of the checks; from SOME on together
FEW = 3  # checked rows of a kind, below which it is not told apart
STEPS = 36  # of a search by halves

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


def grouped(agree: ArrayLike, sureness: ArrayLike | None = None) -> Integers:
    """The group of each row [rows].

    agree [rows, methods]: whether a method's answer is the teacher's. sureness [rows]: how likely the methods find the
    teacher's answer; None = not known, and then no row is unsure.
    """
    like = np.asarray(agree, dtype=bool)
    all_agree, share = like.all(axis=1), like.mean(axis=1)
    group = np.select([all_agree, share == 0, share < 0.5], [SURE, EVERY, MOST], SOME).astype(np.int64)
    alike = np.flatnonzero(all_agree)
    if sureness is not None and len(alike):
        sure = np.asarray(sureness, dtype=float)[alike]
        if sure.min() < sure.max():
            group[alike[np.argsort(sure, kind="stable")[: round(UNSURE_ROWS * len(alike))]]] = UNSURE
    return group


def asking_order(group: ArrayLike, seed: int = 0) -> Integers:
    """All rows in the order in which they are checked: each group's at random, the groups by their part of the checks.

    A group that is used up leaves its part to the others.
    """
    groups = np.asarray(group)
    count = np.bincount(groups, minlength=GROUPS)
    parts = np.zeros(GROUPS)
    parts[[SURE, UNSURE]] = CHECKS[SURE], CHECKS[UNSURE]
    parts[SOME:] = CHECKS[SOME] * count[SOME:] / max(count[SOME:].sum(), 1)
    if not count[UNSURE]:
        parts[SURE] += parts[UNSURE]
    rng = np.random.default_rng(seed)
    turn = np.empty(len(groups))
    for one in range(GROUPS):
        rows = rng.permutation(np.flatnonzero(groups == one))
        turn[rows] = (np.arange(len(rows)) + 0.5) / max(parts[one], 1e-9)
    order: Integers = np.argsort(turn, kind="stable")
    return order


def accuracy(
    group: ArrayLike, checked: ArrayLike, right: ArrayLike, agree: ArrayLike | None = None, level: float = LEVEL
) -> Score:
    """The share of all rows that are answered rightly.

    group [rows]. checked [checks]: the rows that were, one at least. right [checks]: whether the answer is, 0 to 1.
    agree [rows]: whether a method's answer is the teacher's; None for the teacher itself.
    """
    return _score(*weighed([accuracy_counts(group, checked, right, agree)], (1.0, 0.0), len(np.asarray(group)), level))


def difference(
    group: ArrayLike, differ: ArrayLike, checked: ArrayLike, teacher: ArrayLike, method: ArrayLike, level: float = LEVEL
) -> Score:
    """The teacher's share of right answers less a method's, on all rows: positive = the method is worse.

    group, differ [rows]: whether the two answers do. checked [checks]; teacher, method [checks]: whether each is right,
    0 to 1.
    """
    rows = len(np.asarray(group))
    if not np.any(differ):
        return none_differ(rows, level)
    counts = difference_counts(group, differ, checked, teacher, method)
    return _score(*weighed([counts], (1.0, 0.0, -1.0), rows, level))


def none_differ(rows: int, level: float = LEVEL) -> Score:
    """A difference of which so many rows show nothing: they are a sample of those to come."""
    return Score(0.0, *tango(0, 0, max(rows, 1), level))


def accuracy_counts(
    group: ArrayLike, checked: ArrayLike, right: ArrayLike, agree: ArrayLike | None = None
) -> tuple[Floats, Floats]:
    """What `weighed` takes of an accuracy: rows of each kind [10], and checked ones that are right and wrong
    [10, 2]."""
    kind, asked = np.asarray(group, dtype=np.int64).copy(), np.asarray(checked, dtype=np.int64)
    if agree is not None:
        apart = kind + GROUPS * np.asarray(agree, dtype=bool)
        seen = np.bincount(apart[asked], minlength=2 * GROUPS)
        for one in range(GROUPS):
            if min(seen[one], seen[one + GROUPS]) >= FEW:
                kind = np.where(kind == one, apart, kind)
    hits = np.asarray(right, dtype=float)
    return _counts(kind, asked, (hits, 1 - hits), 2 * GROUPS)


def difference_counts(
    group: ArrayLike, differ: ArrayLike, checked: ArrayLike, teacher: ArrayLike, method: ArrayLike
) -> tuple[Floats, Floats]:
    """What `weighed` takes of a difference: rows of each kind where the two differ [5], and of those that were checked
    how many the teacher alone has right, neither or both, and the method alone [5, 3]."""
    asked = np.asarray(checked, dtype=np.int64)
    kinds = GROUPS  # a method that came after the draw may differ where all others agree
    kind = np.where(np.asarray(differ, dtype=bool), np.asarray(group, dtype=np.int64), kinds)
    seen, there = np.bincount(kind[asked], minlength=kinds + 1), np.bincount(kind, minlength=kinds + 1)
    if any(there[one] and seen[one] < FEW for one in range(SOME, kinds)):
        kind = np.where((kind >= SOME) & (kind < kinds), SOME, kind)
    gap = np.asarray(teacher, dtype=float) - np.asarray(method, dtype=float)
    ahead, behind = np.maximum(gap, 0), np.maximum(-gap, 0)
    size, counts = _counts(kind, asked, (ahead, 1 - ahead - behind, behind), kinds + 1)
    return size[:kinds], counts[:kinds]


def at_most(group: ArrayLike, differ: ArrayLike, checked: ArrayLike, level: float = LEVEL) -> float:
    """Half of a difference's interval at most, known before a row is checked: as if in every row where the two differ
    one of them were right, and either as often."""
    alike = np.zeros(len(np.asarray(checked)))
    size, counts = difference_counts(group, differ, checked, alike, alike)
    least = none_differ(len(np.asarray(group)), level).high or 0.0
    if not size.any():
        return least
    half = counts.sum(axis=1) / 2
    even = np.stack([half, np.zeros(len(half)), half], axis=1)
    return max(float(weighed([(size, even)], (1.0, 0.0, -1.0), len(np.asarray(group)), level)[2][0]), least)


def weighed(
    found: Sequence[tuple[Floats, Floats]], values: Sequence[float], rows: int, level: float = LEVEL
) -> tuple[Floats, Floats, Floats]:
    """The mean over all rows, and its interval: value, low, high, each [samples].

    found: of each sample the rows of each kind [kinds], and how many were checked with which value [kinds, values].
    rows: in all; those that are of no kind are known to be 0.
    """
    size, counts = (np.stack([one[part] for one in found]) for part in (0, 1))
    weight, worth = size / rows, np.asarray(values)
    seen = counts.sum(axis=-1)
    alike = (counts.sum(axis=1) @ worth / np.maximum(seen.sum(axis=1), 1))[:, None]
    mean = np.where(seen > 0, counts @ worth / np.maximum(seen, 1e-9), alike)
    value = (weight * mean).sum(axis=-1)
    z = NormalDist().inv_cdf((1 + level) / 2)
    low, high = (_end(weight, counts, worth, sign, z * z) for sign in (-1.0, 1.0))
    between = (weight * (mean - value[:, None]) ** 2).sum(axis=-1) + (1 - weight.sum(axis=-1)) * value**2
    of_rows = z * np.sqrt(np.maximum(between, 0) / rows)
    below, above = np.hypot(np.maximum(value - low, 0), of_rows), np.hypot(np.maximum(high - value, 0), of_rows)
    return value, np.maximum(value - below, worth.min()), np.minimum(value + above, worth.max())


def _end(weight: Floats, counts: Floats, worth: Floats, sign: float, far: float) -> Floats:
    """The mean furthest to one side [samples] at which the likelihood has fallen by no more than `far` / 2."""
    near, past = np.full(len(weight), np.log(1e-6)), np.full(len(weight), np.log(1e8))
    for _ in range(STEPS):
        pull = (near + past) / 2
        within = _likeliest(weight, counts, worth, sign * np.exp(pull))[1] < far
        near, past = np.where(within, pull, near), np.where(within, past, pull)
    return _likeliest(weight, counts, worth, sign * np.exp(near))[0]


def _likeliest(weight: Floats, counts: Floats, worth: Floats, pull: Floats) -> tuple[Floats, Floats]:
    """The mean [samples] of the likeliest chances when it is pulled at, and by how much twice their log likelihood has
    fallen.

    Within a kind the chance of a value is its count over `level` - pull x weight x value, with the level at which the
    chances add up to 1; where even the lowest level leaves some, the value that is pulled at has it.
    """
    pulled = pull[:, None, None] * weight[:, :, None] * worth
    top = pulled.max(axis=-1, keepdims=True)
    below, seen = top - pulled, counts.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        chance = np.where(counts > 0, counts / (_level(counts, below)[..., None] + below), 0.0)
        rest = np.maximum(1 - chance.sum(axis=-1, keepdims=True), 0)
        highest = below == 0
        chance = chance + rest * highest / highest.sum(axis=-1, keepdims=True)
        ratio = np.where(counts > 0, chance * seen[..., None] / counts, 1.0)
        fallen = -2 * (counts * np.log(np.maximum(ratio, 1e-300))).sum(axis=(-1, -2))
    return (weight * (chance @ worth)).sum(axis=-1), fallen


def _level(counts: Floats, below: Floats) -> Floats:
    """The level [samples, kinds] above the highest pull: the root of sum of counts / (level + below) = 1, or 0.

    Of two values it is that of a square; of more it is found by halves.
    """
    seen = counts.sum(axis=-1)
    if counts.shape[-1] == 2:
        apart, least = below.max(axis=-1), np.where(below[..., 0] == 0, counts[..., 0], counts[..., 1])
        linear, root = seen - apart, np.sqrt((seen - apart) ** 2 + 4 * least * apart)
        found: Floats = np.where(linear > 0, (linear + root) / 2, 2 * least * apart / np.maximum(root - linear, 1e-300))
        return found
    low, high = np.zeros_like(seen), seen + 1e-12
    parts = [
        (np.ascontiguousarray(counts[..., at]), np.ascontiguousarray(below[..., at])) for at in range(counts.shape[-1])
    ]
    for _ in range(STEPS):
        level = (low + high) / 2
        over = sum(count / (level + short) for count, short in parts) > 1
        low, high = np.where(over, level, low), np.where(over, high, level)
    return high


def _counts(kind: Integers, asked: Integers, values: Sequence[Floats], kinds: int) -> tuple[Floats, Floats]:
    """Rows of each kind, and of the checked ones how many have which value."""
    counts = [np.bincount(kind[asked], weights=one, minlength=kinds) for one in values]
    return np.bincount(kind, minlength=kinds).astype(float), np.stack(counts, axis=-1)


def _score(value: Floats, low: Floats, high: Floats) -> Score:
    return Score(float(value[0]), float(low[0]), float(high[0]))
