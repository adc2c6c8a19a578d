"""What is promised of two models holds as often as it says, in worlds whose truth is known; and what is no promise."""

import numpy as np
import pytest

from slmfit.evidence.promise import FEW, Rows, promised, tests

tests.__test__ = False


def world(rng, n, harm, gain, calibrated=True):
    """Confidence of the small one, whether each is right, whether they differ. harm: that the large one is right where
    the small one is not; gain: that it is wrong where that one is right.
    """
    sure = rng.beta(4.5, 0.45, n)
    small = rng.random(n) < (sure if calibrated else 0.9)
    large = np.where(small, rng.random(n) >= gain, rng.random(n) < harm)
    return sure, small, large, (small != large) | (~small & ~large & (rng.random(n) < 0.3))


def kept(answers, truth, trials, n, target, **rest):
    """The shares of splits with a promise and with one that does not hold, and the mean share answered by the small."""
    sure, small, large, _ = truth
    order = np.argsort(-sure)
    gains = np.concatenate([[0.0], np.cumsum(small[order].astype(float) - large[order])]) / len(sure)
    made, broken, shares = 0, 0, []
    for trial in range(trials):
        found = promised(*answers(np.random.default_rng(trial), n), target=target, sure=0.95, draws=0, **rest)
        if found.threshold is not None:
            place = np.searchsorted(-sure[order], -found.threshold, side="right")
            made, broken = made + 1, broken + (large.mean() + gains[place] < target * large.mean())
            shares.append(place / len(sure))
    return made / trials, broken / trials, np.mean(shares) if shares else 0.0


@pytest.mark.parametrize(
    ("harm", "gain", "calibrated", "target", "n", "most", "least"),
    [
        (0.75, 0.03, True, 0.99, 2000, 0.04, 0.95),  # a gap of four points: the edge is at 87 % of the rows
        (0.75, 0.03, True, 1.0, 2000, 0.06, 0.8),  # nothing may be lost: the safest end shows nothing
        (0.36, 0.0404, False, 1.0, 500, 0.09, 0.0),  # no share of rows loses or wins anything: the hardest world
        (0.9, 0.01, False, 0.99, 500, 0.07, 0.0),  # the small one does not know when it is wrong
    ],
)
def test_what_is_promised_holds(harm, gain, calibrated, target, n, most, least):
    truth = world(np.random.default_rng(1000), 400_000, harm, gain, calibrated)
    made, broken, _ = kept(lambda rng, n: world(rng, n, harm, gain, calibrated), truth, 150, n, target)
    assert broken <= most and made >= least  # of 150 splits, by chance up to two standard errors more than 5 %


def test_the_small_one_answers_nearly_all_it_may():
    truth = world(np.random.default_rng(1000), 400_000, 0.75, 0.03)
    assert kept(lambda rng, n: world(rng, n, 0.75, 0.03), truth, 40, 2000, 0.99)[2] >= 0.85 * 0.867


def test_no_promise_says_what_it_would_take():
    rng = np.random.default_rng(0)
    found = promised(*world(rng, 100, 0.75, 0.03), target=1, sure=0.95)
    assert found.threshold is None and found.share == 0 and found.score == found.large
    assert found.rows_needed is None or found.rows_needed > 100
    hopeless = promised(*world(rng, 500, 0.99, 0.0), target=1, sure=0.95)
    assert hopeless.threshold is None and hopeless.rows_needed is None and hopeless.peak.share == 0


def test_how_often_a_promise_is_found_stands_beside_it():
    found = promised(*world(np.random.default_rng(3), 2000, 0.75, 0.03), target=0.99, sure=0.95, draws=50)
    assert found.found > 0.9 and 0.94 <= found.kept <= 0.95
    assert found == promised(*world(np.random.default_rng(3), 2000, 0.75, 0.03), target=0.99, sure=0.95, draws=50)


def test_rows_that_repeat_tell_nothing_more():
    sure, small, large, differ = world(np.random.default_rng(5), 400, 0.75, 0.03)
    given = {"target": 0.99, "sure": 0.95, "draws": 0}
    once = promised(sure, small, large, differ, **given)
    weighed = promised(sure, small, large, differ, weights=np.full(400, 5), **given)
    assert weighed == once
    mixed = tests(Rows.of(sure, small, large, differ, np.where(np.arange(400) < 40, 20, 1)), 0.99)
    assert (mixed.counts <= tests(Rows.of(sure, small, large, differ, None), 0.99).counts.max()).all()


def test_few_rows_are_counted_exactly():
    """300 rows of which 3 may be lost: none lost has the chance of Poisson's 0 at 3, one lost that of 0 or 1."""
    for lost, chance in ((0, np.exp(-3)), (1, 4 * np.exp(-3))):
        small = np.ones(300)
        small[:lost] = 0
        tested = tests(Rows.of(np.full(300, 0.9), small, np.ones(300), 1 - small, None), 0.99)
        assert tested.counts[0] == lost < FEW and tested.p[0] == pytest.approx(chance, rel=1e-9)


def test_an_answer_without_confidence_is_never_the_small_ones():
    sure, small, large, differ = world(np.random.default_rng(5), 1000, 0.3, 0.1)
    sure[:500] = np.nan
    found = promised(sure, small, large, differ, target=0.9, sure=0.95, draws=0)
    assert 0.4 < found.share <= 0.5
    nothing = promised(np.full(9, np.nan), np.ones(9), np.ones(9), np.zeros(9), target=0.9, sure=0.95)
    assert nothing.threshold is None and promised([], [], [], [], target=0.9, sure=0.95).rows == 0
    with pytest.raises(ValueError, match="not the same rows"):
        promised([0.5], [1, 1], [1], [0], target=0.9, sure=0.95)
