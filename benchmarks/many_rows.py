"""A million rows through `slmfit predict --output FOLDER`: speed, memory over time, and whether all are there in order.

    SLMFIT_DATA=... python benchmarks/many_rows.py RUN work --rows 1000000 --processes 2

The rows are AG News', each with a number; memory is that of all processes together, seen twice a second.
"""

from __future__ import annotations

import argparse
import csv
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from itertools import cycle, islice
from pathlib import Path

from common import ag_news


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


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("run")
    parser.add_argument("work", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--each", type=int, default=100_000)
    parser.add_argument("--processes", type=int, default=1)
    given = parser.parse_args()
    if not (given.work / "new").is_dir():
        print(f"{given.rows:,} rows, {made(given.work / 'new', given.rows, given.each) / 1e6:.0f} MB", flush=True)
    shutil.rmtree(given.work / "answered", ignore_errors=True)
    command = [sys.executable, "-m", "slmfit", "predict", given.run, "--processes", str(given.processes)]
    command += ["--input", f"{given.work}/new/*.csv", "--output", str(given.work / "answered")]
    began, seen = time.monotonic(), list[int]()
    child = subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"})
    first = None
    while child.poll() is None:
        time.sleep(0.5)
        try:
            seen.append(memory_of(child.pid))
        except OSError:
            continue
        if first is None and any((given.work / "answered").glob("part-*")):
            first = time.monotonic() - began
    took = time.monotonic() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = used.ru_utime + used.ru_stime
    quarters = [seen[n * len(seen) // 4 : (n + 1) * len(seen) // 4] for n in range(4)]
    said = ", ".join(f"{statistics.median(q) / 1e6:.0f}" for q in quarters)
    print(f"{took:.0f} s ({first:.0f} s of them before the first part), {processor:.0f} s of processor")
    print(f"{given.rows / took:,.0f} rows/s, {given.rows / processor:,.0f} a second of processor")
    print(f"memory: at most {max(seen) / 1e6:.0f} MB, median of each quarter {said} MB")
    expected = 0
    for path in sorted((given.work / "answered").glob("part-*")):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                assert int(row["number"]) == expected and row["prediction"], (path, row)
                expected += 1
    print(f"{expected:,} rows in order, none lost or doubled" if expected == given.rows else f"{expected:,} ROWS ONLY")


if __name__ == "__main__":
    main()
