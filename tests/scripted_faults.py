"""The ways in which the scripted server fails: what goes wrong on the wire, and what a model gets wrong.

KINDS["drip"](connection, body)      # answers one call that way

CHARGED are those that a real server would bill, as it did the work; the scripted one bills them too. FINAL are answers
of the model itself, however bad, that no second call would better.
"""

import gzip
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache

from scripted_model import Said, completion, spoken


@cache
def big(kind):
    """A reply that is too long, as it is or once unpacked; made when first needed."""
    if kind == "bomb":
        return gzip.compress(b"0" * (32 * 2**20))
    return b'{"choices": [{"message": {"content": "' + b"x" * 20_000_000 + b'"}}]}'


def status(code, *headers, message="try again"):
    """An error with a status."""

    def fail(connection, body):
        connection.reply(code, json.dumps({"error": {"message": message, "code": None}}).encode(), headers)

    return fail


def says(content, finish="stop", refusal=None, usage=None):
    """A well-formed completion that says something else."""

    def say(connection, body):
        connection.say(body, Said(content, finish, refusal, usage))

    return say


def charged(fail):
    """Bill the call, then fail."""

    def charge(connection, body):
        usage = connection.server.bill(body, "x" * 40)
        fail(connection, whole(connection, body, usage))

    return charge


def whole(connection, body, usage):
    """The reply that there would have been."""
    said = spoken(body, connection.server.script)
    return json.dumps(completion(body, said, usage, connection.server.script)).encode()


def sends(make):
    """A 200 with other bytes as its body."""
    return charged(lambda connection, data: connection.reply(200, make(data)))


def retry_after_date(connection, body):
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)
    connection.reply(429, b'{"error": {"message": "slow down"}}', [f"retry-after: {later}"])


def html(connection, body):
    connection.reply(502, b"<html><body>Bad Gateway</body></html>", ["x-cache: miss"])


def close(connection, body):
    connection.transport.close()


def garbage(connection, body):
    connection.transport.write(b"\x00\x01 this is not HTTP at all \xff\r\n\r\n")
    connection.transport.close()


def redirect(connection, body):
    port = connection.server.port
    connection.reply(307, b"", [f"location: http://localhost:{port}/elsewhere/v1/chat/completions"])


def redirect_here(connection, body):
    connection.reply(308, b"", ["location: /elsewhere"])


def hang(connection, data):
    """Nothing, ever; the client closes."""


def drip(connection, data):
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(data)

    def next_byte(at):
        if at < len(head + data) and not connection.transport.is_closing():
            connection.transport.write((head + data)[at : at + 1])
            connection.loop.call_later(0.05, next_byte, at + 1)

    next_byte(0)


def cut_body(connection, data):
    head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(data)
    connection.transport.write(head + data[: len(data) // 2])
    connection.transport.close()


def reset_body(connection, data):
    head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(data)
    connection.transport.write(head + data[: len(data) // 2])
    connection.reset()


def bad_chunks(connection, data):
    connection.transport.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nnot a chunk\r\n0\r\n\r\n")
    connection.transport.close()


def long_header(connection, data):
    connection.transport.write(b"HTTP/1.1 200 OK\r\nx-long: " + b"y" * 300_000 + b"\r\n\r\n")
    connection.transport.close()


def bomb(connection, data):
    connection.reply(200, big("bomb"), ["content-encoding: gzip"])


def bad_gzip(connection, data):
    connection.reply(200, b"\x1f\x8bnot gzip", ["content-encoding: gzip"])


def no_message(data):
    return json.dumps(json.loads(data) | {"choices": []}).encode()


REFUSED = {
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
    "closed": close,
    "reset": lambda connection, body: connection.reset(),
    "not HTTP": garbage,
    "redirect to another host": redirect,
    "redirect here": redirect_here,
}
CHARGED = {
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
FINAL = {
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
UNTOLD = {
    "no usage": says('{"label": "sports"}', usage={}),
    "absurd usage": says('{"label": "sports"}', usage={"prompt_tokens": -5, "completion_tokens": "many"}),
}
KINDS = REFUSED | CHARGED | FINAL | UNTOLD
