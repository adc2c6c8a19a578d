"""How far a piece of work is, and when it will be done by its speed of late.

    with counted(event, "embed", rows=20_000):
        for batch in batches:
            model(batch)
            advance(len(batch))      # whoever counts is told, at most every two seconds

What does the work knows nothing of who waits for it: a context variable holds the one that counts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from slmfit.timing.budget import Budget, Clock, monotonic

TELL_SECONDS = 2.0
LATE = 30.0  # seconds that "of late" looks back over


class Work:
    """Counts what is done of `rows`. budget: when it ends at the latest, with fewer rows then."""

    def __init__(
        self,
        event: Callable[..., None],
        stage: str,
        rows: float,
        budget: Budget | None = None,
        clock: Clock = monotonic,
    ) -> None:
        self.event, self.stage, self.rows, self.clock = event, stage, rows, clock
        self.budget = budget or Budget()
        self.done = 0.0
        self._told = clock()
        self._past: deque[tuple[float, float]] = deque([(self._told, 0.0)])

    def advance(self, rows: float) -> None:
        """So many more are done."""
        self.done += rows
        now = self.clock()
        if now - self._told >= TELL_SECONDS:
            self._told = now
            self._past.append((now, self.done))
            while len(self._past) > 2 and now - self._past[1][0] >= LATE:
                self._past.popleft()
            self.event(
                "progress", stage=self.stage, rows=round(self.done), of_rows=round(self.rows), eta_seconds=self.eta()
            )

    def eta(self) -> int | None:
        """Seconds until all is done; None where nothing is known."""
        (then, before), now = self._past[0], self.clock()
        gained, took = self.done - before, now - then
        if gained <= 0 or took <= 0:
            return None
        return round(min(max(0.0, self.rows - self.done) * took / gained, self.budget.left()))


_counting: ContextVar[Work | None] = ContextVar("counting", default=None)
_share: ContextVar[float] = ContextVar("share", default=1.0)


@contextmanager
def counted(event: Callable[..., None], stage: str, rows: float, budget: Budget | None = None) -> Iterator[Work]:
    """Count what `advance` is told inside."""
    work = Work(event, stage, rows, budget)
    token = _counting.set(work)
    try:
        yield work
    finally:
        _counting.reset(token)


def advance(rows: float) -> None:
    """Tell whoever counts that so many more are done."""
    if (work := _counting.get()) is not None:
        work.advance(rows * _share.get())


@contextmanager
def each_part(share: float) -> Iterator[None]:
    """Inside, what `advance` is told counts as this share of a row: a question is embedded in several texts, say."""
    token = _share.set(share)
    try:
        yield
    finally:
        _share.reset(token)


def told_to(listen: Callable[[str, dict[str, Any]], None] | None) -> Callable[..., None]:
    """What happens told to a listener, if there is one."""
    return lambda kind, **fields: listen(kind, fields) if listen else None
