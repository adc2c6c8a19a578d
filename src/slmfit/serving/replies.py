"""Replies: JSON bodies, and errors in the form that OpenAI's clients read."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

Headers = Sequence[tuple[bytes, bytes]]
RETRY: Headers = [(b"retry-after", b"1")]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_KINDS = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error", 503: "unavailable_error"}


class Refusal(Exception):
    """What a request is refused with. param: the field that is meant."""

    def __init__(self, status: int, message: str, param: str | None = None, headers: Headers = ()) -> None:
        super().__init__(message)
        self.status, self.message, self.param, self.headers = status, message, param, headers


def error_body(status: int, message: str, param: str | None = None) -> bytes:
    kind = _KINDS.get(status, "server_error" if status >= 500 else "invalid_request_error")
    error = {"message": message, "type": kind, "param": param, "code": status}
    return json.dumps({"error": error}).encode()


async def send_error(send: Send, refusal: Refusal) -> None:
    body = error_body(refusal.status, refusal.message, refusal.param)
    await send_json(send, body, refusal.status, refusal.headers)


async def send_json(send: Send, body: bytes, status: int = 200, headers: Headers = ()) -> None:
    length = str(len(body)).encode()
    head = [(b"content-type", b"application/json"), (b"content-length", length), *headers]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})
