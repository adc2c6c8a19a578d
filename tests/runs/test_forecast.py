"""What --dry-run promises against what it then takes, by a clock that only methods move."""

import time
from math import log2

import pytest
import torch

import tiny
from conftest import make_dataset
from slmfit.comparison.compare import plan, train
from slmfit.finetune import forward
from slmfit.methods.base import Method
from slmfit.records import Prediction
from slmfit.runs import fitting
from slmfit.runs.measuring import Cost

HERE = "test_forecast:"


class Now:
    seconds = 1000.0

    def __call__(self):
        return self.seconds

    def work(self, seconds):
        self.seconds += seconds


NOW = Now()


class Steady(Method):
    """Two seconds, and so long for a row; answers take a tenth of it."""

    refits = True

    @staticmethod
    def seconds(rows):
        return 2 + 0.02 * rows

    def fit(self, task, train, validation, context):
        NOW.work(self.seconds(len(train)))
        self.label = task.labels[0]

    def refit(self, task, examples, context):
        self.fit(task, examples, (), context)

    def predict(self, inputs):
        NOW.work(0.002 * len(inputs))
        return [Prediction(self.label) for _ in inputs]

    def save(self, folder):
        (folder / "label").write_text(self.label)

    @classmethod
    def load(cls, folder, task, settings):
        method = cls(settings)
        method.label = (folder / "label").read_text()
        return method


class Bent(Steady):
    """More rows take longer each."""

    @staticmethod
    def seconds(rows):
        return 0.003 * rows * log2(rows)


@pytest.fixture
def now(monkeypatch):
    NOW.__init__()
    inputs = forward.inputs

    def timed(rows, batch):
        NOW.work((0.03 if torch.is_grad_enabled() else 0.01) * len(batch))
        return inputs(rows, batch)

    def measure(*_, **__):
        NOW.work(5.0)
        return Cost(1.0, {"p50": 1.0, "p95": 1.0}, 10.0, 1)

    monkeypatch.setattr(forward, "inputs", timed)
    monkeypatch.setattr(fitting.measuring, "measure", measure)
    for name in ("monotonic", "perf_counter"):
        monkeypatch.setattr(time, name, NOW)
    return NOW


def promised_and_taken(data, asked, out, settings=None):
    (step,) = [one for one in plan(data, asked, settings=settings, out=out) if one.name != "majority"]
    began = NOW()
    train(data, asked, settings=settings, out=out)
    return step.forecast, NOW() - began


@pytest.mark.parametrize("name", ["Steady", "Bent"])
@pytest.mark.parametrize("rows", [300, 3000])
def test_a_fit_takes_as_long_as_was_said(name, rows, now, tmp_path):
    promised, took = promised_and_taken(make_dataset(sizes=(rows, 100, 200)), f"{HERE}{name}", tmp_path)
    assert promised.low <= took <= promised.high
    assert promised.seconds == pytest.approx(took, rel=0.25)


def test_a_training_takes_as_long_as_was_said(now, tmp_path):
    base = tiny.encoder(tmp_path / "base")
    settings = {"encoder": {"epochs": 1, "max_length": 32, "batch_tokens": 128, "device": "cpu"}}
    data = make_dataset(sizes=(200, 50, 50))
    promised, took = promised_and_taken(data, f"encoder={base}", tmp_path / "out", settings)
    assert promised.low <= took <= promised.high
    assert promised.seconds == pytest.approx(took, rel=0.25)
