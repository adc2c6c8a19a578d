"""One call and the wait before the next: its turn, its price, its judgement.

exchange = Exchange(server, channel, purse, patience, listen)
tab = Tab()
verdict = await exchange.call(key, data, 256, tab)
if isinstance(verdict, Again) and await exchange.wait(verdict, tab):
    …
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from slmfit.llm.channel import Channel, Received, Trouble
from slmfit.llm.faults import Again, Judged, Stop, judge
from slmfit.llm.limits import Cost
from slmfit.llm.pace import Gate, Patience
from slmfit.llm.purse import Purse
from slmfit.llm.server import Server
from slmfit.llm.wire import Reply
from slmfit.records import Usage

_SAID_SECONDS = 2.0  # a wait that long is said


@dataclass
class Tab:
    """What one ask has taken so far.

    started: when it was first sent. cost: what its calls may have cost. usage: of the call that was answered.
    alone: whether no other ask is under way meanwhile.
    """

    alone: bool = False
    started: float = 0.0
    attempts: int = 0
    cost: Cost = field(default_factory=Cost)
    usage: Usage = field(default_factory=Usage)


class Exchange:
    """All that the asks of one run share."""

    def __init__(
        self, server: Server, channel: Channel, purse: Purse, patience: Patience, listen: Callable[..., None]
    ) -> None:
        self.server, self.patience = server, patience
        self._channel, self._purse, self._listen = channel, purse, listen
        self.gate = Gate(patience.in_flight, patience.start or (4 if server.local else 16))

    async def call(self, key: str, data: bytes, output: int, tab: Tab) -> Judged:
        """One try. Raises SlmfitError when nothing else is worth asking."""
        async with self._purse.hold(key, self._purse.most(data, output)) as held:
            async with self.gate:
                held.sent()
                tab.started = tab.started or time.monotonic()
                tab.attempts += 1
                got = await self._post(data)
            await asyncio.sleep(0)  # whoever is next in line sends before this reply is read
            verdict, seconds = self._judged(got)
            if isinstance(verdict, Reply):
                held.cost, held.final = self._purse.price(verdict, held.most), True
                tab.usage = self._used(verdict, seconds, tab)
                (self.gate.alone if tab.alone else self.gate.well)(seconds)
            elif not (isinstance(verdict, Again) and verdict.charged):
                held.cost = Cost()
        tab.cost = tab.cost.plus(held.cost)
        if isinstance(verdict, Stop):
            raise verdict.error
        return verdict

    async def wait(self, again: Again, tab: Tab) -> bool:
        """Wait for the next try; False when there is to be none."""
        wait = self.patience.wait(tab.attempts, again.wait)
        if again.strain:
            self.gate.slow_down(wait if again.wait is not None else 0.0)
            if again.wait is not None and wait >= _SAID_SECONDS:
                self._listen("waiting", seconds=round(wait, 1), reason=again.reason)
        late = time.monotonic() - tab.started + wait > self.patience.total_seconds
        if tab.attempts >= self.patience.attempts or late:
            return False
        await asyncio.sleep(wait)
        return True

    async def _post(self, data: bytes) -> Received | Trouble:
        try:
            return await self._channel.post(data, self.patience.seconds)
        except Trouble as trouble:
            return trouble

    def _judged(self, got: Received | Trouble) -> tuple[Judged | Stop, float]:
        if isinstance(got, Trouble):
            slow, lost = got.outcome == "timeout", got.unreachable
            return Again(got.outcome, got.reason, strain=slow, charged=got.sent, unreachable=lost), 0.0
        return judge(got.status, got.headers, got.body, self.server), got.seconds

    def _used(self, reply: Reply, seconds: float, tab: Tab) -> Usage:
        """The reply's own tokens, time and price."""
        tokens, prices = (reply.input_tokens, reply.output_tokens), self.server.prices
        known = tokens[0] is not None and tokens[1] is not None
        usd = prices.usd(tokens[0] or 0, tokens[1] or 0, reply.cached_tokens) if prices and known else None
        return Usage(*tokens, seconds, usd, reply.seconds, tab.alone or None)
