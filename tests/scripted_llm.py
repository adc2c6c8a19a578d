"""A server that speaks OpenAI's chat completions from a script: what it takes, answers and bills, and how it fails.

    with scripted(Script(answer=lambda body: "sports")) as server:
        client = Client(Server(server.url, "m"), …)
        server.requests, server.calls["7"], server.billed

    python tests/scripted_llm.py --latency 0.05 --faults 0.3      # in a process of its own; prints its URL

A row is known by `[row 7]` in its last message. `GET /stats` tells the counts; a list of rows posted to `/finished`
makes every later request for one of them count as `again`.
"""

import argparse
import asyncio
import contextlib
import dataclasses
import itertools
import json
import random
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from in_thread import in_thread, until_cancelled
from scripted_faults import KINDS, REFUSED
from scripted_model import completion, enums_of, first_choice, row_of, spoken

COUNT = itertools.count()
PRICES = (1.0, 4.0)  # USD per million input and output tokens
LATE = 0.0005  # seconds, on average: asyncio waits for whole milliseconds, rounded up


@dataclass
class Script:
    """answer: what the model means, given the request: a label, an object, or a `Said`.

    takes: of json_schema, object_schema, json_object, logprobs, what the server goes by; it ignores the others.
    refuses: setting -> status and message, for servers that say what they do not take.
    faults: the share of calls that fail, each in one of `kinds`, by `seed`, row and try. rows: which can; None = all.
    latency: seconds per call.
    prices: USD per million input and output tokens. most_labels: in one enum; more are refused.
    """

    answer: Callable = first_choice
    takes: frozenset = frozenset({"json_schema", "json_object", "logprobs"})
    refuses: dict = field(default_factory=dict)
    faults: float = 0.0
    kinds: tuple = tuple(KINDS)
    rows: frozenset | None = None
    seed: int = 0
    latency: float = 0.0
    prices: tuple = PRICES
    most_labels: int | None = None
    tls: object = None  # the SSL context of a server that speaks https
    keep: bool = True  # every request's body and headers, for tests to look at


class Scripted:
    """The running server: where it is, and what it saw."""

    def __init__(self, script):
        self.script, self.port = script, 0
        self.model = f"m-{next(COUNT)}"  # what is found out about a model is kept by its name
        self.requests, self.headers = [], []
        self.calls, self.kinds, self.again = Counter(), Counter(), 0
        self.finished = set()
        self.billed_tokens, self.billed, self.running, self.most_running = 0, 0.0, 0, 0
        self.connections = 0
        self.open = set()  # the transports of connections that are not closed
        self.elsewhere = 0  # requests for a path that a redirect named

    @property
    def url(self):
        return f"http{'s' if self.script.tls else ''}://127.0.0.1:{self.port}/v1"

    def stats(self):
        """The counts, JSON as they stand."""
        counts = {"calls": sum(self.calls.values()), "rows": len(self.calls), "again": self.again}
        counts |= {"billed": self.billed, "billed_tokens": self.billed_tokens, "kinds": dict(self.kinds)}
        return counts | {"most_running": self.most_running, "elsewhere": self.elsewhere}

    def bill(self, body, content):
        """Charge a call; its usage."""
        usage = {
            "prompt_tokens": len(json.dumps(body["messages"])) // 4,
            "completion_tokens": len(content or "") // 4 + 1,
        }
        usage["total_tokens"] = sum(usage.values())
        self.billed_tokens += usage["total_tokens"]
        prices = self.script.prices
        self.billed += (usage["prompt_tokens"] * prices[0] + usage["completion_tokens"] * prices[1]) / 1e6
        return usage

    async def serve(self, started):
        loop = asyncio.get_running_loop()
        made = {"backlog": 1024, "ssl": self.script.tls}
        server = await loop.create_server(lambda: Connection(self, loop), "127.0.0.1", self.port, **made)
        self.port = server.sockets[0].getsockname()[1]
        started()
        await until_cancelled(server, self.open)


class Connection(asyncio.Protocol):
    """One connection; requests come one after the other."""

    def __init__(self, server, loop):
        self.server, self.loop, self.buffer = server, loop, b""

    def connection_made(self, transport):
        self.transport = transport
        self.server.connections += 1
        self.server.open.add(transport)

    def connection_lost(self, error):
        self.server.open.discard(self.transport)

    def data_received(self, data):
        self.buffer += data
        head, end, rest = self.buffer.partition(b"\r\n\r\n")
        if not end:
            return
        lines = head.decode("latin-1").split("\r\n")
        headers = {n.strip().lower(): v.strip() for n, _, v in (line.partition(":") for line in lines[1:])}
        length = int(headers.get("content-length", 0))
        if len(rest) < length:
            return
        self.buffer = rest[length:]
        method, path, _ = lines[0].split(" ")
        self.request(method, path, headers, rest[:length])

    def request(self, method, path, headers, data):
        if path == "/stats":
            self.reply(200, json.dumps(self.server.stats()).encode())
        elif path == "/finished":
            self.server.finished |= set(json.loads(data))
            self.reply(200, b"{}")
        elif not path.partition("?")[0].endswith("/chat/completions"):
            self.server.elsewhere += path.startswith("/elsewhere")
            self.reply(404, b'{"error": {"message": "no such path"}}')
        else:
            self.complete(path, headers, json.loads(data))

    def complete(self, path, headers, body):
        server, script = self.server, self.server.script
        row = row_of(body)
        server.calls[row] += 1
        server.again += row in server.finished
        server.running += 1
        server.most_running = max(server.most_running, server.running)
        if script.keep:
            server.requests.append(body)
            server.headers.append({**headers, ":path": path})
        draw = random.Random(f"{script.seed}/{row}/{server.calls[row]}")
        fault = draw.choice(script.kinds) if draw.random() < script.faults else None
        if script.rows is not None and row not in script.rows:
            fault = None
        server.kinds[fault or "well"] += 1
        self.loop.call_later(max(0.0, script.latency - LATE), self.answer, body, fault)

    def answer(self, body, fault):
        self.server.running -= 1
        if self.transport.is_closing():
            if fault not in REFUSED:
                self.server.bill(body, "x" * 40)  # whoever hangs up pays all the same
            return
        if fault:
            KINDS[fault](self, body)
            return
        most = self.server.script.most_labels
        if most and any(len(enum) > most for enum in enums_of(body)):
            self.reply(400, b'{"error": {"message": "Invalid schema: too many enum values"}}')
            return
        for setting, (status, message) in self.server.script.refuses.items():
            if setting in body:
                error = {"message": message, "type": "invalid_request_error", "param": setting, "code": None}
                self.reply(status, json.dumps({"error": error}).encode())
                return
        self.say(body, spoken(body, self.server.script))

    def say(self, body, said):
        """A well-formed completion."""
        billed = self.server.bill(body, said.content)
        usage = billed if said.usage is None else said.usage
        self.reply(200, json.dumps(completion(body, said, usage, self.server.script)).encode())

    def reply(self, status, data, headers=()):
        head = [f"HTTP/1.1 {status} X", "content-type: application/json", f"content-length: {len(data)}", *headers]
        self.transport.write("\r\n".join(head).encode() + b"\r\n\r\n" + data)

    def reset(self):
        """Close with RST, as a crashed server does."""
        with contextlib.suppress(OSError):
            linger = b"\1\0\0\0\0\0\0\0"
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.transport.abort()


@contextlib.contextmanager
def scripted(script=None, **changes):
    """A server in a thread, as long as the block lasts."""
    server = Scripted(dataclasses.replace(script or Script(), **changes))
    with in_thread(server.serve):
        yield server


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--faults", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    script = Script(latency=given.latency, faults=given.faults, seed=given.seed, keep=False)
    server = Scripted(script)
    server.port = given.port
    asyncio.run(server.serve(lambda: print(server.url, flush=True)))


if __name__ == "__main__":
    main()
