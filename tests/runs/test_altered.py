"""Runs that a stranger altered, with hashes that fit: refused in a sentence, or the answers are proper ones.

`altering` does it; the runs here are few and small, so that hundreds of alterations take seconds.
"""

import shutil
import time
from importlib.util import find_spec

import pytest

import altering
from conftest import make_dataset
from slmfit import storage
from slmfit.comparison.compare import compare, train
from slmfit.errors import SlmfitError
from slmfit.tasks.answers import target_to_json

RUNS = [("majority", "text-classification"), ("linear", "text-classification"), ("knn", "text-classification"),
        ("majority", "token-classification"), ("linear", "token-classification"),
        ("majority", "multiple-choice"), ("encoder", "text-classification")]  # fmt: skip
CHANGES = 12
SEEN = [  # ended as "unexpected …", or as a panic, before there was a border
    ("details.test.reliability", "../etc"), ("details.test.outcomes", [["x"]]), ("seed", -1), ("seed", True),
    ("scores.test", []), ("dataset.name", 7), ("split.test.rows", -3), ("dataset.source", {"columns": 7}),
    ("environment", {}), ("fit_seconds", 10**400), ("search", [[]]), ("chosen", {"why": 7}), ("task", {}),
    ("details", {}), ("latency_ms", {"p50": 1}), ("metric", "x"), ("usage", {"usd": -1}), ("created", "\ud800"),
]  # fmt: skip


@pytest.fixture(scope="module", params=RUNS, ids="-".join)
def run(request, tmp_path_factory):
    name, task = request.param
    if task == "token-classification" and name == "linear":
        pytest.importorskip("pycrfsuite")
    settings, place = {}, tmp_path_factory.mktemp("run")
    if name == "encoder":
        if not find_spec("torch") or not find_spec("transformers"):
            pytest.skip("torch is not installed")
        import tiny

        settings = {name: {"base_model": tiny.encoder(place / "base"), "epochs": 1, "device": "cpu"}}
    data = make_dataset(task, sizes=(60, 20, 20))
    return train(data, name, settings=settings, out=place / "o").folder, data


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compared")
    data = make_dataset(sizes=(60, 20, 20))
    compare(data, ["majority", "linear"], out=folder / "o")
    lines = [{"text": e.input, "label": target_to_json(e.target)} for e in data.test[:5]]
    (folder / "rows.jsonl").write_text("".join(f"{storage.to_json(line).replace(chr(10), '')}\n" for line in lines))
    return folder


def asked(verb, folder, rows, *texts):
    """Whether it was answered, and not refused."""
    begin = time.process_time()
    try:
        altering.ask(verb, folder, rows, *texts)
    except SlmfitError as error:
        assert str(error)
        return False
    finally:
        assert time.process_time() - begin < 10
    return True


@pytest.mark.parametrize("seed", range(CHANGES))
def test_a_model_answers_properly_or_is_refused(run, seed, tmp_path):
    folder, data = run
    sent = shutil.copytree(folder, tmp_path / "sent")
    altering.altered(sent, seed)
    texts = [e.input for e in data.test[:3]] + ([] if data.task.name == "multiple-choice" else list(altering.TEXTS))
    asked("predict", sent, tmp_path, tuple(texts))


@pytest.mark.parametrize("seed", range(15))
def test_every_verb_answers_or_refuses(comparison, seed, tmp_path):
    sent = shutil.copytree(comparison / "o", tmp_path / "sent")
    altering.altered(sent, 1000 + seed)
    for verb in altering.VERBS:
        asked(verb, sent, comparison / "rows.jsonl")


def test_an_unaltered_one_is_answered(comparison):
    folder = comparison / "o" / "runs" / "linear"
    assert all(asked(verb, folder, comparison / "rows.jsonl") for verb in altering.VERBS)


@pytest.mark.parametrize(("way", "value"), SEEN, ids=lambda part: str(part)[:20])
def test_fields_of_a_record(comparison, tmp_path, way, value):
    sent = shutil.copytree(comparison / "o" / "runs" / "linear", tmp_path / "sent")
    altering.put(sent / "run.json", way, value)
    for verb in altering.VERBS:
        asked(verb, sent, comparison / "rows.jsonl")
