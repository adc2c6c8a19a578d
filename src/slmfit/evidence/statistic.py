"""Intervals and paired tests: how sure a score is, and which methods differ. Numbers in, numbers out.

    wilson(909, 1000)                                                 # Score(0.909, 0.8896, 0.9253)
    gap = paired_accuracy(correct_best, correct_small, comparisons=3)  # Difference(0.006, 0.001, 0.011, p_value=0.02)

Shares of rows have closed forms (Wilson; Tango for a paired difference). Everything else is a Bayesian bootstrap (Rubin
1981): each draw gives the rows random weights from a Dirichlet distribution instead of repeating some and dropping
others. Equal rows share one gamma weight, so a draw costs one number per distinct row (a cell of the confusion
matrix), no small class ever drops out of a draw, and where too few errors were seen a fraction of one can be added.
Rows with the same input count as one cluster wherever `clusters` says so (see clusters.py, which names the sources).
benchmarks/statistics_check.py measures the coverage of all of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from slmfit.evidence.clusters import Clusters, swapping
from slmfit.evidence.drawing import Repeated, condensed, distinct_sums, drawn_sums, drawn_tallies, table_of, with_extra
from slmfit.evidence.metrics import (
    calibration_bin,
    expected_calibration_error,
    scores_from_confusion,
    scores_from_tallies,
    tallies,
)
from slmfit.records import Score

LEVEL = 0.95
DRAWS = 2000
PAIRED_DRAWS = 4000  # a correction for several methods reads further out in the tails


@dataclass(frozen=True, slots=True)
class Difference:
    """Best minus method on the same rows: positive = worse than the best. Interval and p-value are corrected.

    They agree: 0 is inside exactly where the p-value is 0.05 or more (see `agreed`).

    seed_error: the part of its standard error that is the training seeds', and that more rows do not lessen.
    """

    value: float
    low: float
    high: float
    p_value: float
    seed_error: float = 0.0


# Intervals of one method's score -----------------------------------------------------------------------------------


def wilson(successes: float, n: float, level: float = LEVEL) -> Score:
    """A share with Wilson's score interval (Wilson 1927; chosen among four in Brown, Cai & DasGupta 2001).

    No interval when n is 0. Near 0 and 1 the few possible outcomes make any interval's coverage jump: at n = 100 and a
    true share of 0.99 it is 92 %, at 0.97 it is 97 %; Jeffreys, mid-P and Agresti-Coull are further off on average.
    """
    if n <= 0:
        return Score(0.0)
    z, share = _z(level), successes / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return Score(share, 0.0 if successes <= 0 else middle - half, 1.0 if successes >= n else middle + half)


def share_right(right: ArrayLike, clusters: Clusters | None = None, level: float = LEVEL) -> Score:
    """The share of rows [rows] that are true, with `wilson`'s interval for as many rows as they count for."""
    hits, n = float(np.sum(right)), float(np.size(right))
    return design_wilson(hits, n, clusters.design_effect if clusters else 1.0, level)


def design_wilson(hits: float, n: float, design_effect: float, level: float = LEVEL) -> Score:
    """`wilson` where the n rows tell as much as n / design_effect different ones."""
    if design_effect == 1:
        return wilson(hits, n, level)
    found = wilson(hits / design_effect, n / design_effect, level)
    return replace(found, value=hits / n) if n else found


def bootstrap_confusion(
    counts: np.ndarray,
    names: Collection[str],
    *,
    level: float = LEVEL,
    draws: int = DRAWS,
    seed: int = 0,
    repeated: Repeated | None = None,
) -> dict[str, Score]:
    """Scores of metrics.SCORE_NAMES with intervals, from confusion counts [L, L + 1]. repeated: see there.

    Scores that are one share of rows get Wilson's interval. The others: Dirichlet weights on the cells, plus half an
    error in all, shared equally by the classes in truth: the half that Jeffreys' prior adds to a share's errors. So a
    class (or a whole matrix) without errors has an honest interval, and twenty small classes do not add up to ten
    invented errors. Class shares vary between draws, as they do between test sets drawn at random; holding them fixed
    (stratifying) covers less where they were not: macro precision of 7 unequal classes 85 % against 90 % at n = 100,
    90 % against 92 % at n = 500.
    """
    table, tally = np.asarray(counts), tallies(np.asarray(counts))
    values = scores_from_confusion(table)
    hits, answers, rows = (float(part.sum()) for part in tally)
    shares = {"accuracy": rows, "recall_micro": rows, "recall_weighted": rows, "precision_micro": answers}
    if answers == rows:
        shares["f1_micro"] = rows
    effect = repeated.design_effect if repeated else 1.0
    found = {name: design_wilson(hits, shares[name], effect, level) for name in names if name in shares}
    others = [name for name in names if name not in shares]
    if others and rows:
        stacked = scores_from_tallies(drawn_tallies(table, draws, np.random.default_rng(seed), repeated))
        found |= {name: _interval(float(values[name]), stacked[name], level) for name in others}
    return {name: found.get(name, Score(float(values[name]))) for name in names}


def bootstrap_sums(
    rows: ArrayLike,
    score: Callable[[np.ndarray], np.ndarray],
    *,
    level: float = LEVEL,
    draws: int = DRAWS,
    seed: int = 0,
    clusters: Clusters | None = None,
) -> Score:
    """A score that is a function of summed columns, such as entity F1 of (hits, false alarms, misses) per text.

    rows [rows, columns]; score: [..., columns] sums -> [...] values, not changed by scaling the sums, best at 1. Half a
    row is added among those that scored below 1 alone (as in bootstrap_confusion); where all rows scored alike, which
    leaves nothing to draw, the interval is that of `wilson` for a share of rows (its near end is the score).
    """
    table = table_of(rows)
    if not len(table):
        return Score(0.0)
    value, count = float(score(table.sum(axis=0))), clusters.effective if clusters else float(len(table))
    kinds, weights, scale = distinct_sums(table, clusters)
    alone = score(kinds)
    if len(np.unique(alone[kinds.any(axis=1)])) <= 1:
        found = wilson(min(max(value, 0.0), 1.0) * count, count, level)
        return replace(found, value=value) if clusters else found
    flawed = (alone < 1) & kinds.any(axis=1)
    extra = 0.5 * flawed * weights / max((flawed * weights).sum(), 1)
    kinds, weights = with_extra(kinds, weights, extra, scale)
    drawn = drawn_sums(weights, kinds, draws, np.random.default_rng(seed))
    return _interval(value, score(drawn), level)


def bootstrap_mean(
    values: ArrayLike,
    *,
    level: float = LEVEL,
    draws: int = DRAWS,
    seed: int = 0,
    clusters: Clusters | None = None,
) -> Score:
    """The mean of per-row values [rows] (log loss, Brier score) with its interval; no interval below two rows."""
    table = table_of(np.asarray(values, dtype=float)[:, None])[:, 0]
    if len(table) < 2:
        return Score(float(table.mean()) if len(table) else 0.0)
    if clusters:
        return _bootstrap_cluster_mean(table, clusters, level, draws, seed)
    kinds, weights = condensed(table)
    drawn = drawn_sums(weights, kinds[:, None], draws, np.random.default_rng(seed))
    return _interval(float(table.mean()), drawn[:, 0] / len(table), level)


def _bootstrap_cluster_mean(table: np.ndarray, clusters: Clusters, level: float, draws: int, seed: int) -> Score:
    """The same where rows repeat: of clusters of one size few are drawn; no interval for a single cluster."""
    value, sums = float(table.mean()), clusters.sums(table)
    if len(sums) < 2:
        return Score(value)
    kinds, weights = [], []
    for size in np.unique(clusters.sizes):
        values, times = condensed(sums[clusters.sizes == size])
        kinds.append(np.column_stack([values, np.full(len(values), size)]))
        weights.append(times)
    drawn = drawn_sums(np.concatenate(weights), np.concatenate(kinds), draws, np.random.default_rng(seed))
    return _interval(value, drawn[:, 0] / drawn[:, 1], level)


def bootstrap_calibration(
    confidence: ArrayLike, correct: ArrayLike, bins: int = 15, *,
    level: float = LEVEL, draws: int = DRAWS, seed: int = 0, clusters: Clusters | None = None,
) -> Score:  # fmt: skip
    """Expected calibration error (metrics.expected_calibration_error) with an approximate interval for the true one.

    The estimate is too high by chance and a bootstrap of it is so twice over; the draws' own excess is taken off the
    upper end once and off the lower end twice. The lower end is 0 when a perfectly calibrated method would as often as
    not be found worse than this (the test of Bröcker & Smith 2007). So an interval may lie below the score itself.
    Least coverage found: 88 % (n = 100, truly 3 points too sure).
    """
    sure, right = np.asarray(confidence, dtype=float), np.asarray(correct, dtype=float)
    if not len(sure):
        return Score(0.0)
    where = calibration_bin(sure, bins)
    value = expected_calibration_error(sure, right, bins)
    # rows of one bin and one outcome count as one kind: their confidences differ by less than a bin's width
    size = clusters.size if clusters else np.ones(len(sure), np.int64)
    kind = np.unique(2 * where + (right > 0) + 2 * bins * size, return_inverse=True)[1]
    weights = np.bincount(kind, weights=1 / size)  # repeats of a row are one draw
    gaps = np.zeros((len(weights), bins))
    np.add.at(gaps, (kind, where), (sure - right) / weights[kind])
    rng = np.random.default_rng(seed)
    drawn = np.abs(drawn_sums(weights, gaps, draws, rng)).sum(axis=1) / len(sure)
    spread = np.sqrt(np.bincount(where, weights=size * sure * (1 - sure), minlength=bins))
    chance = np.abs(rng.standard_normal((draws, bins)) * spread).sum(axis=1) / len(sure)
    excess, (low, high) = float(drawn.mean()) - value, _middle(drawn, level)
    calibrated = value <= _middle(chance, level)[1]
    return Score(value, 0.0 if calibrated else max(0.0, low - 2 * excess), max(0.0, high - excess))


# Two methods on the same rows --------------------------------------------------------------------------------------


def mcnemar(only_a: int, only_b: int) -> float:
    """Two-sided mid-p value that two methods are equally often right (McNemar 1947; Lancaster 1961).

    only_a, only_b: rows that one alone had right. The test of a fair coin, with half the chance of what was seen; 1
    when no row tells them apart. The exact test is too careful: at 5 % it calls equal methods different in 2 to 4 %
    (Fagerland, Lydersen & Laake 2013, who recommend this one).
    """
    few, n = min(only_a, only_b), only_a + only_b
    k = np.arange(few)
    logs = np.concatenate([[0.0], np.cumsum(np.log((n - k) / (k + 1)))]) - n * math.log(2)
    chances = np.exp(logs - logs[-1])
    return min(1.0, (2 * float(chances.sum()) - 1) * math.exp(logs[-1]))


def paired_accuracy(
    correct_best: ArrayLike,
    correct_method: ArrayLike,
    *,
    comparisons: int = 1,
    level: float = LEVEL,
    clusters: Clusters | None = None,
) -> Difference:
    """The difference of two accuracies on the same rows: Tango's score interval (1998), McNemar's mid-p value.

    Tango's interval keeps its coverage where few or no rows differ (Fagerland, Lydersen & Laake 2014); with none at
    all it is +-z^2 / (n + z^2). `comparisons`: Bonferroni, for the number of methods compared with the best.
    With clusters the test swaps whole clusters, and the interval is that of as many rows as they count for: by their
    sizes or, where that is fewer, by those of the clusters that differ (as Obuchowski's test of 1998 has it).
    Interval and p-value agree (see `agreed`).
    """
    a, b = np.asarray(correct_best, dtype=bool), np.asarray(correct_method, dtype=bool)
    if a.shape != b.shape:
        raise ValueError(f"{a.shape} and {b.shape}: not the same rows")
    only_a, only_b, n = int((a & ~b).sum()), int((b & ~a).sum()), len(a)
    effect, p_value = 1.0, mcnemar(only_a, only_b)
    if clusters:
        gaps = clusters.sums(a.astype(float) - b)
        effect = max(clusters.design_effect, float((gaps**2).sum()) / max(only_a + only_b, 1))
        p_value = swapping(gaps)
    return paired_counts(only_a, only_b, n, p_value, effect, comparisons=comparisons, level=level)


def paired_counts(
    only_a: int, only_b: int, n: int, p_value: float, effect: float = 1.0, *, comparisons: int = 1, level: float = LEVEL
) -> Difference:
    """`paired_accuracy` of counts: rows that one alone had right, of n that tell as much as n / effect."""
    low, high = tango(only_a / effect, only_b / effect, n / effect, bonferroni(level, comparisons))
    z = abs(only_a - only_b) / math.sqrt(max(effect * (only_a + only_b), 1e-300))
    p_value = max(p_value, 2 * NormalDist().cdf(-z))  # Tango's own test of 0
    return agreed(Difference((only_a - only_b) / n, low, high, min(1.0, comparisons * p_value)), level)


def agreed(found: Difference, level: float = LEVEL) -> Difference:
    """The same, with 0 inside the interval exactly where the p-value is no less than 1 - level.

    One answer to "are they different": both must say so. Where only the p-value does, it becomes 1 - level; where only
    the interval does, it is stretched to 0, which is what inverting the test at 0 gives: coverage can only grow.
    """
    alpha, inside = 1 - level, found.low <= 0 <= found.high
    if found.p_value >= alpha:
        return replace(found, low=min(found.low, 0.0), high=max(found.high, 0.0))
    return replace(found, p_value=alpha) if inside else found


def tango(only_a: float, only_b: float, n: float, level: float = LEVEL) -> tuple[float, float]:
    """Score interval of (only_a - only_b) / n (Tango 1998, eq. 8-10), found by bisection. ValueError if n < 1."""
    if n < 1 - 1e-9:
        raise ValueError("a paired interval needs at least one row")
    return _tango_low(only_a, only_b, n, _z(level)), -_tango_low(only_b, only_a, n, _z(level))


def _tango_low(b: float, c: float, n: float, z: float) -> float:
    low, high = -1.0, (b - c) / n
    for _ in range(60):
        middle = (low + high) / 2
        # the most likely share of c-rows if the true difference were `middle`
        linear, constant = -b - c + (2 * n - b + c) * middle, -c * middle * (1 - middle)
        share = (math.sqrt(max(linear * linear - 8 * n * constant, 0.0)) - linear) / (4 * n)
        variance = n * (2 * share + middle * (1 - middle))
        if b - c - n * middle > z * math.sqrt(max(variance, 0.0)):
            low = middle
        else:
            high = middle
    return (low + high) / 2


def paired_sums(
    best: ArrayLike, method: ArrayLike, score: Callable[[np.ndarray], np.ndarray], *,
    comparisons: int = 1, level: float = LEVEL, draws: int = PAIRED_DRAWS, seed: int = 0,
    clusters: Clusters | None = None,
) -> Difference:  # fmt: skip
    """The difference of a score of summed columns (see bootstrap_sums), two tables [rows, columns] of the same rows.

    Macro F1 is such a score too, of the one-hot hits, answers and support of each row (metrics.Tallies side by side).
    To the rows that tell the two apart one row is added in all, and one more with the answers swapped: for accuracy
    the p-value then is McNemar's mid-p, so 3 rows against none are not yet a difference. Where no row tells
    them apart the interval is at least Tango's. Interval and p-value agree (see `agreed`). Raises ValueError when the
    shapes differ.
    """
    if np.shape(best) != np.shape(method):
        raise ValueError(f"{np.shape(best)} and {np.shape(method)}: not the same rows and columns")
    both = np.concatenate([table_of(best), table_of(method)], axis=1)
    count = clusters.effective if clusters else len(both)
    kinds, times, scale = distinct_sums(both, clusters)
    a, b = np.split(kinds, 2, axis=1)
    value = float(score(times @ a) - score(times @ b))
    apart = (score(a) != score(b)) * times
    extra = apart / max(apart.sum(), 1.0)
    swapped = extra > 0
    other_way = np.concatenate([b, a], axis=1)[swapped] * (1 if scale is None else scale[swapped, None])
    pairs, weights = with_extra(kinds, times, extra, scale)
    pairs, weights = np.concatenate([pairs, other_way]), np.concatenate([weights, extra[swapped]])
    drawn_a, drawn_b = np.split(drawn_sums(weights, pairs, draws, np.random.default_rng(seed)), 2, axis=1)
    gaps = score(drawn_a) - score(drawn_b)
    corrected = bonferroni(level, comparisons)
    ends = [value, *_middle(gaps, corrected)]
    if not apart.any():
        ends += tango(0, 0, count, corrected)
    few = min(int((gaps >= 0).sum()), int((gaps <= 0).sum()))
    p_value = 2 * comparisons * (few + 1) / (draws + 1)
    return agreed(Difference(value, min(ends), max(ends), min(1.0, p_value)), level)


def bonferroni(level: float, comparisons: int) -> float:
    """The level each of several intervals needs so that all of them hold together at `level`.

    For k methods compared with the best of them that is k - 1 comparisons, although the best was chosen by the same
    rows: the truly best method is then called different with probability at most 1 - level (Hsu 1984, comparisons with
    the best). Of several equally good methods, that any one is called different can be more likely than that.
    """
    return 1 - (1 - level) / max(comparisons, 1)


def _interval(value: float, drawn: np.ndarray, level: float) -> Score:
    """The middle `level` of the draws, stretched to the value itself where the added errors moved them off it."""
    low, high = _middle(drawn, level)
    return Score(value, min(low, value), max(high, value))


def _middle(drawn: np.ndarray, level: float) -> tuple[float, float]:
    tail = (1 - level) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return float(low), float(high)


def _z(level: float) -> float:
    return NormalDist().inv_cdf((1 + level) / 2)
