"""Whether the best trial is better than the defaults, or only the luckiest of many.

    found = decide(trials, best_components, default_components, seed=0, repeats=None)
    found.claimed, found.gain.low          # True, 0.008

The best trial and the defaults are paired on the same validation rows, and interval and p-value are corrected
(Bonferroni) for every other trial that was looked at, as each of them could have come out on top. Trials are asked for
by the scores of those before them, which no such correction knows of; benchmarks/tuning.py measures that this does not
make claims too many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from slmfit.comparison.judging import difference
from slmfit.evidence.clusters import Clusters
from slmfit.evidence.statistic import LEVEL, PAIRED_DRAWS, Difference, bonferroni
from slmfit.tasks.base import Components
from slmfit.tuning.trials import OK, Tried

DRAWS = 400  # for each trial that is corrected for, at least: the smallest p-value there can be is 1 in half of them
POWER = 0.9  # with which the smallest gain would have been told


@dataclass(frozen=True)
class Decision:
    """best: the trial with the highest score, 0 where that is the defaults'. comparisons: how many were corrected for.

    gain: of the best trial, or where the defaults are best, of the best of the others: its score less theirs. None
    without any other. smallest: the gain that would have been told in nine of ten cases. claimed: whether it was told.
    """

    best: int
    comparisons: int
    gain: Difference | None
    smallest: float | None
    claimed: bool


def best_of(trials: Sequence[Tried]) -> Tried | None:
    """The trial with the highest score; of equal ones the first."""
    scored = [one for one in trials if one.state == OK]
    return max(scored, key=lambda one: (one.score or 0.0, -one.number), default=None)


def rival_of(trials: Sequence[Tried]) -> Tried | None:
    """The best of the trials that are not the defaults."""
    return best_of([one for one in trials if one.number])


def decide(
    trials: Sequence[Tried],
    rival: Sequence[Components],
    defaults: Sequence[Components],
    *,
    seed: int,
    repeats: Clusters | None,
) -> Decision:
    """rival, defaults: the parts of the metric on validation, of one training after the other; of `rival_of(trials)`
    and of the first trial. repeats: see `Dataset.repeats`."""
    best, comparisons = best_of(trials), sum(one.looked_at for one in trials if one.number)
    assert best is not None
    if not rival:
        return Decision(best.number, comparisons, None, None, False)
    draws = max(PAIRED_DRAWS, DRAWS * comparisons)
    gain = difference(rival, defaults, comparisons, seed, repeats, draws=draws)
    return Decision(best.number, comparisons, gain, smallest_gain(gain, comparisons), gain.low > 0)


def smallest_gain(gain: Difference, comparisons: int) -> float:
    """What a gain must be to be told with POWER, when it is known as surely as this one: the half of its interval is so
    many standard errors, and a gain needs as many and those of the power on top."""
    normal = NormalDist()
    needed = normal.inv_cdf((1 + bonferroni(LEVEL, comparisons)) / 2)
    return (gain.high - gain.low) / 2 * (needed + normal.inv_cdf(POWER)) / needed
