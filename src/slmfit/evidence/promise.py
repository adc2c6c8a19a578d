"""From where on a small model may answer alone, so that what is promised of both together holds. Numbers in and out.

    found = promised(confidence, small_right, large_right, differ, target=0.99, sure=0.95)
    found.threshold                # 0.83: how sure the small one has to be; None = no promise can be made

The promise: both together are right at least `target` times as often as the large one alone. A threshold that just
meets it on the rows it was chosen on keeps it in about half of all splits. So each one is put to a test, of the
hypothesis that it breaks the promise, and they are tested in a fixed sequence up to the first that may break it: then
one is named that does in at most 1 - `sure` of all splits (Angelopoulos, Bates, Candès, Jordan & Lei, "Learn then
test", 2021; fixed sequences: Maurer, Hothorn & Lehmacher 1995).

The test is paired: only rows that one alone has right tell anything. Its z has the variance that there would be if the
promise were just broken, as Tango's interval has; that of what was seen is too small, and such a test errs in up to
15 % instead of 5 where ten rows are expected. With fewer than ten such rows, the exact distribution of a difference of
two counts (Skellam 1946) takes its place. benchmarks/cascade.py measures how often what is promised does not hold.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
STEPS = 100  # thresholds that are looked at, each letting the small one answer one more hundredth of the rows
FEW = 10  # rows that one alone has right, below which counts are too small for a normal distribution
DRAWS = 300
STRICT = 0.8  # of the risk goes to the test; the rest covers that it is not exact, nor the start blind to all chance
POWER = 0.9  # how surely so many rows as are said to be needed would do


@dataclass(frozen=True, slots=True)
class Peak:
    """The share answered by the small one at which both together are right most often, of those looked at."""

    share: float
    score: float


@dataclass(frozen=True, slots=True)
class Promise:
    """threshold: the least confidence with which the small one answers; None = no promise can be made.

    share: of the rows answered by the small one at the threshold. score, small, large: shares right, of both together
    at the threshold and of each alone. found: in how many of all such splits a threshold would be found, by resampling
    the rows. kept: of the promises that are made, the least share that holds; None where it may be none. rows_needed:
    where there is no promise, about how many rows would make one possible; None where no number would.
    discordant: rows that one alone has right, among those answered by the small one.
    """

    target: float
    sure: float
    rows: int
    threshold: float | None
    share: float
    score: float
    small: float
    large: float
    discordant: int
    found: float
    kept: float | None
    peak: Peak
    rows_needed: int | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows from the surest to the least sure. weight: of each, 1 on average; differ: whether the answers do."""

    confidence: Floats
    small: Floats
    large: Floats
    differ: Floats
    weight: Floats

    @classmethod
    def of(
        cls, confidence: ArrayLike, small: ArrayLike, large: ArrayLike, differ: ArrayLike, weights: ArrayLike | None
    ) -> Rows:
        columns = [np.asarray(one, dtype=float) for one in (confidence, small, large, differ)]
        given = np.ones(len(columns[0])) if weights is None else np.asarray(weights, dtype=float)
        columns.append(given / given.mean() if len(given) else given)
        if len({column.shape for column in columns}) > 1:
            raise ValueError("not the same rows")
        columns[0] = np.where(np.isfinite(columns[0]), columns[0], -np.inf)
        order = np.argsort(-columns[0], kind="stable")
        return cls(*(column[order] for column in columns))

    def drawn(self, rng: np.random.Generator) -> Rows:
        """As many of them, at random, some several times."""
        kept = np.sort(rng.integers(0, len(self.weight), len(self.weight)))
        return Rows(*(column[kept] for column in (self.confidence, self.small, self.large, self.differ, self.weight)))


@dataclass(frozen=True, slots=True)
class Tested:
    """Threshold by threshold, from the surest on: p of the hypothesis that the promise is broken, and what it is of.

    thresholds, shares (of rows answered by the small one), scores (shares right of both together), counts (of rows that
    one alone has right), z. start: where the sequence begins.
    """

    thresholds: Floats
    shares: Floats
    scores: Floats
    counts: Floats
    z: Floats
    p: Floats
    start: int

    def last(self, sure: float) -> int | None:
        """The place of the last threshold of the sequence that passes, all before it having passed."""
        fails = np.flatnonzero(self.p[self.start :] > STRICT * (1 - sure))
        end = self.start + (int(fails[0]) if len(fails) else len(self.p) - self.start)
        return end - 1 if end > self.start else None


def promised(
    confidence: ArrayLike,
    small: ArrayLike,
    large: ArrayLike,
    differ: ArrayLike,
    *,
    target: float,
    sure: float,
    weights: ArrayLike | None = None,
    seed: int = 0,
    draws: int = DRAWS,
) -> Promise:
    """The lowest threshold of which the promise can be made.

    confidence [rows]: of the small one in its answers; where it is none (nan), the large one is asked in any case.
    small, large [rows]: whether each is right, 0 to 1. differ [rows]: whether their answers differ. weights [rows]: how
    much each counts; a row that stands for several equal ones has their number. draws: of the rows, for `found`.
    """
    rows = Rows.of(confidence, small, large, differ, weights)
    if not len(rows.weight):
        return Promise(target, sure, 0, None, 0.0, 0.0, 0.0, 0.0, 0, 0.0, None, Peak(0.0, 0.0))
    total = float(rows.weight.sum())
    alone, other = float(rows.small @ rows.weight) / total, float(rows.large @ rows.weight) / total
    tested = tests(rows, target)
    place = tested.last(sure)
    rng = np.random.default_rng(seed)
    hits = [tests(rows.drawn(rng), target).last(sure) is not None for _ in range(draws)]
    found = float(np.mean(hits)) if hits else 0.0
    peak = Peak(0.0, other)
    if len(tested.scores) and tested.scores.max() > other:
        top = int(tested.scores.argmax())
        peak = Peak(float(tested.shares[top]), float(tested.scores[top]))
    kept = max(0.0, 1 - (1 - sure) / found) if found else None
    none = Promise(target, sure, len(rows.weight), None, 0.0, other, alone, other, 0, found, kept or None, peak)
    if place is None:
        return replace(none, rows_needed=_needed(tested, sure, len(rows.weight)))
    return replace(
        none,
        threshold=float(tested.thresholds[place]),
        share=float(tested.shares[place]),
        score=float(tested.scores[place]),
        discordant=round(float(tested.counts[place])),
    )


def tests(rows: Rows, target: float) -> Tested:
    """Every threshold put to the test."""
    answered = int((rows.confidence > -np.inf).sum())
    places = np.unique(np.round(np.arange(1, STEPS + 1) / STEPS * len(rows.weight)).astype(np.int64))
    places = places[(places > 0) & (places <= answered)]
    thresholds = np.unique(rows.confidence[places - 1])[::-1]
    ends = np.searchsorted(-rows.confidence, -thresholds, side="right") - 1  # rows as sure as the last go with it
    weight, total = rows.weight, float(rows.weight.sum())
    harm, gain = weight * (1 - rows.small) * rows.large, weight * rows.small * (1 - rows.large)
    lost, won = np.cumsum(harm)[ends], np.cumsum(gain)[ends]
    # Rows that count for several tell as much as fewer different ones; those that one alone has right decide.
    squares = np.cumsum(weight * (harm + gain))[ends]
    effect = np.where(lost + won > 0, squares / np.maximum(lost + won, 1e-12), 1.0)
    right = float(weight @ rows.large)
    slack = (1 - target) * right / effect
    z, p = p_values(lost / effect, won / effect, slack, slack * (1 - target))
    return Tested(
        thresholds,
        np.cumsum(weight)[ends] / total,
        (right + won - lost) / total,
        (lost + won) / effect,
        z,
        p,
        _start(rows, ends, right, target),
    )


def _start(rows: Rows, ends: NDArray[np.int64], right: float, target: float) -> int:
    """Where most power is to be expected, judged without the truth of any row: a sequence that begins at the safest
    end finds nothing where the large one is to be reached whole, as there is no evidence among so few rows.

    Of two answers that differ, the small one's is taken to be right with odds of its confidence against what the large
    one is right in on the whole.
    """
    if not len(ends):
        return 0
    share = np.clip(right / rows.weight.sum(), 1e-3, 1 - 1e-3)
    sure = np.clip(rows.confidence, 1e-6, 1 - 1e-6)
    chance = sure * (1 - share) / (sure * (1 - share) + (1 - sure) * share)
    weight = rows.weight * rows.differ
    lost, won = np.cumsum(weight * (1 - chance))[ends], np.cumsum(weight * chance)[ends]
    slack = (1 - target) * right
    return int(np.argmax((won - lost + slack) / np.sqrt(np.maximum(won + lost + (1 - target) * slack, 1e-9))))


def p_values(lost: Floats, won: Floats, slack: Floats, more: Floats) -> tuple[Floats, Floats]:
    """z and p of the hypothesis that on average no fewer rows are lost than won and allowed (`slack`).

    more: variance of the slack, which is known from rows itself. The variance is that under the hypothesis, with the
    likeliest rate of rows won: of counts with means rate + slack and rate.
    """
    seen = lost + won - 2 * slack
    rate = np.maximum(0.0, (seen + np.sqrt(seen**2 + 8 * won * slack)) / 4)
    spread = np.sqrt(2 * rate + slack + more)
    z = np.where(spread > 0, (won - lost + slack) / np.maximum(spread, 1e-12), 0.0)
    p = np.array([0.5 * math.erfc(value / math.sqrt(2)) for value in z.tolist()])
    for i in np.flatnonzero(lost + won < FEW):
        p[i] = _difference(math.ceil(round(float(lost[i] - won[i]), 9)), float(rate[i] + slack[i]), float(rate[i]))
    return z, p


def _difference(most: int, first: float, second: float) -> float:
    """That a count with the mean `first` exceeds another with the mean `second` by `most` or less."""
    if first <= 0:
        return 1.0
    reach = max(0, math.ceil(second + 12 * math.sqrt(second) + 12))
    others = np.arange(reach + 1)
    upto = _counts(first, reach + most).cumsum() if reach + most >= 0 else np.zeros(0)
    below = np.array([upto[k] if k >= 0 else 0.0 for k in (others + most).tolist()])
    return float(min(1.0, _counts(second, reach) @ below))


def _counts(mean: float, most: int) -> Floats:
    """Poisson's chances of 0 to `most`."""
    k = np.arange(most + 1)
    if mean <= 0:
        return (k == 0).astype(float)
    logs = np.cumsum(np.log(np.maximum(k, 1)))
    chances: Floats = np.exp(k * math.log(mean) - mean - logs)
    return chances


def _needed(tested: Tested, sure: float, rows: int) -> int | None:
    """How many rows would make a promise possible, if the figures stay as they are: z grows with the root of them."""
    best = float(tested.z.max()) if len(tested.z) else 0.0
    if best <= 0:
        return None
    normal = NormalDist()
    needed = rows * ((normal.inv_cdf(1 - STRICT * (1 - sure)) + normal.inv_cdf(POWER)) / best) ** 2
    if needed > 1e7:
        return None
    digits = 10 ** max(int(math.log10(max(needed, 1))) - 1, 0)
    return max(rows + 1, math.ceil(needed / digits) * digits)
