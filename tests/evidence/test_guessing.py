"""The test against lots drawn is the binomial one where all chances are alike, and exact where they are not."""

import itertools
import math

import numpy as np
import pytest
from scipy.stats import binom

from slmfit.evidence.guessing import guessed, holm


def test_with_one_chance_it_is_the_binomial():
    for hits, n, chance in ((0, 7, 0.5), (61, 200, 0.25), (200, 200, 0.25), (3, 3, 0.2)):
        below, above = binom.cdf(hits - 1, n, chance), binom.sf(hits, n, chance)
        seen = binom.pmf(hits, n, chance) / 2
        wanted = min(1.0, 2 * min(below + seen, above + seen))
        assert guessed(hits, [chance] * n) == pytest.approx(wanted, rel=1e-9, abs=1e-15)


def test_with_several_chances_it_counts_every_way():
    chances = [1 / 2, 1 / 3, 1 / 4, 1 / 5, 1 / 26]
    spread = np.zeros(6)
    for way in itertools.product([0, 1], repeat=5):
        spread[sum(way)] += math.prod(c if hit else 1 - c for c, hit in zip(chances, way, strict=True))
    for hits in range(6):
        tails = spread[:hits].sum() + spread[hits] / 2, spread[hits + 1 :].sum() + spread[hits] / 2
        assert guessed(hits, chances) == pytest.approx(min(1.0, 2 * min(tails)))


def test_guessers_are_called_different_no_more_often_than_said():
    rng = np.random.default_rng(0)
    chances = 1 / rng.integers(3, 6, 120)
    found = [guessed(int((rng.random(120) < chances).sum()), chances) < 0.05 for _ in range(600)]
    assert 0.025 < np.mean(found) < 0.075


def test_holm():
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06})
    assert holm({"a": 0.6, "b": 0.9}) == {"a": 1.0, "b": 1.0}
    assert holm({}) == {}
