"""A million rows through `slmfit predict --output FOLDER`: speed, memory over time, and whether all are there in order.

    SLMFIT_DATA=... python benchmarks/many_rows.py RUN work --rows 1000000 --processes 2
    SLMFIT_DATA=... python benchmarks/many_rows.py RUN work --rows 20000 --each 1000 --nodes 2 --kill node,worker,driver

The rows are AG News', each with a number; memory is that of the command and the processes that it started, seen twice a
second. --nodes answers on a Ray cluster of so many nodes of one core, by its own utility (extra `cluster`); --kill ends
one of its nodes, a process that answers, or the command by SIGKILL, at random moments, and starts it again. The hash
of all parts tells whether two ways gave the same.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import os
import random
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import time
from contextlib import nullcontext
from itertools import cycle, islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from common import ag_news

from ray_nodes import ALONE, ENVIRONMENT, Nodes


def made(folder: Path, rows: int, each: int) -> int:
    """Files of so many rows; returns their size."""
    folder.mkdir(parents=True)
    texts = cycle([str(example.input) for example in ag_news().splits["train"]])
    for first in range(0, rows, each):
        with (folder / f"{first:012}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["number", "text"])
            writer.writerows(enumerate(islice(texts, min(each, rows - first)), first))
    return sum(path.stat().st_size for path in folder.iterdir())


def memory_of(number: int) -> int:
    """Bytes in memory of a process and those that it started."""
    total = 0
    for pid in [str(number), *Path(f"/proc/{number}/task/{number}/children").read_text().split()]:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1]) * 1024
    return total


def answered(command: list[str], parts: Path, cluster: Nodes | None, kills: list[str], count: int) -> float:
    """The seconds of the command, whatever is killed on the way; what it took is printed. count: of the parts."""
    began, seen, first = time.monotonic(), list[int](), None
    moments = sorted(random.Random(0).sample(range(count), len(kills)))  # how many parts are there when one is killed
    environment = os.environ | (ENVIRONMENT if cluster else ALONE)
    child = subprocess.Popen(command, env=environment)
    while child.poll() is None:
        time.sleep(0.5)
        try:
            seen.append(memory_of(child.pid))
        except OSError:
            continue
        done = len(list(parts.glob("part-*")))
        if first is None and done:
            first = time.monotonic() - began
        workers = cluster.workers("answer_here") if cluster else []
        if moments and done >= moments[0] and workers:
            print(f"{done} parts are there: a {kills[0]} is killed", flush=True)
            moments.pop(0)
            if kills[0] == "node" and cluster:
                cluster.kill()
                cluster.add()
            elif kills[0] == "worker":
                os.kill(random.choice(workers), signal.SIGKILL)
            else:
                child.kill()
                child.wait()
                child = subprocess.Popen(command, env=environment)
            kills = kills[1:]
    assert child.returncode == 0 and not kills, kills
    took, used = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    quarters = [seen[n * len(seen) // 4 : (n + 1) * len(seen) // 4] for n in range(4)]
    said = ", ".join(f"{statistics.median(q) / 1e6:.0f}" for q in quarters)
    print(f"{took:.0f} s ({first or 0:.0f} s of them before the first part)")
    if not cluster:  # whose processes are not this one's
        print(f"{used.ru_utime + used.ru_stime:.0f} s of processor")
    print(f"memory: at most {max(seen) / 1e6:.0f} MB, median of each quarter {said} MB")
    return took


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("run")
    parser.add_argument("work", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--each", type=int, default=100_000)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--nodes", type=int, default=0)
    parser.add_argument("--kill", default="", help="node, worker, driver: what is killed, in this order")
    given = parser.parse_args()
    if not (given.work / "new").is_dir():
        print(f"{given.rows:,} rows, {made(given.work / 'new', given.rows, given.each) / 1e6:.0f} MB", flush=True)
    parts = given.work / "answered"
    shutil.rmtree(parts, ignore_errors=True)
    command = [sys.executable, "-m", "slmfit", "predict", given.run]
    command += ["--input", f"{given.work}/new/*.csv", "--output", str(parts)]
    with Nodes(given.nodes) if given.nodes else nullcontext() as cluster:
        command += ["--cluster", cluster.address] if cluster else ["--processes", str(given.processes)]
        count = len(list((given.work / "new").iterdir())) * -(-given.each // 10_000)
        took = answered(command, parts, cluster, given.kill.split(",") if given.kill else [], count)
    print(f"{given.rows / took:,.0f} rows/s")
    expected, columns, whole = 0, set[tuple[str, ...]](), hashlib.sha256()
    texts = [str(example.input) for example in ag_news().splits["train"]]
    for path in sorted(parts.glob("part-*")):
        whole.update(path.read_bytes())
        with path.open(newline="", encoding="utf-8") as file:
            for row in (reader := csv.DictReader(file)):
                assert int(row["number"]) == expected and row["prediction"], (path, row)
                assert row["text"] == texts[expected % len(texts)], (path, row)
                expected += 1
            columns.add(tuple(reader.fieldnames or ()))
    print(f"{expected:,} rows in order, none lost or doubled" if expected == given.rows else f"{expected:,} ROWS ONLY")
    print(f"columns {sorted(columns)}; sha256 {whole.hexdigest()}")


if __name__ == "__main__":
    main()
