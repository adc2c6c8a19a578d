"""The budget at work: what a call could cost at most is held, and written down, before the call is sent.

    async with purse.hold(key, most) as held:
        held.sent()                       # from here on it may cost all of it
        held.cost = purse.price(reply)    # what it did cost
        held.final = True                 # the ledger gets a line that says so

A call that a kill cut off stands in the ledger as reserved, and counts as spent from then on. Without a budget nothing
is written.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Self

from slmfit.errors import BudgetReached
from slmfit.llm.ledger import Ledger, charged
from slmfit.llm.limits import Budget, Cost
from slmfit.llm.prices import PICO, Prices
from slmfit.llm.wire import Reply

# A token is at least one byte of the request, which holds the schema as well; a server's own template comes on top.
_TEMPLATE_TOKENS = 128


class Purse:
    """Holds and settles, for one event loop. ahead: how many calls are held before their turn comes."""

    def __init__(self, budget: Budget, prices: Prices | None, ledger: Ledger, ahead: int) -> None:
        self.budget, self.prices, self.ledger = budget, prices, ledger
        self.ahead = asyncio.Semaphore(ahead)
        self.settled = asyncio.Event()
        self._unforeseen = 0

    def most(self, data: bytes, output: int) -> Cost:
        """The most that a call can cost."""
        return self._cost(len(data) + _TEMPLATE_TOKENS + self._unforeseen, output + self._unforeseen)

    def price(self, reply: Reply, most: Cost) -> Cost:
        """What a reply cost; the most where it does not tell its tokens."""
        if reply.input_tokens is None or reply.output_tokens is None:
            return most
        cost = self._cost(reply.input_tokens, reply.output_tokens, reply.cached_tokens)
        self._unforeseen = max(self._unforeseen, cost.tokens - most.tokens)  # its template is longer than that
        return cost

    def hold(self, key: str, most: Cost) -> Held:
        """Hold `most` for a call of `key`. Entering it raises BudgetReached when there is not that much left."""
        return Held(self, key, most)

    def _cost(self, input_tokens: int, output_tokens: int, cached: int = 0) -> Cost:
        pico = self.prices.pico(input_tokens, output_tokens, cached) if self.prices else 0
        return Cost(input_tokens + output_tokens, pico)

    async def reserve(self, key: str, most: Cost) -> None:
        """Take `most` out of what is left, once running calls that were held too high have given back the rest."""
        while not self.budget.reserve(most):
            if not self.budget.held.tokens:
                raise _reached(self.budget)
            self.settled.clear()
            await self.settled.wait()
        if self.budget.limited:
            loop, written = asyncio.get_running_loop(), asyncio.Event()
            self.ledger.append({"reserved": key, **charged(most)}, lambda: _tell(loop, written))
            try:
                await written.wait()
            except asyncio.CancelledError:  # it was not sent
                self.budget.settle(most, Cost())
                self.ledger.append({"reserved": key, **charged(Cost().minus(most))})
                raise


class Held:
    """What is held for one call; see the module's docstring."""

    def __init__(self, purse: Purse, key: str, most: Cost) -> None:
        self._purse, self._key, self.most = purse, key, most
        self.cost, self.final = Cost(), False
        self._waits = False

    async def __aenter__(self) -> Self:
        if self._purse.budget.limited:
            await self._purse.ahead.acquire()
            self._waits = True
        try:
            await self._purse.reserve(self._key, self.most)
        except BaseException:
            self._pass()
            raise
        return self

    def sent(self) -> None:
        """Its turn has come."""
        self._pass()
        self.cost = self.most

    async def __aexit__(self, *_: object) -> None:
        self._pass()
        self._purse.budget.settle(self.most, self.cost)
        self._purse.settled.set()
        if self._purse.budget.limited and not self.final and self.cost != self.most:
            self._purse.ledger.append({"reserved": self._key, **charged(self.cost.minus(self.most))})

    def _pass(self) -> None:
        if self._waits:
            self._purse.ahead.release()
            self._waits = False


def _tell(loop: asyncio.AbstractEventLoop, written: asyncio.Event) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is gone: nobody waits
        loop.call_soon_threadsafe(written.set)


def _reached(budget: Budget) -> BudgetReached:
    spent = [f"{budget.spent.tokens:,} tokens"]
    if budget.most_pico is not None:
        spent.append(f"${budget.spent.pico / PICO:.4f}")
    fix = "the same command with a higher limit goes on from here"
    return BudgetReached(f"the budget does not hold another call; spent: {', '.join(spent)}", fix=fix)
