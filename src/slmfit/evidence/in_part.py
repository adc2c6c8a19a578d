"""From where on a small model may answer alone beside the teacher, told by few rows that a person checked.

    id = most_alike({"linear": (sureness, differ)}, sizes={"linear": 3.4e6})
    part = in_part(group, sureness, differ, asked, teacher, method)
    part.threshold, part.share, part.gap         # 0.83, 0.62, Score(0.004, -0.002, 0.021); None = nowhere

Both together are a method of its own: the small one's answer where it is sure enough, else the teacher's. So their
difference to the teacher alone is `checked.difference` of the rows that the small one answers. Thresholds are tried
from the surest on, each for a twentieth of the rows more, up to the first that is not shown to be within the margin
(learn then test with a fixed sequence, as in promise.py): then one that is not is named in 1 % of all samples, and in
some more where rows are few, as the count of those that are lost is skewed. They are tried for one method, chosen by
what is known without a check. benchmarks/checking.py measures how often what is said is not so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slmfit.evidence.checked import difference, difference_counts, none_differ, weighed
from slmfit.records import Score

STEPS = 20  # thresholds that are tried
LEVEL = 0.98  # of the interval that has to be within the margin; the one that is shown is as all others
LEAST = 0.1  # of the rows, below which it is not worth a second model

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Part:
    """threshold: the least confidence with which the method answers. share: of the rows that it answers then. gap: the
    teacher less both together. resting: checked rows that it answers otherwise than the teacher."""

    method: str
    threshold: float
    share: float
    gap: Score
    resting: int


def in_part(
    method: str,
    group: ArrayLike,
    sureness: ArrayLike,
    differ: ArrayLike,
    checked: ArrayLike,
    teacher: ArrayLike,
    own: ArrayLike,
    *,
    margin: float,
) -> Part | None:
    """The lowest threshold that passes; None where none does, or where it would answer too little.

    group, differ [rows], checked, teacher, own [checks]: as `checked.difference` takes them. sureness [rows]: of the
    method in its own answer; where it is none (nan), the teacher answers.
    """
    sure, apart, asked = _sure(sureness), np.asarray(differ, dtype=bool), np.asarray(checked, dtype=np.int64)
    right = np.asarray(teacher, dtype=float)
    thresholds = _thresholds(sure)
    if not len(thresholds):
        return None
    found = [
        difference_counts(group, apart & (sure >= one), asked, right, np.where(sure[asked] >= one, own, right))
        for one in thresholds
    ]
    worth, rows = (1.0, 0.0, -1.0), len(sure)
    high = np.maximum(weighed(found, worth, rows, LEVEL)[2], none_differ(rows, LEVEL).high or 0.0)
    fails = np.flatnonzero(high > margin)
    last = (int(fails[0]) if len(fails) else len(thresholds)) - 1
    if last < 0:
        return None
    threshold = float(thresholds[last])
    share = float((sure >= threshold).mean())
    if share < LEAST:
        return None
    both = np.where(sure[asked] >= threshold, own, right)
    gap = difference(group, apart & (sure >= threshold), asked, right, both)
    return Part(method, threshold, share, gap, int((apart & (sure >= threshold))[asked].sum()))


def most_alike(
    methods: Mapping[str, tuple[ArrayLike, ArrayLike]], sizes: Mapping[str, float | None], margin: float
) -> str | None:
    """The method that can answer most rows with no more than the margin of them answered otherwise than by the
    teacher; of equals the smallest. None where none says how sure it is.

    methods: id -> how sure it is of its answers, and whether they differ, each [rows]. sizes: None = unknown.
    """

    def rank(id: str) -> tuple[float, float, str]:
        size = sizes[id]
        return -_alike(*methods[id], margin), math.inf if size is None else size, id

    some = [id for id, (sure, _) in methods.items() if np.isfinite(_sure(sure)).any()]
    return min(some, key=rank) if some else None


def _alike(sureness: ArrayLike, differ: ArrayLike, margin: float) -> float:
    sure, apart = _sure(sureness), np.asarray(differ, dtype=bool)
    shares = [float((sure >= one).mean()) for one in _thresholds(sure) if (apart & (sure >= one)).mean() <= margin]
    return max(shares, default=0.0)


def _sure(sureness: ArrayLike) -> Floats:
    given = np.asarray(sureness, dtype=float)
    return np.where(np.isfinite(given), given, -np.inf)


def _thresholds(sure: Floats) -> Floats:
    """Confidences, highest first; all rows are no part."""
    places = np.round(np.arange(1, STEPS) / STEPS * len(sure)).astype(np.int64)
    places = places[(places > 0) & (places <= np.isfinite(sure).sum())]
    found: Floats = np.unique(np.sort(sure)[::-1][places - 1])[::-1]
    return found
