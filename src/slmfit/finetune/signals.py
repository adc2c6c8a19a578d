"""Ctrl-C and SIGTERM, kept until the work can stop where it can go on later.

with Signals() as signals:
    for step in steps:
        step()
        signals.check()       # raises Interrupted
"""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, NoReturn, Self


class Interrupted(Exception):
    """A signal came; raised only where the state is consistent."""


class Signals:
    """Notes the first SIGINT or SIGTERM; a second one ends the process the usual way at once.

    Outside the main thread, where Python handles no signals, it notes nothing.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.number is not None:
            self.leave()
        self.number = number

    def check(self) -> None:
        """Raise Interrupted when a signal has come."""
        if self.number is not None:
            raise Interrupted

    def leave(self) -> NoReturn:
        """Go the way the signal asked for: KeyboardInterrupt, or exit with 143."""
        if self.number == signal.SIGTERM:
            raise SystemExit(128 + signal.SIGTERM)
        raise KeyboardInterrupt
