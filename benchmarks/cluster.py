"""How much quicker two nodes of one core are than one, on this machine: fitting a comparison, and answering many rows.

    SLMFIT_DATA=... python benchmarks/cluster.py fit predict --rounds 3

Ray's cluster utility starts the nodes (extra `cluster`); the clock runs from joining the cluster to the last run or
row, one node and two in turns. A machine of two cores must be idle: its load is printed before each.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from ray_nodes import ENVIRONMENT, Nodes

os.environ |= ENVIRONMENT

from common import ag_news, base_model

import slmfit
from slmfit.cluster.fitting import fit_on
from slmfit.cluster.predicting import answer_on
from slmfit.comparison.asked import Asked
from slmfit.data.dataset import Dataset
from slmfit.runs.part_files import predict_files


def cut(data: Dataset, rows: int) -> Dataset:
    """So many rows of all: 60 % train, 20 % validation, 20 % test."""
    shares = {"train": 0.6, "validation": 0.2, "test": 0.2}
    return replace(data, splits={k: tuple(data.splits[k][: round(rows * share)]) for k, share in shares.items()})


def fit(address: str, work: Path, given: argparse.Namespace) -> float:
    methods = f"majority,linear,knn,encoder={base_model()}"
    settings: dict[str, dict[str, Any]] = {"encoder": {"epochs": given.epochs, "device": "cpu"}}
    asked = Asked.of(cut(ag_news(), given.fitted), methods, seeds=3, settings=settings, out=work / "compared")
    began = time.monotonic()
    came = fit_on(address, asked)
    took = time.monotonic() - began
    assert len(came) == 6, came
    return took


def predict(address: str, work: Path, given: argparse.Namespace) -> float:
    run = slmfit.load(given.run)
    began = time.monotonic()
    predict_files(run, f"{given.rows_in}/*.csv", work / "answered", elsewhere=partial(answer_on, address))
    return time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", nargs="+", choices=["fit", "predict"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--fitted", type=int, default=2000, help="rows of the comparison")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--run", help="what answers")
    parser.add_argument("--rows-in", help="the folder of files that it answers")
    given = parser.parse_args()
    for name in given.what:
        took: dict[int, list[float]] = {1: [], 2: []}
        for turn in range(given.rounds):
            for count in (1, 2) if turn % 2 == 0 else (2, 1):
                with tempfile.TemporaryDirectory() as work, Nodes(count) as cluster:
                    load = os.getloadavg()[0]
                    took[count].append({"fit": fit, "predict": predict}[name](cluster.address, Path(work), given))
                    print(f"{name}, {count} nodes: {took[count][-1]:.1f} s (load before {load:.1f})", flush=True)
        one, two = (statistics.median(took[count]) for count in (1, 2))
        print(f"{name}: {one:.1f} s by one node, {two:.1f} by two: {one / two:.2f}x", flush=True)


if __name__ == "__main__":
    main()
