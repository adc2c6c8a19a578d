"""From where on a small model may answer alone beside the teacher, told by few rows that a person checked.

    id = most_alike({"linear": (sureness, differ)}, sizes={"linear": 3.4e6})
    part = in_part(Sample(id, group, sureness, differ, asked, teacher, method), margin=0.03)
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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slmfit.evidence.checked import difference_counts, none_differ, weighed
from slmfit.evidence.statistic import LEVEL as SHOWN
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


@dataclass(frozen=True, slots=True)
class Sample:
    """What is known of a method. group, differ [rows], checked, teacher, own [checks]: as `checked.difference` takes
    them. sureness [rows]: of the method in its own answer; where it is none (nan), the teacher answers."""

    method: str
    group: ArrayLike
    sureness: ArrayLike
    differ: ArrayLike
    checked: ArrayLike
    teacher: ArrayLike
    own: ArrayLike


def in_part(sample: Sample, *, margin: float) -> Part | None:
    """The lowest threshold that passes; None where none does, or where it would answer too little."""
    return in_parts([sample], margin=margin)[0]


def in_parts(samples: Sequence[Sample], *, margin: float) -> list[Part | None]:
    """The same of each, all of as many rows: many take hardly longer than one."""
    sure = [_sure(one.sureness) for one in samples]
    tried = [_thresholds(one) for one in sure]
    pairs = [(one, at) for one, thresholds in zip(samples, tried, strict=True) for at in thresholds]
    shown = iter(_gaps(pairs, LEVEL))
    lowest = list[float | None]()
    for own, thresholds in zip(sure, tried, strict=True):
        within = [_high(next(shown), len(own)) <= margin for _ in thresholds]
        passed = [at for place, at in enumerate(thresholds) if all(within[: place + 1])]
        lowest.append(passed[-1] if passed and (own >= passed[-1]).mean() >= LEAST else None)
    gaps = iter(_gaps([(one, at) for one, at in zip(samples, lowest, strict=True) if at is not None]))
    return [None if at is None else _part(one, at, next(gaps)) for one, at in zip(samples, lowest, strict=True)]


def _gaps(asked: Sequence[tuple[Sample, float]], level: float = SHOWN) -> list[Score]:
    """The teacher less both together, of each sample at its threshold."""
    if not asked:
        return []
    counts, alike, rows = [], [], 0
    for sample, threshold in asked:
        answers = _sure(sample.sureness) >= threshold
        differ, places = np.asarray(sample.differ, dtype=bool) & answers, np.asarray(sample.checked, dtype=np.int64)
        both = np.where(answers[places], sample.own, sample.teacher)
        counts.append(difference_counts(sample.group, differ, places, sample.teacher, both))
        alike.append(not differ.any())
        rows = len(answers)
    ends = zip(*weighed(counts, (1.0, 0.0, -1.0), rows, level), strict=True)
    none = none_differ(rows, level)
    return [none if same else Score(*map(float, end)) for same, end in zip(alike, ends, strict=True)]


def _high(gap: Score, rows: int) -> float:
    """Where few rows differ, no less than where none does."""
    return max(gap.high or 0.0, none_differ(rows, LEVEL).high or 0.0)


def _part(sample: Sample, threshold: float, gap: Score) -> Part:
    answers = _sure(sample.sureness) >= threshold
    resting = (np.asarray(sample.differ, dtype=bool) & answers)[np.asarray(sample.checked, dtype=np.int64)].sum()
    return Part(sample.method, threshold, float(answers.mean()), gap, int(resting))


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


def _thresholds(sure: Floats) -> list[float]:
    """Confidences, highest first; all rows are no part."""
    places = np.round(np.arange(1, STEPS) / STEPS * len(sure)).astype(np.int64)
    places = places[(places > 0) & (places <= np.isfinite(sure).sum())]
    return [float(one) for one in np.unique(np.sort(sure)[::-1][places - 1])[::-1]]
