"""The API that was called before: what is not answered here goes on to it as it came, and its answer comes back so.

    upstream = Upstream("https://api.openai.com/v1")       # its key: OPENAI_API_KEY, as for the method `llm`
    await upstream.pass_on(body, streamed, send, gone)

A request is sent once: a client that tries again tries here. Its own key is never sent on. Where no answer comes, or
one that no client of the API could read, the client is told so in the API's own form.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from slmfit.errors import UnsafeError, UsageError
from slmfit.llm import Patience, Server, trust
from slmfit.llm.channel import Channel, Trouble
from slmfit.serving.chat import STREAM
from slmfit.serving.guard import Send
from slmfit.serving.replies import RETRY, Headers, Refusal, error_body, send_json

SECONDS = 600.0  # that a client of the API waits, too: for the answer, or of a stream for its next piece
_KEPT = (
    "retry-after", "retry-after-ms", "x-should-retry", "x-request-id", "openai-model", "openai-processing-ms",
    "openai-version",
)  # fmt: skip
_KEPT_FIRST = ("x-ratelimit-",)
_LONGEST = 1 << 20  # bytes of an answer that is no stream, though one was asked for


class Upstream:
    """See the module. answers: what came back, by status, or timeout or error where nothing did.

    Raises UsageError for what is no URL, MissingPart without the key that a vendor wants, UnsafeError where there is a
    key and everyone on the way could read it.
    """

    def __init__(self, base_url: str) -> None:
        self.server = Server.from_environment(base_url, "")
        self.server.check_key()
        if self.server.key and not self.server.confidential:
            fix = f"use https://, or unset {self.server.key_name} if that server wants no key"
            raise UnsafeError("the key would not be sent by plain http", where=self.server.base_url, fix=fix)
        trust.remember(self.server.base_url)
        self.answers = Counter[str]()
        self._channel = Channel(self.server, Patience())
        self._under_way = set[asyncio.Task[None]]()
        self._over = False

    def check_other(self, port: int) -> None:
        """Raise UsageError where it is this server itself, which would ask itself without end."""
        own = urlsplit(self.server.base_url)
        if self.server.local and port and (own.port or {"http": 80, "https": 443}.get(own.scheme)) == port:
            fix = "give the address of the API that was called before: --base-url https://api.openai.com/v1"
            raise UsageError("is this server's own address", where=self.server.base_url, fix=fix)

    async def pass_on(self, body: bytes, streamed: bool, send: Send, gone: Callable[[], bool]) -> None:
        """Send the request on, and its answer back. Raises Refusal where there is none."""
        if self._over:
            raise _ending()
        task: asyncio.Task[None] = asyncio.current_task()  # type: ignore[assignment]
        self._under_way.add(task)
        try:
            if streamed:
                await self._stream(body, send, gone)
            else:
                received = await self._channel.post(body, SECONDS)
                await self._whole(received.status, received.headers, received.body, send)
        except Trouble as trouble:
            self.answers[trouble.outcome] += 1
            raise self._refused(trouble) from None
        except asyncio.CancelledError:
            if not self._over:
                raise
            raise _ending() from None
        finally:
            self._under_way.discard(task)

    def give_up(self) -> None:
        """End what is under way."""
        self._over = True
        for task in self._under_way:
            task.cancel()

    async def end(self) -> None:
        await self._channel.__aexit__()

    async def _whole(self, status: int, headers: Mapping[str, str], body: bytes, send: Send) -> None:
        self.answers[str(status)] += 1
        kept, host = _kept(headers), self.server.host
        if status in (401, 403):
            raise Refusal(502, f"{host} rejected this server's key ({status})")
        if 300 <= status < 400:
            raise Refusal(502, f"{host} redirected the request; redirects are not followed")
        if not _is_object(body):
            said = f"{host} sent {status} without a usable answer"
            raise Refusal(status if status >= 400 else 502, said, headers=kept)
        body = self.server.hidden(body.decode()).encode()  # it may repeat what it was sent
        await send_json(send, body, status, kept)

    async def _stream(self, body: bytes, send: Send, gone: Callable[[], bool]) -> None:
        async with contextlib.aclosing(self._channel.relayed(body, SECONDS)) as reply:
            status, headers = await anext(reply)
            if status != 200 or not headers.get("content-type", "").lower().startswith("text/event-stream"):
                parts, size = list[bytes](), 0
                async for part in reply:
                    parts.append(part)
                    size += len(part)
                    if size > _LONGEST:
                        raise Trouble("error", "its answer is too long")
                await self._whole(status, headers, self._channel.unpacked(b"".join(parts), headers), send)
                return
            self.answers["200"] += 1
            kept = [*STREAM, *_kept(headers, "content-encoding")]
            await send({"type": "http.response.start", "status": 200, "headers": kept})
            try:
                async for part in reply:
                    if gone():
                        return
                    await send({"type": "http.response.body", "body": part, "more_body": True})
            except (Trouble, asyncio.CancelledError) as error:
                if isinstance(error, asyncio.CancelledError) and not self._over:
                    raise
                refusal = self._refused(error) if isinstance(error, Trouble) else _ending()
                # What came may have ended amid an event.
                event = b"\n\ndata: " + error_body(refusal.status, refusal.message) + b"\n\n"
                await send({"type": "http.response.body", "body": event, "more_body": True})
            await send({"type": "http.response.body", "body": b""})

    def _refused(self, trouble: Trouble) -> Refusal:
        said = f"{self.server.host} gave no answer: {trouble}"
        return Refusal(504 if trouble.outcome == "timeout" else 502, self.server.hidden(said))


def _ending() -> Refusal:
    return Refusal(503, "the server is about to end: try again", headers=RETRY)


def _kept(headers: Mapping[str, str], *more: str) -> Headers:
    """What a client goes by."""
    kept = {name: value for name, value in headers.items() if name in (*_KEPT, *more) or name.startswith(_KEPT_FIRST)}
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in kept.items()]


def _is_object(body: bytes) -> bool:
    try:
        body.decode()
        return isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        return False
