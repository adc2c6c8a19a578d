"""The door: who may ask, and what a request must look like before anybody reads it.

    app = Guard(app, names={"api.example.org"}, token=None)

Host is checked on every request, GET too: a page whose name was made to point here (DNS rebinding) names itself there.
An address is nobody's name, so those pass. An Origin must be the server's own. Where there is a token it is needed on
every route, with any method, also where there is no such route; but for /health, and for the page on / with its files,
which is the same on every server and asks for the token.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any

from slmfit.serving.replies import Refusal, send_error

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

OPEN, PAGE, FILES = "/health", "/", "/static/"


class Guard:
    """See the module. names: hosts it goes by beside localhost and addresses."""

    def __init__(self, app: App, names: Collection[str], token: str | None) -> None:
        self.app = app
        self.names = {name.lower().rstrip(".") for name in names} | {"localhost"}
        self.token = None if token is None else _digest(token.encode())
        self._known: set[bytes] = set()  # hosts that passed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                self.check(scope)
            except Refusal as refusal:
                await send_error(send, refusal)
                return
        await self.app(scope, receive, send)

    def check(self, scope: Scope) -> None:
        """Raise Refusal for a request that is not to be read."""
        host, origin, given, site, many = b"", None, b"", b"", 0
        for name, value in scope["headers"]:
            if name == b"host":
                host, many = value, many + 1
            elif name == b"origin":
                origin = value
            elif name == b"authorization":
                given = value
            elif name == b"sec-fetch-site":
                site = value
            elif name == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
                raise Refusal(415, "a compressed body is not read: send it as it is")
        if many != 1:
            raise Refusal(400, "a request needs one Host header")
        if host not in self._known:
            self._admit(host)
        if origin is not None and origin.lower() not in (b"http://" + host.lower(), b"https://" + host.lower()):
            raise Refusal(403, "requests from another site's pages are refused")
        if site in (b"cross-site", b"same-site"):
            raise Refusal(403, "requests from another site's pages are refused")
        if self.token is not None and not _is_open(scope):
            scheme, _, key = given.partition(b" ")
            fits = hmac.compare_digest(_digest(key.strip()), self.token)
            if scheme.lower() != b"bearer" or not fits:
                headers = [(b"www-authenticate", b"Bearer")]
                raise Refusal(401, "this server needs its token: Authorization: Bearer …", headers=headers)

    def _admit(self, host: bytes) -> None:
        name = _name(host.decode("latin-1")).lower().rstrip(".")
        if name not in self.names and not is_address(name):
            fix = "start it with --name HOST where it is known by that name"
            raise Refusal(421, f"this server does not go by the name in Host; {fix}")
        if len(self._known) < 100:
            self._known.add(host)


def _is_open(scope: Scope) -> bool:
    path = scope["path"]
    return path == OPEN or (scope["method"] in ("GET", "HEAD") and (path == PAGE or path.startswith(FILES)))


def _digest(token: bytes) -> bytes:
    """Of one length for all, so that comparing tells nothing."""
    return hashlib.sha256(token).digest()


def _name(host: str) -> str:
    """Without the port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if ":" in host else host


def is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
