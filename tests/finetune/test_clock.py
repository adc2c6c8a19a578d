"""Clocks that stand still, leap by a year or are set back: no endless wait, no figure below nothing."""

import json
import math
import time
from itertools import count

import pytest
from test_loop import Sum, net, plan, training

from conftest import make_dataset
from slmfit.comparison.compare import train
from slmfit.finetune import loop
from slmfit.llm.faults import asked_wait
from slmfit.llm.pace import Patience
from slmfit.runs import measuring

YEAR = 365 * 86400.0


@pytest.mark.parametrize("clock", ["still", "leaping"])
def test_a_training_ends_by_any_clock(clock, monkeypatch):
    ticks = count()
    monkeypatch.setattr(time, "monotonic", lambda: 5.0 if clock == "still" else YEAR * next(ticks))
    monkeypatch.setattr(loop, "REPORT_SECONDS", -1.0)
    said = []
    progress = training(net(), Sum(), plan(seconds=60.0, most_epochs=4), event=lambda kind, **f: said.append(f)).run()
    assert progress.finished and 0 <= progress.seconds < math.inf
    for fields in said:
        json.dumps(fields, allow_nan=False)
        assert fields.get("eta_seconds", 0) >= 0 and fields.get("rows_per_second", 0) >= 0


@pytest.mark.parametrize("day", [86400.0, -86400.0])
def test_a_training_takes_as_long_when_the_system_s_clock_is_set(day, monkeypatch):
    monkeypatch.setattr(loop, "REPORT_SECONDS", -1.0)
    as_planned = training(net(), Sum(), plan(seconds=60.0, most_epochs=4)).run()
    ticks, real = count(1), time.time
    monkeypatch.setattr(time, "time", lambda: real() + day * next(ticks))
    progress = training(net(), Sum(), plan(seconds=60.0, most_epochs=4)).run()
    assert (progress.step, progress.seen, progress.finished) == (as_planned.step, as_planned.seen, True)
    assert 0 <= progress.seconds < 60


def test_a_clock_that_is_set_back_makes_no_run_load_before_it_began(tmp_path, monkeypatch):
    monkeypatch.setattr(measuring.time, "time", lambda: 4e9)
    record = train(make_dataset(sizes=(30, 10, 10)), "majority", out=tmp_path / "o").record
    assert 0 < record.load_seconds < 600
    assert record.fit_seconds >= 0 and record.search_seconds >= 0


@pytest.mark.parametrize(
    "said",
    ["1e12", "1e999", "nan", "-5", "9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 01 Jan 1970 00:00:00 GMT",
     "Fri, 31 Dec 99999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 +2359", "Mon, 01 Jan 0001 00:00:00 -9999", "x" * 999],
)  # fmt: skip
def test_a_server_cannot_make_anybody_wait_for_ever(said):
    for header in ("retry-after", "retry-after-ms"):
        assert 0 <= Patience().wait(1, asked_wait({header: said})) <= Patience().wait_seconds
