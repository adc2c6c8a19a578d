"""How many seconds a piece of work takes of late.

pace = Pace(clock)
pace.reached(640)        # rows until now
pace.each()              # seconds a row, over the last half a minute; None before anything is done
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable

LATE = 30.0  # seconds that "of late" looks back over


class Pace:
    """window: seconds it looks back over, and at least to what was told before."""

    def __init__(self, clock: Callable[[], float], done: float = 0.0, window: float = LATE) -> None:
        self.clock, self.window = clock, window
        self._past: deque[tuple[float, float]] = deque([(clock(), done)])

    def reached(self, done: float) -> None:
        """So many are done in all."""
        now = self.clock()
        self._past.append((now, done))
        while len(self._past) > 2 and now - self._past[1][0] >= self.window:
            self._past.popleft()

    def each(self) -> float | None:
        """Seconds for one; None where nothing is known."""
        (then, before), (now, done) = self._past[0], self._past[-1]
        gained, took = done - before, now - then
        return took / gained if gained > 0 and 0 < took < math.inf else None
