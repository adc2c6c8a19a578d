"""How much of the difference between trials each setting accounts for.

importance(trials, {"C": Range(0.01, 30, log=True)})["C"]      # 0.62; None where too few trials say anything
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from slmfit.methods.ranges import Range
from slmfit.tuning.trials import OK, Tried

FEWEST = 8  # trials


def importance(trials: Sequence[Tried], ranges: Mapping[str, Range]) -> dict[str, float | None]:
    """Setting -> the share of the variance of scores that it explains by itself: a number by a parabola (on a log scale
    where it is searched on one), a word by the mean of its trials.

    It is the adjusted R² (Ezekiel 1930), and 0 where that is below: so a setting that does nothing has about 0, not its
    part of a whole that noise was shared out to. What settings only do together is in none of them.
    """
    return {name: _explained(name, range, trials) for name, range in ranges.items()}


def _explained(name: str, range: Range, trials: Sequence[Tried]) -> float | None:
    told = [(one.known[name], one.score) for one in trials if one.state == OK and range.holds(one.known.get(name))]
    if len(told) < FEWEST or len({value for value, _ in told}) < 2:
        return None
    scores = np.array([score for _, score in told], dtype=float)
    table = _columns([value for value, _ in told], range)
    spread = float(((scores - scores.mean()) ** 2).sum())
    rank, free = int(np.linalg.matrix_rank(table)), len(told)
    if scores.min() == scores.max():
        return 0.0
    if free <= rank:
        return None
    fitted = table @ np.linalg.lstsq(table, scores, rcond=None)[0]
    left = float(((scores - fitted) ** 2).sum())
    return max(0.0, 1 - left / spread * (free - 1) / (free - rank))


def _columns(values: Sequence[Any], range: Range) -> np.ndarray:
    """float [trials, columns] that scores are fitted by, a constant among them."""
    if range.values:
        return np.array([[value == known for known in range.values] for value in values], dtype=float)
    places = np.array([math.log(value) if range.log else value for value in values], dtype=float)
    places = (places - places.mean()) / (places.std() or 1.0)
    return np.column_stack([np.ones_like(places), places, places**2])
