"""The event loop in a thread of its own: asks go in, final answers come out once the ledger has them.

    engine = Engine(server, ledger, limits, patience, outbox.put)
    engine.start()
    engine.submit(key, ask)
    engine.stop()           # whatever still runs is given up; what was answered is in the ledger

A thread, so that the caller's own code needs no asyncio, and may run in a notebook that has a loop already.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from slmfit.environment import now
from slmfit.errors import BudgetReached, SlmfitError
from slmfit.llm import modes, wire
from slmfit.llm.ask import Answer, Ask
from slmfit.llm.channel import Channel
from slmfit.llm.exchange import Exchange, Tab
from slmfit.llm.faults import Again, Ended, Unsupported
from slmfit.llm.ledger import Ledger, charged
from slmfit.llm.limits import Budget, Cost, Limits
from slmfit.llm.pace import Patience
from slmfit.llm.probing import Prober, no_answer
from slmfit.llm.purse import Purse
from slmfit.llm.server import Server
from slmfit.llm.wire import Reply
from slmfit.records import to_plain

_WATCH_SECONDS = 0.25
_LONGEST_FAILED = 4000  # characters that are kept of an answer that is none
_IN_A_ROW = 16  # asks without an answer before the server counts as gone
_ALONE_SECONDS, _ALONE_LEAST = 60.0, 5  # for asks one at a time, however slow the server; and so many in any case
_OF_THE_TEXT = ("truncated", "filtered")  # what is refused for its own sake, and says nothing of the server


class Engine:
    """One run. out: called with ("answer", key, Answer), ("event", kind, fields) or ("error", exception)."""

    def __init__(
        self, server: Server, ledger: Ledger, limits: Limits, patience: Patience, out: Callable[[tuple[Any, ...]], None]
    ) -> None:
        self.server, self.ledger, self.limits, self.patience, self._out = server, ledger, limits, patience, out
        self.budget = Budget(limits, ledger.spent)
        self._spent_before = ledger.spent
        self.window = 2 * patience.in_flight + _IN_A_ROW  # asks that are on their way at once
        self._prober: Prober | None = None
        self._asks: deque[tuple[str, Ask]] = deque()
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._unanswered: list[tuple[str, Ask, Answer, Cost, Again | Ended]] = []
        self._running, self._answered = 0, False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._main: asyncio.Task[None] | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="llm", daemon=True)
        self._called = False

    def start(self) -> None:
        self._thread.start()
        self._ready.wait()

    def submit(self, key: str, ask: Ask) -> None:
        """Take an ask; called from the caller's thread."""
        self._asks.append((key, ask))
        if not self._called:
            self._called = True
            self._call(self._wake)

    @property
    def found(self) -> modes.Found | None:
        """What is known about the server, None before it was asked."""
        return self._prober.found if self._prober else None

    @property
    def took(self) -> Cost:
        """What this run's calls were charged, at most."""
        return self.budget.spent.minus(self._spent_before)

    def stop(self) -> None:
        """Give up what still runs, and wait until it is given up."""
        self._call(self._cancel)
        self._thread.join()

    # --- in the loop's thread ---

    def _call(self, function: Callable[[], None]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            try:
                self._loop.call_soon_threadsafe(function)
            except RuntimeError:  # it closed just now
                return

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except SlmfitError as error:
            self._out(("error", error))
        except asyncio.CancelledError:
            pass
        except BaseExceptionGroup as group:
            self._out(("error", _first(group)))
        except BaseException as error:
            self._out(("error", error))
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._main = asyncio.get_running_loop(), asyncio.current_task()
        self.ledger.on_error = lambda: self._out(("error", self.ledger.error))
        try:
            async with asyncio.timeout(self.limits.seconds), Channel(self.server, self.patience) as channel:
                purse = Purse(self.budget, self.server.prices, self.ledger, ahead=self.patience.in_flight // 4 + 4)
                self._exchange = Exchange(self.server, channel, purse, self.patience, self._event)
                self._prober = prober = Prober(self._exchange, self.ledger, self._event)
                self._ready.set()
                async with asyncio.TaskGroup() as workers:
                    workers.create_task(self._watch(prober))
                    workers.create_task(self._begin(prober, channel, workers))
        except TimeoutError:
            fix = "the same command goes on from here"
            raise BudgetReached(f"the time limit of {self.limits.seconds:g} s is over", fix=fix) from None

    async def _begin(self, prober: Prober, channel: Channel, workers: asyncio.TaskGroup) -> None:
        """The first asks one at a time, to see how long one takes; then as many as the server stands."""
        await self._asked()
        prober.slots = slots = await channel.slots()
        loop, left = asyncio.get_running_loop(), self.patience.alone
        ends = loop.time() + _ALONE_SECONDS
        while left > 0 and (loop.time() < ends or left > self.patience.alone - _ALONE_LEAST):
            await self._asked()
            await self._next(prober, alone=True)
            left -= 1
        if slots:
            self._exchange.gate.keep_to(slots)
            self._event("slots", slots=slots)
        for _ in range(2 * self.patience.in_flight):
            workers.create_task(self._work(prober))

    async def _work(self, prober: Prober) -> None:
        while True:
            await self._asked()
            await self._next(prober)

    async def _asked(self) -> None:
        """Wait until there is an ask."""
        while not self._asks:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn

    async def _next(self, prober: Prober, alone: bool = False) -> None:
        key, ask = self._asks.popleft()
        self._running += 1
        await self._answer(key, ask, prober, Tab(alone))
        self._running -= 1

    async def _answer(self, key: str, ask: Ask, prober: Prober, tab: Tab) -> None:
        """From an ask to its line in the ledger."""
        while True:
            found = await prober.needed(ask)
            mode = modes.mode_of(ask, found)
            single = modes.one_token(ask, mode, found)
            messages, settings = modes.request(ask, mode, found)
            data = wire.body(messages, self.server.model, settings)
            verdict = await self._exchange.call(key, data, 1 if single else ask.max_tokens, tab)
            if isinstance(verdict, Reply):
                parsed = modes.read(verdict, ask, mode, single, held=single and bool(found.grammar))
                self._deliver(key, ask, self._made(ask, parsed, tab, mode, verdict.content), tab.cost)
                self._answered = True
                self._let_go()
                return
            if isinstance(verdict, Unsupported):
                if prober.adapt(verdict, ask, found):
                    continue
                verdict = Ended("error", verdict.reason)
            if isinstance(verdict, Ended) or not await self._exchange.wait(verdict, tab):
                parsed = modes.Parsed(verdict.outcome, reason=verdict.reason)
                answer = self._made(ask, parsed, tab, mode)
                if isinstance(verdict, Ended) and (self._answered or verdict.outcome in _OF_THE_TEXT):
                    self._deliver(key, ask, answer, tab.cost)
                else:
                    self._keep_back(key, ask, answer, tab.cost, verdict)
                return

    def _made(self, ask: Ask, parsed: modes.Parsed, tab: Tab, mode: str, content: str | None = None) -> Answer:
        value, raw, reason = self.server.hidden([parsed.value, content, parsed.reason])
        if raw and parsed.outcome != "ok" and len(raw) > _LONGEST_FAILED:
            raw = raw[:_LONGEST_FAILED] + "…"
        return Answer(ask.id, parsed.outcome, value, raw, tab.usage, parsed.probabilities, tab.attempts, reason, mode)

    def _deliver(self, key: str, ask: Ask, answer: Answer, cost: Cost) -> None:
        """Write it down, then hand it out."""
        self.ledger.append(line_of(key, ask, answer, cost, self.server), lambda: self._out(("answer", key, answer)))

    def _keep_back(self, key: str, ask: Ask, answer: Answer, cost: Cost, last: Again | Ended) -> None:
        """An ask that got no answer is final only if the server answers another one: else it is gone, not the ask."""
        self._unanswered.append((key, ask, answer, cost, last))
        if len(self._unanswered) >= _IN_A_ROW:
            raise no_answer(self.server.base_url, last)

    async def _watch(self, prober: Prober) -> None:
        """Where all that is left are asks without an answer, find out whether it is the server that is gone."""
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            if self._unanswered and not self._running and not self._asks:
                last = self._unanswered[-1][-1]
                if isinstance(last, Ended) and not self._answered:
                    raise no_answer(self.server.base_url, last)
                await prober.alive()
                self._let_go()

    def _let_go(self) -> None:
        """Deliver what was kept back."""
        for key, ask, answer, cost, _ in self._unanswered:
            self._deliver(key, ask, answer, cost)
        self._unanswered.clear()

    def _event(self, kind: str, **fields: Any) -> None:
        self._out(("event", kind, fields))

    def _wake(self) -> None:
        self._called = False
        for _ in range(len(self._asks)):
            if not self._waiting:
                return
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)

    def _cancel(self) -> None:
        if self._main is not None:
            self._main.cancel()


def line_of(key: str, ask: Ask, answer: Answer, cost: Cost, server: Server) -> dict[str, Any]:
    """An answer as the ledger keeps it."""
    return {
        "answer": key,
        "id": ask.id,
        "outcome": answer.outcome,
        "value": answer.value,
        "raw": answer.raw,
        "usage": to_plain(answer.usage),
        "probabilities": answer.probabilities,
        "attempts": answer.attempts,
        "reason": answer.reason,
        "mode": answer.mode,
        "model": server.model,
        "prompt": ask.prompt_hash(),
        "charged": charged(cost),
        "at": now(),
    }


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error of ours in a group, else whatever began it."""
    ours = group.subgroup(SlmfitError)
    error: BaseException = ours if ours is not None else group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
