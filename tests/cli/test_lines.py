"""Progress in words, by a clock that nobody waits for."""

import pytest

from slmfit.cli.lines import Lines, about


class Clock:
    seconds = 0.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def log():
    """Clock, lines, and what they printed with the second they did."""
    clock, printed = Clock(), []
    return clock, Lines(lambda line: printed.append((clock.seconds, line)), clock=clock), printed


def test_a_log_gets_a_line_every_half_a_minute_whatever_happens(log):
    clock, lines, printed = log
    lines.told("fit", {"run": "knn", "rows": 20_000})
    for second in range(1, 780):  # a fit that says nothing for 13 minutes
        clock.seconds = second
        lines.beat()
    assert [when for when, _ in printed] == [0, *range(30, 780, 30)]
    assert printed[0][1] == "knn: fit rows 20,000" and printed[-1][1] == "knn: fit rows 20,000; for 12m 30s"


def test_a_log_is_not_flooded(log):
    clock, lines, printed = log
    for second in range(300):
        clock.seconds = second
        lines.told("progress", {"run": "e", "stage": "embedding train", "rows": second, "of_rows": 300,
                                "eta_seconds": 300 - second})  # fmt: skip
        lines.beat()
    assert [when for when, _ in printed] == list(range(30, 300, 30))
    assert printed[4][1] == "e: embedding train 150 of 300 rows; 2m 30s to go"


def test_a_line_says_when_all_of_it_is_done(log):
    clock, lines, printed = log
    lines.told("budget", {"seconds": 120.0})
    lines.told("fit", {"run": "linear"})
    clock.seconds = 45.0
    lines.told("loss", {"run": "encoder", "split": "train", "rows": 10, "of_rows": 40, "loss": 1.5, "eta_seconds": 40})
    assert [line for _, line in printed] == [
        "linear: fit; all of it done in 2m 00s",
        "encoder: training 10 of 40 rows, loss 1.5; 40s to go; all of it done in 1m 15s",
    ]
    clock.seconds = 500.0
    lines.beat()
    assert printed[-1][1].endswith("; 0s to go; all of it done in 0s")  # never below


def test_a_terminal_has_one_live_line():
    shown, kept, clock = [], [], Clock()
    lines = Lines(kept.append, shown.append, clock)
    lines.told("progress", {"stage": "predicting", "rows": 1, "of_rows": 9, "eta_seconds": 8})
    clock.seconds = 3
    lines.beat()
    assert shown == ["predicting 1 of 9 rows; 8s to go", "predicting 1 of 9 rows; 5s to go"] and kept == []


def test_seconds_are_whole():
    assert [about(n) for n in (-3, 0.4, 59.6, 75.3, 7260)] == ["0s", "0s", "1m 00s", "1m 15s", "2h 01m"]
