"""Options by their scores: which is best, and what the scores are worth as probabilities.

best(scores, offsets)                        # the place of the best option of each question
ranked(questions, scores, sharpness)         # one Prediction for each
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from slmfit.records import Example, Input, Prediction
from slmfit.tasks.forms.letters import question_of

Floats = NDArray[np.float64]


def offsets_of(inputs: Sequence[Input]) -> NDArray[np.int64]:
    """[questions + 1]: where the options of each question begin, all lying end to end."""
    return np.cumsum([0, *(len(question_of(i).options) for i in inputs)])


def right_of(examples: Sequence[Example]) -> NDArray[np.int64]:
    """The place of the right option among its question's; -1 where there is no answer."""
    return np.array([_place(e) for e in examples], np.int64)


def _place(example: Example) -> int:
    letters = list(question_of(example.input).options)
    return letters.index(example.target) if isinstance(example.target, str) else -1


def best(scores: Floats, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """The place of the option with the highest score, the first of equals, per question."""
    return np.array([np.argmax(scores[b:e]) for b, e in pairwise(offsets)], np.int64)


def ranked(inputs: Sequence[Input], scores: Floats, sharpness: float) -> list[Prediction]:
    """The best option of each question, with probabilities. scores: of all options, end to end."""
    found = []
    for input, (begin, end) in zip(inputs, pairwise(offsets_of(inputs)), strict=True):
        letters = list(question_of(input).options)
        shares = np.exp(_log_shares(scores[begin:end], sharpness)).tolist()
        answer = letters[int(np.argmax(scores[begin:end]))]
        found.append(Prediction(answer, probabilities=dict(zip(letters, shares, strict=True))))
    return found


def fitted_sharpness(scores: Floats, offsets: NDArray[np.int64], right: NDArray[np.int64]) -> float:
    """What scores are multiplied by to be logarithms of probabilities: least log loss on rows not fitted, with a pull,
    worth one row, towards 1.
    """
    from scipy.optimize import minimize_scalar

    rows = [(scores[b:e], r) for (b, e), r in zip(pairwise(offsets), right, strict=True) if r >= 0]

    def loss(log: float) -> float:
        return -sum(_log_shares(row, np.exp(log))[r] for row, r in rows) + log**2

    return float(np.exp(minimize_scalar(loss, bounds=(-6, 4), method="bounded").x)) if rows else 1.0


def _log_shares(scores: Floats, sharpness: float) -> Floats:
    logs = (scores - scores.max()) * sharpness
    return logs - np.log(np.exp(logs).sum())
