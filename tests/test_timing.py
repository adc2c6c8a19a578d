"""Budgets, what is sampled for their sake, and when work is said to be done: by clocks that nobody waits for."""

import numpy as np
import pytest

from slmfit.timing.budget import FIRST, MOST, Budget, Pieces, random_order
from slmfit.timing.work import Work, advance, counted, uncounted


class Clock:
    def __init__(self, seconds=100.0):
        self.seconds = seconds

    def __call__(self):
        return self.seconds

    def pass_by(self, seconds):
        self.seconds += seconds


@pytest.fixture
def clock():
    return Clock()


def test_those_that_wait_share_what_is_left(clock):
    budget = Budget.of(60, clock)
    assert budget.part(3).left() == 20
    clock.pass_by(50)
    assert budget.part(2).left() == 5 and budget.but_for(4).left() == 6
    clock.pass_by(20)
    assert budget.part(1).left() == budget.left() == budget.but_for(4).left() == 0


def test_no_budget_never_ends(clock):
    budget = Budget.of(None, clock)
    clock.pass_by(1e9)
    assert not budget.limited and budget.seconds is None
    assert budget.part(4).but_for(9).left() == np.inf


def done(pieces, clock, speed):
    """How many rows are done when row n takes speed(n) seconds."""
    while (piece := pieces.next()) is not None:
        clock.pass_by(sum(map(speed, range(piece.start, piece.stop))))
    return pieces.done


def test_quick_work_is_done_whole(clock):
    assert done(Pieces(7600, 60, later=9000, most=0.4, clock=clock), clock, lambda n: 1e-3) == 7600


@pytest.mark.parametrize("slower", [1, 2, 4])
def test_slow_work_ends_in_time_also_when_the_machine_slows_down(clock, slower):
    began = clock()
    pieces = Pieces(20_000, 60, clock=clock)
    rows = done(pieces, clock, lambda n: 0.01 * (slower if clock() > began + 30 else 1))
    assert 3000 + 2500 / slower < rows + MOST and clock() - began <= 60 + MOST * 0.01 * slower


def test_what_comes_later_keeps_its_time(clock):
    began = clock()
    assert done(Pieces(10_000, 100, later=1000, most=0.4, clock=clock), clock, lambda n: 0.02) < 4000 <= 4000 + MOST
    assert 70 < clock() - began <= 80  # 1,000 rows take 20 seconds
    began = clock()
    done(Pieces(10_000, 100, later=100_000, most=0.4, clock=clock), clock, lambda n: 0.02)
    assert 45 < clock() - began <= 60  # and more than four tenths are never kept


def test_one_piece_is_done_in_any_case(clock):
    assert done(Pieces(1000, 0, clock=clock), clock, lambda n: 1.0) == FIRST
    assert done(Pieces(0, 10, clock=clock), clock, lambda n: 1.0) == 0


def test_where_a_piece_begins_is_no_matter_of_time(clock):
    def starts(speed):
        pieces, found = Pieces(3000, 60, clock=clock), []
        while (piece := pieces.next()) is not None:
            found.append((piece.start, piece.stop))
            clock.pass_by(speed * (piece.stop - piece.start))
        return found

    assert starts(0.03) == starts(0.001)[: len(starts(0.03))]


def test_whoever_gets_less_far_did_the_same_rows():
    assert set(random_order(500)[:100]) <= set(random_order(500)[:200])
    assert sorted(random_order(500)) == list(range(500))


def told(clock, speeds, rows=1000, budget=None):
    """Every ETA, and how long it then took."""
    heard = []

    def event(kind, **fields):
        assert kind == "progress"
        heard.append((clock(), fields["eta_seconds"]))

    work = Work(event, "predicting test", rows, budget, clock)
    for n in range(rows):
        clock.pass_by(speeds(n))
        work.advance(1)
    return [(eta, clock() - when) for when, eta in heard]


def test_the_eta_is_what_it_then_takes(clock):
    found = told(clock, lambda n: 0.1)
    assert 45 <= len(found) <= 50  # one in two seconds, at most
    for eta, took in found:
        assert eta == pytest.approx(took, abs=1)


def test_the_eta_goes_by_the_speed_of_late(clock):
    found = told(clock, lambda n: 0.1 if n < 500 else 0.2)
    eta, took = found[len(found) * 3 // 5]
    assert eta == pytest.approx(took, rel=0.25)


def test_the_eta_heeds_a_budget_that_ends_the_work_before(clock):
    found = told(clock, lambda n: 0.1, budget=Budget.of(60, clock))
    assert found[0][0] == 58


def test_what_is_done_tells_whoever_counts(clock, monkeypatch):
    monkeypatch.setattr("time.monotonic", clock)
    heard = []
    advance(3)  # nobody counts
    with counted(lambda kind, **fields: heard.append(fields), "embedding train", 10):
        advance(1)
        clock.pass_by(3)
        advance(4)
    assert heard == [{"stage": "embedding train", "rows": 5, "of_rows": 10, "eta_seconds": 3}]


def test_never_more_is_done_than_there_is(clock):
    heard = []
    work = Work(lambda kind, **fields: heard.append(fields), "training", 1065, clock=clock, unit="steps")
    clock.pass_by(3)
    work.advance(1098.4)
    assert heard == [{"stage": "training", "rows": 1065, "of_rows": 1065, "unit": "steps", "eta_seconds": 0}]


def test_what_is_counted_in_larger_pieces_is_not_counted_twice():
    with counted(lambda kind, **fields: None, "learning curve", 100) as work:
        with uncounted():
            advance(50)
        assert work.done == 0
        advance(1)
        assert work.done == 1


def test_time_for_what_comes_later_goes_by_the_speed_of_late(clock):
    began = clock()
    pieces = Pieces(10_000, 100, later=1000, most=0.9, clock=clock)
    done(pieces, clock, lambda n: 0.02 * (2 if clock() > began + 50 else 1))
    assert clock() - began <= 60 + MOST * 0.04  # 1,000 rows take 40 seconds by then
