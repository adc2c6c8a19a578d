"""From where on a small model may answer beside the teacher: what passes, what ends the trying, how rarely it errs."""

import numpy as np
import pytest

from slmfit.evidence.checked import asking_order, at_most, difference, grouped
from slmfit.evidence.in_part import LEAST, Sample, in_part, in_parts, most_alike
from slmfit.evidence.truth import MARGIN

ROWS = 1000


def world(rng, harm, rows=ROWS):
    """Confidence, whether teacher and method are right, whether they differ. harm: by confidence, the chance that the
    method alone is wrong."""
    sure = np.sort(rng.random(rows))[::-1]
    teacher = rng.random(rows) < 0.9
    worse = teacher & (rng.random(rows) < harm(sure))
    return sure, teacher, teacher & ~worse, worse


def told(drawn, count=150, seed=0):
    sure, teacher, own, differ = drawn
    group = grouped(~differ[:, None], sure)
    asked = asking_order(group, seed)[:count]
    return in_part(Sample("small", group, sure, differ, asked, teacher[asked], own[asked]), margin=MARGIN)


def test_it_answers_what_it_is_sure_of():
    drawn = world(np.random.default_rng(0), lambda sure: np.where(sure > 0.5, 0.005, 0.3))
    part = told(drawn)
    assert 0.5 <= part.share <= 0.65
    assert part.share == (drawn[0] >= part.threshold).mean()
    assert part.gap.low <= part.gap.value <= part.gap.high <= MARGIN
    assert part.resting > 0


def test_the_difference_is_that_of_both_together():
    sure, teacher, own, differ = world(np.random.default_rng(1), lambda sure: 0.04 * (1 - sure))
    group = grouped(~differ[:, None], sure)
    asked = np.arange(ROWS)
    part = in_part(Sample("small", group, sure, differ, asked, teacher, own), margin=MARGIN)
    both = np.where(sure >= part.threshold, own, teacher)
    assert part.gap.value == pytest.approx(teacher.mean() - both.mean())
    alone = difference(group, both != teacher, asked, teacher, both)
    assert (part.gap.low, part.gap.high) == pytest.approx((alone.low, alone.high))


def test_the_first_threshold_that_fails_ends_it():
    drawn = world(np.random.default_rng(2), lambda sure: np.where(sure > 0.9, 0.7, 0.0))
    assert told(drawn) is None


def test_a_part_that_is_hardly_any_is_none():
    sure = np.concatenate([np.linspace(1, 0.9, 60), np.full(940, np.nan)])
    alike = np.zeros(ROWS, bool)
    group = grouped(~alike[:, None])
    right = np.ones(150)
    assert 60 / ROWS < LEAST
    assert in_part(Sample("small", group, sure, alike, np.arange(150), right, right), margin=MARGIN) is None
    sure[:] = np.nan
    assert in_part(Sample("small", group, sure, alike, np.arange(150), right, right), margin=MARGIN) is None


def test_equally_sure_rows_go_together():
    sure = np.where(np.arange(ROWS) < 400, 0.9, 0.5)
    alike = np.zeros(ROWS, bool)
    group = grouped(~alike[:, None])
    part = in_part(Sample("small", group, sure, alike, np.arange(20), np.ones(20), np.ones(20)), margin=MARGIN)
    assert (part.threshold, part.share, part.resting) == (0.5, 1.0, 0)


def test_few_rows_tell_nothing_though_none_differs():
    sure, alike = np.linspace(1, 0, 24), np.zeros(24, bool)
    group = grouped(~alike[:, None])
    assert in_part(Sample("small", group, sure, alike, np.arange(24), np.ones(24), np.ones(24)), margin=MARGIN) is None
    found = difference(group, alike, np.arange(24), np.ones(24), np.ones(24))
    assert at_most(group, alike, np.arange(24)) == pytest.approx(found.high) == pytest.approx(0.138, abs=1e-3)
    one = alike.copy()
    one[5] = True
    assert at_most(grouped(~one[:, None]), one, np.arange(24)) >= found.high


def test_which_method_is_tried_is_known_without_a_check():
    sure = np.linspace(1, 0, ROWS)
    none, late = np.zeros(ROWS, bool), np.arange(ROWS) > 700
    sizes = {"a": 5.0, "b": None, "c": 1.0, "d": 0.5}
    methods = {"a": (sure, none), "b": (sure, none), "c": (sure, late), "d": (np.full(ROWS, np.nan), none)}
    assert most_alike(methods, sizes, MARGIN) == "a"
    assert most_alike({"c": methods["c"], "b": methods["b"]}, sizes, MARGIN) == "b"
    assert most_alike({"d": methods["d"]}, sizes, MARGIN) is None


@pytest.mark.parametrize(
    "harm",
    [lambda sure: np.full_like(sure, 0.09), lambda sure: np.where(sure > 0.7, 0.115, 0.0)],
    ids=["confidence says nothing", "wrong where it is surest"],
)
def test_it_is_hardly_ever_said_wrongly(harm):
    """More than the margin is lost from two fifths of the rows on."""
    rng, false, said = np.random.default_rng(3), 0, 0
    for seed in range(12):
        part = told(world(rng, harm), seed=seed)
        if part is not None:
            answered = np.linspace(1, 0, 10_001)[: round(part.share * 10_001)]
            said, false = said + 1, false + (0.9 * harm(answered).sum() / 10_001 > MARGIN)
    assert said > false <= 2


def test_many_at_once_are_as_one_by_one():
    rng, samples = np.random.default_rng(4), []
    for harm in (lambda sure: 0.05 * (1 - sure), lambda sure: np.full_like(sure, 0.3), np.zeros_like):
        sure, teacher, own, differ = world(rng, harm)
        group = grouped(~differ[:, None], sure)
        asked = asking_order(group)[:150]
        samples.append(Sample("small", group, sure, differ, asked, teacher[asked], own[asked]))
    found = in_parts(samples, margin=MARGIN)
    assert found == [in_part(one, margin=MARGIN) for one in samples]
    assert found[1] is None and found[0].share < found[2].share
