"""What predicting takes, measured the same way for every method: a fresh process that loads the model and predicts.

    measure(run / "model", inputs)   ->   Cost(latency_ms={"p50": 0.2, "p95": 0.3}, rows_per_second=41000.0, …)

A process of its own, because memory and the cold start of what has just been fitted say nothing about serving it.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slmfit import methods
from slmfit.environment import isolated, without_here
from slmfit.errors import SlmfitError
from slmfit.records import Example, Input, Prediction
from slmfit.tasks.base import Task

SINGLES = 300  # texts asked one by one, at most
SECONDS = 2.0  # and for about as long as this
BATCH = 2000  # texts asked together, at most


@dataclass(frozen=True)
class Cost:
    """load_seconds: from starting Python to the first answer. peak_memory_bytes: of the whole process.

    None = unknown, or not applicable to a method that asks a server.
    """

    load_seconds: float | None
    latency_ms: dict[str, float] | None
    rows_per_second: float | None
    peak_memory_bytes: int | None


def measure(model: Path, task: Task, inputs: Sequence[Input], named: str = "") -> Cost:
    """Load the model in a fresh process, ask it texts one by one and then together.

    named: the method, where it is another's that the caller named: that process finds it as this one did.
    Raises SlmfitError with the process's last words when it fails.
    """
    lines = "".join(json.dumps(task.unparse(Example("", i))) + "\n" for i in _spread(inputs, BATCH))
    command = [*isolated("slmfit.runs.measuring"), str(model), repr(time.monotonic())]
    stranger = bool(named) and named not in methods.TABLE  # of another's package, found where this process found it
    command += [str(named)] if stranger else []
    places = sys.path if stranger else None
    done = subprocess.run(
        command,
        input=lines,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        env=without_here(places),
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise SlmfitError(f"predicting in a fresh process failed: {last}", where=str(model))
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


def of_answers(answers: Sequence[Prediction]) -> Cost:
    """What the answers of a server took: each says how long it was under way."""
    times = [1000 * a.usage.seconds for a in answers if a.usage and a.usage.seconds is not None]
    return Cost(None, _latency(times) if times else None, None, None)


def peak_memory_bytes() -> int | None:
    """The most memory this process has held since `forget_peak`, or since it began; None where no one knows."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def forget_peak() -> None:
    """Start the peak anew, where the system can (Linux)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _spread(inputs: Sequence[Input], n: int) -> list[Input]:
    """At most n of them, evenly spread."""
    step = max(1, -(-len(inputs) // n))
    return list(inputs[::step])


def _measure_here(model: Path, rows: list[dict[str, Any]], started: float) -> Cost:
    from slmfit.errors import Where
    from slmfit.methods.saved import load_model

    task, _, method = load_model(model)
    inputs = [task.parse(row, Where("standard input", n), str(n)).input for n, row in enumerate(rows)]
    method.predict(inputs[:1])
    load_seconds = time.monotonic() - started  # a clock of the whole machine, which nobody sets
    for text in inputs[:5]:
        method.predict([text])
    times: list[float] = []
    until = time.perf_counter() + SECONDS
    for text in _spread(inputs, SINGLES):
        begin = time.perf_counter()
        method.predict([text])
        times.append(1000 * (time.perf_counter() - begin))
        if time.perf_counter() > until:
            break
    # A first batch warms up what only batches need, and tells how many fit in the time.
    begin = time.perf_counter()
    method.predict(inputs[:64])
    fitting = int(64 * 2 * SECONDS / max(1e-9, time.perf_counter() - begin))
    batch = inputs[: max(64, fitting)]
    begin = time.perf_counter()
    method.predict(batch)
    seconds = time.perf_counter() - begin
    return Cost(load_seconds, _latency(times), len(batch) / max(1e-9, seconds), peak_memory_bytes())


def _latency(times: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile."""
    ordered = sorted(times)
    return {"p50": statistics.median(ordered), "p95": ordered[int(0.95 * (len(ordered) - 1))]}


if __name__ == "__main__":
    for name in sys.argv[3:]:
        methods.method_class(name)
    lines = sys.stdin.buffer.read().decode("utf-8").splitlines()
    cost = _measure_here(Path(sys.argv[1]), [json.loads(line) for line in lines], float(sys.argv[2]))
    print(json.dumps(cost.__dict__))
