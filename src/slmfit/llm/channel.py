"""One call over HTTP: a reply of bounded size in bounded time, or the trouble that came instead.

    async with Channel(server, patience) as channel:
        received = await channel.post(body, seconds=60)      # Received(200, {…}, b"…", 0.42)

Redirects are not followed, so the key goes nowhere else; errors of the HTTP library, which may hold the URL or the
key, end here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import httpx2

from slmfit.llm.pace import Patience
from slmfit.llm.server import Server
from slmfit.records import Outcome

_CONNECT_SECONDS = 10.0


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
    """The connections to one server."""

    def __init__(self, server: Server, patience: Patience) -> None:
        self._endpoint, self._most = server.endpoint, patience.reply_bytes
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=patience.in_flight)
        timeout = httpx2.Timeout(patience.seconds, connect=min(_CONNECT_SECONDS, patience.seconds))
        self._client = httpx2.AsyncClient(
            headers=server.headers(), limits=limits, timeout=timeout, follow_redirects=False
        )

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def post(self, body: bytes, seconds: float) -> Received:
        """Send and read the reply. Raises Trouble when no whole one comes in time."""
        start = time.perf_counter()
        try:
            async with asyncio.timeout(seconds):
                async with self._client.stream("POST", self._endpoint, content=body) as response:
                    data = await self._read(response)
                return Received(response.status_code, response.headers, data, time.perf_counter() - start)
        except (httpx2.ConnectTimeout, httpx2.ConnectError, httpx2.ProxyError) as error:
            slow = isinstance(error, httpx2.ConnectTimeout)
            reason = "no connection in time" if slow else "no connection"
            raise Trouble("timeout" if slow else "error", reason, sent=False, unreachable=True) from None
        except (TimeoutError, httpx2.TimeoutException):
            raise Trouble("timeout", f"no whole reply within {seconds:.3g} s") from None
        except httpx2.DecodingError:
            raise Trouble("error", "the reply could not be unpacked") from None
        except httpx2.HTTPError as error:
            raise Trouble("error", f"the connection broke ({type(error).__name__})") from None

    async def _read(self, response: httpx2.Response) -> bytes:
        parts, size = [], 0
        async for part in response.aiter_bytes():
            size += len(part)
            if size > self._most:
                raise Trouble("error", f"the reply is longer than {self._most:,} bytes")
            parts.append(part)
        return b"".join(parts)
