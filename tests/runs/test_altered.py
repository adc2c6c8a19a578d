"""Runs that a stranger changed, with hashes that fit: refused as damaged, or the answers are proper ones."""

import json
import math
import random
import time

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import slmfit
from conftest import make_dataset
from slmfit.comparison.compare import train
from slmfit.errors import SlmfitError
from slmfit.records import Entities
from stranger import altered, sealed

TEXTS = ["my invoice was charged twice", "", "parcel late", "fly to Rome on Monday"]
VALUES = [None, -1, 10**12, float("nan"), "x" * 50, [], {}, [["x"]], True, 0, 1e300]
RUNS = [("majority", "text-classification"), ("linear", "text-classification"), ("knn", "text-classification"),
        ("majority", "token-classification"), ("linear", "token-classification"),
        ("majority", "multiple-choice")]  # fmt: skip
CHANGES = 15


@pytest.fixture(scope="module", params=RUNS, ids="-".join)
def run(request, tmp_path_factory):
    name, task = request.param
    if task == "token-classification" and name == "linear":
        pytest.importorskip("pycrfsuite")
    folder = tmp_path_factory.mktemp("run")
    return train(make_dataset(task, sizes=(60, 20, 20)), name, out=folder / "o").folder, make_dataset(task)


def places(value, path=()):
    """The way to every value in JSON."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value[:5]) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


def change_json(rng, path):
    value = json.loads(path.read_text())
    *way, last = rng.choice(list(places(value)))
    holder = value
    for key in way:
        holder = holder[key]
    if rng.random() < 0.3:
        del holder[last]
    else:
        holder[last] = rng.choice(VALUES)
    path.write_text(json.dumps(value))


def change_tensor(rng, path):
    tensors = load_file(path)
    name = rng.choice(sorted(tensors))
    tensor = tensors[name].copy()
    kind = rng.choice(["gone", "cut", "flat", "kind", "wild"])
    if kind == "gone":
        del tensors[name]
    elif kind == "wild" and tensor.size:
        tensor.reshape(-1)[0] = np.nan if tensor.dtype.kind == "f" else np.iinfo(tensor.dtype).max
        tensors[name] = tensor
    else:
        made = {"cut": tensor[:-1], "flat": tensor.reshape(-1, 1), "kind": tensor.astype(np.float64), "wild": tensor}
        tensors[name] = np.ascontiguousarray(made[kind])
    save_file(tensors, path)


def proper(answers, task):
    for answer in answers:
        target = answer.target
        if isinstance(target, Entities):
            assert target.intent is None or target.intent in task.intents
            assert all(isinstance(span.label, str) and 0 <= span.start < span.end for span in target.spans)
        else:
            assert target is None or target in task.labels
        shares = [*(answer.probabilities or {}).values(), *(answer.span_probabilities or ())]
        assert all(math.isfinite(share) and 0 <= share <= 1 for share in shares)


@pytest.mark.parametrize("seed", range(CHANGES))
def test_a_change_is_refused_or_harmless(run, seed, tmp_path):
    folder, data = run
    rng, sent = random.Random(seed), altered(folder, tmp_path / "sent")
    files = sorted(p for p in (sent / "model").rglob("*") if p.suffix in (".json", ".safetensors"))
    path = rng.choice(files)
    (change_json if path.suffix == ".json" else change_tensor)(rng, path)
    sealed(sent)
    begin = time.process_time()
    try:
        loaded = slmfit.load(sent)
        texts = [e.input for e in data.test[:3]] + (TEXTS if data.task.name != "multiple-choice" else [])
        answers = loaded.predict(texts)
        proper(answers, loaded.task)
    except SlmfitError:
        pass
    assert time.process_time() - begin < 10
