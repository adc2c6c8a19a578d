"""Probabilities fitted again to what is served: weights of eight bits give others, with the same labels.

temperature(answers, ["billing", "delivery", …])       # 1.3: they were too sure
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from slmfit.records import Prediction, Target
from slmfit.tasks.answers import chance_of

TRIED = np.geomspace(0.25, 4.0, 81)
LEAST = 20  # rows
SMALL = 5e-7  # what six digits cannot tell from 0


def temperature(answers: Sequence[Prediction], truth: Sequence[Target]) -> float:
    """What logits are to be divided by, so that the log loss on these rows is the least (Guo et al., 2017).

    1 where it is none the less for rows that it was not fitted on: each half is scored with what the other would have.
    """
    both = [
        (a.probabilities, name)
        for a, t in zip(answers, truth, strict=True)
        if a.probabilities and (name := chance_of(t)) in a.probabilities
    ]
    if len(both) < LEAST:
        return 1.0
    logs = np.log(np.maximum([list(shares.values()) for shares, _ in both], SMALL))
    right = np.array([list(shares).index(str(name)) for shares, name in both], np.int64)
    halves = np.arange(len(logs)) % 2 == 0
    crossed = sum(
        _losses(logs[rows], right[rows], _best(logs[~rows], right[~rows])).sum() for rows in (halves, ~halves)
    )
    return _best(logs, right) if crossed < _losses(logs, right, 1.0).sum() else 1.0


def _best(logs: np.ndarray, right: np.ndarray) -> float:
    return float(TRIED[np.argmin([_losses(logs, right, one).sum() for one in TRIED])])


def _losses(logs: np.ndarray, right: np.ndarray, heat: float) -> np.ndarray:
    """The log loss of each row at a temperature."""
    cooled = logs / heat
    return np.logaddexp.reduce(cooled, axis=1) - cooled[np.arange(len(cooled)), right]
