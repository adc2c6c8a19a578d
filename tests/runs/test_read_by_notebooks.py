"""What a notebook asks of runs and comparisons: scores, curves, the learning curve, the demo's data, vectors."""

import csv

import numpy as np
import pytest

import slmfit
from conftest import make_dataset
from slmfit.cli.demo import ROWS
from slmfit.events import curves_of
from slmfit.generating import write_tickets
from static_model import model2vec_folder


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    return slmfit.compare(make_dataset(), "majority,linear", out=tmp_path_factory.mktemp("compared"))


def test_a_score_is_the_record_s(compared):
    run = compared.runs["linear"]
    assert run.score() == run.record.scores["test"]["accuracy"]
    assert run.score("validation", "f1_macro") == run.record.scores["validation"]["f1_macro"]


@pytest.mark.parametrize("split, metric", [("exam", None), ("test", "beauty")])
def test_a_score_that_was_not_measured_is_told(compared, split, metric):
    with pytest.raises(slmfit.UsageError, match=f"no {metric or 'accuracy'} of {split}"):
        compared.runs["linear"].score(split, metric)


def test_the_learning_curve_rises_to_all_of_train(compared):
    curve = compared.learning_curve["linear"]
    assert list(curve) == sorted(curve) and max(curve) == 120
    assert all(score.low <= score.value <= score.high for score in curve.values())


def test_curves_are_by_name_and_epoch(compared):
    told = [
        {"split": "train", "measured": "running", "epoch": 0.5, "loss": 1.9},
        {"split": "validation", "measured": "evaluated", "epoch": 1, "loss": 1.2, "accuracy": 0.6},
    ]
    assert curves_of(told, "accuracy") == {
        "loss, train, running": {0.5: 1.9},
        "loss, validation, evaluated": {1.0: 1.2},
        "accuracy, validation, evaluated": {1.0: 0.6},
    }
    assert compared.runs["linear"].curves == {}


def test_the_demo_s_data_are_those_of_the_command(tmp_path):
    path = tmp_path / "tickets.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["id", "text", "label"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(write_tickets(ROWS))
    assert slmfit.demo_data().fingerprint == slmfit.load_data(path).fingerprint


def test_vectors_have_length_one_or_none(tmp_path):
    vectors = slmfit.embed(["a late parcel", "unheard"], model2vec_folder(tmp_path / "static"))
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 0], abs=1e-5)
