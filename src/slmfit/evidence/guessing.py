"""Whether answers are better than lots drawn, and what several such tests together allow to say.

guessed(hits=61, chances=[0.25] * 200)             # p-value that so many, or as unlikely a number, are right by chance
holm({"linear": 0.01, "knn": 0.04})                # {"linear": 0.02, "knn": 0.04}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np


def guessed(hits: int, chances: Sequence[float]) -> float:
    """Two-sided mid-p value of so many right answers where row i is guessed right with chance i.

    The number right is a sum of coins of different bias (Poisson's binomial); its distribution is worked out exactly,
    coin by coin. Twice the smaller tail, with half the chance of what was seen, as in McNemar's mid-p value.
    """
    spread = np.zeros(len(chances) + 1)
    spread[0] = 1.0
    for n, chance in enumerate(chances, 1):
        spread[1 : n + 1] = spread[1 : n + 1] * (1 - chance) + spread[:n] * chance
        spread[0] *= 1 - chance
    seen = spread[hits] / 2
    return float(min(1.0, 2 * min(spread[:hits].sum() + seen, spread[hits + 1 :].sum() + seen)))


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """The p-values corrected for how many they are (Holm, 1979): that any true equality is called a difference has no
    more than the chance that each is compared with.
    """
    ordered, reached, found = sorted(p_values, key=lambda name: p_values[name]), 0.0, {}
    for n, name in enumerate(ordered):
        reached = max(reached, min(1.0, (len(ordered) - n) * p_values[name]))
        found[name] = reached
    return {name: found[name] for name in p_values}
