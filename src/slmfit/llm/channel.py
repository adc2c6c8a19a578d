"""One call over HTTP: a reply of bounded size in bounded time, or the trouble that came instead.

    async with Channel(server, patience) as channel:
        received = await channel.post(body, seconds=60)      # Received(200, {…}, b"…", 0.42)

Redirects are not followed, so the key goes nowhere else; errors of the HTTP library, which may hold the URL or the
key, end here. HTTPS_PROXY, NO_PROXY and SSL_CERT_FILE hold, as everywhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import urllib.request
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Self
from urllib.parse import unquote, urlsplit

import httpcore2

from slmfit.errors import MissingPart
from slmfit.llm.pace import Patience
from slmfit.llm.server import Server
from slmfit.llm.sockets import Sockets
from slmfit.records import Outcome

_CONNECT_SECONDS = 10.0
_PROPS_SECONDS = 5.0
_ANY_ZLIB = 47  # gzip or zlib, whichever it is


@dataclass(frozen=True, slots=True)
class Received:
    """A whole reply. seconds: from sending to the last byte."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


class Trouble(Exception):
    """No whole reply came. outcome: timeout or error. sent: the server may have got the request, and charge it.

    unreachable: nothing answers at this address.
    """

    def __init__(self, outcome: Outcome, reason: str, *, sent: bool = True, unreachable: bool = False) -> None:
        super().__init__(reason)
        self.outcome, self.reason, self.sent, self.unreachable = outcome, reason, sent, unreachable


class Channel:
    """The connections to one server, each a pool of its own; the one used last is used first.

    A single pool looks through all its connections for every call, which at 64 takes as long as the call itself.
    """

    def __init__(self, server: Server, patience: Patience) -> None:
        self._url = httpcore2.URL(server.endpoint)
        self._props = None if server.of_vendor else httpcore2.URL(server.props)
        self._headers = [(name.encode(), value.encode()) for name, value in server.headers().items()]
        self._headers.append((b"host", urlsplit(server.base_url).netloc.encode()))
        self._most, self._connect = patience.reply_bytes, min(_CONNECT_SECONDS, patience.seconds)
        self._trust = httpcore2.default_ssl_context() if self._url.scheme == b"https" else None
        self._proxy = _proxy(server)
        self._idle: list[httpcore2.AsyncConnectionPool] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for pool in self._idle:
            await pool.aclose()

    async def post(self, body: bytes, seconds: float) -> Received:
        """Send and read the reply. Raises Trouble when no whole one comes in time."""
        return await self._send(self._posted(body), seconds)

    async def relayed(self, body: bytes, seconds: float) -> AsyncGenerator[Any, None]:
        """The reply as it comes: first its status and headers, then its bytes, packed or not, piece by piece.

        seconds: until the first, and between two. Raises Trouble.
        """
        pool = self._idle.pop() if self._idle else self._pool()
        try:
            async with _in_time(seconds):
                response = await pool.handle_async_request(self._posted(body))
            try:
                yield response.status, _named(response)
                async with contextlib.aclosing(response.aiter_stream()) as stream:
                    while True:
                        async with _in_time(seconds):
                            part = await anext(stream, None)
                        if part is None:
                            return
                        yield part
            finally:
                await response.aclose()
        finally:
            self._idle.append(pool)

    def _posted(self, body: bytes) -> httpcore2.Request:
        headers = [*self._headers, (b"content-length", str(len(body)).encode())]
        return httpcore2.Request("POST", self._url, headers=headers, content=body, **self._timed())

    async def slots(self) -> int | None:
        """On how many asks the server works at once, where it says so, as llama.cpp's does."""
        if self._props is None:
            return None
        try:
            request = httpcore2.Request("GET", self._props, headers=self._headers, **self._timed())
            got = await self._send(request, _PROPS_SECONDS)
            slots = json.loads(got.body)["total_slots"] if got.status == 200 else None
        except (Trouble, ValueError, KeyError, TypeError, RecursionError):
            return None
        return slots if type(slots) is int and slots > 0 else None

    def _timed(self) -> dict[str, Any]:
        return {"extensions": {"timeout": {"connect": self._connect}}}

    async def _send(self, request: httpcore2.Request, seconds: float) -> Received:
        pool = self._idle.pop() if self._idle else self._pool()
        try:
            async with _in_time(seconds):
                return await self._exchange(pool, request)
        finally:
            self._idle.append(pool)

    def _pool(self) -> httpcore2.AsyncConnectionPool:
        return httpcore2.AsyncConnectionPool(
            ssl_context=self._trust, proxy=self._proxy, max_connections=1, network_backend=Sockets()
        )

    async def _exchange(self, pool: httpcore2.AsyncConnectionPool, request: httpcore2.Request) -> Received:
        start = time.perf_counter()
        response = await pool.handle_async_request(request)
        try:
            data = await self._read(response)
        finally:
            await response.aclose()
        told = _named(response)
        return Received(response.status, told, self.unpacked(data, told), time.perf_counter() - start)

    async def _read(self, response: httpcore2.Response) -> bytes:
        parts, size = [], 0
        async with contextlib.aclosing(response.aiter_stream()) as stream:
            async for part in stream:
                size += len(part)
                if size > self._most:
                    raise self._too_long()
                parts.append(part)
        return b"".join(parts)

    def unpacked(self, data: bytes, headers: Mapping[str, str]) -> bytes:
        """The body as it was before it was packed, though nobody asked for that."""
        coding = headers.get("content-encoding", "identity").strip().lower()
        if coding in ("identity", ""):
            return data
        try:
            unpacking = zlib.decompressobj(_ANY_ZLIB)
            whole = unpacking.decompress(data, self._most + 1)
        except zlib.error:
            raise Trouble("error", f"the reply could not be unpacked ({coding})") from None
        if len(whole) > self._most:
            raise self._too_long()
        if not unpacking.eof:
            raise Trouble("error", f"the reply could not be unpacked ({coding})")
        return whole

    def _too_long(self) -> Trouble:
        return Trouble("error", f"the reply is longer than {self._most:,} bytes")


@contextlib.asynccontextmanager
async def _in_time(seconds: float) -> AsyncIterator[None]:
    """What is done within may take so long; what the HTTP library raises is Trouble."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except httpcore2.ConnectTimeout:
        raise Trouble("timeout", "no connection in time", sent=False, unreachable=True) from None
    except (httpcore2.ConnectError, httpcore2.ProxyError) as error:
        raise Trouble("error", f"no connection ({error})", sent=False, unreachable=True) from None
    except TimeoutError:
        raise Trouble("timeout", f"no whole reply within {seconds:.3g} s") from None
    except (httpcore2.NetworkError, httpcore2.ProtocolError) as error:
        raise Trouble("error", f"the connection broke ({type(error).__name__})") from None


def _named(response: httpcore2.Response) -> dict[str, str]:
    """Headers by their names in lower case."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}


def _proxy(server: Server) -> httpcore2.Proxy | None:
    """The proxy that the environment names for this server; none for a server on this machine."""
    url = urllib.request.getproxies().get(urlsplit(server.base_url).scheme)
    if not url or server.local or urllib.request.proxy_bypass(server.host):
        return None
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme.startswith("socks") and find_spec("socksio") is None:
        raise MissingPart("the proxy speaks SOCKS", where=parts.hostname, fix="pip install 'httpcore2[socks]'")
    auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    return httpcore2.Proxy(shown, auth=auth)
