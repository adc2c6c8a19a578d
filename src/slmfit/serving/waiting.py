"""What waits for a model: inputs, each of a request, and chats."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

Ask = Sequence[Any]  # [what is asked, options]


class Busy(Exception):
    """More waits than is answered in time."""


class Unavailable(Exception):
    """It will not be answered: the server is ending, or the model cannot be loaded."""


@dataclass(eq=False)
class Asked:
    """One request's inputs. done: ends with their bodies, in order; statuses: of each, had it been alone."""

    gone: Callable[[], bool]
    done: asyncio.Future[list[bytes]]
    bodies: list[bytes]
    statuses: list[int]
    left: int

    @property
    def over(self) -> bool:
        return self.done.done()

    def answer(self, place: int, status: int, body: bytes) -> None:
        self.bodies[place], self.statuses[place] = body, status
        self.left -= 1
        if not self.left and not self.done.done():
            self.done.set_result(self.bodies)

    def fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


@dataclass(eq=False)
class Item:
    """One input that waits. place: in its request; length: characters, by which likes are put together."""

    asked: Asked | Chat
    place: int
    ask: Ask
    length: int
    tries: int = 0

    @property
    def left(self) -> bool:
        """Whether nobody waits for it any more."""
        return self.asked.over or self.asked.gone()


@dataclass(eq=False)
class Chat:
    """A chat that is written. told: of its pieces how many were handed on; begun again, it writes the same ones."""

    gone: Callable[[], bool]
    pieces: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    told: int = 0
    over: bool = False

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        while True:
            piece = await self.pieces.get()
            yield piece
            if "text" not in piece:
                return

    def add(self, piece: dict[str, Any]) -> None:
        self.pieces.put_nowait(piece)
        self.told += 1
        self.over = "text" not in piece

    def fail(self, error: Exception) -> None:
        if not self.over:
            self.add({"error": {"status": 503, "message": "the model is not there: try again"}})


def length_of(value: Any) -> int:
    """About how many characters the model reads."""
    if isinstance(value, str):
        return len(value) + 8
    return len(json.dumps(value)) + 8
