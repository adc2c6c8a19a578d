"""A run's line: what waits for its model, the process that holds the model, and what is handed to it at once.

    line = Line("tickets", "compared", Limits(), {})
    await line.start()
    asked = line.ask([["my card was charged twice", {"index": 0}]], gone=lambda: False)
    bodies = await asked.done

There is no window: when the model is free it takes what waits, the longest waiting first and with it what is about as
long, as far as its batch goes. Whoever left is dropped then. A process that dies is started again, and what it was
answering is asked again, input by input, so that one which kills it takes no other along; after the third time that one
is given up.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from slmfit.errors import SlmfitError
from slmfit.serving.drift import Counts
from slmfit.serving.limits import Limits
from slmfit.serving.process import LOST, Process
from slmfit.serving.waiting import Ask, Asked, Busy, Chat, Item, Unavailable, length_of

TRIES = 3
SLOWEST_START = 5.0  # seconds between two starts, at most


@dataclass
class Line:
    """See the module. about: what the worker said of its run; counts: of all that was answered."""

    name: str
    run: str
    limits: Limits
    given: dict[str, Any]
    about: dict[str, Any] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    batches: int = 0
    restarts: int = 0
    dropped: int = 0
    refused: int = 0
    busy_seconds: float = 0.0
    ready: bool = False
    waiting: deque[Item] = field(default_factory=deque)
    process: Process | None = None
    _rate: float = 0.0  # inputs a second, of late
    _flying: list[Item] = field(default_factory=list)  # what the model works on
    _something: asyncio.Event = field(default_factory=asyncio.Event)
    _work: asyncio.Task[None] | None = None
    _ended: bool = False

    async def start(self) -> None:
        """Raises what loading the run raised, in its worker."""
        await self._begin()
        self._work = asyncio.get_running_loop().create_task(self._go_on())

    def ask(self, asks: Sequence[Ask], gone: Callable[[], bool]) -> Asked:
        """Let these inputs wait. Raises Busy, Unavailable."""
        if self._ended:
            raise Unavailable
        if self.waiting and len(self.waiting) + len(asks) > self._room:
            self.refused += len(asks)
            raise Busy
        done: asyncio.Future[list[bytes]] = asyncio.get_running_loop().create_future()
        asked = Asked(gone, done, [b""] * len(asks), [0] * len(asks), len(asks))
        for place, ask in enumerate(asks):
            self.waiting.append(Item(asked, place, ask, length_of(ask[0])))
        self._something.set()
        return asked

    def chat(self, settings: dict[str, Any], gone: Callable[[], bool]) -> Chat:
        """Let this chat wait to be written. Raises Busy, Unavailable."""
        if self._ended:
            raise Unavailable
        if len(self.waiting) >= self.limits.waiting:
            self.refused += 1
            raise Busy
        chat = Chat(gone)
        self.waiting.append(Item(chat, 0, [settings], 0))
        self._something.set()
        return chat

    @property
    def _room(self) -> int:
        """How many inputs may wait."""
        limits = self.limits
        return min(limits.most_waiting, max(limits.waiting, int(self._rate * limits.patience)))

    def give_up(self) -> None:
        """End all that waits, and all that will be asked, in so many words."""
        self._ended = True
        for item in (*self._flying, *self.waiting):
            item.asked.fail(Unavailable())
        self.waiting.clear()

    async def end(self) -> None:
        """Let the worker end; it is made to where it does not."""
        self.give_up()
        if self._work is not None:
            self._work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._work
        self.ready = False
        await self._leave(5.0)

    # --- batches ---

    def batch(self) -> list[Item]:
        """What is handed to the model now; what nobody waits for any more is dropped."""
        while self.waiting:
            first = self.waiting.popleft()
            if first.left:
                self._drop(first)
                continue
            if first.tries or not self.waiting or isinstance(first.asked, Chat):
                return [first]
            return [first, *self._likes(first)]
        return []

    def _likes(self, first: Item) -> list[Item]:
        most = self.about["batch"]
        likes = (item for item in self.waiting if not isinstance(item.asked, Chat))
        by_length = sorted(likes, key=lambda item: abs(item.length - first.length))
        taken, longest = list[Item](), first.length
        for item in by_length:
            longest = max(longest, item.length)
            if item.tries or longest * (len(taken) + 2) > most:
                break
            taken.append(item)
        if len(taken) == len(self.waiting):
            self.waiting.clear()
        elif taken:
            chosen = set(map(id, taken))
            self.waiting = deque(item for item in self.waiting if id(item) not in chosen)
        kept = []
        for item in taken:
            if item.left:
                self._drop(item)
            else:
                kept.append(item)
        return kept

    def _drop(self, item: Item) -> None:
        self.dropped += 1
        item.asked.fail(Unavailable())

    async def _go_on(self) -> None:
        """Answer batch after batch; start the worker again where it dies."""
        while True:
            if not self.waiting:
                self._something.clear()
                await self._something.wait()
            items = self._flying = self.batch()
            if not items:
                continue
            try:
                began = time.perf_counter()
                if isinstance(items[0].asked, Chat):
                    await self._write_out(items[0].asked, items[0].ask[0])
                    self.busy_seconds += time.perf_counter() - began
                    continue
                await self._answer(items)
                took = time.perf_counter() - began
                self.busy_seconds += took
                self._rate += 0.2 * (len(items) / max(took, 1e-6) - self._rate)
            except LOST:
                self._again(items)
                await self._restart()

    async def _answer(self, items: Sequence[Item]) -> None:
        self._worker.write({"kind": "answer", "asks": [item.ask for item in items]})
        head, rest = await self._worker.read()
        begin = 0
        for item, size, status in zip(items, head["sizes"], head["status"], strict=True):
            assert isinstance(item.asked, Asked)
            item.asked.answer(item.place, status, rest[begin : begin + size])
            begin += size
        self.batches += 1
        self.counts.merge(head["counts"])

    async def _write_out(self, chat: Chat, settings: dict[str, Any]) -> None:
        """Hand on what is written, as it is, until its end; what nobody reads any more is ended."""
        self._worker.write({"kind": "chat", "settings": settings})
        place, asked_to_end = 0, False
        while True:
            piece, _ = await self._worker.read()
            place += 1
            if place > chat.told and not chat.over:
                chat.add(piece)
            if "text" not in piece:
                self.batches += 1
                return
            if not asked_to_end and (chat.gone() or self._ended):
                self._worker.write({"kind": "stop"})
                asked_to_end = True

    def _again(self, items: Sequence[Item]) -> None:
        """Put back what a worker died on, in order, or give it up."""
        for item in reversed(items):
            item.tries += 1
            if item.tries < TRIES and not self._ended:
                self.waiting.appendleft(item)
            else:
                item.asked.fail(Unavailable())

    # --- the worker ---

    async def _begin(self) -> None:
        self.process = Process({"run": self.run, "method": None, "allow_host": None, "deferred": None, **self.given})
        self.about, self.ready = await self.process.begin(), True

    async def _restart(self) -> None:
        """Start it until it stands; what waits is told so where a second start fails."""
        self.ready, pause, failed = False, 0.05, 0
        while not self._ended:
            self.restarts += 1
            await self._leave(0.0)
            with contextlib.suppress(SlmfitError, OSError):
                await self._begin()
                return
            failed += 1
            while failed > 1 and self.waiting:
                self.waiting.popleft().asked.fail(Unavailable())
            await asyncio.sleep(pause)
            pause = min(SLOWEST_START, 2 * pause)

    async def _leave(self, seconds: float) -> None:
        if self.process is not None:
            await self.process.leave(seconds)

    @property
    def _worker(self) -> Process:
        assert self.process is not None
        return self.process
