"""The ways in which a scripted server fails: what goes wrong on the wire, and what a model gets wrong.

    KINDS["drip"](call)                                   # answers one call that way
    status(401, message="Incorrect API key")              # a way of your own, for `Script.kinds`

REFUSED are calls that the server did not do and does not bill. CHARGED are those that it did, and bills, though the
client cannot read the reply. FINAL are answers of the model itself, however bad, that no second call would better. The
rest of KINDS are good answers that leave their usage out, or make it up.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from typing import Any

from slmfit.testing.model import Said
from slmfit.testing.script import Call, Fault

Spoil = Callable[[Call, bytes], None]  # given the reply that there would have been


@cache
def big(kind: str) -> bytes:
    """A reply that is too long, as it is or once unpacked; made when first needed."""
    if kind == "bomb":
        return gzip.compress(b"0" * (32 * 2**20))
    return b'{"choices": [{"message": {"content": "' + b"x" * 20_000_000 + b'"}}]}'


def status(code: int, *headers: str, message: str = "try again") -> Fault:
    """An error with a status. headers: lines such as "retry-after: 2"."""

    def fail(call: Call) -> None:
        error = {"error": {"message": message, "code": None}}
        call.connection.reply(code, json.dumps(error).encode(), headers)

    return fail


def says(
    content: str | None, finish: str = "stop", refusal: str | None = None, usage: dict[str, Any] | None = None
) -> Fault:
    """A well-formed completion that says something else."""
    return lambda call: call.say(Said(content, finish, refusal, usage))


def charged(fail: Spoil) -> Fault:
    """Bill the call, then fail."""
    return lambda call: fail(call, call.unsent())


def sends(make: Callable[[bytes], bytes]) -> Fault:
    """A 200 with other bytes as its body."""
    return charged(lambda call, data: call.connection.reply(200, make(data)))


# --- not done, and not billed ---


def retry_after_date(call: Call) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)
    call.connection.reply(429, b'{"error": {"message": "slow down"}}', [f"retry-after: {later}"])


def html(call: Call) -> None:
    call.connection.reply(502, b"<html><body>Bad Gateway</body></html>", ["x-cache: miss"])


def garbage(call: Call) -> None:
    call.connection.send(b"\x00\x01 this is not HTTP at all \xff\r\n\r\n")
    call.connection.close()


def redirect(call: Call) -> None:
    where = f"http://localhost:{call.connection.port}/elsewhere/v1/chat/completions"
    call.connection.reply(307, b"", [f"location: {where}"])


def redirect_here(call: Call) -> None:
    call.connection.reply(308, b"", ["location: /elsewhere"])


# --- done and billed, and of no use to the client ---


def hang(call: Call, data: bytes) -> None:
    """Nothing, ever; the client closes."""


def drip(call: Call, data: bytes) -> None:
    """A byte now and then."""
    whole = _head(data, "content-type: application/json") + data
    loop = asyncio.get_running_loop()

    def next_byte(at: int) -> None:
        if at < len(whole) and not call.connection.closing:
            call.connection.send(whole[at : at + 1])
            loop.call_later(0.05, next_byte, at + 1)

    next_byte(0)


def cut_body(call: Call, data: bytes) -> None:
    call.connection.send(_head(data) + data[: len(data) // 2])
    call.connection.close()


def reset_body(call: Call, data: bytes) -> None:
    call.connection.send(_head(data) + data[: len(data) // 2])
    call.connection.reset()


def bad_chunks(call: Call, data: bytes) -> None:
    call.connection.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nnot a chunk\r\n0\r\n\r\n")
    call.connection.close()


def long_header(call: Call, data: bytes) -> None:
    call.connection.send(b"HTTP/1.1 200 OK\r\nx-long: " + b"y" * 300_000 + b"\r\n\r\n")
    call.connection.close()


def bomb(call: Call, data: bytes) -> None:
    call.connection.reply(200, big("bomb"), ["content-encoding: gzip"])


def bad_gzip(call: Call, data: bytes) -> None:
    call.connection.reply(200, b"\x1f\x8bnot gzip", ["content-encoding: gzip"])


def no_message(data: bytes) -> bytes:
    return json.dumps(json.loads(data) | {"choices": []}).encode()


def _head(data: bytes, *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", *headers, f"content-length: {len(data)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


REFUSED: dict[str, Fault] = {
    "429, wait a little": status(429, "retry-after: 0.02"),
    "429, wait eleven days": status(429, "retry-after: 999999"),
    "429, a date": retry_after_date,
    "429, wait nonsense": status(429, "retry-after: soon"),
    "429, milliseconds": status(429, "retry-after-ms: 15", "retry-after: 9"),
    "500": status(500),
    "502, HTML": html,
    "503, wait": status(503, "retry-after: 0.01"),
    "504": status(504),
    "529": status(529),
    "408": status(408),
    "425": status(425),
    "closed": lambda call: call.connection.close(),
    "reset": lambda call: call.connection.reset(),
    "not HTTP": garbage,
    "redirect to another host": redirect,
    "redirect here": redirect_here,
}
CHARGED: dict[str, Fault] = {
    "hang": charged(hang),
    "drip": charged(drip),
    "body cut": charged(cut_body),
    "reset in the body": charged(reset_body),
    "bad chunks": charged(bad_chunks),
    "long header": charged(long_header),
    "gzip bomb": charged(bomb),
    "bad gzip": charged(bad_gzip),
    "20 MB": sends(lambda data: big("20 MB")),
    "JSON cut": sends(lambda data: data[: len(data) // 2]),
    "empty body": sends(lambda data: b""),
    "HTML with 200": sends(lambda data: b"<html>welcome</html>"),
    "error with 200": sends(lambda data: b'{"error": {"message": "overloaded"}}'),
    "no message": sends(no_message),
    "a list": sends(lambda data: b"[1, 2]"),
    "deep": sends(lambda data: b"[" * 100_000),
    "not UTF-8": sends(lambda data: data.replace(b"chat", b"\xff\xfe")),
    "content a number": sends(lambda data: b'{"choices": [{"message": {"content": 3}}]}'),
}
FINAL: dict[str, Fault] = {
    "refusal": says(None, refusal="I cannot help with that."),
    "wrong label": says('{"label": "weather"}'),
    "wrong schema": says('{"category": "sports", "why": 1}'),
    "answer cut": says('{"label": "spo', finish="length"),
    "filtered": says("", finish="content_filter"),
    "empty": says(""),
    "prose": says("I would say that this is about sports."),
    "two answers": says('{"label": "sports"} {"label": "world"}'),
    "number out of range": says("99"),
    "400, too long": status(400, message="maximum context length is 8 tokens"),
    "400, filtered": status(400, message="blocked by content_filter"),
}
UNTOLD: dict[str, Fault] = {
    "no usage": says('{"label": "sports"}', usage={}),
    "absurd usage": says('{"label": "sports"}', usage={"prompt_tokens": -5, "completion_tokens": "many"}),
}
KINDS = REFUSED | CHARGED | FINAL | UNTOLD
