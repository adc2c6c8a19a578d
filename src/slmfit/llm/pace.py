"""How many calls at once, and how long to wait before the next try.

    gate = Gate(most=64, start=16)
    async with gate:                      # waits for its turn
        ...
    gate.well(seconds)                    # it went well and took this long
    gate.slow_down(wait)                  # 429 or overload: fewer at once, and none before `wait` is over

The number at once follows AIMD (additive increase, multiplicative decrease; Chiu and Jain 1989): doubled until the
first sign of strain, then one more per round; halved on 429, reduced when calls take twice as long as they did.
"""

from __future__ import annotations

import asyncio
import random
import statistics
from collections import deque
from dataclasses import dataclass
from types import TracebackType

_SLOWER = 2.0  # times the best round's latency, from where on more at once only means longer queues
_AS_BEFORE = 1.3
_NOISE_SECONDS = 0.1  # differences up to this say nothing: machines are busy with other things, too


@dataclass(frozen=True)
class Patience:
    """How often, how long and how many at once.

    in_flight: the most calls at once. start: how many at first; None = 4 for a server on this machine, else 16.
    seconds: the longest one call may take. attempts: how often an ask is sent at most. total_seconds: from its first
    call to its last, waits included. wait_seconds: the longest wait that a server can ask for. base_seconds: the first
    wait's length at most; each next one may be twice as long.
    reply_bytes: the longest reply that is read, unpacked.
    alone: so many asks are sent one at a time first, which tells how long one takes.
    """

    in_flight: int = 64
    start: int | None = None
    seconds: float = 300.0
    attempts: int = 8
    total_seconds: float = 900.0
    wait_seconds: float = 60.0
    base_seconds: float = 0.5
    reply_bytes: int = 8 * 2**20
    alone: int = 0

    def wait(self, attempt: int, asked: float | None = None) -> float:
        """Seconds before the try after `attempt` (1, 2, …): full jitter, or what the server asked for if longer.

        https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
        """
        own = random.uniform(0.0, min(self.wait_seconds, self.base_seconds * 2 ** (attempt - 1)))
        return own if asked is None else max(own, min(max(asked, 0.0), self.wait_seconds))


class Gate:
    """Lets as many through at once as the server stands."""

    def __init__(self, most: int, start: int) -> None:
        self._most = max(1, most)
        self.limit = float(min(max(1, start), self._most))
        self._running = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._closed_until = 0.0
        self._strained = False
        self._best: float | None = None
        self._round: list[float] = []
        self._alone: list[float] = []
        self._slots = False
        self._lowered_at = 0.0

    async def __aenter__(self) -> None:
        loop = asyncio.get_running_loop()
        while self._running >= int(self.limit) or loop.time() < self._closed_until:
            turn = loop.create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._wake()
                raise
        self._running += 1

    async def __aexit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._running -= 1
        self._wake()

    def keep_to(self, slots: int) -> None:
        """The server says on how many it works at once: more would only queue, and fewer would let it idle."""
        self._most = min(self._most, slots)
        self.limit, self._slots = float(self._most), True

    def alone(self, seconds: float) -> None:
        """A call went well that had the server for itself: what those of a round are held against."""
        self._alone.append(seconds)
        self._best = statistics.median(self._alone)

    def well(self, seconds: float) -> None:
        """A call went well; after a round of them the number at once is looked at again."""
        self._round.append(seconds)
        if len(self._round) < int(self.limit):
            return
        latency = sum(self._round) / len(self._round)
        self._round.clear()
        if self._slots:  # how long a slot takes beside others says nothing of a queue
            self.limit = min(float(self._most), self.limit + 1.0)
            self._wake()
            return
        self._best = latency if self._best is None else min(self._best * 1.02, latency)
        if latency > _SLOWER * self._best + _NOISE_SECONDS:
            self._strained = True
            self.limit = max(1.0, self.limit * 0.8)
        elif latency < _AS_BEFORE * self._best + _NOISE_SECONDS:
            self.limit = min(float(self._most), self.limit + 1.0 if self._strained else self.limit * 2.0)
            self._wake()

    def slow_down(self, wait: float) -> None:
        """The server is asked too much: half as many at once, at most once per wait, and none before it is over."""
        now = asyncio.get_running_loop().time()
        self._strained = True
        self._round.clear()
        if now >= self._lowered_at:
            self.limit = max(1.0, self.limit / 2)
            self._lowered_at = now + max(wait, self._best or 0.0)
        if now + wait > self._closed_until:
            self._closed_until = now + wait
            asyncio.get_running_loop().call_later(wait + 0.001, self._wake)

    def _wake(self) -> None:
        """Let the first ones in line look again."""
        free = int(self.limit) - self._running
        while self._waiting and free > 0:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                free -= 1
