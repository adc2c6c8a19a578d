"""What training seeds add to an interval: the spread between trainings, beside the luck of the draw of test rows.

    mean_score([wilson(6954, 7600), wilson(7000, 7600), wilson(6977, 7600)])      # Score(0.918, 0.910, 0.926)
    difference([rows_0, rows_1, rows_2], [rows_of_linear], score, comparisons=2)  # as statistic.paired_sums

Several trainings scored on the same rows are several readers of the same cases, and are treated as such studies are
(Obuchowski & Rockette 1995; one method: Hillis et al. 2005, eq. 23): the variance of the mean is that of the rows plus
s^2 / K. The two half-widths are squared and added (Zou & Donner 2008), so that an interval that is longer on one side
stays so, and are those of Student's t. Its degrees of freedom are the geometric mean of K - 1, which is too careful
when the rows matter more, and of Satterthwaite's (1946), which at K = 3 are too bold: 92 % where this covers 94 %
(benchmarks/README.md). What the training rows would change were they drawn anew is not in it (Bouthillier et al. 2021).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist, fmean, variance
from typing import TypeAlias

import numpy as np
from scipy.special import stdtr, stdtrit

from slmfit.evidence.clusters import Clusters
from slmfit.evidence.statistic import (
    DRAWS,
    LEVEL,
    PAIRED_DRAWS,
    Difference,
    agreed,
    bonferroni,
    bootstrap_sums,
    paired_sums,
)
from slmfit.records import Score

Combine: TypeAlias = Callable[[np.ndarray], np.ndarray]  # sums of columns [..., columns] -> scores [...]


@dataclass(frozen=True, slots=True)
class Spread:
    """What the seeds add to the variance of a mean of scores, and the degrees of freedom it is known with."""

    variance: float = 0.0
    freedom: float = math.inf

    @classmethod
    def of(cls, scores: Sequence[float]) -> Spread:
        """Of one score per seed; none for a single seed, whose spread nobody knows."""
        return cls(variance(scores) / len(scores), len(scores) - 1) if len(scores) > 1 else cls()

    def __add__(self, other: Spread) -> Spread:
        """Of a sum or difference of two means (Welch 1947)."""
        total, known = self.variance + other.variance, (self, other)
        return Spread(total, total**2 / sum(s.variance**2 / s.freedom for s in known)) if total else Spread()


def mean_score(scores: Sequence[Score], of_rows: Score | None = None, *, most: float | None = None) -> Score:
    """A score over training seeds: the mean of theirs, with the spread added to the interval.

    of_rows: the interval over rows alone (see rows_alone); None = the mean of theirs, which is a little too wide, as if
    all trainings failed on the same rows. most: the highest value there is, None = no end; the lowest is 0.
    No interval where one of the scores has none.
    """
    if len(scores) == 1:
        return scores[0]
    value = fmean(score.value for score in scores)
    ends = [(one.low, one.high) for one in ([of_rows] if of_rows else scores)]
    known = [(low, high) for low, high in ends if low is not None and high is not None]
    if len(known) < len(ends):
        return Score(value)
    low, high = (fmean(side) for side in zip(*known, strict=True))
    low, high, *_ = _widened(value, low, high, Spread.of([score.value for score in scores]), LEVEL)
    return Score(value, max(low, 0.0), high if most is None else min(high, most))


def rows_alone(
    tables: Sequence[np.ndarray], score: Combine, *, draws: int = DRAWS, seed: int = 0, clusters: Clusters | None = None
) -> Score:
    """The mean score of several trainings, with the interval that these very trainings have over rows.

    tables: per training a table [rows, columns] of the same rows; score: of the sums of its columns, best at 1 (see
    statistic.bootstrap_sums).
    """
    mean = _mean_of(score, len(tables))
    return bootstrap_sums(np.hstack(tables), mean, draws=draws, seed=seed, clusters=clusters)


def difference(
    best: Sequence[np.ndarray], method: Sequence[np.ndarray], score: Combine, *,
    comparisons: int = 1, level: float = LEVEL, draws: int = PAIRED_DRAWS, seed: int = 0,
    clusters: Clusters | None = None,
) -> Difference:  # fmt: skip
    """The difference of two mean scores over training seeds, on the same rows.

    best, method: per training a table, and score, as in rows_alone. The seeds of the one have nothing to do with those
    of the other. Raises ValueError when the shapes differ.
    """
    copies = math.lcm(len(best), len(method))
    left, right = (np.hstack([*tables] * (copies // len(tables))) for tables in (best, method))
    mean = _mean_of(score, copies)
    found = paired_sums(
        left, right, mean, comparisons=comparisons, level=level, draws=draws, seed=seed, clusters=clusters
    )
    spreads = (Spread.of([float(score(table.sum(axis=0))) for table in tables]) for tables in (best, method))
    spread = sum(spreads, Spread())
    if not spread.variance:
        return found
    low, high, error, freedom = _widened(found.value, found.low, found.high, spread, bonferroni(level, comparisons))
    p_value = min(1.0, 2 * comparisons * float(stdtr(freedom, -abs(found.value) / error)))
    ends = {"low": max(low, -1.0), "high": min(high, 1.0), "seed_error": math.sqrt(spread.variance)}
    return agreed(replace(found, **ends, p_value=max(found.p_value, p_value)), level)


def _mean_of(score: Combine, count: int) -> Combine:
    """The mean of `count` scores, each of its part of the columns."""
    return lambda sums: np.mean([score(part) for part in np.split(sums, count, axis=-1)], axis=0)


def _widened(value: float, low: float, high: float, spread: Spread, level: float) -> tuple[float, float, float, float]:
    """An interval of the rows alone with the spread added: its ends, its standard error and degrees of freedom."""
    z = NormalDist().inv_cdf((1 + level) / 2)
    of_rows = (high - low) / (2 * z)
    error = math.hypot(of_rows, math.sqrt(spread.variance))
    if not spread.variance:
        return low, high, error, math.inf
    freedom = spread.freedom * error**2 / spread.variance
    t = float(stdtrit(freedom, (1 + level) / 2))
    middle = min(max(value, low), high)  # a calibration error's interval may lie beside it
    below, above = (math.hypot(t / z * half, t * math.sqrt(spread.variance)) for half in (middle - low, high - middle))
    return middle - below, middle + above, error, freedom
