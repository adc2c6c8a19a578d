"""Rows with one input count as one: formulas, agreement with fewer rows, small simulations of coverage and error."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slmfit.evidence import metrics, spread
from slmfit.evidence import statistic as s
from slmfit.evidence.clusters import Clusters, clusters_of, swapping
from slmfit.evidence.drawing import Repeated
from slmfit.records import Prediction
from slmfit.tasks import by_name
from slmfit.tasks.common import coverage_points


def mean(sums):
    return sums[..., 0] / sums[..., 1]


def table(right):
    return np.column_stack([right, np.ones(len(right))]).astype(float)


def times(n, each):
    """n inputs, each so often."""
    return Clusters(np.repeat(np.arange(n), each))


def test_where_nothing_repeats_there_are_no_clusters():
    assert clusters_of(["a", "b"]) is None and clusters_of([]) is None
    found = clusters_of(["a", "b", "a"])
    assert found.number.tolist() == [0, 1, 0] and found.size.tolist() == [2, 1, 2]
    assert found.effective == pytest.approx(9 / 5)
    assert found.among(np.array([True, True, False])) is None


def test_rows_all_as_often_tell_what_each_tells_once():
    """20 rows, 15 times each: every interval and test is that of the 20."""
    rng = np.random.default_rng(0)
    a, b = rng.random(20) < 0.8, rng.random(20) < 0.5
    repeats = times(20, 15)
    many_a, many_b = np.repeat(a, 15), np.repeat(b, 15)
    one, many = s.wilson(a.sum(), 20), s.share_right(many_a, repeats)
    assert (many.value, many.low, many.high) == pytest.approx((one.value, one.low, one.high))
    one, many = (
        s.paired_accuracy(a, b, comparisons=2),
        s.paired_accuracy(many_a, many_b, comparisons=2, clusters=repeats),
    )
    for end in ("value", "low", "high", "p_value"):
        assert getattr(many, end) == pytest.approx(getattr(one, end), abs=1e-9)
    pairs = [
        (s.bootstrap_sums(table(a), mean), s.bootstrap_sums(table(many_a), mean, clusters=repeats)),
        (s.bootstrap_mean(a), s.bootstrap_mean(many_a, clusters=repeats)),
        (s.paired_sums(table(a), table(b), mean), s.paired_sums(table(many_a), table(many_b), mean, clusters=repeats)),
        (spread.rows_alone([table(a)], mean), spread.rows_alone([table(many_a)], mean, clusters=repeats)),
    ]
    for one, many in pairs:
        assert (many.value, many.low, many.high) == pytest.approx((one.value, one.low, one.high), abs=0.03)
    sure = np.linspace(0.3, 0.9, 20)
    one = s.bootstrap_calibration(sure, a)
    many = s.bootstrap_calibration(np.repeat(sure, 15), many_a, clusters=repeats)
    assert (many.value, many.low, many.high) == pytest.approx((one.value, one.low, one.high), abs=0.03)
    truth, answer = rng.integers(0, 3, 20), rng.integers(-1, 3, 20)
    one = s.bootstrap_confusion(metrics.confusion(truth, answer, 3), metrics.SCORE_NAMES)
    truth, answer = np.repeat(truth, 15), np.repeat(answer, 15)
    counts, repeated = metrics.confusion(truth, answer, 3), Repeated(truth, answer, repeats)
    many = s.bootstrap_confusion(counts, metrics.SCORE_NAMES, repeated=repeated)
    for name in metrics.SCORE_NAMES:
        got, expected = many[name], one[name]
        assert (got.value, got.low, got.high) == pytest.approx((expected.value, expected.low, expected.high), abs=0.03)


def test_all_rows_right_is_as_sure_as_there_are_different_rows():
    assert s.bootstrap_sums(table(np.ones(300)), mean, clusters=times(20, 15)).low == pytest.approx(
        s.wilson(20, 20).low
    )
    same = s.paired_sums(table(np.ones(300)), table(np.ones(300)), mean, clusters=times(20, 15))
    assert (same.low, same.high) == pytest.approx(s.tango(0, 0, 20), abs=1e-6)


@given(st.lists(st.integers(-4, 4), max_size=9))
@settings(deadline=None)
def test_swapping_counts_all_ways_to_swap(gaps):
    seen = abs(sum(gaps))
    ways = [
        abs(sum(sign * gap for sign, gap in zip(signs, gaps, strict=True)))
        for signs in product((1, -1), repeat=len(gaps))
    ]
    further = np.mean([(way > seen) + (way == seen) / 2 for way in ways])
    assert swapping(np.array(gaps, float)) == pytest.approx(further if seen else 1.0)


@given(st.integers(0, 60), st.integers(0, 60))
@settings(deadline=None)
def test_swapping_single_rows_is_mcnemar(a, b):
    gaps = np.concatenate([np.ones(a), -np.ones(b), np.zeros(3)])
    assert swapping(gaps) == pytest.approx(s.mcnemar(a, b))


def test_a_text_with_two_labels_is_one_cluster():
    """One answer is right for one of its rows at most: a method that is right for half of them differs from none."""
    clusters = times(30, 2)
    first, second = np.tile([1, 0], 30), np.tile([0, 1], 30)
    gap = s.paired_accuracy(first, second, clusters=clusters)
    assert gap.value == 0 and gap.p_value == 1 and gap.low < -0.05


@pytest.mark.parametrize("sizes", [[15] * 20, [1] * 60 + [2] * 30, [1] * 100 + [20] * 10])
def test_coverage_and_error_with_repeats(sizes):
    """Of intervals of 95 %, and of a test at 5 % of two methods that are equally good; benchmarks/ has more."""
    rng, clusters = np.random.default_rng(1), Clusters(np.repeat(np.arange(len(sizes)), sizes))
    held = held_gap = wrong = naive = 0
    for _ in range(400):
        a, b = ((rng.random(len(sizes)) < 0.7)[clusters.number] for _ in range(2))
        one = s.share_right(a, clusters)
        held += one.low <= 0.7 <= one.high
        gap = s.paired_accuracy(a, b, clusters=clusters)
        held_gap += gap.low <= 0 <= gap.high
        wrong += gap.p_value < 0.05
        naive += s.paired_accuracy(a, b).p_value < 0.05
    assert held >= 0.92 * 400 and held_gap >= 0.92 * 400 and wrong <= 0.07 * 400
    assert naive > wrong


def test_scores_of_a_task_count_repeated_inputs_once():
    task = by_name("text-classification").with_labels(["a", "b"])
    inputs = [f"text {k % 20}" for k in range(300)]
    truth = ["ab"[k % 2] for k in range(300)]
    answers = [Prediction("ab"[k % 20 % 3 % 2], probabilities={"a": 0.6, "b": 0.4}) for k in range(300)]
    plain, found = task.score(truth, answers), task.score(truth, answers, inputs=inputs)
    for name, score in found.values.items():
        wide = plain.values[name]
        assert score.value == wide.value and score.high - score.low > 2 * (wide.high - wide.low)
    assert task.score(truth, answers, inputs=[f"{k}" for k in range(300)]) == plain
    points = coverage_points(np.full(300, 0.6), np.tile([True, False], 150), clusters=clusters_of(inputs))
    assert points[0]["low"] == pytest.approx(s.wilson(10, 20).low)


def test_entities_and_options_too():
    from conftest import make_dataset

    for name in ("token-classification", "multiple-choice"):
        data = make_dataset(name)
        rows = [e for e in data.test[:10] for _ in range(10)]
        rows = list({repr(e.input): e for e in rows}.values()) * 10
        answers = [Prediction(rows[(k + 1) % len(rows)].target if k % 3 else e.target) for k, e in enumerate(rows)]
        truth, inputs = [e.target for e in rows], [e.input for e in rows]
        plain, found = data.task.score(truth, answers), data.task.score(truth, answers, inputs=inputs)
        for metric, score in found.values.items():
            assert score.value == plain.values[metric].value
            assert score.high - score.low > plain.values[metric].high - plain.values[metric].low
