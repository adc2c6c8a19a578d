"""What predicting takes, measured the same way for every method: a fresh process that loads the model and predicts.

    measure(run / "model", inputs)   ->   Cost(latency_ms={"p50": 0.2, "p95": 0.3}, rows_per_second=41000.0, …)

A process of its own, because memory and the cold start of what has just been fitted say nothing about serving it.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from slmfit import methods
from slmfit.environment import isolated, without_here
from slmfit.errors import SlmfitError
from slmfit.methods.base import Method
from slmfit.records import LEFT_OUT, Example, Input, Prediction, Usage
from slmfit.tasks.base import Task

SINGLES = 300  # texts asked one by one, at most
SECONDS = 2.0  # and for about as long as this
LEAST = 0.2  # or this, where a budget is short
BATCH = 2000  # texts asked together, at most
QUIET = 0.67  # of the wall time this process has a processor; with less of it other work ran
TRIES = 3  # where other work ran
USUAL_SECONDS = 10.0  # that all of it takes on a machine that is quick
LIMITED = 4  # times SECONDS, for all tries of either kind under a budget
SHORT = 0.005  # seconds in which the clock of processor time may not tick


longest = 0.0  # seconds until the first answer that were seen in this process, at most


@dataclass(frozen=True)
class Cost:
    """load_seconds: from starting Python to the first answer. peak_memory_bytes: of the whole process.

    measured: how sure the times are: the machine's `load_average` before, how many `tries` there were, the share of the
    wall time that the process had a `processor` in the best of them (above 1 with several threads), and whether that
    is so little that the machine was `busy` with other work. None = unknown, or not applicable to a method that asks a
    server.
    """

    load_seconds: float | None
    latency_ms: dict[str, float] | None
    rows_per_second: float | None
    peak_memory_bytes: int | None
    measured: Mapping[str, Any] = field(default_factory=lambda: LEFT_OUT)


def measure(
    model: Path, task: Task, inputs: Sequence[Input], named: Sequence[str] = (), seconds: float | None = None
) -> Cost:
    """Load the model in a fresh process, ask it texts one by one and then together.

    seconds: what there is time for; where it is short, fewer texts are asked, and once. None = no limit.
    named: the method and what it is made of; another's that the caller named that process finds as this one did.
    Raises SlmfitError with the process's last words when it fails.
    """
    lines = "".join(json.dumps(task.unparse(Example("", i))) + "\n" for i in _spread(inputs, BATCH))
    began = time.monotonic()
    ends = math.inf if seconds is None else began + seconds
    command = [*isolated("slmfit.runs.measuring"), str(model), repr(began), repr(ends)]
    global longest
    strangers = [name for name in named if name not in methods.TABLE]  # of packages, found where this process found it
    command += strangers
    places = sys.path if strangers else None
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
    cost = Cost(**json.loads(done.stdout.splitlines()[-1]))
    longest = max(longest, cost.load_seconds or 0.0)
    return cost


def expected_seconds() -> float:
    """How long measuring a model under a budget will take, by what it took to load those before."""
    return max(USUAL_SECONDS, longest + LIMITED * SECONDS)


def of_answers(answers: Sequence[Prediction]) -> Cost:
    """What the answers of a server took: each says how long it was under way.

    Those that were under way alone say it best: several at once wait for each other. Of a method of several parts,
    those of each part stand for all of its answers.
    """
    by = dict.fromkeys(a.by for a in answers)
    groups = [[a.usage for a in answers if a.by == part and a.usage and a.usage.seconds is not None] for part in by]
    times = [time for used in groups for time in _times(used, len(used) if len(groups) > 1 else None)]
    return Cost(None, _latency(times) if times else None, None, None)


def _times(used: Sequence[Usage], count: int | None) -> list[float]:
    """Milliseconds of those that were under way alone, or of all where none was; so many of them as `count` says."""
    times = sorted(1000 * (usage.seconds or 0.0) for usage in [u for u in used if u.alone] or used)
    return times if count is None else [times[i * len(times) // count] for i in range(count)]


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


def _measure_here(model: Path, rows: list[dict[str, Any]], started: float, ends: float) -> Cost:
    from slmfit.errors import Where
    from slmfit.methods.saved import load_model

    task, _, method = load_model(model)
    inputs = [task.parse(row, Where("standard input", n), str(n)).input for n, row in enumerate(rows)]
    method.predict(inputs[:1])
    load_seconds = time.monotonic() - started  # a clock of the whole machine, which nobody sets
    for text in inputs[:5]:
        method.predict([text])
    load_average = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    if ends < math.inf:  # a budget: trying again until it is quiet would take what is left to other methods
        ends = min(ends, time.monotonic() + LIMITED * SECONDS)
    time_left = ends - time.monotonic()  # of it half for either kind, and for one more try
    seconds = min(SECONDS, max(LEAST, time_left / 4))
    singles = _quietest(lambda: _one_by_one(method, _spread(inputs, SINGLES), seconds), time_left / 2)
    # A first batch warms up what only batches need, and tells how many fit in the time.
    begin, few = time.perf_counter(), 64 if seconds == SECONDS else 16
    method.predict(inputs[:few])
    fitting = int(few * 2 * seconds / max(1e-9, time.perf_counter() - begin))
    batch = inputs[: max(few, fitting)]
    together = _quietest(lambda: _together(method, batch), ends - time.monotonic())
    elsewhere = _on_a_gpu()  # while that works, the process waits
    processor = None if elsewhere else round(min(singles.processor, together.processor), 3)
    measured = {
        "load_average": load_average,
        "tries": singles.tries + together.tries,
        "processor": processor,
        "busy": None if processor is None else processor < QUIET,
    }
    speed = len(batch) / max(1e-9, together.times[0] / 1000)
    return Cost(load_seconds, _latency(singles.times), speed, peak_memory_bytes(), measured)


@dataclass(frozen=True)
class _Try:
    """Milliseconds of each answer, and of all wall time the share in which this process had a processor."""

    times: list[float]
    processor: float
    tries: int = 1


def _quietest(measure: Callable[[], _Try], seconds: float = math.inf) -> _Try:
    """Measured once, and again where other work ran meanwhile and there is time; of several the least disturbed."""
    began = time.monotonic()
    tried = [measure()]
    while tried[-1].processor < QUIET and len(tried) < TRIES and not _on_a_gpu():
        if time.monotonic() - began > seconds * len(tried) / (len(tried) + 1):
            break
        tried.append(measure())
    return replace(max(tried, key=lambda one: one.processor), tries=len(tried))


def _one_by_one(method: Method, inputs: Sequence[Input], seconds: float = SECONDS) -> _Try:
    times: list[float] = []
    started, worked = time.perf_counter(), time.process_time()
    for text in inputs:
        begin = time.perf_counter()
        method.predict([text])
        times.append(1000 * (time.perf_counter() - begin))
        if time.perf_counter() > started + seconds:
            break
    return _Try(times, _share(time.process_time() - worked, time.perf_counter() - started))


def _together(method: Method, inputs: Sequence[Input]) -> _Try:
    started, worked = time.perf_counter(), time.process_time()
    method.predict(inputs)
    seconds = time.perf_counter() - started
    return _Try([1000 * seconds], _share(time.process_time() - worked, seconds))


def _share(worked: float, seconds: float) -> float:
    """What is too short for the clock of processor time counts as undisturbed."""
    return worked / seconds if seconds > SHORT else 1.0


def _on_a_gpu() -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and bool(torch.cuda.is_initialized() or torch.backends.mps.is_available())


def _latency(times: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile."""
    ordered = sorted(times)
    return {"p50": statistics.median(ordered), "p95": ordered[int(0.95 * (len(ordered) - 1))]}


if __name__ == "__main__":
    for name in sys.argv[4:]:
        methods.method_class(name)
    lines = sys.stdin.buffer.read().decode("utf-8").splitlines()
    cost = _measure_here(Path(sys.argv[1]), [json.loads(line) for line in lines], *map(float, sys.argv[2:4]))
    print(json.dumps(cost.__dict__))
