"""Learning curves and suspected labels: what is compared with an independent computation, and what must not be seen."""

import csv
import gzip
import itertools
import json
import os
import random
from pathlib import Path

import numpy as np
import pytest

from conftest import make_dataset
from slmfit.data.dataset import Dataset
from slmfit.exploring import diagnostics
from slmfit.exploring.diagnostics import diagnose, leave_one_out, suspected_labels, word_features
from slmfit.methods.specs import parse_specs
from slmfit.records import Example
from slmfit.runs.fitting import Terms, fit_run
from slmfit.tasks import by_name

TEXTS = ["my card was charged", "card charged twice", "where is my parcel", "the parcel is late", "parcel card", "late"]


def dataset(pairs, task="text-classification"):
    examples = [Example(str(i), text, label) for i, (text, label) in enumerate(pairs)]
    splits = {"train": tuple(examples), "validation": (), "test": ()}
    return Dataset("made", by_name(task).with_labels(e.target for e in examples), splits)


def with_wrong_labels(data, count, seed=0):
    """The dataset with some train labels changed, and the ids of those rows."""
    rng = random.Random(seed)
    wrong = {e.id for e in rng.sample(data.train, count)}
    labels = data.task.labels
    train = tuple(
        Example(e.id, e.input, rng.choice([x for x in labels if x != e.target])) if e.id in wrong else e
        for e in data.train
    )
    return Dataset("wrong", data.task, {**data.splits, "train": train}, validation_given=False), wrong


# --- suspects ---


def test_features_are_those_of_sklearn():
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = [e.input for e in make_dataset().train] + ["", "once"]
    theirs = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2).fit_transform(texts).toarray()
    ours = word_features(texts).toarray()
    assert ours.shape == theirs.shape
    assert np.allclose(ours @ ours.T, theirs @ theirs.T)  # the same but for the order of the columns


@pytest.mark.parametrize("count", [2, 3])
def test_leaving_one_out_is_fitting_without_it(count):
    from sklearn.naive_bayes import ComplementNB

    rng = np.random.default_rng(1)
    texts = [" ".join(rng.choice(list("abcdefgh"), 6) + "x") for _ in range(30)]
    labels = np.arange(30) % count
    features = word_features(texts)
    found = leave_one_out(features, labels, count, np.arange(30))
    for row in range(30):
        others = np.arange(30) != row
        model = ComplementNB(alpha=diagnostics.SMOOTHING).fit(features[others], labels[others])
        assert np.allclose(found[row], model.predict_proba(features[[row]])[0])


def test_planted_errors_come_first():
    data, wrong = with_wrong_labels(make_dataset(sizes=(600, 60, 10)), 20)
    rows = suspected_labels(data, seed=0)["rows"]
    assert len({row["id"] for row in rows[:20]} & wrong) >= 17
    assert all(row["probability"] < row["suggested_probability"] for row in rows)
    assert [row["probability"] for row in rows] == sorted(row["probability"] for row in rows)


def test_the_test_split_is_not_looked_at():
    data = make_dataset()
    other = Dataset("made", data.task, {**data.splits, "test": data.test[:1]}, validation_given=False)
    assert diagnose(data, metric="accuracy", seed=0) == diagnose(other, metric="accuracy", seed=0)
    splits = {row["split"] for row in suspected_labels(with_wrong_labels(data, 20)[0], seed=0)["rows"]}
    assert "test" not in splits


@pytest.mark.parametrize(
    "pairs",
    [
        [("a b", "x"), ("c d", "y")],  # no word of two letters
        [("", "x"), ("", "y"), (" ", "x")],
        [("one", "x"), ("two", "y")],  # no word twice
        [("same words", "x"), ("same words", "x")],  # one label
    ],
)
def test_nothing_to_judge_by(pairs):
    assert suspected_labels(dataset(pairs), seed=0) == {}


def test_a_label_of_one_row_and_empty_texts():
    found = suspected_labels(
        dataset([*((t, "xy"[i % 2]) for i, t in enumerate(TEXTS)), ("card", "z"), ("", "x")]), seed=0
    )
    assert found["judged"] == found["folds"] == 8
    json.dumps(found, allow_nan=False)


def test_too_much_work_is_sampled(monkeypatch):
    monkeypatch.setattr(diagnostics, "WORK", 1)
    found = suspected_labels(make_dataset(sizes=(1_200, 40, 10)), seed=0)
    assert (found["judged"], found["folds"]) == (1_000, 1_240)


# --- learning curve ---


def test_parts_grow_and_keep_the_labels_in_proportion():
    pairs = [(f"text {i}", "rare" if i % 40 == 0 else "usual") for i in range(400)]
    parts = diagnostics._growing_parts(dataset(pairs), seed=0)
    assert [len(part) for part in parts] == [26, 51, 101, 200, 400]
    for small, large in itertools.pairwise(parts):
        assert {e.id for e in small} < {e.id for e in large}
        assert sum(e.target == "rare" for e in large) == -(-len(large) // 40)
    assert all(any(e.target == "rare" for e in part) for part in parts)


def test_a_curve_rises_ends_at_the_known_run_and_repeats_itself(tmp_path):
    data = make_dataset(sizes=(400, 150, 10))
    [spec] = parse_specs("linear", {"linear": {"C": 0.3}})
    record = fit_run(spec, data, tmp_path / "linear", Terms(0, "accuracy"))
    known = {"linear": record}
    told = []
    found = diagnose(
        data, metric="accuracy", seed=0, known=known, listen=lambda kind, fields: told.append((kind, fields))
    )
    linear = [p for p in found["learning_curve"]["points"] if p["method"] == "linear"]
    assert [p["rows"] for p in linear] == sorted(p["rows"] for p in linear)
    assert linear[-1]["score"]["value"] == record.scores["validation"]["accuracy"].value
    assert linear[-1]["fraction"] == 1 and ("curve", {"run": "linear", "rows": 400}) not in told
    assert linear[0]["score"]["value"] < linear[-1]["score"]["value"]
    assert ("curve", {"run": "knn", "rows": 400}) in told
    assert all(0 <= p["score"]["low"] <= p["score"]["value"] <= p["score"]["high"] <= 1 for p in linear)
    again = diagnose(data, metric="accuracy", seed=0, known=known)
    assert json.dumps(found, allow_nan=False) == json.dumps(again)


def test_many_rows_are_not_fitted_anew(monkeypatch):
    monkeypatch.setattr(diagnostics, "MOST_FITTED", 50)
    points = diagnose(make_dataset(), metric="f1_macro", seed=0)["learning_curve"]["points"]
    assert points and max(p["rows"] for p in points) <= 60


@pytest.mark.parametrize("task", ["token-classification", "multiple-choice"])
def test_other_tasks_have_empty_parts(task):
    found = diagnose(make_dataset(task), metric="accuracy", seed=0)
    assert found == {"format": "slmfit.diagnostics/1", "learning_curve": {}, "suspects": {}}


# --- real errors ---


@pytest.mark.real_data
@pytest.mark.skipif("SLMFIT_DATA" not in os.environ, reason="SLMFIT_DATA names no folder with ag_news in it")
def test_crowd_labels_of_ag_news():
    """Issue B, acceptance 7."""
    with gzip.open(Path(os.environ["SLMFIT_DATA"]) / "ag_news" / "train.csv.gz", "rt", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["noisy_label"]]
    found = suspected_labels(dataset([(row["text"], row["noisy_label"]) for row in rows]), seed=0)["rows"]
    wrong = [rows[int(row["id"])]["label"] != row["label"] for row in found]
    assert len(wrong) == 500 and np.mean(wrong) >= 0.78
