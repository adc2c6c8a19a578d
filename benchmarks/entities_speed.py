"""How fast the encoder is on entities: `python benchmarks/entities.py speed snips`. Ratios are of runs that take turns.

Training beside the classifier on the same texts, so at equal lengths and batches; prediction beside the
`token-classification` pipeline of transformers on the saved model, whose spans are compared. With `--clock processor`
the seconds are the processor's, for a machine that others use too.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from common import CLOCKS, base_model, in_turns

from slmfit.data.dataset import Dataset
from slmfit.methods.base import Context
from slmfit.methods.encoder import Encoder, Settings
from slmfit.records import Example
from slmfit.tasks.classification import TextClassification

ROWS = 1280
BATCHES = (1, 8, 16, 32, 64)


def report(data: Dataset, rounds: int, clock: str) -> None:
    train, texts = data.train[:ROWS], [str(e.input) for e in data.test[:ROWS]]
    fitted(data.task, train[:64])  # what is loaded and set up once
    training = {"entities and intents": trained(data.task, train, clock), **classifier(train, clock)}
    in_turns(training, rounds, "samples/s trained")
    with tempfile.TemporaryDirectory() as name:
        method = fitted(data.task, data.train)
        method.save(Path(name))
        method = Encoder.load(Path(name), data.task, method.settings)
        predicting(method, name, texts, rounds, clock)


def fitted(task: Any, rows: Sequence[Example]) -> Encoder:
    """Both tasks have the same batches."""
    method = Encoder(Settings(base_model=base_model(), epochs=1, batch_tokens=1024, max_length=64))
    method.fit(task, rows, [], Context(metric="entity_f1"))
    return method


def trained(task: Any, rows: Sequence[Example], clock: str) -> Callable[[], float]:
    """Samples per second of a whole fit, loading and tokenising included."""

    def run() -> float:
        begin = CLOCKS[clock]()
        fitted(task, rows)
        return len(rows) / (CLOCKS[clock]() - begin)

    return run


def classifier(rows: Sequence[Example], clock: str) -> dict[str, Callable[[], float]]:
    """The classifier on the same texts; its labels are the intents, or whether there is an entity."""
    labelled = [dataclasses.replace(e, target=e.target.intent or str(bool(e.target.spans))) for e in rows]
    task = TextClassification().with_labels(e.target for e in labelled)
    return {"classifier": trained(task, labelled, clock)}


def predicting(method: Encoder, folder: str, texts: list[str], rounds: int, clock: str) -> None:
    from transformers import pipeline

    named = pipeline("token-classification", model=folder, tokenizer=folder, aggregation_strategy="first")

    def timed(work: Callable[[], object]) -> Callable[[], float]:
        def run() -> float:
            begin = CLOCKS[clock]()
            work()
            return len(texts) / (CLOCKS[clock]() - begin)

        return run

    recipes = {"slmfit": timed(lambda: method.predict(texts))}
    recipes |= {f"pipeline, batch {n}": timed(lambda n=n: named(texts, batch_size=n)) for n in BATCHES}
    in_turns(recipes, rounds, "texts/s")
    ours = [{(s.start, s.end, s.label) for s in p.target.spans} for p in method.predict(texts)]
    theirs = [{(s["start"], s["end"], s["entity_group"]) for s in spans} for spans in named(texts, batch_size=16)]
    same = sum(a == b for a, b in zip(ours, theirs, strict=True))
    print(f"the same spans on {same:,} of {len(texts):,} texts; {torch.get_num_threads()} threads")
