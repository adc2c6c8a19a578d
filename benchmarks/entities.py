"""Entities and intents on ATIS, SNIPS and WNUT-17, official splits: scores, seconds, size, and the decoder's answers.

    SLMFIT_DATA=../shared/data python benchmarks/entities.py linear [atis snips wnut17] [--check]

Settings are chosen on the published validation split; the test split is scored once, at the end. --check trains the
CRF again with python-crfsuite alone, on attributes and tags as they are, and compares its own tagger's answers to ours
on every test row.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from slmfit import storage
from slmfit.data.dataset import Dataset
from slmfit.data.load import load_data
from slmfit.methods.base import Context
from slmfit.methods.linear import Linear
from slmfit.methods.linear.spans import ITERATIONS
from slmfit.methods.linear.words import attributes
from slmfit.records import Example
from slmfit.tasks.splitting import split_by, tags_of

SETS = ("atis", "snips", "wnut17")
SHOWN = ("entity_f1", "entity_precision", "entity_recall", "intent_accuracy", "exact_match")


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("part", choices=["linear"])
    options.add_argument("sets", nargs="*", default=[], metavar="SET", help=", ".join(SETS))
    options.add_argument("--check", action="store_true", help="compare with CRFsuite's tagger (trains once more)")
    given = options.parse_args()
    if "SLMFIT_DATA" not in os.environ:
        raise SystemExit(f"skipped: set SLMFIT_DATA to the folder that holds {', '.join(SETS)}")
    for name in given.sets or SETS:
        linear(name, load(name), check=given.check)


def load(name: str) -> Dataset:
    """A data set with its published splits."""
    folder = Path(os.environ["SLMFIT_DATA"]) / name
    train, validation, test = (folder / f"{split}.jsonl.gz" for split in ("train", "dev", "test"))
    return load_data(train, validation=validation, test=test)


def linear(name: str, data: Dataset, *, check: bool) -> None:
    """Fit with the search, as `slmfit train` does where validation is given; answer from the model as it is saved."""
    method = Linear()
    begin, cpu_begin = time.perf_counter(), time.process_time()
    method.fit(data.task, data.train, data.validation, Context(metric=data.task.metric))
    wall, cpu = time.perf_counter() - begin, time.process_time() - cpu_begin
    print(f"{name}: {len(data.train):,} / {len(data.validation):,} / {len(data.test):,} rows, chosen {method.chosen}")
    print(f"  fit with search {wall:.0f} s wall, {cpu:.0f} s CPU; one fit {method.fit_seconds:.0f} s wall")
    with tempfile.TemporaryDirectory() as folder:
        method.save(Path(folder))
        size = storage.size_of(Path(folder))
        again = Linear.load(Path(folder), data.task, method.settings)
    for split in ("validation", "test"):
        print(f"  {split}: {scores(again, data, data.splits[split])}")
    print(f"  size {size / 1e6:.2f} MB; {speed(again, data.test)}")
    if check:
        same, seconds = agreement(again, data)
        print(f"  the same tags as CRFsuite's on {same:,} of {len(data.test):,} rows; its decoding {seconds:.2f} s")


def scores(method: Linear, data: Dataset, examples: Sequence[Example]) -> str:
    """Scores in percent with their 95 % intervals."""
    answers = method.predict([e.input for e in examples])
    found = data.task.score([e.target for e in examples if e.target is not None], answers).values
    shown = ((n, found[n]) for n in SHOWN if n in found)
    return ", ".join(f"{n} {100 * s.value:.2f} ({100 * (s.low or 0):.1f}–{100 * (s.high or 0):.1f})" for n, s in shown)


def speed(method: Linear, examples: Sequence[Example]) -> str:
    """Processor time of one text at a time, and of all."""
    texts = [e.input for e in examples]
    method.predict(texts[:20])
    begin = time.process_time()
    for text in texts[:200]:
        method.predict([text])
    one = (time.process_time() - begin) / min(200, len(texts))
    begin = time.process_time()
    method.predict(texts)
    every = time.process_time() - begin
    return f"one text {1000 * one:.2f} ms CPU; {len(texts):,} at once {every:.2f} s CPU"


def agreement(method: Linear, data: Dataset) -> tuple[int, float]:
    """On how many test rows a CRF that CRFsuite trains and applies alone gives the same tags; its seconds for them."""
    import pycrfsuite

    spans, chosen = method.part.spans, method.chosen
    trainer = pycrfsuite.Trainer(verbose=False)
    trainer.select("lbfgs")
    trainer.set_params({"c1": chosen["c1"], "c2": chosen["c2"], "max_iterations": ITERATIONS})
    for example in data.train:
        words = split_by(str(example.input), spans.grain)
        if words:
            trainer.append(told(example, words), tags_of(example.target.spans, words))
    with tempfile.TemporaryDirectory() as folder:
        trainer.train(str(Path(folder) / "model"))
        tagger = pycrfsuite.Tagger()
        tagger.open(str(Path(folder) / "model"))
        texts = [told(e, split_by(str(e.input), spans.grain)) for e in data.test]
        begin = time.process_time()
        theirs = [tagger.tag(text) for text in texts]
        seconds = time.process_time() - begin
        tagger.close()
    ours = [[spans.crf.tags[tag] for tag in spans.crf.best(scores)] for scores in spans.crf.scores(texts)]
    return sum(a == b for a, b in zip(ours, theirs, strict=True)), seconds


def told(example: Example, words: Sequence[tuple[int, int]]) -> list[list[str]]:
    """The attributes of an example's words."""
    return attributes([str(example.input)[start:end] for start, end in words])


if __name__ == "__main__":
    main()
