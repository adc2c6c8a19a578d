"""The scripted server: it listens, counts, and answers or fails, each call as its script says.

    with scripted(Script(answer=lambda body: "sports")) as server:
        client = Client(Server(server.url, server.model), …)
        server.requests, server.calls["7"], server.billed

`GET /stats` tells the counts; a list of rows posted to `/finished` makes every later request for one of them count as
`again`. A test whose server runs in another process asks for them there.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import random
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from slmfit.testing.faults import KINDS, REFUSED
from slmfit.testing.model import Body, row_key
from slmfit.testing.script import Bill, Call, Fault, Script
from slmfit.testing.threads import in_thread, until_cancelled
from slmfit.testing.wire import Connection, Request

_LATE = 0.0005  # seconds, on average: asyncio waits for whole milliseconds, rounded up


class Scripted:
    """The running server: where it is, and what it saw.

    url: up to and with `/v1`. model: a name that no other scripted server has, as what is found out about a model and
        what it answered is kept by its name; the server answers under any.
    requests, headers: of every call, in the order in which they came; a header `:path` is the path.
    calls: row -> how often it was asked. kinds: how a call went -> how many did; "well", or a name in KINDS.
    again: calls for a row that had been posted to `/finished`. elsewhere: calls that followed a redirect.
    billed, billed_tokens: USD and tokens of all calls. connections: how many were opened. most_running: calls at once.
    """

    def __init__(self, script: Script, port: int = 0) -> None:
        self.script, self.port = script, port
        self.model = f"m-{secrets.randbelow(10**12)}"
        self.requests, self.headers = list[Body](), list[dict[str, str]]()
        self.calls, self.kinds = Counter[str](), Counter[str]()
        self.again = self.elsewhere = self.connections = self.running = self.most_running = 0
        self.broken: Exception | None = None  # what the script's own functions raised first
        self._finished, self._open = set[str](), set[asyncio.WriteTransport]()
        self._bill = Bill()
        self._busy: list[float] = []  # when the calls under way will be answered

    @property
    def url(self) -> str:
        return f"http{'s' if self.script.tls else ''}://127.0.0.1:{self.port}/v1"

    @property
    def billed(self) -> float:
        return self._bill.usd

    @property
    def billed_tokens(self) -> int:
        return self._bill.tokens

    def stats(self) -> dict[str, Any]:
        """The counts, JSON as they stand."""
        counts: dict[str, Any] = {"calls": sum(self.calls.values()), "rows": len(self.calls), "again": self.again}
        counts |= {"billed": self.billed, "billed_tokens": self.billed_tokens, "kinds": dict(self.kinds)}
        return counts | {"most_running": self.most_running, "elsewhere": self.elsewhere}

    async def serve(self, started: Callable[[], None]) -> None:
        """Until it is cancelled."""
        loop = asyncio.get_running_loop()
        tls = self.script.tls
        server = await loop.create_server(self._connected, "127.0.0.1", self.port, backlog=1024, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        started()
        await until_cancelled(server, self._open)

    def _connected(self) -> Connection:
        self.connections += 1
        return Connection(self._handle, self._open)

    def _handle(self, connection: Connection, request: Request) -> None:
        if request.path == "/props" and self.script.slots is not None:
            connection.reply(200, json.dumps({"total_slots": self.script.slots}).encode())
        elif request.path == "/stats":
            connection.reply(200, json.dumps(self.stats()).encode())
        elif request.path == "/finished":
            self._finished |= set(json.loads(request.data))
            connection.reply(200, b"{}")
        elif not request.path.partition("?")[0].endswith("/chat/completions"):
            self.elsewhere += request.path.startswith("/elsewhere")
            connection.reply(404, b'{"error": {"message": "no such path"}}')
        elif (body := _read(request.data)) is None:
            connection.reply(400, b'{"error": {"message": "no JSON object with messages"}}')
        else:
            self._take(connection, request, body)

    def _take(self, connection: Connection, request: Request, body: Body) -> None:
        """Count the call, and answer it when its time has come."""
        row = row_key(body)
        self.calls[row] += 1
        self.again += row in self._finished
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        if self.script.keep:
            self.requests.append(body)
            self.headers.append({**request.headers, ":path": request.path})
        fault = self._fault(row)
        self.kinds[_name(fault)] += 1
        call = Call(connection, body, self.script, self._bill)
        asyncio.get_running_loop().call_later(max(0.0, self._wait() - _LATE), self._answer, call, fault)

    def _wait(self) -> float:
        """Seconds until this call is answered: until a slot is free, and then what a call takes."""
        if self.script.slots is None:
            return self.script.latency
        now = asyncio.get_running_loop().time()
        busy = sorted(end for end in self._busy if end > now)
        begin = busy[-self.script.slots] if len(busy) >= self.script.slots else now
        self._busy = [*busy, begin + self.script.latency]
        return begin + self.script.latency - now

    def _fault(self, row: str) -> str | Fault | None:
        """How this call for a row fails; None when it does not."""
        script = self.script
        if not script.faults:  # seeding the dice takes time that a benchmark would see
            return None
        draw = random.Random(f"{script.seed}/{row}/{self.calls[row]}")
        fails = draw.random() < script.faults and (script.rows is None or row in script.rows)
        return draw.choice(tuple(KINDS) if script.kinds is None else script.kinds) if fails else None

    def _answer(self, call: Call, fault: str | Fault | None) -> None:
        self.running -= 1
        if call.connection.closing:
            if fault not in REFUSED:
                call.charge()  # whoever hangs up pays all the same
            return
        try:
            if fault is None:
                call.answer()
            else:
                (KINDS[fault] if isinstance(fault, str) else fault)(call)
        except Exception as error:
            self.broken = self.broken or error
            said = {"error": {"message": f"the script of this server raised {error!r}"}}
            call.connection.reply(400, json.dumps(said).encode())


@contextlib.contextmanager
def scripted(script: Script | None = None, **changes: Any) -> Iterator[Scripted]:
    """A server in a thread, as long as the block lasts. changes: fields of `Script`, as in `scripted(faults=0.3)`.

    Raises what the script's own functions raised, unless the block raises something itself.
    """
    server = Scripted(dataclasses.replace(script or Script(), **changes))
    with in_thread(server.serve):
        yield server
    if server.broken:
        raise server.broken


def _read(data: bytes) -> Body | None:
    """The body of a request, or None for what is none."""
    try:
        body = json.loads(data)
    except ValueError:
        return None
    messages = body.get("messages") if isinstance(body, dict) else None
    return body if isinstance(messages, list) and all(isinstance(m, dict) for m in messages or [0]) else None


def _name(fault: str | Fault | None) -> str:
    if fault is None:
        return "well"
    return fault if isinstance(fault, str) else getattr(fault, "__name__", repr(fault))
