"""A comparison that ends in its budget, by a clock that stands still but for what slow methods take of it."""

import json
import time

import pytest

from conftest import make_dataset
from slmfit.comparison.compare import compare, train
from slmfit.comparison.rows import hindering
from slmfit.errors import BudgetReached
from slmfit.methods.base import Method
from slmfit.records import Prediction
from slmfit.reporting import html
from slmfit.runs import fitting
from slmfit.runs.measuring import Cost
from slmfit.timing.budget import Pieces

HERE = "test_budget:"
ROWS = 1200  # of test; so slow a method answers them in 120 seconds


class Now:
    """seconds: of the clock. slows: from when on everything takes twice as long."""

    def __init__(self):
        self.seconds, self.slows = 1000.0, float("inf")

    def __call__(self):
        return self.seconds

    def work(self, seconds):
        self.seconds += seconds * (2 if self.seconds >= self.slows else 1)


NOW = Now()


class Slow(Method):
    """Fits in a second, and answers ten rows in one."""

    fit_takes, row_takes = 1.0, 0.1

    def fit(self, task, train, validation, context):
        NOW.work(self.fit_takes)
        self.label = task.labels[0]

    def predict(self, inputs):
        NOW.work(self.row_takes * len(inputs))
        return [Prediction("billing" if "card" in text else self.label) for text in inputs]

    def save(self, folder):
        (folder / "label").write_text(self.label)

    @classmethod
    def load(cls, folder, task, settings):
        method = cls(settings)
        method.label = (folder / "label").read_text()
        return method


class Quick(Slow):
    """Everything in no time."""

    fit_takes, row_takes = 0.1, 1e-5


class Glacial(Slow):
    """Answers two rows in a second."""

    row_takes = 0.5


class Eager(Slow):
    """Trains as long as it may."""

    trained = True

    def fit(self, task, train, validation, context):
        pieces = Pieces(
            10**6, context.budget.left(), later=context.rows_to_predict, most=0.4, clock=context.budget.clock
        )
        while pieces.next() is not None:
            NOW.work(self.row_takes * 64)
        self.label = task.labels[0]


class Late(Slow):
    """Has no time to train."""

    trained = True

    def fit(self, task, train, validation, context):
        raise BudgetReached("0 seconds are no time to train")


@pytest.fixture(scope="module")
def data():
    return make_dataset(sizes=(200, 300, ROWS))


@pytest.fixture
def now(monkeypatch):
    NOW.__init__()
    monkeypatch.setattr(time, "monotonic", NOW)

    def measure(*_, **__):
        NOW.work(5.0)
        return Cost(1.0, {"p50": 1.0, "p95": 1.0}, 10.0, 1)

    monkeypatch.setattr(fitting.measuring, "measure", measure)
    monkeypatch.setattr("slmfit.comparison.compare.write_diagnostics", lambda *_: None)
    return NOW


def timed(now, data, names, seconds, out, **given):
    began = now()
    asked = ",".join(f"{HERE}{name}" for name in names)
    made = compare(data, f"majority,{asked}", budget_seconds=seconds, out=out, **given)
    return made.record, now() - began


def test_slow_predicting_is_cut_to_the_same_random_rows(data, now, tmp_path):
    record, took = timed(now, data, ["Quick", "Slow"], 100.0, tmp_path)
    assert took <= 100
    rows = {row.id: row for row in record.methods}
    scored = record.scored["test"]
    assert 200 < scored < ROWS
    slow = json.loads((tmp_path / "runs" / "slow" / "run.json").read_text())
    quick = json.loads((tmp_path / "runs" / "quick" / "run.json").read_text())
    assert slow["scored"]["test"] == scored and "scored" not in quick  # each run says what it answered
    assert slow["split"]["test"]["rows"] == ROWS
    # Both answer alike, so on the same rows they score alike, and nothing is between them.
    assert rows["slow"].scores["test"] == rows["quick"].scores["test"] != quick["scores"]["test"]
    assert rows["slow"].scores["validation"] == rows["quick"].scores["validation"]
    assert sum(rows["quick"].outcomes.values()) == scored
    assert all(pair.difference.value == 0 for id, pair in record.paired.items() if id in ("quick", "slow"))
    assert record.verdict.caveats[0] == (
        f"Scored on {scored:,} of {ROWS:,} test rows, drawn at random and the same for every method: the budget left "
        "no time for more."
    )
    page = html([tmp_path])
    assert f"{scored:,} of {ROWS:,}" in page and "was fitted again since" not in page

    again, took = timed(now, data, ["Quick", "Slow"], 100.0, tmp_path)  # what the clock decided is used again
    assert took == 0 and all(row.reused for row in again.methods) and again.scored == record.scored
    more, took = timed(now, data, ["Quick", "Slow"], 900.0, tmp_path)  # a larger budget scores all rows
    reused = {row.id: row.reused for row in more.methods}
    assert reused == {"majority": True, "quick": True, "slow": False} and more.scored == {}
    assert 100 < took <= 900
    assert all(row.reused for row in timed(now, data, ["Quick", "Slow"], None, tmp_path)[0].methods)


def test_methods_that_take_what_there_is_end_in_time(data, now, tmp_path):
    _, took = timed(now, data, ["Slow", "Eager"], 600.0, tmp_path)
    assert 0.85 * 600 <= took <= 600


@pytest.mark.parametrize("seconds", [120.0, 300.0, 900.0])
def test_a_machine_that_slows_down_by_half_in_the_middle(data, now, seconds, tmp_path):
    now.slows = now() + seconds / 2
    record, took = timed(now, data, ["Slow", "Eager"], seconds, tmp_path)
    assert 0.8 * seconds <= took <= 1.1 * seconds
    assert {row.status for row in record.methods} == {"ok"}


def test_a_budget_too_short_for_anything(data, now, tmp_path):
    record, took = timed(now, data, ["Slow", "Late"], 1.0, tmp_path)
    assert took < 60  # one piece of rows of each split, and measuring
    assert {row.id: row.status for row in record.methods} == {"majority": "ok", "slow": "ok", "late": "stopped"}
    assert record.scored["test"] == 64


def test_one_method_alone_keeps_its_budget_too(data, now, tmp_path):
    began = now()
    run = train(data, f"{HERE}Slow", budget_seconds=60.0, out=tmp_path)
    assert now() - began <= 60 and 64 < run.record.scored["test"] < ROWS
    assert run.record.rows_scored("test") == sum(row["split"] == "test" for row in run.predictions())


def test_a_method_that_gets_nowhere_does_not_cost_the_others_their_rows(data, now, tmp_path):
    record, took = timed(now, data, ["Quick", "Slow", "Glacial"], 200.0, tmp_path)
    assert took <= 200
    by_id = {row.id: row for row in record.methods}
    assert by_id["glacial"].status == "stopped" and {by_id[id].status for id in ("quick", "slow")} == {"ok"}
    assert by_id["glacial"].reason.startswith("it answered only 64 of 1,200 test rows in its time")
    assert record.scored["test"] > 200 and "glacial" not in record.paired
    assert any("Of the budget of 200 s went: " in caveat and "glacial" in caveat for caveat in record.verdict.caveats)
    assert "glacial" in html([tmp_path])
    again, _ = timed(now, data, ["Quick", "Slow", "Glacial"], 200.0, tmp_path)  # its run is there, and used again
    assert [row.status for row in again.methods] == [row.status for row in record.methods]


@pytest.mark.parametrize(
    ("rows", "out"),
    [
        ({"linear": 7600, "knn": 3000, "encoder": 64}, ["encoder"]),
        ({"linear": 7600, "knn": 448, "encoder": 64}, ["encoder"]),  # two are compared in any case
        ({"linear": 7600, "encoder": 64}, []),
        ({"linear": 7600, "knn": 448, "encoder": 448}, []),  # neither alone is in the way
        ({"linear": 7600, "knn": 5000, "encoder": 1000}, []),  # enough to tell what matters
        ({"linear": 300, "knn": 300, "encoder": 140}, ["encoder"]),
        ({"a": 7600, "b": 7000, "c": 448, "d": 64}, ["d", "c"]),
        ({}, []),
    ],
)
def test_whose_few_rows_are_in_the_way_of_the_others(rows, out):
    assert hindering(rows) == out
