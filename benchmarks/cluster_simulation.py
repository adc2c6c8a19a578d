"""What 64 nodes would take, by events: fits and nodes that fail, runs that come back, rows that one process reads.

    python benchmarks/cluster_simulation.py

Runs: 100 methods with 10 seeds on 120,000 rows, encoders of half to five times MiniLM's size, a core each. Rows: a
billion, by `linear` and by MiniLM. What was measured is from one core of the machine in benchmarks/README.md.
"""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass
from statistics import fmean

HOUR, GB = 3600.0, 1e9

# Measured, on one core: MiniLM, seconds a row.
ANSWER, STEP = 0.0140, 0.034  # answered; learnt from, once
RUN_BYTES, PUBLISH = 92e6, 0.65  # of a run; seconds of the command's machine to read, hash and write it
MEASURED_ROWS, MEASURE = 2000, 10.0  # answered when a run is measured again; seconds besides
LINEAR = 92e-6  # seconds of a node for a row that `linear` answers: read, answered, written
READ = 32e-6  # seconds of the command's one process for a row: read twice, packed
ROW_BYTES, ANSWER_BYTES = 258.0, 259.0  # a row that is sent; one that comes back
DATA_BYTES, PREDICTION_BYTES = 274.0, 199.0  # a row of the data, as it travels; one of predictions.jsonl

# Assumed.
NODES, CORES = 64, 16
NET = 1.25 * GB  # bytes a second of the command's machine
CORE_HOUR = 0.04  # USD
BACK = 600.0  # seconds until a node that failed is replaced
ROWS, EPOCHS, TRAIN, SCORED = 120_000, 3, 0.6, 1.6  # shares: learnt from; answered, validation after each epoch, too
TRIES = 4
WORLDS = 30
PART = 10_000


@dataclass
class Task:
    seconds: float
    size: float  # times MiniLM
    tries: int = 0


def comparison(fails_every: float, rng: random.Random) -> dict[str, float]:
    """The runs of a comparison. fails_every: hours of a node, on average."""
    tasks = []
    for _ in range(100):
        size = 0.5 * 10 ** rng.uniform(0, 1)
        seconds = size * ROWS * (TRAIN * EPOCHS * STEP + SCORED * ANSWER)
        tasks += [Task(seconds * rng.uniform(0.9, 1.1), size) for _ in range(10)]
    queue = list(tasks)
    free = [(0.0, node) for node in range(NODES) for _ in range(CORES)]  # when which core is free
    heapq.heapify(free)
    failing = [rng.expovariate(1 / (fails_every * HOUR)) for _ in range(NODES)]
    lost, wasted, ended = 0, 0.0, list[tuple[float, Task]]()
    again: list[tuple[float, int, Task]] = []  # those whose node failed: when, and which
    while queue or again:
        at, node = heapq.heappop(free)
        while again and (again[0][0] <= at or not queue):
            when, _, task = heapq.heappop(again)
            queue.append(task)
            at = max(at, when)
        task = queue.pop(0)
        while failing[node] <= at:
            at = max(at, failing[node] + BACK)
            failing[node] += BACK + rng.expovariate(1 / (fails_every * HOUR))
        if at + task.seconds <= failing[node]:
            ended.append((at + task.seconds, task))
            heapq.heappush(free, (at + task.seconds, node))
            continue
        died = failing[node]
        wasted += died - at
        task.tries += 1
        lost += task.tries == TRIES
        if task.tries < TRIES:
            heapq.heappush(again, (died, id(task), task))
        heapq.heappush(free, (died + BACK, node))
    clock = 0.0
    for when, task in sorted(ended, key=lambda one: one[0]):  # the command takes one run after the other
        clock = max(clock, when) + task.size * (RUN_BYTES / NET + PUBLISH)
    measuring = sum(task.size * MEASURED_ROWS * ANSWER + MEASURE for _, task in ended)
    return {
        "core hours": sum(task.seconds for _, task in ended) / HOUR,
        "wasted": wasted / HOUR,
        "given up": lost,
        "last run": max(when for when, _ in ended) / HOUR,
        "published": clock / HOUR,
        "measured again": (clock + measuring) / HOUR,
        "GB there": NODES * ROWS * DATA_BYTES / GB,
        "GB back": sum(task.size * RUN_BYTES + 0.4 * ROWS * PREDICTION_BYTES for _, task in ended) / GB,
        "USD": NODES * CORES * CORE_HOUR * clock / HOUR,
        "USD with measuring": CORE_HOUR * CORES * (NODES * clock + measuring) / HOUR,
    }


def prediction(seconds: float, commands: int = 1, rows: float = 1e9) -> dict[str, float]:
    """Rows answered, in parts that a command reads one after the other. seconds: of one row, on a core."""
    cores, parts = NODES * CORES // commands, int(rows / commands / PART)
    done, clock = [0.0] * cores, rows / commands * READ / 2  # all rows are read once before the first is answered
    sent = PART * (ROW_BYTES + ANSWER_BYTES)
    for _ in range(parts):
        clock = max(clock + PART * READ / 2, done[0] - 2 * PART * seconds)  # no more than two parts a core are held
        clock += sent / NET
        heapq.heapreplace(done, max(clock, done[0]) + PART * seconds)
    hours = max(done) / HOUR
    return {
        "hours": hours,
        "nodes busy": rows * seconds / HOUR / (NODES * CORES) / hours,
        "GB": rows * (ROW_BYTES + ANSWER_BYTES) / GB,
        "USD": NODES * CORES * CORE_HOUR * hours,
    }


def main() -> None:
    for fails_every in (24, 720):
        found = [comparison(fails_every, random.Random(seed)) for seed in range(WORLDS)]
        mean = {name: fmean(one[name] for one in found) for name in found[0]}
        print(f"1,000 runs, a node fails every {fails_every} hours:", rounded(mean))
    for name, seconds in (("linear", LINEAR), ("MiniLM", ANSWER)):
        for commands in (1, 8):
            print(f"a billion rows by {name}, {commands} commands:", rounded(prediction(seconds, commands)))
        print(f"a billion rows by {name}, a core alone: {1e9 * seconds / HOUR:,.0f} hours")


def rounded(found: dict[str, float]) -> dict[str, float]:
    return {name: float(f"{value:.3g}") for name, value in found.items()}


if __name__ == "__main__":
    main()
