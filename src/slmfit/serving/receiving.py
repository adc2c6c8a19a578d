"""How a request is received: uvicorn's protocol with the deadlines and bounds that it lacks.

A connection that says nothing, half a header, a body of one byte a second: each is over when `Limits.receipt` is. A
client that does not read its answer is let go, and so is whoever comes when there are too many. While the server ends,
an idle connection is answered once more and then closed, so that no request meets a closed door on its way.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from slmfit.serving.limits import Limits

CONNECTION = "slmfit.connection"  # in a request's scope: what it came by
FRAMING = 16  # bytes that a chunk of a body may take beside each of its own
_REASONS = {408: "Request Timeout", 431: "Request Header Fields Too Large", 503: "Service Unavailable"}


class Receiving(HttpToolsProtocol):
    """See the module."""

    limits: ClassVar[Limits] = Limits()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._deadline: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None
        self._beside, self._leaving = 0, False  # bytes of this request that are no body; whether the server ends
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            self._refuse(503)
        else:
            self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._beside += len(data)
        super().data_received(data)
        if self._beside > self.limits.head and self._deadline is not None:
            self._refuse(431)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope[CONNECTION] = self.transport  # type: ignore[literal-required]
        if self._deadline is None:
            self._arm()

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        if self._leaving:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        self._beside = max(self._beside - (FRAMING + 1) * len(body), -self.limits.body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._disarm()
        self._beside = 0
        super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stall = self.loop.call_later(self.limits.stalled, self.transport.abort)

    def resume_writing(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
        super().resume_writing()

    def shutdown(self) -> None:
        self._leaving = True
        if self._idle:
            self.loop.call_later(self.limits.grace, self._close_if_idle)
        else:
            self.cycle.keep_alive = False

    @property
    def _idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _close_if_idle(self) -> None:
        if self._idle and not self.transport.is_closing():
            self.transport.close()

    def _arm(self) -> None:
        self._deadline = self.loop.call_later(self.limits.receipt, self._refuse, 408)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self, status: int) -> None:
        """Close; say why where no answer has begun."""
        self._disarm()
        if self.transport.is_closing():
            return
        if self.cycle is None or not self.cycle.response_started or self.cycle.response_complete:
            line = f"HTTP/1.1 {status} {_REASONS[status]}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
            self.transport.write(line.encode())
        self.transport.close()


def limited(limits: Limits) -> type[Receiving]:
    """The protocol with these limits."""
    return type("Limited", (Receiving,), {"limits": limits})


def is_gone(scope: Any) -> bool:
    """Whether whoever asked has left."""
    connection = scope.get(CONNECTION)
    return connection is not None and connection.is_closing()
