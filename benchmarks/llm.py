"""How sure and how fast the client for large models is, against the scripted server of slmfit.testing.

    python benchmarks/llm.py kills --calls 100000 --kills 200     # faults of 48 kinds, SIGKILL at random moments
    python benchmarks/llm.py budget --calls 20000 --kills 40      # the same under a limit that ends it
    python benchmarks/llm.py memory --calls 100000                # one life, no kill
    python benchmarks/llm.py throughput --rounds 5                # beside the official client, in turns

Throughput is taken with a server in a process of its own that answers each call after 50 ms; `possible` is the calls in
flight divided by those 50 ms. `pip install openai` for the comparison.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).parent.parent / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "llm")]

from asking import SCHEMA, ask  # noqa: E402

from llm_trial import Trial  # noqa: E402
from slmfit.llm import Client, Patience, Server  # noqa: E402

LATENCY = 0.05
Side = tuple[float, float]  # calls per second, client's processor seconds per call


def kills(given: argparse.Namespace, usd: float | None = None) -> None:
    """Run one trial and print what it found."""
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(folder, given.calls, given.kills, 0.3, usd)
        trial.run()
        print(json.dumps(trial.report(), indent=1))


def ours(url: str, calls: int, at_once: int) -> Side:
    """slmfit's client, ledger and all; the time is of a whole run, which opens its connections itself."""
    with tempfile.TemporaryDirectory() as folder:
        patience = Patience(in_flight=at_once, start=at_once)
        client = Client(Server(url, "m", key="k"), Path(folder) / "ledger.jsonl", patience=patience)
        list(client.answers([ask("first")]))  # finds out what the server takes
        start, processor = time.perf_counter(), time.process_time()
        answered = sum(answer.outcome == "ok" for answer in client.answers(ask(number) for number in range(calls)))
        return _side(answered, calls, start, processor)


def theirs(url: str, calls: int, at_once: int) -> Side:
    """The official client with a semaphore; its connections are open when the time starts."""
    from openai import AsyncOpenAI

    form = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA}}

    async def run() -> Side:
        async with AsyncOpenAI(base_url=url, api_key="k") as client:
            gate = asyncio.Semaphore(at_once)

            async def call(number: int) -> bool:
                async with gate:
                    reply = await client.chat.completions.create(
                        model="m",
                        messages=list(ask(number).messages),  # type: ignore[arg-type]
                        max_tokens=32,
                        temperature=0.0,
                        response_format=form,  # type: ignore[arg-type]
                    )
                return "label" in json.loads(reply.choices[0].message.content or "")

            await asyncio.gather(*[call(number) for number in range(at_once)])
            start, processor = time.perf_counter(), time.process_time()
            answered = sum(await asyncio.gather(*[call(number) for number in range(calls)]))
            return _side(answered, calls, start, processor)

    return asyncio.run(run())


class Bare(asyncio.Protocol):
    """Sends the same bytes again as soon as a reply is there: what this machine and the server allow at all."""

    def __init__(self, data: bytes, left: list[int], done: asyncio.Event) -> None:
        self.data, self.left, self.done = data, left, done

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self.data)

    def data_received(self, data: bytes) -> None:
        self.left[0] -= 1
        if self.left[0] <= 0:
            self.done.set()
        else:
            self.transport.write(self.data)


def bare(url: str, calls: int, at_once: int) -> Side:
    """No client at all: one request, over and over, and replies that nobody reads."""
    host, port = url.removeprefix("http://").removesuffix("/v1").split(":")
    data = json.dumps({"model": "m", "messages": list(ask(1).messages)}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: {host}\r\ncontent-length: {len(data)}\r\n\r\n".encode()

    async def run() -> Side:
        loop, left, done = asyncio.get_running_loop(), [calls], asyncio.Event()
        start, processor = time.perf_counter(), time.process_time()
        for _ in range(at_once):
            await loop.create_connection(lambda: Bare(head + data, left, done), host, int(port))
        await done.wait()
        return _side(calls, calls, start, processor)

    return asyncio.run(run())


def _side(answered: int, calls: int, start: float, processor: float) -> Side:
    if answered != calls:
        sys.exit(f"{calls - answered} of {calls} calls were not answered")
    return calls / (time.perf_counter() - start), (time.process_time() - processor) / calls


SIDES = {"bare": bare, "ours": ours, "theirs": theirs}


def throughput(given: argparse.Namespace) -> None:
    """All sides in turns, each in a process of its own; medians over the rounds."""
    command = [sys.executable, "-m", "slmfit.testing", "--latency", str(LATENCY)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    url = server.stdout.readline().strip()
    found: dict[tuple[str, int], list[Side]] = {}
    try:
        for _ in range(given.rounds):
            for at_once in (16, 64):
                for name in SIDES:
                    side = [sys.executable, __file__, "side", name, url, str(at_once * given.cycles), str(at_once)]
                    found.setdefault((name, at_once), []).append(json.loads(subprocess.check_output(side)))
    finally:
        server.kill()
        server.communicate()
    for (name, at_once), sides in found.items():
        rate, processor = (statistics.median(column) for column in zip(*sides, strict=True))
        best, possible = max(rate for rate, _ in sides), at_once / LATENCY
        line = f"{name:6} {at_once:3} in flight: {rate:7.1f} calls/s, {100 * rate / possible:5.1f} % of the possible"
        print(f"{line} (best round {100 * best / possible:.1f} %), {1e6 * processor:6.0f} µs of processor time a call")


def main() -> None:
    if sys.argv[1:2] == ["side"]:
        _, _, name, url, calls, at_once = sys.argv
        print(json.dumps(SIDES[name](url, int(calls), int(at_once))))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("kills", "budget", "memory", "throughput"))
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--usd", type=float, default=1.0, help="the limit of `budget`")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cycles", type=int, default=150, help="calls of a round, per call in flight")
    given = parser.parse_args()
    if given.part == "throughput":
        throughput(given)
    elif given.part == "budget":
        kills(given, given.usd)
    else:
        if given.part == "memory":
            given.kills = 0
        kills(given)


if __name__ == "__main__":
    main()
