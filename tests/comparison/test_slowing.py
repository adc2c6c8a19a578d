"""A real training whose model takes its time from a clock of our own, on a machine that slows down in the middle."""

import time

import pytest
import torch

import tiny
from conftest import make_dataset
from slmfit.comparison.compare import compare
from slmfit.finetune import forward
from slmfit.runs import fitting
from slmfit.runs.measuring import Cost

TRAINED, ANSWERED = 0.15, 0.05  # seconds of a row


class Now:
    """seconds: of the clock, which stands still but for what the model does. slows: from when on that takes longer."""

    def __init__(self):
        self.seconds, self.slows, self.slower = 1000.0, float("inf"), 2.0

    def __call__(self):
        return self.seconds

    def work(self, seconds):
        self.seconds += seconds * (self.slower if self.seconds >= self.slows else 1)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny.encoder(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def data():
    return make_dataset(sizes=(2000, 300, 1200), validation_given=True)


@pytest.fixture
def now(monkeypatch):
    clock, inputs = Now(), forward.inputs

    def timed(rows, batch):
        clock.work((TRAINED if torch.is_grad_enabled() else ANSWERED) * len(batch))
        return inputs(rows, batch)

    def measure(*_, **__):
        clock.work(5.0)
        return Cost(1.0, {"p50": 1.0, "p95": 1.0}, 10.0, 1)

    monkeypatch.setattr(forward, "inputs", timed)
    monkeypatch.setattr(time, "monotonic", clock)
    monkeypatch.setattr(time, "perf_counter", clock)
    monkeypatch.setattr(fitting.measuring, "measure", measure)
    monkeypatch.setattr("slmfit.comparison.compare.write_diagnostics", lambda *_: None)
    return clock


def run(base, data, now, seconds, out):
    """The encoder's line, the seconds until all was done, and what was told, each with its second."""
    told, began = [], now()
    made = compare(
        data,
        f"encoder={base}",
        settings={"encoder": {"epochs": 3, "max_length": 32, "batch_tokens": 128, "device": "cpu"}},
        budget_seconds=seconds,
        out=out,
        listen=lambda kind, fields: told.append((now() - began, kind, fields)),
    )
    [line] = [row for row in made.record.methods if row.name == "encoder"]
    assert line.status == "ok", line.reason
    return made.record, now() - began, told


def test_a_training_shortens_itself_where_the_machine_slows_down(base, data, now, tmp_path):
    seconds = 300.0
    now.slows = now() + seconds / 2
    record, took, told = run(base, data, now, seconds, tmp_path)
    assert 0.9 * seconds <= took <= 1.1 * seconds
    trained = [(when, fields) for when, kind, fields in told if kind == "loss" and fields["split"] == "train"]
    planned = next(fields["rows"] for _, kind, fields in told if kind == "plan")
    assert trained[-1][1]["rows"] < planned  # it gave way …
    assert record.scored["test"] >= 600  # … so that half of the test rows were scored, and not the first piece alone
    for when, kind, fields in told:
        if kind in ("loss", "progress") and "of_rows" in fields:
            assert fields["rows"] <= fields["of_rows"], (when, fields)
