"""OpenAI's chat completions as bytes: the request's body, and what a reply says.

body(ask.messages, "gemma3:12b", {"max_tokens": 256, "temperature": 0.0})
read(b'{"choices": [{"message": {"content": "2"}, "finish_reason": "stop"}], "usage": {…}}')
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_MOST_TOKENS = 2**40  # a count above this is none
_MOST_SECONDS = 1e9


@dataclass(frozen=True, slots=True)
class Reply:
    """What a well-formed reply says. Token counts are None where it does not tell them.

    top: the likeliest first tokens with their log probabilities; empty when not offered.
    seconds: how long the server says it worked (llama.cpp does).
    """

    content: str
    finish: str | None
    refusal: str | None
    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int
    top: tuple[tuple[str, float], ...]
    seconds: float | None = None


class Malformed(ValueError):
    """The bytes are no chat completion; the message says why."""


def body(messages: Sequence[Mapping[str, str]], model: str, settings: Mapping[str, Any]) -> bytes:
    """The request as JSON. Settings that are None are left to the server."""
    asked = {"messages": list(messages), "model": model, **{k: v for k, v in settings.items() if v is not None}}
    try:
        return _ENCODER.encode(asked).encode()
    except UnicodeEncodeError:  # half a character: JSON can spell it
        return json.dumps(asked, separators=(",", ":")).encode()


def read(data: bytes) -> Reply:
    """Raises Malformed for what is no chat completion."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise Malformed("the reply is no JSON" if data.strip() else "the reply is empty") from None
    return reply_of(value)


def reply_of(value: Any) -> Reply:
    """The same of JSON that is read already."""
    if isinstance(value, dict) and value.get("error"):
        raise Malformed("the reply is an error: " + message_of(value))
    try:
        choice = value["choices"][0]
        message = choice["message"]
        content, refusal = _text(message.get("content")), message.get("refusal")
        finish = choice.get("finish_reason")
    except (KeyError, IndexError, TypeError, AttributeError):
        raise Malformed("the reply holds no message") from None
    if not isinstance(content, (str, type(None))):
        raise Malformed("the reply's content is no text")
    said = refusal if isinstance(refusal, str) and refusal else None
    counts = _usage(value.get("usage"))
    finish = finish if isinstance(finish, str) else None
    return Reply(content or "", finish, said, *counts, _top(choice), _worked(value))


def message_of(value: Any) -> str:
    """What an error's body says, in one line; empty when it says nothing."""
    if isinstance(value, dict):
        error = value.get("error", value)
        if isinstance(error, dict):
            error = error.get("message") or error.get("detail") or error.get("code") or ""
        value = error
    return " ".join(str(value).split())[:300] if value else ""


def _text(content: Any) -> Any:
    """The text of a content that comes in parts; any other as it is."""
    if not isinstance(content, list):
        return content
    return "".join(part["text"] for part in content if part.get("type") == "text")


def _usage(usage: Any) -> tuple[int | None, int | None, int]:
    if not isinstance(usage, dict):
        return None, None, 0
    details = usage.get("prompt_tokens_details")
    cached = _count(details.get("cached_tokens")) if isinstance(details, dict) else None
    return _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens")), cached or 0


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST_TOKENS else None


def _worked(value: dict[str, Any]) -> float | None:
    try:
        seconds = (float(value["timings"]["prompt_ms"]) + float(value["timings"]["predicted_ms"])) / 1000
    except (KeyError, TypeError, ValueError):
        return None
    return seconds if 0 <= seconds < _MOST_SECONDS else None


def _top(choice: dict[str, Any]) -> tuple[tuple[str, float], ...]:
    try:
        first = choice["logprobs"]["content"][0]
        listed = first.get("top_logprobs") or [first]
        return tuple((str(t["token"]), float(t["logprob"])) for t in listed)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        return ()
