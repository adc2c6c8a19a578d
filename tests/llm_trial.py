"""Asks a scripted server that fails often, in a process that is killed again and again; counts what went wrong.

    trial = Trial(folder, calls=2000, kills=5, faults=0.3)
    trial.run()
    trial.report()["asked_again"]      # 0

benchmarks/llm.py runs the same with 100,000 calls and 200 kills.
"""

import json
import random
import resource
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from pathlib import Path

from slmfit.errors import BudgetReached
from slmfit.llm import Ask, Client, Limits, Patience, Prices, Server
from slmfit.records import OUTCOMES
from slmfit.testing import PRICES

LABELS = ("sports", "world", "business")
SCHEMA = {
    "type": "object",
    "properties": {"label": {"type": "string", "enum": list(LABELS)}},
    "required": ["label"],
    "additionalProperties": False,
}
SYSTEM = {"role": "system", "content": "Classify the text."}
QUICK = Patience(seconds=1.0, attempts=10, base_seconds=0.02, wait_seconds=0.05)
DONE, OUT_OF_BUDGET = 0, 5


def ask(number):
    """The ask of one row."""
    messages = (SYSTEM, {"role": "user", "content": f"[row {number}] a text of some length, about this and that"})
    return Ask(str(number), messages, schema=SCHEMA, choices=LABELS, max_tokens=32)


class Trial:
    """One ledger, one server, many lives of the client."""

    def __init__(self, folder, calls, kills, faults, usd=None, seed=0):
        self.folder, self.calls, self.kills, self.usd = Path(folder), calls, kills, usd
        self.ledger, self.rng = self.folder / "ledger.jsonl", random.Random(seed)
        command = [sys.executable, "-m", "slmfit.testing", "--faults", str(faults)]
        self.server = subprocess.Popen([*command, "--latency", "0.002"], stdout=subprocess.PIPE, text=True)
        self.url = self.server.stdout.readline().strip()
        self.lives, self.code, self.seconds = [], None, 0.0

    def run(self):
        """Kill as often as was asked for, then let it finish."""
        start = time.perf_counter()
        try:
            for _ in range(self.kills):
                if self._live(self.rng.uniform(0.3, 2.0)) != -signal.SIGKILL:
                    break
            self.code = self._live(None)
            self.stats = self._server("stats")
        finally:
            self.server.kill()
            self.server.communicate()
        self.seconds = time.perf_counter() - start

    def _live(self, seconds):
        """One life of the client; its exit code."""
        command = [sys.executable, __file__, self.url, str(self.ledger), str(self.calls), str(self.usd or "")]
        client = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            out, _ = client.communicate(timeout=seconds)
            self.lives.append(json.loads(out))
        except subprocess.TimeoutExpired:
            client.kill()
            client.communicate()
            self._server("finished", [line["id"] for line in self.lines() if "answer" in line])
        return client.returncode

    def lines(self):
        """The whole lines of the ledger as they are now."""
        data = self.ledger.read_bytes() if self.ledger.exists() else b""
        return [json.loads(line) for line in data[: data.rfind(b"\n") + 1].splitlines()]

    def _server(self, path, value=None):
        data = None if value is None else json.dumps(value).encode()
        with urllib.request.urlopen(f"{self.url.removesuffix('/v1')}/{path}", data) as reply:
            return json.loads(reply.read())

    def report(self):
        """What the trial found; JSON as it stands."""
        counts = Counter(line["id"] for line in self.lines() if "answer" in line)
        outcomes = Counter(line["outcome"] for line in self.lines() if "answer" in line)
        last = self.lives[-1]
        return {
            "rows": self.calls,
            "killed": self.kills + 1 - len(self.lives),
            "lost": self.calls - len(counts) if self.code == DONE else 0,
            "doubled": sum(count > 1 for count in counts.values()),
            "answered_by_last_life": last["answers"],
            "asked_again": self.stats["again"],
            "untyped": sum(count for outcome, count in outcomes.items() if outcome not in OUTCOMES),
            "outcomes": dict(outcomes),
            "requests": self.stats["calls"],
            "kinds_of_fault": len(self.stats["kinds"]) - 1,
            "faults": 1 - self.stats["kinds"]["well"] / self.stats["calls"],
            "billed_usd": self.stats["billed"],
            "overspent_usd": max(0.0, self.stats["billed"] - self.usd) if self.usd else 0.0,
            "redirects_followed": self.stats["elsewhere"],
            "peak_mb": last["memory"],
            "code": self.code,
            "seconds": self.seconds,
        }


def main(url, ledger, calls, usd):
    """One life: ask for all rows; print how many answers came and how the peak of memory grew with them."""
    server = Server(url, "m", key="sk-canary-of-the-trial", prices=Prices(*PRICES, date="2026-11-22", source="trial"))
    client = Client(server, Path(ledger), Limits(usd=float(usd) if usd else None), patience=QUICK)
    seen, count, memory, code = bytearray(int(calls)), 0, [], DONE  # a byte a row: what grows is to be the client
    try:
        for answer in client.answers(ask(number) for number in range(int(calls))):
            assert not seen[int(answer.id)]
            seen[int(answer.id)] = 1
            count += 1
            if count % (int(calls) // 10) == 0:
                memory.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
    except BudgetReached:
        code = OUT_OF_BUDGET
    print(json.dumps({"answers": count, "memory": memory}))
    sys.exit(code)


if __name__ == "__main__":
    main(*sys.argv[1:])
