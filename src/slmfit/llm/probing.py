"""What a server takes is found out from what it replies: some answer 200 to a schema and ignore it.

    prober = Prober(exchange, ledger, listen)
    found = await prober.needed(ask)         # asks the server at most once, and writes down what it found

Each probe asks for one thing in the prompt and for another by its settings, so only a server that goes by the settings
gives what they say. A few bad replies in a row decide; what was found stands in the ledger and is not asked again.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from slmfit.errors import MissingPart, SlmfitError, UsageError
from slmfit.llm import choices as labels
from slmfit.llm import wire
from slmfit.llm.ask import Ask
from slmfit.llm.exchange import Exchange, Tab
from slmfit.llm.faults import Again, Ended, Unsupported
from slmfit.llm.ledger import FOUND, Ledger, charged
from slmfit.llm.limits import Cost
from slmfit.llm.lines import found_of
from slmfit.llm.modes import Found, few, grammar, mode_of, one_token, response_format
from slmfit.llm.schemas import misfit
from slmfit.llm.wire import Reply
from slmfit.tasks.replies import json_object, json_object_schema

_SCHEMA = json_object_schema({"code": {"type": "string", "enum": ["k7"]}})
_AGAINST = ({"role": "user", "content": "Say hello in one word. Do not answer in JSON."},)
_DIGIT = ({"role": "user", "content": "Answer with the digit 7 and nothing else."},)
_TRIES = 3  # replies that do not do as asked before the server counts as one that does not
_SHORT, _LONG = 48, 2048  # tokens: of an answer, and of one that thinks first
_FEWER = 5  # alternatives, for servers that tell no 20
_UNREACHED = 4  # calls without a connection before it is said


_KNOWN: dict[tuple[str, str], Found] = {}  # (model, base URL), for clients of this process that share no ledger


class Prober:
    """Finds out, once; `found` is what is known so far."""

    def __init__(self, exchange: Exchange, ledger: Ledger, listen: Callable[..., None]) -> None:
        self._exchange, self._ledger, self._listen = exchange, ledger, listen
        kept = ledger.found(exchange.server.model, exchange.server.base_url)
        self.found = (kept and found_of(kept)) or _KNOWN.get(self._who, Found())
        self.slots: int | None = None  # that the server told: then it is llama.cpp's, which takes grammars
        self._lock = asyncio.Lock()
        self._cost = Cost()

    @property
    def _who(self) -> tuple[str, str]:
        return self._exchange.server.model, self._exchange.server.base_url

    async def needed(self, ask: Ask) -> Found:
        """What is known, with all that this ask needs. Raises SlmfitError when the server cannot be asked."""
        if self._lacks(ask):
            async with self._lock:
                while lacking := self._lacks(ask):
                    probe = {"form": self._form, "one_token": self._one_token, "grammar": self._grammar}[lacking]
                    values = {lacking: await probe()}
                    self._learn(replace(self.found, **values))  # type: ignore[arg-type]
        return self.found

    async def alive(self) -> None:
        """Raises SlmfitError unless the server answers a small request."""
        async with self._lock:
            await self._ask(_AGAINST, {}, _SHORT)
            self._write_down()

    def adapt(self, refused: Unsupported, ask: Ask, used: Found) -> bool:
        """Do without what the server refused; False when nothing is left to do without."""
        if used != self.found:
            return True
        found = self._without(refused.setting, ask)
        if found is None:
            return False
        self._learn(found)
        return True

    def _lacks(self, ask: Ask) -> str | None:
        """What this ask needs to have found out next."""
        if ask.schema is None and ask.choices is None:
            return None
        if self.slots and self.found.grammar is None and few(ask.choices) and not ask.whole:
            return "grammar"
        if self.found.grammar and few(ask.choices) and not ask.whole:
            return None
        if self.found.one_token is None and labels.single_characters(ask.choices):
            return "one_token"
        if mode_of(ask, self.found) == "token":
            return None
        if self.found.form is None:
            return "form"
        could = one_token(ask, mode_of(ask, self.found), replace(self.found, one_token=True))
        return "one_token" if could and self.found.one_token is None else None

    def _without(self, setting: str, ask: Ask | None) -> Found | None:
        """What is known, less a setting that was refused."""
        found = self.found
        if setting == "max_tokens" and found.limit == "max_tokens":
            return replace(found, limit="max_completion_tokens")
        if setting == "top_logprobs" and found.alternatives > _FEWER:
            return replace(found, alternatives=_FEWER)
        if setting in ("logprobs", "top_logprobs") and found.one_token:
            return replace(found, one_token=False)
        if setting in ("temperature", "seed") and setting not in found.dropped:
            return replace(found, dropped=(*found.dropped, setting))
        if setting == "response_format" and found.grammar and ask and few(ask.choices) and not ask.whole:
            return replace(found, grammar=False)
        if setting == "response_format" and found.form in ("schema", "object", "json"):
            if found.form == "schema" and ask and ask.choices and not found.numbers:
                return replace(found, numbers=True)
            lower = {"schema": "object", "object": "json", "json": "none"}
            return replace(found, form=lower[found.form])
        return None

    def _learn(self, found: Found) -> None:
        self.found = _KNOWN[self._who] = found
        self._write_down()
        self._listen("found", **dataclasses.asdict(found))

    def _write_down(self) -> None:
        model, server = self._who
        record = {"found": dataclasses.asdict(self.found), "model": model, "server": server}
        self._ledger.append({**record, "charged": charged(self._cost)})
        self._cost = Cost()

    # --- the probes ---

    async def _form(self) -> str:
        if await self._obeys("schema", lambda text: _fits(text)):
            return "schema"
        seen_json = False

        def fits(text: str) -> bool:
            nonlocal seen_json
            seen_json = seen_json or json_object(text) is not None
            return _fits(text)

        if await self._obeys("object", fits):
            return "object"
        if seen_json or await self._obeys("json", lambda text: json_object(text) is not None):
            return "json"
        return "none"

    async def _obeys(self, form: str, fits: Callable[[str], bool]) -> bool:
        """Whether replies do as this response_format says, and not as the prompt does."""
        settings = {"temperature": 0.0, "response_format": response_format(form, _SCHEMA)}
        output = _SHORT
        for _ in range(_TRIES):
            reply = await self._ask(_AGAINST, settings, output)
            if reply is None:
                return False
            if fits(reply.content):
                return True
            output = _LONG if reply.finish == "length" else output
        return False

    async def _grammar(self) -> bool:
        """Whether one token is held to a grammar, against what the prompt asks for, and comes with its probability."""
        settings = {"temperature": 0.0, "logprobs": True, "top_logprobs": 20, "grammar": grammar(("7",))}
        reply = await self._ask(_AGAINST, settings, 1)
        return reply is not None and reply.content == "7" and bool(reply.top)

    async def _one_token(self) -> bool:
        """Whether an answer of one token comes with its probability."""
        for _ in range(_TRIES):
            settings = {"temperature": 0.0, "logprobs": True, "top_logprobs": self.found.alternatives}
            reply = await self._ask(_DIGIT, settings, 1)
            if reply is None:
                return False
            if reply.content.strip() == "7" and reply.top:
                return True
        return False

    async def _ask(self, messages: Any, settings: Mapping[str, Any], output: int) -> Reply | None:
        """The reply to a probe; None when the server does not take its settings."""
        tab = Tab()
        while True:
            sent = {k: v for k, v in settings.items() if k not in self.found.dropped} | {self.found.limit: output}
            if "top_logprobs" in sent:
                sent["top_logprobs"] = self.found.alternatives
            data = wire.body(messages, self._exchange.server.model, sent)
            verdict = await self._exchange.call(FOUND, data, output, tab)
            self._cost, tab.cost = self._cost.plus(tab.cost), Cost()
            if isinstance(verdict, Reply):
                return verdict
            if isinstance(verdict, Ended):
                return None
            if isinstance(verdict, Unsupported):
                found = None if verdict.setting == "response_format" else self._without(verdict.setting, None)
                if found is None:
                    return None
                self.found = found
            elif (verdict.unreachable and tab.attempts >= _UNREACHED) or not await self._exchange.wait(verdict, tab):
                raise no_answer(self._exchange.server.base_url, verdict)


def no_answer(base_url: str, last: Again | Ended) -> SlmfitError:
    """The server does not answer, or not with anything of use."""
    if isinstance(last, Ended):
        fix = "check the model's name, and whether it takes requests of this kind"
        return UsageError(f"the server refuses whatever it is asked: {last.reason}", where=base_url, fix=fix)
    fix = "is it running, and is this its base URL? What was answered is kept: the same command goes on from here"
    return MissingPart(f"the server does not answer: {last.reason}", where=base_url, fix=fix)


def _fits(text: str) -> bool:
    value = json_object(text)
    return value is not None and misfit(value, _SCHEMA) is None
