"""Which rows are drawn, and what few checked ones say of all: known shares, edges, and the house's own intervals."""

import numpy as np
import pytest

from slmfit.evidence import checked
from slmfit.evidence.checked import (
    EVERY,
    MOST,
    SOME,
    SURE,
    UNSURE,
    accuracy,
    asking_order,
    at_most,
    difference,
    grouped,
)
from slmfit.evidence.statistic import tango, wilson


def made(rows=1000, seed=0):
    """Two methods that differ from the teacher in about a tenth of the rows, sure at random."""
    rng = np.random.default_rng(seed)
    agree = rng.random((rows, 2)) < 0.9
    return agree, grouped(agree, rng.random(rows)), rng


def test_groups_tell_apart_who_differs_and_who_is_unsure():
    agree = np.array([[1, 1, 1], [1, 1, 1], [1, 1, 1], [1, 1, 1], [1, 0, 1], [0, 1, 0], [0, 0, 0]], bool)
    assert grouped(agree, [0.9, 0.5, 0.8, 0.7, 0, 0, 0]).tolist() == [SURE, UNSURE, SURE, SURE, SOME, MOST, EVERY]
    assert grouped(agree).tolist() == [SURE] * 4 + [SOME, MOST, EVERY]
    assert grouped(agree, np.ones(7)).tolist() == [SURE] * 4 + [SOME, MOST, EVERY]  # nobody is less sure than another
    assert grouped([[True], [False]]).tolist() == [SURE, EVERY]


def test_three_of_five_checks_go_where_answers_differ_and_more_checks_only_add_to_them():
    _, group, _ = made(4000)
    order = asking_order(group, seed=3)
    assert sorted(order.tolist()) == list(range(4000))
    for n in (50, 150, 400):
        differ = (group[order[:n]] >= SOME).mean()
        assert 0.56 <= differ <= 0.62, n
    assert order.tolist() == asking_order(group, seed=3).tolist() != asking_order(group, seed=4).tolist()


def test_a_group_that_is_used_up_leaves_its_part_to_the_others():
    group = np.array([SURE] * 90 + [MOST] * 10)
    asked = group[asking_order(group)[:60]]
    assert (asked == MOST).sum() == 10


def test_rows_of_a_group_are_drawn_alike():
    group = np.array([SURE] * 30 + [MOST] * 30)
    times = np.zeros(60)
    for seed in range(600):
        times[asking_order(group, seed)[:20]] += 1
    for one in (SURE, MOST):
        part = times[group == one]
        assert np.abs(part - part.mean()).max() < 5 * np.sqrt(part.mean())


def test_all_rows_checked_is_the_share_itself_and_nearly_wilson():
    _, group, rng = made()
    right = rng.random(1000) < 0.9
    found, even = accuracy(group, np.arange(1000), right), wilson(int(right.sum()), 1000)
    assert found.value == pytest.approx(right.mean())
    assert (found.low, found.high) == (pytest.approx(even.low, abs=0.004), pytest.approx(even.high, abs=0.004))


def test_each_group_counts_by_its_share_of_all_rows():
    group = np.array([SURE] * 900 + [MOST] * 100)
    asked = np.r_[np.arange(50), 900 + np.arange(50)]
    right = np.r_[np.ones(50), np.zeros(50)]
    assert accuracy(group, asked, right).value == pytest.approx(0.9)


def test_a_group_without_an_error_is_not_one_without_errors():
    group = np.array([SURE] * 900 + [MOST] * 100)
    asked = np.r_[np.arange(20), 900 + np.arange(20)]
    found = accuracy(group, asked, np.ones(40))
    assert found.value == found.high == 1
    assert 0.88 < found.low < 0.94  # the likelihood of 20 of 20 falls by 1.92 at 0.908


def test_rows_where_both_agree_add_nothing_to_a_difference():
    differ = np.array([False] * 900 + [True] * 100)
    group = np.where(differ, MOST, SURE)
    asked = np.r_[np.arange(50), 900 + np.arange(40)]
    teacher = np.r_[np.ones(50), np.arange(40) < 25].astype(bool)
    method = np.r_[np.ones(50), np.arange(40) >= 30].astype(bool)
    found = difference(group, differ, asked, teacher, method)
    assert found.value == pytest.approx(0.1 * (25 - 10) / 40)
    changed = difference(group, differ, asked[50:], teacher[50:], method[50:])
    assert changed == found
    low, high = tango(25, 10, 40)
    assert (found.low, found.high) == (pytest.approx(0.1 * low, abs=0.004), pytest.approx(0.1 * high, abs=0.004))


def test_who_never_differs_is_level():
    found = difference(np.zeros(500), np.zeros(500), np.arange(10), np.ones(10), np.ones(10))
    assert found.value == 0
    assert -0.01 < found.low < 0 < found.high < 0.01


def test_nothing_checked_where_they_differ_says_nothing_but_how_many_rows_these_are():
    group = np.array([SURE] * 95 + [MOST] * 5)
    found = difference(group, group == MOST, np.arange(10), np.ones(10), np.ones(10))
    assert (found.low, found.high) == (pytest.approx(-0.05, abs=0.002), pytest.approx(0.05, abs=0.002))


def test_two_persons_who_disagree_count_by_halves():
    group, asked = np.array([MOST] * 100), np.arange(50)
    half = accuracy(group, asked, np.full(50, 0.5))
    assert half.value == 0.5
    assert half.low < 0.5 < half.high


@pytest.mark.parametrize("seed", range(4))
def test_at_most_is_what_no_difference_exceeds(seed):
    agree, group, rng = made(seed=seed)
    asked = asking_order(group, seed)[:150]
    differ = ~agree[:, 0]
    teacher = rng.random(150) < 0.6
    method = np.where(differ[asked], ~teacher & (rng.random(150) < 0.8), teacher)
    found = difference(group, differ, asked, teacher, method)
    assert (found.high - found.low) / 2 <= at_most(group, differ, asked) * 1.02


def test_intervals_cover():
    """300 samples of 120 rows; the closed figures are in benchmarks/checking.py."""
    rng = np.random.default_rng(5)
    agree = rng.random((20_000, 2)) < 0.88
    teacher = rng.random(20_000) < np.where(agree.all(axis=1), 0.98, 0.6)
    method = np.where(agree[:, 0], teacher, ~teacher & (rng.random(20_000) < 0.7))
    shares, gaps = [], []
    for draw in range(300):
        rows = rng.integers(0, 20_000, 1500)
        group = grouped(agree[rows])
        asked = asking_order(group, draw)[:120]
        right, own = teacher[rows][asked], method[rows][asked]
        shares.append(checked.accuracy_counts(group, asked, own, agree[rows, 0]))
        gaps.append(checked.difference_counts(group, ~agree[rows, 0], asked, right, own))
    for found, values, truth in (
        (shares, (1.0, 0.0), method.mean()),
        (gaps, (1.0, 0.0, -1.0), teacher.mean() - method.mean()),
    ):
        value, low, high = checked.weighed(found, values, 1500)
        assert ((low <= truth) & (truth <= high)).mean() >= 0.91
        assert abs(value.mean() - truth) < 0.005
