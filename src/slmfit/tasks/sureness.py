"""Whether all of an answer is right, and how sure a method is of that."""

from __future__ import annotations

import math

import numpy as np

from slmfit.records import Entities, Prediction, Target
from slmfit.tasks.answers import chance_of, rounded
from slmfit.tasks.entity_scores import all_right


def confidence(answer: Prediction) -> float | None:
    """How sure a method is that all of an answer is right; None where it failed or does not say."""
    if answer.outcome != "ok":
        return None
    sure = answer.confidence
    if sure is None and isinstance(answer.target, Entities):
        shares = answer.span_probabilities
        sure = None if shares is None else float(np.prod(shares)) * _intent(answer)
    elif sure is None and answer.probabilities and (said := chance_of(answer.target)) is not None:
        sure = answer.probabilities.get(said)
    return None if sure is None or not math.isfinite(sure) else rounded(sure)


def is_right(truth: Target | None, answer: Prediction) -> bool:
    """Whether all of an answer is right; of entities a row that is not exactly right is wrong."""
    if answer.outcome != "ok" or answer.target is None:
        return False
    if isinstance(truth, Entities):
        return isinstance(answer.target, Entities) and all_right(truth, answer.target)
    return answer.target == truth


def _intent(answer: Prediction) -> float:
    said = chance_of(answer.target)
    return 1.0 if said is None or answer.probabilities is None else answer.probabilities.get(said, 0.0)
