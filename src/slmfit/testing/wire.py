"""HTTP/1.1 as far as a scripted server needs it: one request after the other on a connection, and ways to break off.

Connection(handle, transports)       # handle(connection, request) replies now or later: connection.reply(200, b"{}")
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked of the server. The headers' names are in lower case."""

    path: str
    headers: dict[str, str]
    data: bytes


class Connection(asyncio.Protocol):
    """One connection. It is among `transports` as long as it is open."""

    transport: asyncio.Transport

    def __init__(self, handle: Callable[[Connection, Request], None], transports: set[asyncio.WriteTransport]) -> None:
        self._handle, self._transports, self._buffer = handle, transports, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._transports.add(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._transports.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        lines = head.decode("latin-1").split("\r\n")
        headers = {n.strip().lower(): v.strip() for n, _, v in (line.partition(":") for line in lines[1:])}
        length = int(headers.get("content-length", 0))
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        _, path, _ = lines[0].split(" ")
        self._handle(self, Request(path, headers, rest[:length]))

    @property
    def port(self) -> int:
        """The server's."""
        port: int = self.transport.get_extra_info("sockname")[1]
        return port

    @property
    def closing(self) -> bool:
        """Whether either side has hung up."""
        return self.transport.is_closing()

    def reply(self, status: int, data: bytes, headers: Sequence[str] = ()) -> None:
        """A whole reply. headers: lines such as "retry-after: 2"."""
        head = [f"HTTP/1.1 {status} X", "content-type: application/json", f"content-length: {len(data)}", *headers]
        self.send("\r\n".join(head).encode() + b"\r\n\r\n" + data)

    def send(self, data: bytes) -> None:
        """These bytes as they are."""
        self.transport.write(data)

    def close(self) -> None:
        """Hang up, once all is sent."""
        self.transport.close()

    def reset(self) -> None:
        """Close with RST, as a crashed server does."""
        with contextlib.suppress(OSError):
            linger = b"\1\0\0\0\0\0\0\0"
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.transport.abort()
