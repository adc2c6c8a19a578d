"""Rows that say the same: identical inputs have one answer, so that together they tell what one of them tells.

    repeats = clusters_of(["hello", "hello", "bye"])      # None where no input occurs twice
    repeats.effective                                     # 1.8: as many rows as would tell as much, were none repeated
    repeats.sums(rows)                                    # [2, columns]: what the rows of one input add up to

A cluster is an input, whatever its targets: where one text stands with two labels, the one answer decides both rows.
The effective number is Kish's (1965, ch. 8.2; 1992): n / deff with deff = sum of squared sizes / n, exact where the
rows of a cluster are right or wrong together. Wilson's and Tango's intervals are taken at that number, as surveys do
(Korn & Graubard 1998; Dean & Pagano 2015); bootstraps draw clusters (Field & Welsh 2007); the test swaps whole
clusters. Where nothing repeats there are no clusters, and nothing is computed otherwise than without them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Clusters:
    """number [rows]: of each row's cluster, from 0. At least one cluster has two rows."""

    number: np.ndarray

    @cached_property
    def sizes(self) -> np.ndarray:
        """Rows of each cluster [clusters]."""
        return np.bincount(self.number)

    @cached_property
    def size(self) -> np.ndarray:
        """Of each row [rows]: how many rows its cluster has."""
        return self.sizes[self.number]

    @property
    def design_effect(self) -> float:
        """Times that a share varies more than that of as many different rows."""
        return float(self.size.mean())

    @property
    def effective(self) -> float:
        """As many different rows as would tell as much."""
        return len(self.number) / self.design_effect

    def sums(self, rows: np.ndarray) -> np.ndarray:
        """Sums [clusters, columns] of rows [rows, columns], or [clusters] of [rows]."""
        found = np.zeros((len(self.sizes), *rows.shape[1:]))
        np.add.at(found, self.number, rows)
        return found

    def among(self, kept: np.ndarray) -> Clusters | None:
        """The clusters of some of the rows. kept [rows]: which."""
        return clusters_of(self.number[kept].tolist())


def clusters_of(keys: Iterable[Hashable]) -> Clusters | None:
    """Rows with equal keys are one cluster; None where all differ."""
    seen: dict[Hashable, int] = {}
    number = np.array([seen.setdefault(key, len(seen)) for key in keys], dtype=np.int64)
    return Clusters(number) if len(seen) < len(number) else None


def swapping(gaps: np.ndarray) -> float:
    """Two-sided mid-p value that two methods are equally good: each cluster's answers might as well be swapped.

    gaps: per cluster a whole number, the rows that one method alone had right minus those the other had. The
    randomisation test of Fisher (1935) with clusters for units, with half the chance of what was seen; where no gap is
    larger than 1 it is McNemar's mid-p.
    """
    sizes, times = np.unique(np.abs(np.rint(gaps)).astype(np.int64), return_counts=True)
    chances = np.ones(1)  # of a sum of 0, 1, 2 … after adding, by a coin, the size of every cluster or nothing
    for size, count in zip(sizes.tolist(), times.tolist(), strict=True):
        if size:
            spread = np.zeros(size * count + 1)
            spread[::size] = _coins(count)
            chances = np.convolve(chances, spread)
    total, gap = len(chances) - 1, abs(float(np.rint(gaps).sum()))
    few = int((total - gap) // 2)  # as far out as what was seen, on either side
    return min(1.0, 2 * float(chances[: few + 1].sum()) - float(chances[few]))


def _coins(count: int) -> np.ndarray:
    """Chances [count + 1] of 0 to `count` heads."""
    k = np.arange(count)
    logs = np.concatenate([[0.0], np.cumsum(np.log((count - k) / (k + 1)))]) - count * np.log(2)
    found: np.ndarray = np.exp(logs)
    return found
