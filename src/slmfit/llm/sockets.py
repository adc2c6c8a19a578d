"""Sockets for httpcore2 on asyncio alone.

    pool = httpcore2.AsyncConnectionPool(network_backend=Sockets())

What it brings by itself goes through anyio, which gives the loop a turn after every step of a call. Sixteen replies
that come together are then all sixteen half read before one of them is answered with the next request, and the server
waits; that costs more than the processor time. Here a call runs from its reply to the next request without a stop, and
head and body leave in one packet.
"""

from __future__ import annotations

import asyncio
import select
import ssl
from collections import deque
from collections.abc import Iterable
from typing import Any

import httpcore2

_MOST_WAITING = 2**18  # bytes received and not yet read, before the socket is left alone


class Sockets(httpcore2.AsyncNetworkBackend):
    """Opens connections. Raises httpcore2's own errors, which say in words what the system or the certificate said."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                _, stream = await loop.create_connection(Stream, host, port, happy_eyeballs_delay=_delay(host))
        except TimeoutError:
            raise httpcore2.ConnectTimeout("no connection in time") from None
        except OSError as error:
            raise httpcore2.ConnectError(error.strerror or "refused") from None
        return stream

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def _delay(host: str) -> float | None:
    """Seconds before the host's next address is tried beside the first (RFC 8305); one address needs no race.

    A race that is cancelled just when it is won leaves its socket to the garbage collector (asyncio in Python 3.11).
    """
    return None if host == "localhost" or host.replace(".", "").isdigit() or ":" in host else 0.25


class Stream(asyncio.Protocol, httpcore2.AsyncNetworkStream):
    """One connection. What is written leaves when the answer is waited for."""

    def __init__(self) -> None:
        self._received: deque[bytes] = deque()
        self._size, self._paused, self._ended = 0, False, False
        self._error: Exception | None = None
        self._unsent: list[bytes] = []
        self._waiter: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport

    # --- what the loop calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received.append(data)
        self._size += len(data)
        if self._size > _MOST_WAITING and not self._paused:
            self._transport.pause_reading()
            self._paused = True
        self._wake()

    def eof_received(self) -> None:
        self._ended = True
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        self._ended, self._error = True, error
        self._wake()

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    # --- what httpcore2 calls ---

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """The next bytes, none at the end. Whoever calls limits the time."""
        if self._unsent:
            self._transport.write(b"".join(self._unsent))
            self._unsent.clear()
        while not self._received:
            if self._error:
                raise httpcore2.ReadError(type(self._error).__name__)
            if self._ended:
                return b""
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        data = self._received.popleft()
        self._size -= len(data)
        if self._paused and self._size < _MOST_WAITING and not self._ended:
            self._transport.resume_reading()
            self._paused = False
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if self._ended:
            raise httpcore2.WriteError("the connection is closed")
        self._unsent.append(buffer)

    async def aclose(self) -> None:
        self._transport.abort()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                transport = await loop.start_tls(self._transport, self, ssl_context, server_hostname=server_hostname)
        except TimeoutError:
            self._transport.abort()
            raise httpcore2.ConnectTimeout("no secure connection in time") from None
        except OSError as error:  # a certificate that does not verify is one, too
            self._transport.abort()
            raise httpcore2.ConnectError(getattr(error, "verify_message", "") or "no secure connection") from None
        assert transport is not None
        self._transport = transport
        return self

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":  # asked of an idle connection: has the server closed it?
            return self._ended or bool(self._received) or _readable(self._transport.get_extra_info("socket"))
        return self._transport.get_extra_info(info)


def _readable(socket: Any) -> bool:
    """Whether the system has heard something, such as an end, that a busy loop has not yet."""
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([socket], [], [], 0)[0])
    asked = select.poll()
    asked.register(socket, select.POLLIN)
    return bool(asked.poll(0))
