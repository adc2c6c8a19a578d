"""What a scripted server is told to do, and one call of it as it is being answered."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from slmfit.testing.model import Answer, Body, Said, completion, enums_of, first_choice, schema_of, spoken
from slmfit.testing.wire import Connection

PRICES = (1.0, 4.0)  # USD per million input and output tokens
_HUNG_UP = "x" * 40  # what was written for a client that did not wait, or could not read it


@dataclass
class Script:
    """What the server does. A test may change it while the server runs: `server.script.faults = 0.0`.

    answer: what the model means, given a request's body: a label, an object, or a `Said`, word for word; None leaves it
        to `first_choice`. A label is worded as the prompt asks for it. What it raises ends the test's block.
    takes: of json_schema, object_schema, json_object, logprobs, grammar (llama.cpp's, of choices), what the server goes
        by; it ignores the others, as many do.
    refuses: setting -> status and message, for a server that says what it does not take.
    faults: the share of calls that fail, drawn by seed, row and try. 1.0 = all, 0.0 = none.
    kinds: the ways in which they fail: names out of `KINDS`, or functions of a `Call`; None = all of `KINDS`.
    rows: those that may fail; None = all. A row is known by its text, or as "7" where its prompt holds `[row 7]`.
    latency: seconds per call.
    slots: calls that are worked on at once, the others wait; the server tells it, as llama.cpp's does, and how long it
        worked on a call. None = all at once, and nothing is told.
    context: tokens that a prompt may have; a longer one is refused as llama.cpp's server does. None = no limit.
    prices: USD per million input and output tokens, which `server.billed` goes by.
    most_labels: in one enum; a schema with more is refused.
    tls: the SSL context of a server that speaks https.
    keep: every request's body and headers in `server.requests` and `server.headers`.
    """

    answer: Answer = first_choice
    takes: Collection[str] = frozenset({"json_schema", "json_object", "logprobs"})
    refuses: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    faults: float = 0.0
    kinds: tuple[str | Fault, ...] | None = None
    rows: Collection[str] | None = None
    seed: int = 0
    latency: float = 0.0
    slots: int | None = None
    context: int | None = None
    prices: tuple[float, float] = PRICES
    most_labels: int | None = None
    tls: ssl.SSLContext | None = None
    keep: bool = True


@dataclass
class Bill:
    """What all calls together cost. A server charges for what it did, whether or not the client got it."""

    tokens: int = 0
    usd: float = 0.0

    def charge(self, body: Body, content: str, prices: tuple[float, float]) -> dict[str, Any]:
        """Charge a call; its usage."""
        asked, written = tokens_of(body), len(content) // 4 + 1
        self.tokens += asked + written
        self.usd += (asked * prices[0] + written * prices[1]) / 1e6
        return {"prompt_tokens": asked, "completion_tokens": written, "total_tokens": asked + written}


def tokens_of(body: Body) -> int:
    """How long a prompt is."""
    return len(json.dumps(body["messages"])) // 4


class Call:
    """One request that is being answered: well, or by a function that lets it fail.

    def overloaded(call):
        call.connection.reply(503, b"{}", ["retry-after: 1"])
    """

    def __init__(self, connection: Connection, body: Body, script: Script, bill: Bill) -> None:
        self.connection, self.body, self.script, self._bill = connection, body, script, bill

    def answer(self) -> None:
        """As the script says."""
        most = self.script.most_labels
        if most and any(len(enum) > most for enum in enums_of(schema_of(self.body))):
            self.connection.reply(400, b'{"error": {"message": "Invalid schema: too many enum values"}}')
            return
        for setting, (status, message) in self.script.refuses.items():
            if setting in self.body:
                error = {"message": message, "type": "invalid_request_error", "param": setting, "code": None}
                self.connection.reply(status, json.dumps({"error": error}).encode())
                return
        if self.script.context is not None and (tokens := tokens_of(self.body)) > self.script.context:
            long = f"request ({tokens} tokens) exceeds the available context size ({self.script.context} tokens)"
            refused = {"error": {"code": 400, "message": long, "type": "exceed_context_size_error"}}
            self.connection.reply(400, json.dumps(refused).encode())
            return
        self.say(self.said())

    def said(self) -> Said:
        """What the model says."""
        return spoken(self.body, self.script.answer, self.script.takes)

    def say(self, said: Said) -> None:
        """A well-formed completion, charged."""
        usage = self.charge(said.content or "")
        self.connection.reply(200, self._completion(said, usage if said.usage is None else said.usage))

    def charge(self, content: str = _HUNG_UP) -> dict[str, Any]:
        """Bill the call, which is not answered by that; its usage."""
        return self._bill.charge(self.body, content, self.script.prices)

    def unsent(self) -> bytes:
        """The body of the reply that there would have been, charged."""
        usage = self.charge()
        return self._completion(self.said(), usage)

    def _completion(self, said: Said, usage: dict[str, Any]) -> bytes:
        reply = completion(self.body, said, usage, self.script.takes)
        if self.script.slots is not None:
            reply["timings"] = {"prompt_ms": 1000 * self.script.latency, "predicted_ms": 0.0}
        return json.dumps(reply).encode()


Fault = Callable[[Call], None]
