"""`slmfit serve` under load: requests per second of processor time, ends in order, deaths of its worker, memory.

    python benchmarks/serving_load.py load RUN [--pipeline FOLDER] [--words 12] [--rounds 3] [--seconds 5]
    python benchmarks/serving_load.py drains RUN [--times 20]
    python benchmarks/serving_load.py kills RUN [--times 100]
    python benchmarks/serving_load.py memory RUN [--requests 100000]
    python benchmarks/serving_load.py overload RUN [--words 12] [--seconds 5]

`load` takes turns between an echo of the same stack, the run, and, with --pipeline (a transformers folder of the same
model), plain FastAPI around `transformers.pipeline`; it needs wrk, and for the last fastapi. The others compare every
answer with what the run predicts offline. The processor time is that of the server and its workers.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import slmfit

HERE = Path(__file__).resolve()
CLIENTS = 32
WORDS = (
    "the market fell again after oil prices rose team won final game new phone software space launch minister".split()
)

ECHO = """
import json, uvicorn
from slmfit.serving.limits import Limits
from slmfit.serving.receiving import limited
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body = json.loads((await receive())["body"])
    reply = json.dumps({"length": len(body["input"])}).encode()
    head = [(b"content-type", b"application/json"), (b"content-length", str(len(reply)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": reply})
uvicorn.run(app, port=PORT, http=limited(Limits()), ws="none", loop="asyncio", lifespan="off", access_log=False,
            log_level="warning", server_header=False)
"""
PLAIN = """
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from transformers import pipeline
classify = pipeline("text-classification", model=FOLDER, truncation=True)
class Ask(BaseModel):
    input: str
class Answer(BaseModel):
    label: str
    score: float
app = FastAPI()
@app.post("/v1/classify")
def answer(ask: Ask) -> Answer:
    return Answer(**classify(ask.input)[0])
uvicorn.run(app, port=PORT, log_level="warning", access_log=False)
"""


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started(command: list[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A server in a process of its own, once it answers."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            while not answers(port):
                if process.poll() is not None:
                    sys.exit(f"it ended before it answered: {command}")
                time.sleep(0.2)
            yield process
        finally:
            process.terminate()
            process.wait()


def answers(port: int) -> bool:
    import socket

    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def family(process: int) -> list[int]:
    """A process and its children."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [process, *map(int, children)]


def processor_seconds(process: int) -> float:
    ticks = 0
    for one in family(process):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory(process: int) -> float:
    """MB that a process and its children hold."""
    pages = sum(int(Path(f"/proc/{one}/statm").read_text().split()[1]) for one in family(process))
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def descriptors(process: int) -> int:
    return sum(len(list(Path(f"/proc/{one}/fd").iterdir())) for one in family(process))


def wrk(port: int, text: str, seconds: int, route: str = "classify") -> tuple[int, float, int]:
    """Requests answered with 200, milliseconds of the 99th percentile, and how many were not answered so."""
    script = f"wrk.method = 'POST'\nwrk.body = [==[{json.dumps({'input': text})}]==]\n"
    script += "wrk.headers['Content-Type'] = 'application/json'\n"
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        command = ["wrk", "-t1", f"-c{CLIENTS}", f"-d{seconds}s", "--timeout", "30s", "--latency", "-s", file.name]
        said = subprocess.run(
            [*command, f"http://127.0.0.1:{port}/v1/{route}"], capture_output=True, text=True, check=True
        ).stdout
    (count,) = re.findall(r"(\d+) requests in", said)
    (late, unit) = re.findall(r"99%\s+([\d.]+)(us|ms|s)", said)[0]
    bad = sum(map(int, re.findall(r"Non-2xx or 3xx responses: (\d+)", said)))
    return int(count) - bad, float(late) * {"us": 0.001, "ms": 1, "s": 1000}[unit], bad


def serve(run: str, port: int) -> list[str]:
    return [sys.executable, "-m", "slmfit", "serve", run, "--port", str(port)]


def load(given: argparse.Namespace) -> None:
    ports = {name: free_port() for name in ("echo", "slmfit", "plain")}
    commands = {
        "echo": [sys.executable, "-c", f"PORT = {ports['echo']}\n{ECHO}"],
        "slmfit": serve(given.run, ports["slmfit"]),
    }
    if given.pipeline:
        commands["plain"] = [sys.executable, "-c", f"PORT, FOLDER = {ports['plain']}, {given.pipeline!r}\n{PLAIN}"]
    text = " ".join(random.Random(0).choices(WORDS, k=given.words))
    print(f"load average {os.getloadavg()[0]:.2f}; {CLIENTS} clients, {given.words} words", flush=True)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for turn in range(given.rounds):
        for name, command in commands.items():
            with started(command, ports[name]) as process:
                wrk(ports[name], text, 1)
                before = processor_seconds(process.pid)
                good, late, bad = wrk(ports[name], text, given.seconds)
                took = processor_seconds(process.pid) - before
            found[name].append((good / took, late))
            told = f"{good / took:9.0f} requests/s of processor time, p99 {late:8.1f} ms, {bad} refused"
            print(f"  {turn + 1}/{given.rounds} {name:8} {told}", flush=True)
    for name, values in found.items():
        ratios = [a[0] / b[0] for a, b in zip(found["slmfit"], values, strict=True)]
        rate, late = (statistics.median(column) for column in zip(*values, strict=True))
        print(f"{name:8} {rate:9.0f} requests/s, p99 {late:8.1f} ms; slmfit is {statistics.median(ratios):.3f}x")


class Clients:
    """Clients that each hold a connection and ask text after text; every answer is compared."""

    def __init__(self, port: int, run: str) -> None:
        random_ = random.Random(1)
        self.texts = [" ".join(random_.choices(WORDS, k=12)) for _ in range(500)]
        self.expected = [answer.target for answer in slmfit.load(run).predict(self.texts)]
        self.port, self.ends, self.over = port, Counter[str](), False

    async def one(self, seed: int, limit: int = 1 << 60) -> None:
        random_ = random.Random(seed)
        while not self.over and limit > 0:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                if self.over:
                    return
                await asyncio.sleep(0.01)
                continue
            try:
                while limit > 0:
                    limit -= 1
                    if not await self.ask(reader, writer, random_.randrange(len(self.texts))) or self.over:
                        break
            finally:
                writer.close()

    async def ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, place: int) -> bool:
        """Whether the connection may be used again."""
        body = json.dumps({"input": self.texts[place]}).encode()
        head = "POST /v1/classify HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        try:
            writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
            top = await reader.readuntil(b"\r\n\r\n")
            length = int(re.search(rb"content-length: (\d+)", top)[1])
            reply = json.loads(await reader.readexactly(length))
        except asyncio.IncompleteReadError as error:
            self.ends["cut off in the answer" if error.partial else "closed without an answer"] += 1
            return False
        except OSError:
            self.ends["closed without an answer"] += 1
            return False
        status = int(top[9:12])
        if status != 200:
            self.ends[f"status {status}"] += 1
        else:
            right = reply["data"][0]["label"] == self.expected[place]
            self.ends["right" if right else "WRONG"] += 1
        return b"connection: close" not in top


async def worked(clients: Clients, act: object) -> None:
    tasks = [asyncio.create_task(clients.one(seed)) for seed in range(CLIENTS)]
    await act()  # type: ignore[operator]
    clients.over = True
    await asyncio.gather(*tasks)


def drains(given: argparse.Namespace) -> None:
    total: Counter[str] = Counter()
    for turn in range(given.times):
        total += drained(given.run, turn)
        print(f"  {turn + 1}/{given.times}: {dict(total)}", flush=True)
    print(f"{given.times} drains under load: {dict(total)}")


def drained(run: str, turn: int) -> Counter[str]:
    port = free_port()
    with started(serve(run, port), port) as process:
        clients = Clients(port, run)

        async def act() -> None:
            await asyncio.sleep(1 + random.Random(turn).random())
            process.send_signal(signal.SIGTERM)
            while process.poll() is None:
                await asyncio.sleep(0.05)

        asyncio.run(worked(clients, act))
        clients.ends[f"exit code {process.returncode}"] += 1
    return clients.ends


def kills(given: argparse.Namespace) -> None:
    port = free_port()
    with started(serve(given.run, port), port) as process:
        clients = Clients(port, given.run)

        async def act() -> None:
            random_, done, last = random.Random(3), 0, 0
            while done < given.times:
                await asyncio.sleep(0.2 + 0.3 * random_.random())
                worker = family(process.pid)[1:]
                if clients.ends["right"] > last and worker:  # it answers again
                    last = clients.ends["right"]
                    os.kill(worker[0], signal.SIGKILL)
                    done += 1
                    if done % 5 == 0:
                        print(f"  {done}/{given.times}: {dict(clients.ends)}", flush=True)
            await asyncio.sleep(2)

        asyncio.run(worked(clients, act))
    print(f"{given.times} kills of the worker under load: {dict(clients.ends)}")


def flat(given: argparse.Namespace) -> None:
    port = free_port()
    with started(serve(given.run, port), port) as process:
        clients = Clients(port, given.run)

        async def asked(many: int) -> None:
            share = many // CLIENTS
            await asyncio.gather(*(clients.one(seed, share) for seed in range(CLIENTS)))

        asyncio.run(asked(given.requests // 10))
        before, open_ = memory(process.pid), descriptors(process.pid)
        for _ in range(9):
            asyncio.run(asked(given.requests // 10))
            print(f"  {sum(clients.ends.values()):9,} requests, {memory(process.pid):.1f} MB", flush=True)
        time.sleep(1)
        after, left = memory(process.pid), descriptors(process.pid)
    print(f"{sum(clients.ends.values()):,} requests: {dict(clients.ends)}")
    print(f"memory {before:.1f} MB after a tenth, {after:.1f} MB at the end; descriptors {open_}, {left}")


def overload(given: argparse.Namespace) -> None:
    """Requests that come by chance, whether or not others were answered: as many as it can answer; ten times that."""
    port, text = free_port(), " ".join(random.Random(0).choices(WORDS, k=given.words))
    with started(serve(given.run, port), port) as process:
        wrk(port, text, 2)
        good, late, _ = wrk(port, text, given.seconds)
        rate = good / given.seconds
        print(
            f"load average {os.getloadavg()[0]:.2f}; {CLIENTS} clients: {rate:.0f} answers/s, p99 {late:.0f} ms",
            flush=True,
        )
        slowest = []
        for times in (1, 10):
            found = asyncio.run(Crowd(port, text).come(rate * times, given.seconds))
            admitted = sorted(found.pop(200))
            slowest.append(admitted[int(0.99 * len(admitted))])
            others = {status: len(took) for status, took in sorted(found.items())}
            print(
                f"{times:2}x: {len(admitted) / given.seconds:.0f} answers/s, p50 {statistics.median(admitted):.0f} ms, "
                f"p99 {slowest[-1]:.0f} ms; other statuses {others}; {memory(process.pid):.0f} MB",
                flush=True,
            )
        ratios = f"{slowest[1] / slowest[0]:.2f}x that at its capacity, {slowest[1] / late:.2f}x wrk's"
        print(f"p99 of what was let in: {ratios}")


class Crowd:
    """Requests at random times of a given rate; milliseconds to the answer by status, 0 where the connection broke."""

    def __init__(self, port: int, text: str) -> None:
        body = json.dumps({"input": text}).encode()
        head = "POST /v1/classify HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        self.request = f"{head}content-length: {len(body)}\r\n\r\n".encode() + body
        self.port, self.free = port, list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]()
        self.found: dict[int, list[float]] = {200: []}

    async def come(self, rate: float, seconds: float) -> dict[int, list[float]]:
        random_, tasks, begin, due = random.Random(2), [], time.perf_counter(), 0.0
        while (due := due + random_.expovariate(rate)) < seconds:
            if (ahead := begin + due - time.perf_counter()) > 0:
                await asyncio.sleep(ahead)
            tasks.append(asyncio.create_task(self.one()))
        came = len(tasks) / (time.perf_counter() - begin)
        await asyncio.gather(*tasks)
        print(f"    {came:.0f} requests/s were sent, over {len(self.free)} connections", flush=True)
        for _, writer in self.free:
            writer.close()
        return self.found

    async def one(self) -> None:
        begin, status = time.perf_counter(), 0
        try:
            while self.free and self.free[-1][0].at_eof():  # the server lets go of those that were idle for long
                self.free.pop()[1].close()
            reader, writer = self.free.pop() if self.free else await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(self.request)
            top = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(re.search(rb"content-length: (\d+)", top)[1]))
            status = int(top[9:12])
            if b"connection: close" in top:
                writer.close()
            else:
                self.free.append((reader, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass
        self.found.setdefault(status, []).append(1000 * (time.perf_counter() - begin))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("load", "drains", "kills", "memory", "overload"))
    parser.add_argument("run")
    parser.add_argument("--pipeline")
    parser.add_argument("--words", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--times", type=int)
    parser.add_argument("--requests", type=int, default=100_000)
    given = parser.parse_args()
    given.times = given.times or {"drains": 20, "kills": 100}.get(given.what)
    {"load": load, "drains": drains, "kills": kills, "memory": flat, "overload": overload}[given.what](given)


if __name__ == "__main__":
    main()
