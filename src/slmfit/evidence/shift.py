"""Whether test rows are like train rows: what either side holds, and how a method does on both. Numbers in and out.

    held = Held(row=[0, 0, 1, …], feature=[7, 3, 7, …], features=9, in_test=in_test)
    unlike(held)            # [Unlike(feature=7, train=0.16, test=0.32, p_value=1e-12)], the surest first
    told_apart(held)        # ToldApart(share=0.71, p_value=1e-9): a classifier that tells test rows from train rows
    gap(right_on_validation, right_on_test)

One joint rate of false alarms: a part alarms when its p-value, which is corrected for all that the part looks at, is
below `EACH`; so in at most one in a hundred splits that were made by chance anything is said (Bonferroni over PARTS).
The classifier is a two-sample test as of Lopez-Paz & Oquab (2017), with ranks for accuracy. Rows of one cluster count
for as much as they vary (see clusters.py; the linearised design effect of each share), which is right where a cluster
stands on one side and careful where it stands on both. benchmarks/statistics_check.py measures it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from slmfit.evidence.clusters import Clusters
from slmfit.evidence.statistic import share_right

Integers = NDArray[np.int64]

ALARMS = 0.01  # of splits without a shift, all parts together
PARTS = 4  # labels · words · the classifier · validation to test
EACH = ALARMS / PARTS
FEWEST = 8  # rows that hold a feature; with fewer nothing can be told by it
# By how much a score on validation may be too good, as settings were chosen there: at least, and over the root of rows.
CHOSEN = 0.01, 0.3
MATTERS = 0.53  # pairs told apart; with fewer the sides differ, but hardly
_EXACT = 50  # features whose p-value is computed exactly, those furthest apart
_LEAST = 25  # rows on either side of either half, for the classifier


@dataclass(frozen=True)
class Held:
    """Which rows hold which features, each pair once, and which of the rows are test rows [rows].

    clusters: rows that belong together, of both sides; None where no two do.
    """

    row: Integers
    feature: Integers
    features: int
    in_test: NDArray[np.bool_]
    clusters: Clusters | None = None

    @property
    def rows(self) -> int:
        return len(self.in_test)

    def among(self, kept: NDArray[np.bool_]) -> Held:
        """The same of some of the features. kept [features]: which."""
        some = kept[self.feature]
        return replace(self, row=self.row[some], feature=self.feature[some])


@dataclass(frozen=True)
class Unlike:
    """A feature that more of the one side's rows hold than of the other's; shares of rows, and a corrected p-value."""

    feature: int
    train: float
    test: float
    p_value: float


@dataclass(frozen=True)
class ToldApart:
    """How well a classifier tells test rows from train rows. share: of pairs of one each, 0.5 = not at all."""

    share: float
    p_value: float


@dataclass(frozen=True)
class Gap:
    """Shares of rows that a method has right; the p-value is that of a gap no larger than choosing makes."""

    validation: float
    test: float
    p_value: float


def unlike(held: Held) -> list[Unlike]:
    """The features whose shares of train and test rows differ by more than chance, the surest first.

    Each by Fisher's exact test, with the rows that count as much as these (see the module), times the features tested.
    """
    n, m = held.rows, int(held.in_test.sum())
    seen = np.bincount(held.feature, minlength=held.features)
    on_test = np.bincount(held.feature[held.in_test[held.row]], minlength=held.features)
    tested = np.flatnonzero((seen >= FEWEST) & (n - seen >= FEWEST))
    if not (0 < m < n) or not len(tested):
        return []
    effect = _design_effects(held, seen)
    share = seen[tested] / n
    spread = np.sqrt(share * (1 - share) * m * (n - m) / n * effect[tested])
    far = np.abs(on_test[tested] - m * share) / spread
    first = tested[np.argsort(-far, kind="stable")[:_EXACT]]
    found = []
    for f in first.tolist():
        p_value = _fisher(int(on_test[f]), int(seen[f]), m, n, float(effect[f])) * len(tested)
        if p_value < EACH:
            on_train = (seen[f] - on_test[f]) / (n - m)
            found.append(Unlike(f, float(on_train), float(on_test[f] / m), p_value))
    return sorted(found, key=lambda one: one.p_value)


def told_apart(held: Held) -> ToldApart | None:
    """A naive Bayes classifier of the two sides, made of half of the rows and tried on the other; None with few rows.

    Which half a row is in is decided by chance, the same at every call; rows of a cluster are in one.
    """
    number = held.clusters.number if held.clusters else np.arange(held.rows)
    half = np.random.default_rng(0).random(int(number.max(initial=0)) + 1)[number] < 0.5
    sides = [int((half & held.in_test).sum()), int((half & ~held.in_test).sum())]
    sides += [int((~half & held.in_test).sum()), int((~half & ~held.in_test).sum())]
    if min(sides) < _LEAST:
        return None
    learnt = half[held.row]
    of_test = held.in_test[held.row]
    there, other = (np.bincount(held.feature[learnt & side], minlength=held.features) for side in (of_test, ~of_test))
    weight = np.log((there + 0.5) / (sides[0] + 1)) - np.log((other + 0.5) / (sides[1] + 1))
    size = np.bincount(held.row, minlength=held.rows)
    score = np.bincount(held.row, weights=weight[held.feature], minlength=held.rows) / np.sqrt(size + 1)
    tried = ~half
    return _by_ranks(score[tried], held.in_test[tried], number[tried])


def gap(
    validation: np.ndarray, test: np.ndarray, of_validation: Clusters | None = None, of_test: Clusters | None = None
) -> Gap:
    """How far apart a method is on validation and test. validation, test [rows]: whether each row is right."""
    sides = ((validation, of_validation), (test, of_test))
    values = [share_right(right, clusters).value for right, clusters in sides]
    error = 0.0
    for right, clusters in sides:
        count = clusters.effective if clusters else float(len(right))
        share = (float(np.mean(right)) * count + 0.5) / (count + 1)
        error += share * (1 - share) / count
    allowed = max(CHOSEN[0], CHOSEN[1] / math.sqrt(max(len(validation), 1)))
    beyond = max(abs(values[0] - values[1]) - allowed, 0.0) / math.sqrt(error)
    return Gap(values[0], values[1], 2 * NormalDist().cdf(-beyond))


def _design_effects(held: Held, seen: Integers) -> np.ndarray:
    """Times that each feature's share varies more than that of as many rows without clusters; 1 at least."""
    if held.clusters is None:
        return np.ones(held.features)
    sizes, number = held.clusters.sizes, held.clusters.number
    pairs, times = np.unique(number[held.row] * held.features + held.feature, return_counts=True)
    cluster, feature = np.divmod(pairs, held.features)
    squares = np.bincount(feature, weights=times.astype(float) ** 2, minlength=held.features)
    crossed = np.bincount(feature, weights=times * sizes[cluster], minlength=held.features)
    share = seen / held.rows
    beyond = squares - 2 * share * crossed + share**2 * float((sizes.astype(float) ** 2).sum())
    return np.maximum(beyond / np.maximum(held.rows * share * (1 - share), 1e-9), 1.0)


def _fisher(k: int, seen: int, m: int, n: int, effect: float) -> float:
    """Two-sided: of n rows `seen` hold it, and k of the m test rows; of rows that tell as much as n / effect."""
    n, m, seen, expected = (round(number / effect) for number in (n, m, seen, seen * m / n))
    k = math.floor(k / effect) if k / effect > expected else math.ceil(k / effect)
    low, high = max(0, seen + m - n), min(seen, m)
    if low >= high:
        return 1.0
    k = min(max(k, low), high)
    x = np.arange(low, high + 1)
    chances = np.exp(_choose(seen, x) + _choose(n - seen, m - x) - _choose(n, np.array([m])))
    return min(1.0, 2 * float(min(chances[x <= k].sum(), chances[x >= k].sum())))


def _choose(n: int, k: np.ndarray) -> np.ndarray:
    """The logarithm of n over k."""
    from scipy.special import gammaln

    found: np.ndarray = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return found


def _by_ranks(score: np.ndarray, in_test: np.ndarray, number: Integers) -> ToldApart:
    """The share of pairs in which the test row has the higher score, and the test of Mann & Whitney (1947), one-sided.

    number: of each row's cluster; the rank sum varies as those of clusters do.
    """
    _, place, times = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(times) - (times - 1) / 2)[place]
    n, m = len(score), int(in_test.sum())
    beyond = rank - rank.mean()
    alone = float((beyond**2).sum())
    together = float((np.bincount(number, weights=beyond) ** 2).sum())
    variance = m * (n - m) / n * max(alone, together) / (n - 1)
    z = float(beyond[in_test].sum()) / math.sqrt(max(variance, 1e-12))
    share = (float(rank[in_test].sum()) - m * (m + 1) / 2) / (m * (n - m))
    return ToldApart(share, NormalDist().cdf(-z))
