"""The door of the page: who may see it, and what a request that changes something must look like.

    app = Door(app, names=(), token="…", cookie="slmfit-3fa9")

Host and Origin are held to what `slmfit serve` holds them to, on GET too. Everything needs the workspace's token: in
the address that is printed, then in a cookie that no script reads and no other site sends. A write is JSON with the
page's own token in a header, which no form and no other page can send.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from slmfit.serving.guard import App, Guard, Receive, Scope, Send
from slmfit.serving.replies import Refusal, send_error

POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; "
)
HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
UNSEEN = b"""slmfit: this page needs its token.

Open the address that `slmfit ui` printed when it was started, the one that ends in ?token=...
"""


def page_token(token: str) -> str:
    """What a page shows with each write. It follows from the token, so that an open page outlives its server."""
    return hmac.new(token.encode(), b"slmfit page", hashlib.sha256).hexdigest()


class Door:
    """See the module."""

    def __init__(self, app: App, names: Collection[str], token: str, cookie: str) -> None:
        self.app, self.token, self.cookie = app, token, cookie
        self.page = page_token(token)
        self.guard = Guard(self._known, names, None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def safe(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _with_headers(message.get("headers", ()))
            await send(message)

        await self.guard(scope, receive, safe)

    async def _known(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through whoever shows the token, and of writes those of the page."""
        headers = dict(scope["headers"])
        asked = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        shown = [value for name, value in asked if name == "token"]
        if scope["method"] in ("GET", "HEAD") and shown and self._fits(shown[0]):
            await self._welcome(scope, [pair for pair in asked if pair[0] != "token"], send)
            return
        if not (self._fits(self._cookie(headers)) or self._fits(_bearer(headers))):
            await _send(send, 401, UNSEEN, [(b"content-type", b"text/plain; charset=utf-8")])
            return
        if scope["method"] not in ("GET", "HEAD"):
            given = headers.get(b"x-slmfit-page", b"").decode("latin-1")
            kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
            if kind != b"application/json":
                await send_error(send, Refusal(415, "send JSON, and say so: Content-Type: application/json"))
                return
            if not _same(given, self.page):
                await send_error(send, Refusal(403, "this was not asked by the page: reload it"))
                return
        await self.app(scope, receive, send)

    async def _welcome(self, scope: Scope, rest: list[tuple[str, str]], send: Send) -> None:
        """Put the token into a cookie, and show the page without it in its address."""
        place = quote("/" + scope["path"].lstrip("/"), safe="/-._~") + (f"?{urlencode(rest)}" if rest else "")
        kept = f"{self.cookie}={self.token}; Path=/; HttpOnly; SameSite=Strict"
        headers = [(b"location", place.encode()), (b"set-cookie", kept.encode())]
        await _send(send, 303, b"", headers)

    def _cookie(self, headers: dict[bytes, bytes]) -> str:
        try:
            found = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1"))
        except CookieError:
            return ""
        return found[self.cookie].value if self.cookie in found else ""

    def _fits(self, shown: str) -> bool:
        return _same(shown, self.token)


def _bearer(headers: dict[bytes, bytes]) -> str:
    scheme, _, key = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def _same(one: str, other: str) -> bool:
    """Of one length for all, so that comparing tells nothing."""
    digests = [hashlib.sha256(text.encode("utf-8", "replace")).digest() for text in (one, other)]
    return hmac.compare_digest(*digests)


def _with_headers(given: Any) -> list[tuple[bytes, bytes]]:
    """An answer's headers with those that all have; a page's own policy stays."""
    headers = list(given)
    names = {name.lower() for name, _ in headers}
    if b"content-security-policy" not in names:
        headers.append((b"content-security-policy", f"{POLICY}frame-ancestors 'none'".encode()))
    if b"cache-control" not in names:
        headers.append((b"cache-control", b"no-store"))
    return [*headers, *HEADERS]


async def _send(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    head = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})
