"""What the report draws of a classification's scores, against counting by hand."""

import numpy as np
import pytest

from slmfit.records import Prediction
from slmfit.tasks.classification import TextClassification
from slmfit.tasks.common import coverage_points


def test_coverage_counts_the_surest_rows():
    rng = np.random.default_rng(0)
    confidence = np.round(rng.random(1000), 2)  # many ties
    right = rng.random(1000) < confidence
    points = coverage_points(confidence, right)
    for point in points:
        answered = confidence >= point["threshold"]
        assert point["rows"] == answered.sum()
        assert point["coverage"] == answered.mean()
        assert point["accuracy"] == pytest.approx(right[answered].mean())
        assert point["low"] <= point["accuracy"] <= point["high"]
    assert points[-1]["coverage"] == 1
    assert coverage_points(np.full(30, 0.5), np.ones(30, bool)) == [points_of_all(30)]
    assert coverage_points(np.zeros(0), np.zeros(0, bool)) == []


def points_of_all(n):
    from slmfit.evidence.statistic import wilson

    score = wilson(n, n)
    return {"threshold": 0.5, "rows": n, "coverage": 1.0, "accuracy": 1.0, "low": score.low, "high": score.high}


def test_guessing_every_label_alike():
    task = TextClassification(("a", "b", "c"))
    rng = np.random.default_rng(0)
    truth = rng.choice(["a", "b", "c"], 60_000, p=[0.6, 0.3, 0.1]).tolist()
    told = task.score(truth, [Prediction("a")] * len(truth)).details["random_guess"]
    guessed = task.score(truth, [Prediction(str(g)) for g in rng.choice(["a", "b", "c"], len(truth))]).values
    assert told["accuracy"] == pytest.approx(1 / 3)
    for metric in task.metrics:
        assert told[metric] == pytest.approx(guessed[metric].value, abs=0.01)
