"""Whether a gain is more than luck, what gain would have been told, and what settings account for."""

from dataclasses import replace

import numpy as np
import pytest

from slmfit.methods.ranges import Range
from slmfit.tasks.base import Components
from slmfit.tuning.deciding import best_of, decide, rival_of, smallest_gain
from slmfit.tuning.importance import importance
from slmfit.tuning.telling import caveats, sentence
from slmfit.tuning.trials import Tried

ROWS = 1000


def tried(number, score, state="ok", **known):
    return Tried(number=number, settings=known, known=known, state=state, score=score, seconds=1.0)


def right(share, swapped=0):
    """The first `share` of the rows right; `swapped` of them wrong, and as many others right."""
    rows = np.arange(ROWS) < round(share * ROWS)
    edge = int(rows.sum())
    rows[:swapped], rows[edge : edge + swapped] = False, True
    return [Components(rows.astype(float)[:, None], lambda sums: sums[..., 0] / ROWS, paired_mean=True)]


def decided(gain, trials):
    """The best of so many trials is right more often by `gain`; 5 % of the rows differ in either direction beside."""
    known = [tried(0, 0.8), *(tried(n, 0.7) for n in range(1, trials - 1)), tried(trials - 1, 0.8 + gain)]
    return known, decide(known, right(0.8 + gain, swapped=50), right(0.8), seed=0, repeats=None)


def test_the_more_trials_the_larger_a_gain_must_be():
    known, alone = decided(0.03, trials=2)
    assert alone.claimed and alone.comparisons == 1 and alone.best == 1 and alone.gain.low > 0
    assert "Trial 1 is better than the defaults: accuracy on validation is 3 points higher" in sentence(
        alone, known, "accuracy"
    )
    known, many = decided(0.03, trials=41)
    assert not many.claimed and many.comparisons == 40 and many.gain.value == pytest.approx(0.03)
    assert many.smallest > alone.smallest > 0.02
    assert "No gain can be told from luck: the best of 40 trials" in sentence(many, known, "accuracy")
    assert "a gain of" in caveats(many, known, ROWS, False)[0]


def test_the_gain_that_would_have_been_told_is_told_nine_times_in_ten():
    rng, told, share, comparisons = np.random.default_rng(0), [], 0.1, 20
    one = decided(0.0, trials=comparisons + 1)[1]
    gain = smallest_gain(one.gain, comparisons)
    for _ in range(300):
        up, down = rng.multinomial(ROWS, [(share + gain) / 2, (share - gain) / 2, 1 - share])[:2]
        rows = np.arange(ROWS)
        best, defaults = rows < 500 + up, (rows < 500) | ((rows >= 500 + up) & (rows < 500 + up + down))
        parts = [
            [Components(a.astype(float)[:, None], lambda s: s[..., 0] / ROWS, paired_mean=True)]
            for a in (best, defaults)
        ]
        known = [tried(0, 0.5), *(tried(n, 0.4) for n in range(1, comparisons)), tried(comparisons, 0.6)]
        told.append(decide(known, *parts, seed=0, repeats=None).claimed)
    assert 0.84 <= np.mean(told) <= 0.95


def test_other_metrics_can_be_told_after_many_trials():
    """The smallest p-value of a bootstrap must not be larger than what the correction leaves."""
    known = [tried(0, 0.5), *(tried(n, 0.4) for n in range(1, 200)), tried(200, 0.9)]
    parts = [[replace(one[0], paired_mean=False)] for one in (right(0.9), right(0.5))]
    assert decide(known, *parts, seed=0, repeats=None).claimed


def test_pruned_trials_count_as_looked_at_and_failed_ones_do_not():
    known = [tried(0, 0.8), tried(1, None, "pruned"), tried(2, None, "failed"), tried(3, 0.8), tried(4, 0.8)]
    assert best_of(known).number == 0 and rival_of(known).number == 3  # of equal ones the first
    found = decide(known, right(0.8), right(0.8), seed=0, repeats=None)
    assert (found.best, found.comparisons, found.claimed) == (0, 3, False)
    assert (
        sentence(found, known, "accuracy")
        == "None of 3 trials did better on validation than the defaults, which are kept."
    )
    assert caveats(found, known, ROWS, True)[-1].startswith("Of 5 trials, 1 ended early")
    nothing = decide(known[:3], [], right(0.8), seed=0, repeats=None)
    assert nothing.gain is None and "No trial could be scored" in sentence(nothing, known, "accuracy")


def test_what_settings_account_for():
    rng = np.random.default_rng(1)
    ranges = {
        "C": Range(0.01, 10, log=True),
        "power": Range(0, 2),
        "word": Range(values=("a", "b")),
        "rare": Range(0, 1),
    }
    known = []
    for number in range(60):
        C, power, word = 10 ** rng.uniform(-2, 1), rng.uniform(0, 2), rng.choice(["a", "b"])
        score = 0.9 - 0.05 * np.log10(C) ** 2 + (0.03 if word == "b" else 0.0)
        known.append(tried(number, float(score), C=float(C), power=float(power), word=str(word)))
    found = importance(known, ranges)
    assert found["C"] > 0.6 and 0.02 < found["word"] < 0.4 and found["power"] < 0.15 and found["rare"] is None
    flat = [replace(one, score=0.8) for one in known]
    assert importance(flat, ranges)["C"] == 0.0


@pytest.mark.parametrize("declared", [(1, 1), (2, 1), (0, 1, "log"), (1, 2, "cubic"), (0, float("inf"))])
def test_what_is_no_range(declared):
    with pytest.raises(ValueError, match="is no range"):
        Range.of(declared, whole=False)


def test_what_a_range_holds():
    whole, words = Range.of((1, 64, "log"), whole=True), Range.of(("a", "b"), whole=False)
    assert whole.holds(8) and not any(map(whole.holds, (0, 65, 2.5, True, "8", None)))
    assert words.holds("a") and not words.holds("c") and words.words() == "one of a, b"
    assert whole.words() == "1 to 64 on a log scale"
