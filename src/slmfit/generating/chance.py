"""Chance from Random.random() alone: its sequence is the only one that Python promises to keep.

rng = Random(7)
pick(rng, ["a", "b"]); shuffled(rng, range(10)); allot(10, {"a": 0.7, "b": 0.3})
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import accumulate
from random import Random
from typing import TypeVar

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


def pick(rng: Random, choices: Sequence[T]) -> T:
    """One of the choices, each as likely."""
    return choices[int(rng.random() * len(choices))]


def draw(rng: Random, weights: Mapping[K, float]) -> K:
    """One of the keys, as likely as its weight."""
    bounds = list(accumulate(weights.values()))
    return list(weights)[min(bisect(bounds, rng.random() * bounds[-1]), len(bounds) - 1)]


def shuffled(rng: Random, items: Iterable[T]) -> list[T]:
    """The items in random order (Fisher and Yates)."""
    items = list(items)
    for last in range(len(items) - 1, 0, -1):
        other = int(rng.random() * (last + 1))
        items[last], items[other] = items[other], items[last]
    return items


def allot(n: int, shares: Mapping[K, float]) -> list[K]:
    """n keys in their shares; what rounding leaves over goes to the largest remainders."""
    total = sum(shares.values())
    exact = {key: n * share / total for key, share in shares.items()}
    counts = {key: int(value) for key, value in exact.items()}
    by_remainder = sorted(shares, key=lambda key: counts[key] - exact[key])
    for key in by_remainder[: n - sum(counts.values())]:
        counts[key] += 1
    return [key for key, count in counts.items() for _ in range(count)]
