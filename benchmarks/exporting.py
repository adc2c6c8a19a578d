"""Exports to ONNX beside torch, transformers and sentence-transformers: answers, speed by length, size, cold start.

    SLMFIT_DATA=../shared/data python benchmarks/exporting.py fit OUT [--rows 5000] # MiniLM on AG News, three runs
    python benchmarks/exporting.py answers OUT                 # labels and probabilities on all test rows, by the files
    SLMFIT_DATA=../shared/data python benchmarks/exporting.py speed OUT [--rounds 3]   # OMP_NUM_THREADS=1
    python benchmarks/exporting.py cold OUT --python VENV/bin/python                   # VENV: slmfit[onnx], no torch

`fit` leaves the run in OUT/fitted and its exports in OUT/exact and OUT/int8. Speed is in texts a second of a processor,
and in milliseconds of one for a text alone; the ways take turns, medians. Those of others are given the batch size that
they are quickest at. `cold` starts each with and without torch: from Python's start to the first answer.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from common import ag_news, base_model

import slmfit
from slmfit.data.dataset import Dataset
from slmfit.exporting import export
from slmfit.exporting.record import read_export

LENGTHS = (16, 32, 64, 128)
SIZES = (1, 8, 32, 64)
TEXTS = 96  # of each length
ALONE = 12  # of them one at a time
EXPORTS = ("exact", "int8")
COLD = """
import json, resource, sys
import slmfit
slmfit.load(sys.argv[1]).predict(["my card was charged twice"])
used = resource.getrusage(resource.RUSAGE_SELF)
found = {"seconds": used.ru_utime + used.ru_stime, "mb": used.ru_maxrss / 1024, "torch": "torch" in sys.modules}
print(json.dumps(found))
"""


def fit(out: Path, rows: int, held: int) -> None:
    data = ag_news()
    cut = {**data.splits, "train": data.train[:rows], "validation": data.validation[:held]}
    data = Dataset(data.name, data.task, cut, validation_given=True)
    settings = {"encoder": {"epochs": 1, "max_length": 128}}
    run = slmfit.train(data, f"encoder={base_model()}", settings=settings, out=out / "fitted")
    for name, quantise in zip(EXPORTS, (None, "int8"), strict=True):
        place = export(run, "onnx", out / name, quantise=quantise, data=data, accept=True)
        record = read_export(place)
        print(record.gate.sentence, record.gate.reasons)
        for way, seconds in record.about["seconds_a_row"].items():
            print(f"  {way:40} {1000 * seconds:8.2f} ms a row")


def answers(out: Path) -> None:
    own = by_id(out / "fitted")
    for name in EXPORTS:
        theirs = by_id(out / name)
        same = sum(row["prediction"] == theirs[id]["prediction"] for id, row in own.items())
        gap = max(
            abs(p - theirs[id]["probabilities"][k]) for id, row in own.items() for k, p in row["probabilities"].items()
        )
        scores = slmfit.load(out / name).record.scores["test"]["accuracy"]
        print(f"{name}: {same:,} of {len(own):,} test rows alike, probabilities within {gap:.2g}, accuracy {scores}")


def by_id(folder: Path) -> dict[str, Any]:
    return {row["id"]: row for row in slmfit.load(folder).predictions() if row["split"] == "test"}


def speed(out: Path, rounds: int) -> None:
    run = slmfit.load(out / "fitted")
    backend = run.method.backbone.tokenizer.backend_tokenizer  # type: ignore[attr-defined]
    source = [str(e.input) for e in ag_news().test[:2000]]
    ways = own_ways(out) | others(out / "fitted")
    print(f"{'':28}" + "".join(f"{f'{n} tokens':>22}" for n in LENGTHS) + "   texts / s, ms alone")
    table: dict[str, list[str]] = {name: [] for name in ways}
    for length in LENGTHS:
        texts = [cut for text in source if (cut := cut_to(backend, text, length))][:TEXTS]
        for name, (many, alone) in in_turns(ways, texts, rounds).items():
            table[name].append(f"{many:14.1f} {alone:7.2f}")
    for name, cells in table.items():
        print(f"{name:28}" + "".join(f"{cell:>22}" for cell in cells))


def own_ways(out: Path) -> dict[str, Callable[[Sequence[str]], Any]]:
    return {name: slmfit.load(out / name).predict for name in ("fitted", *EXPORTS)}


def others(folder: Path) -> dict[str, Callable[[Sequence[str]], Any]]:
    """transformers' pipeline on the run's own model, and sentence-transformers' encode on the base model."""
    from transformers import pipeline

    classify = pipeline("text-classification", model=str(slmfit.load(folder).folder / "model"), truncation=True)
    found: dict[str, Callable[[Sequence[str]], Any]] = {}
    for size in SIZES:
        found[f"pipeline, batches of {size}"] = lambda texts, size=size: classify(list(texts), batch_size=size)
    if find_spec("sentence_transformers"):
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(base_model(), device="cpu")
        for size in SIZES:
            found[f"encode, batches of {size}"] = lambda texts, size=size: model.encode(list(texts), batch_size=size)
    else:
        print("sentence-transformers is not installed: its rows are left out", file=sys.stderr)
    return found


def cut_to(backend: Any, text: str, length: int) -> str | None:
    """The beginning of a text that is so many tokens long, special tokens included; None for a shorter one."""
    backend.no_truncation()
    offsets = [place for place in backend.encode(text).offsets if place[1]]
    return text[: offsets[length - 3][1]] if len(offsets) >= length - 2 else None


def in_turns(
    ways: dict[str, Callable[[Sequence[str]], Any]], texts: Sequence[str], rounds: int
) -> dict[str, tuple[float, float]]:
    """Of each way texts a second in a batch, and milliseconds of one text, in processor time: medians of rounds."""
    many: dict[str, list[float]] = {name: [] for name in ways}
    alone: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, way in ways.items():
            if turn:  # the first one warms up
                many[name].append(len(texts) / taken(way, texts))
                alone[name].append(statistics.median(1000 * taken(way, [text]) for text in texts[:ALONE]))
            else:
                way(texts[:8])
    return {name: (statistics.median(many[name]), statistics.median(alone[name])) for name in ways}


def taken(way: Callable[[Sequence[str]], Any], texts: Sequence[str]) -> float:
    begin = time.process_time()
    way(texts)
    return time.process_time() - begin


def cold(out: Path, python: str, rounds: int) -> None:
    for name, with_which in (("fitted", sys.executable), *((name, python) for name in EXPORTS)):
        folder = slmfit.load(out / name).folder.resolve()
        size = sum(path.stat().st_size for path in (folder / "model").rglob("*") if path.is_file()) / 1e6
        found = [cold_start(with_which, folder) for _ in range(rounds)]
        seconds, memory = (statistics.median(one[key] for one in found) for key in ("seconds", "mb"))
        beside = "with torch" if found[0]["torch"] else "without torch"
        print(f"{name}, {beside}: {size:.1f} MB, cold start {seconds:.2f} s of a processor, {memory:.0f} MB")


def cold_start(python: str, folder: Path) -> dict[str, Any]:
    done = subprocess.run([python, "-c", COLD, str(folder)], capture_output=True, text=True, check=False, cwd=folder)
    if done.returncode:
        sys.exit(done.stderr)
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("part", choices=("fit", "answers", "speed", "cold"))
    parser.add_argument("out", type=Path)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--validation", type=int, default=2000, help="rows that settings and gate go by")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--python", default=sys.executable)
    given = parser.parse_args()
    print(f"load before: {os.getloadavg()[0]:.2f}, threads: {os.environ.get('OMP_NUM_THREADS', 'all')}")
    if given.part == "fit":
        fit(given.out, given.rows, given.validation)
    elif given.part == "answers":
        answers(given.out)
    elif given.part == "speed":
        speed(given.out, given.rounds)
    else:
        cold(given.out, given.python, given.rounds)
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"{used.ru_utime + used.ru_stime:.0f} s of a processor")


if __name__ == "__main__":
    main()
