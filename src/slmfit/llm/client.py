"""Asks any server that speaks OpenAI's chat completions, loses nothing, pays nothing twice.

    client = Client(server, folder / "ledger.jsonl", Limits(usd=5.0))
    for answer in client.answers(asks):       # as they come, not in the order asked
        print(answer.id, answer.outcome, answer.value)

The same asks with the same ledger go on where they were cut off: by a kill, by Ctrl-C, by the budget.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from slmfit.llm.ask import Answer, Ask
from slmfit.llm.channel import Channel
from slmfit.llm.engine import Engine
from slmfit.llm.ledger import Ledger
from slmfit.llm.limits import Cost, Limits, Spent
from slmfit.llm.lines import answer_of
from slmfit.llm.modes import Found
from slmfit.llm.pace import Patience
from slmfit.llm.prices import PICO
from slmfit.llm.server import Server


def _ignore(kind: str, **fields: Any) -> None:
    """The default listener."""


class Client:
    """One model on one server, a ledger and limits.

    ledger: the file that answers are kept in; None = they are not kept.
    listen: called in the caller's thread as `listen("found", form="schema", …)` for what happens on the way.
    """

    def __init__(
        self,
        server: Server,
        ledger: Path | None = None,
        limits: Limits | None = None,
        listen: Callable[..., None] | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.server, self.limits, self.patience = server, limits or Limits(), patience or Patience()
        self._path, self._listen = ledger, listen or _ignore
        self.limits.check(server.prices, server.model, server.local)
        self.found: Found | None = None
        self._spent = Cost()

    @property
    def spent(self) -> Spent:
        """What this client's own calls were charged, at most; what the ledger knew before is not in it."""
        return Spent(self._spent.tokens, self._spent.pico / PICO if self.server.prices else None)

    def slots(self) -> int | None:
        """On how many asks the server works at once, where it says so, as llama.cpp's does; asks nothing else."""

        async def slots() -> int | None:
            async with Channel(self.server, self.patience) as channel:
                return await channel.slots()

        with ThreadPoolExecutor(1) as thread:  # the caller's may have a loop that runs
            return thread.submit(asyncio.run, slots()).result()

    def answers(self, asks: Iterable[Ask]) -> Iterator[Answer]:
        """One final answer to each ask, as they come. What the ledger has is not asked again.

        Raises MissingPart when the server is out of reach or refuses the key, UsageError when it does not know the
        model, BudgetReached when the limits hold no other call; what was answered until then comes first.
        """
        ledger = Ledger(self._path)
        try:
            if ledger.damaged:
                self._listen("damaged", lines=ledger.damaged)
            yield from _Run(self, ledger).answers(iter(asks))
        finally:
            ledger.close()

    def _told(self, kind: str, fields: dict[str, Any]) -> None:
        self._listen(kind, **fields)


class Outbox:
    """What the loop and the ledger hand to the caller's thread; they set `told` once for many items."""

    def __init__(self) -> None:
        self.told = threading.Event()
        self._items: deque[tuple[Any, ...]] = deque()

    def put(self, item: tuple[Any, ...]) -> None:
        self._items.append(item)
        if item[0] != "answer":
            self.told.set()

    def next(self) -> tuple[Any, ...]:
        while not self._items:
            self.told.wait(1.0)  # a wait without end could not be interrupted everywhere
            self.told.clear()
        return self._items.popleft()

    def rest(self) -> Iterator[tuple[Any, ...]]:
        while self._items:
            yield self._items.popleft()


class _Run:
    """One pass of `Client.answers`."""

    def __init__(self, client: Client, ledger: Ledger) -> None:
        self._client, self._ledger = client, ledger
        self._outbox = Outbox()
        ledger.on_group = self._outbox.told.set
        self._pending: dict[str, list[Ask]] = {}
        self._waiting = self._improper = 0
        self._engine = Engine(client.server, ledger, client.limits, client.patience, self._outbox.put)

    def answers(self, asks: Iterator[Ask]) -> Iterator[Answer]:
        self._engine.start()
        try:
            more = True
            while more or self._waiting:
                while more and self._waiting < self._engine.window:
                    ask = next(asks, None)
                    if ask is None:
                        more = False
                    elif (kept := self._kept(ask)) is not None:
                        yield kept
                if self._waiting:
                    yield from self._received(self._outbox.next())
        finally:
            self._engine.stop()
            self._client.found = self._engine.found or self._client.found
            if self._improper:
                self._client._told("damaged", {"lines": self._improper})
            self._client._spent = self._client._spent.plus(self._engine.took)

    def _kept(self, ask: Ask) -> Answer | None:
        """The answer that the ledger has; else the ask is on its way."""
        key = ask.key(self._client.server.model)
        if key in self._pending:
            self._pending[key].append(ask)
        elif (kept := self._found(key, ask)) is not None:
            return kept
        else:
            self._client.server.check_key()
            self._pending[key] = [ask]
            self._engine.submit(key, ask)
        self._waiting += 1
        return None

    def _found(self, key: str, ask: Ask) -> Answer | None:
        line = self._ledger.find(key)
        if line is None:
            return None
        answer = answer_of(line, ask)
        self._improper += answer is None
        return answer

    def _received(self, item: tuple[Any, ...]) -> Iterator[Answer]:
        if item[0] == "event":
            self._client._told(item[1], item[2])
        elif item[0] == "error":
            yield from self._last()
            raise item[1]
        else:
            _, key, answer = item
            _first, *others = self._pending.pop(key)
            self._waiting -= 1 + len(others)
            yield answer
            for other in others:
                yield replace(answer, id=other.id, reused=True)

    def _last(self) -> Iterator[Answer]:
        """What was answered before the error, once the ledger has it all."""
        self._engine.stop()
        self._ledger.close()
        for item in self._outbox.rest():
            if item[0] == "answer":
                yield from self._received(item)
