"""How far a piece of work is, and when it will be done by its speed of late.

    with counted(event, "embed", rows=20_000):
        for batch in batches:
            model(batch)
            advance(len(batch))      # whoever counts is told, at most every two seconds

What does the work knows nothing of who waits for it: a context variable holds the one that counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from slmfit.timing.budget import Budget, Clock, monotonic
from slmfit.timing.pace import Pace

TELL_SECONDS = 2.0


class Work:
    """Counts what is done of `rows`. budget: when it ends at the latest, with fewer rows then. unit: if not rows."""

    def __init__(
        self,
        event: Callable[..., None],
        stage: str,
        rows: float,
        budget: Budget | None = None,
        clock: Clock = monotonic,
        unit: str = "",
    ) -> None:
        self.event, self.stage, self.rows, self.clock = event, stage, rows, clock
        self.budget = budget or Budget()
        self.unit: dict[str, Any] = {"unit": unit} if unit else {}
        self.done = 0.0
        self._told = clock()
        self._pace = Pace(clock)

    def advance(self, rows: float) -> None:
        """So many more are done."""
        self.done += rows
        now = self.clock()
        if now - self._told >= TELL_SECONDS:
            self._told = now
            self._pace.reached(self.done)
            far = how_far(self.done, self.rows) | self.unit
            self.event("progress", stage=self.stage, **far, eta_seconds=self.eta())

    def reached(self, rows: float) -> None:
        """So many are done in all."""
        self.advance(max(0.0, rows - self.done))

    def eta(self) -> int | None:
        """Seconds until all is done; None where nothing is known."""
        each = self._pace.each()
        return None if each is None else round(min(max(0.0, self.rows - self.done) * each, self.budget.left()))


def how_far(done: float, rows: float) -> dict[str, Any]:
    """What is done and what there is, in whole numbers: never more done than there is."""
    return {"rows": round(min(done, rows)), "of_rows": round(rows)}


_counting: ContextVar[Work | None] = ContextVar("counting", default=None)
_share: ContextVar[float] = ContextVar("share", default=1.0)


@contextmanager
def counted(
    event: Callable[..., None], stage: str, rows: float, budget: Budget | None = None, unit: str = ""
) -> Iterator[Work]:
    """Count what `advance` is told inside."""
    work = Work(event, stage, rows, budget, unit=unit)
    token = _counting.set(work)
    try:
        yield work
    finally:
        _counting.reset(token)


@contextmanager
def uncounted() -> Iterator[None]:
    """What is done inside counts for nobody: whoever counts counts larger pieces."""
    token = _counting.set(None)
    try:
        yield
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


def ignored(kind: str, **fields: Any) -> None:
    """Told to nobody."""


def told_to(listen: Callable[[str, dict[str, Any]], None] | None) -> Callable[..., None]:
    """What happens told to a listener, if there is one."""
    return lambda kind, **fields: listen(kind, fields) if listen else None
