"""Until when work may take: every stage asks how much is left, and what one does not use the next one has.

    budget = Budget.of(120.0)
    own = budget.but_for(10.0).part(3)        # a third of what is left when ten seconds are kept for the end
    own.left()                                # seconds; without end where there is no budget

What fewer rows will do for takes them in one random order, so that whoever gets less far did the same ones:

    rows = random_order(7600)[:2000]
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from slmfit.timing.pace import LATE, Pace

Clock = Callable[[], float]
FIRST, MOST = 64, 256  # rows that are done at once: at first, until the speed is known, and at most


def monotonic() -> float:
    """Looked up when asked, so that a test may put another clock in its place."""
    return time.monotonic()


@dataclass(frozen=True)
class Budget:
    """ends: on the clock, in its seconds; infinity = no limit."""

    ends: float = math.inf
    clock: Clock = monotonic

    @classmethod
    def of(cls, seconds: float | None, clock: Clock = monotonic) -> Budget:
        """So many seconds from now on; None = no limit."""
        return cls(math.inf if seconds is None else clock() + max(0.0, seconds), clock)

    @property
    def limited(self) -> bool:
        return self.ends < math.inf

    def left(self) -> float:
        """Seconds from now, never below 0."""
        return max(0.0, self.ends - self.clock()) if self.limited else math.inf

    @property
    def seconds(self) -> float | None:
        """What is left, None = no limit."""
        return self.left() if self.limited else None

    def part(self, waiting: float) -> Budget:
        """What the next of so many that wait may take: the same part for each of them."""
        return replace(self, ends=self.clock() + self.left() / max(1.0, waiting)) if self.limited else self

    def but_for(self, seconds: float) -> Budget:
        """The same, with so many seconds kept for what comes after it."""
        return replace(self, ends=self.ends - seconds)


class Pieces:
    """Rows in pieces, as many as there is time for; the first is always done.

        pieces = Pieces(7600, budget.left())
        while (piece := pieces.next()) is not None:
            answer(rows[piece])

    Where a piece begins does not depend on the clock, so that the same number of rows is the same work.
    seconds: for all of it. later: how many rows like these are to be done afterwards, out of the same seconds; their
    time is kept by the speed of late, up to the share `most` of all seconds.
    """

    def __init__(
        self, rows: int, seconds: float, *, later: int = 0, most: float = 0.0, clock: Clock = monotonic
    ) -> None:
        self.rows, self.seconds, self.later, self.most, self.clock = rows, seconds, later, most, clock
        self.done, self._size, self._began = 0, FIRST, clock()
        self._pace = Pace(clock, window=min(LATE, seconds / 10))

    def next(self) -> slice | None:
        """The next rows; None when all are done, or no more fit."""
        size = min(self._size, self.rows - self.done)
        self._pace.reached(self.done)
        if not size or (self.done and not self._fits(size)):
            return None
        piece = slice(self.done, self.done + size)
        self.done, self._size = piece.stop, min(2 * self._size, MOST)
        return piece

    def _fits(self, size: int) -> bool:
        took = self.clock() - self._began
        each = self._pace.each() or took / self.done
        kept = min(self.later * each, self.most * self.seconds)
        return took + size * each + kept <= self.seconds


def random_order(count: int) -> np.ndarray:
    """The numbers below `count` in an order that is the same for everybody."""
    return np.random.default_rng(count).permutation(count)
