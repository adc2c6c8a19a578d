"""Speed on a busy machine: measured again, the least disturbed try counts, and what stays disturbed is said so."""

import time

import pytest

from slmfit.records import MethodRow
from slmfit.runs import measuring
from slmfit.text.figures import latency_words


class Model:
    """Works and waits so long a text: another process that has the processor meanwhile looks the same."""

    def __init__(self, waits):
        self.waits = list(waits)  # one a call, the last for all that follow

    def predict(self, inputs):
        wait = self.waits.pop(0) if len(self.waits) > 1 else self.waits[0]
        time.sleep(wait)
        until = time.process_time() + 0.002
        while time.process_time() < until:
            pass


def singles(waits, count=5):
    model = Model(waits)
    return measuring._quietest(lambda: measuring._one_by_one(model, ["a"] * count))


def test_a_disturbed_try_is_measured_again(monkeypatch):
    """By two clocks of our own: on a machine that is busy, no try of the real ones may be undisturbed."""
    wall, worked = [100.0], [10.0]
    monkeypatch.setattr(time, "perf_counter", lambda: wall[0])
    monkeypatch.setattr(time, "process_time", lambda: worked[0])

    class Timed(Model):
        def predict(self, inputs):
            wall[0] += self.waits.pop(0) + 0.002
            worked[0] += 0.002

    model = Timed([0.03] * 5 + [0.0] * 10)
    found = measuring._quietest(lambda: measuring._one_by_one(model, ["a"] * 5))
    assert found.tries == 2 and len(model.waits) == 5  # the second was quiet, and there is no third
    assert found.times == pytest.approx([2.0] * 5) and found.processor == pytest.approx(1.0)

    model = Timed([0.03] * 5 + [0.004] * 5 + [0.01] * 5)
    found = measuring._quietest(lambda: measuring._one_by_one(model, ["a"] * 5))
    assert found.tries == 3 and found.processor == pytest.approx(1 / 3)  # the least disturbed of three
    assert found.times == pytest.approx([6.0] * 5)


def test_where_other_work_goes_on_it_ends_and_says_so():
    found = singles([0.03])
    assert found.tries == measuring.TRIES and found.processor < measuring.QUIET
    assert measuring._together(Model([0.05]), ["a"]).processor < measuring.QUIET


def test_what_is_too_short_to_tell_counts_as_quiet():
    assert measuring._share(0.0, 0.001) == 1.0
    assert measuring._share(0.01, 0.1) == pytest.approx(0.1)


def test_busy_stands_beside_the_figure():
    row = MethodRow(id="linear", name="linear", status="ok", latency_ms={"p50": 12.3, "p95": 40.0})
    assert latency_words(row) == "12 ms"
    busy = MethodRow(**{**vars(row), "measured": {"busy": True, "load_average": 9.1}})
    assert latency_words(busy) == "12 ms, machine busy"
    assert latency_words(MethodRow(id="x", name="x", status="failed")) == ""
