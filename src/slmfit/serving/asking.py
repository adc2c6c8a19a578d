"""What a request asks: its body, read no further than it may be long, and its fields, each checked.

fields = await read_json(scope, receive, limits)     # object_of(await read_body(scope, receive, limits))
asks = asks_of(fields, limits)          # [["my card was charged twice", {"index": 0}]]
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from slmfit.serving.limits import Limits
from slmfit.serving.replies import Refusal

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
DEEPEST = 64  # levels of lists and objects, in a body
SHARED = ("model", "input", "top_k", "threshold", "words", "user")


class Gone(Exception):
    """The client left before all of its request was here."""


async def read_json(scope: Mapping[str, Any], receive: Receive, limits: Limits) -> dict[str, Any]:
    """The object that the body holds. Raises Refusal, Gone."""
    return object_of(await read_body(scope, receive, limits))


async def read_body(scope: Mapping[str, Any], receive: Receive, limits: Limits) -> bytes:
    """The body as it came. Raises Refusal, Gone."""
    _check_head(scope, limits)
    message = await receive()
    body = message.get("body", b"")
    if message.get("more_body"):
        parts, size = [body], len(body)
        while message.get("more_body") and size <= limits.body:
            message = await receive()
            parts.append(message.get("body", b""))
            size += len(parts[-1])
        body = b"".join(parts)
    if message["type"] == "http.disconnect":
        raise Gone
    if len(body) > limits.body:
        raise _too_long(limits)
    return body


def object_of(body: bytes) -> dict[str, Any]:
    """The object that a body holds. Raises Refusal."""
    try:
        value = json.loads(body, parse_constant=_no_number)
    except RecursionError:
        raise Refusal(400, "the body is nested too deep") from None
    except ValueError as error:
        raise Refusal(400, f"the body is no JSON in UTF-8: {_said(error)}") from None
    if body.count(b"[") + body.count(b"{") > DEEPEST and _deeper(value, DEEPEST):
        raise Refusal(400, "the body is nested too deep")
    if not isinstance(value, dict):
        raise Refusal(400, 'the body must be an object, such as {"input": ["a text"]}')
    return value


def _check_head(scope: Mapping[str, Any], limits: Limits) -> None:
    kind = b""
    for name, value in scope["headers"]:
        if name == b"content-length" and int(value) > limits.body:
            raise _too_long(limits)
        if name == b"content-type":
            kind = value.partition(b";")[0].strip().lower()
    if kind != b"application/json":
        raise Refusal(415, "send JSON, and say so: Content-Type: application/json")


def _too_long(limits: Limits) -> Refusal:
    return Refusal(413, f"the body is longer than {limits.body:,} bytes: send fewer inputs at once")


def _deeper(value: Any, most: int) -> bool:
    """Whether lists and objects stand in each other deeper than so."""
    level = [value]
    for _ in range(most):
        nested = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)]
        level = [inner for inners in nested for inner in inners]
        if not level:
            return False
    return any(isinstance(one, dict | list) for one in level)


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number of JSON")


def _said(error: ValueError) -> str:
    """Without what the body holds."""
    return getattr(error, "msg", None) or type(error).__name__


def asks_of(fields: Mapping[str, Any], limits: Limits, pairs: bool) -> list[tuple[Any, dict[str, Any]]]:
    """What is asked, input by input. pairs: whether a list of two texts may be one input. Raises Refusal."""
    if unknown := [name for name in fields if name not in SHARED]:
        raise Refusal(400, f"there is no field {unknown[0]!r:.60}; the fields are {', '.join(SHARED)}", unknown[0][:60])
    if "input" not in fields:
        raise Refusal(400, "the field 'input' is missing", "input")
    given = fields["input"]
    several = isinstance(given, list) and not (pairs and len(given) == 2 and all(isinstance(t, str) for t in given))
    inputs = given if several else [given]
    if not inputs:
        raise Refusal(400, "'input' is empty: give one input or more", "input")
    if len(inputs) > limits.inputs:
        raise Refusal(413, f"'input' has {len(inputs):,} inputs, and {limits.inputs} are taken at once", "input")
    options = _options(fields)
    return [(value, {"index": index, **options}) for index, value in enumerate(inputs)]


def _options(fields: Mapping[str, Any]) -> dict[str, float]:
    options: dict[str, float] = {}
    if (top := fields.get("top_k")) is not None:
        if not isinstance(top, int) or isinstance(top, bool) or not 1 <= top <= 10_000:
            raise Refusal(400, "'top_k' must be a whole number from 1 on", "top_k")
        options["top_k"] = top
    if (least := fields.get("threshold")) is not None:
        if not isinstance(least, int | float) or isinstance(least, bool) or not 0 <= least <= 1:
            raise Refusal(400, "'threshold' must be a number from 0 to 1", "threshold")
        options["threshold"] = least
    if (words := fields.get("words")) is not None:
        if not isinstance(words, int) or isinstance(words, bool) or not 1 <= words <= 100:
            raise Refusal(400, "'words' must be a whole number from 1 to 100", "words")
        options["words"] = words
    return options
