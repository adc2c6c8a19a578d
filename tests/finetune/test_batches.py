import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slmfit.finetune import batches

lengths_of = st.lists(st.integers(1, 90), min_size=1, max_size=300).map(np.array)


@settings(deadline=None)
@given(lengths_of, st.integers(16, 400), st.integers(0, 5), st.sampled_from([1, 16]))
def test_every_row_once_and_no_batch_over_its_tokens(lengths, tokens, epoch, step):
    made = batches.epoch(lengths, tokens, seed=1, epoch=epoch, step=step)
    assert sorted(np.concatenate(made)) == list(range(len(lengths)))
    for rows in made:
        longest = -(-lengths[rows].max() // step) * step
        assert longest * len(rows) <= tokens or len(rows) == 1


def test_order_is_a_function_of_seed_and_epoch():
    lengths = np.random.default_rng(0).integers(5, 60, 500)

    def order(seed, epoch):
        return np.concatenate(batches.epoch(lengths, 256, seed, epoch)).tolist()

    assert order(0, 0) == order(0, 0)
    assert order(0, 0) != order(0, 1)
    assert order(0, 0) != order(1, 0)


def test_hardly_any_padding():
    lengths = np.random.default_rng(0).geometric(0.02, 20_000).clip(4, 128)
    made = batches.epoch(lengths, 1024, 0, 0)
    padded = sum(int(lengths[rows].max()) * len(rows) for rows in made)
    assert padded / lengths.sum() < 1.03


def test_any_stretch_of_an_epoch_is_stratified():
    random = np.random.default_rng(0)
    strata = random.permutation(np.repeat([0, 1, 2], [9000, 900, 100]))
    made = batches.epoch(random.integers(5, 60, 10_000), 512, 0, 0, strata=strata)
    first = np.concatenate(made)[:2500]
    assert np.bincount(strata[first]) == pytest.approx([2250, 225, 25], rel=0.15)


def test_prediction_begins_with_the_longest():
    lengths = np.array([3, 50, 7, 20, 50])
    made = batches.by_length(lengths, 60)
    assert lengths[made[0]].max() == 50
    assert sorted(np.concatenate(made)) == [0, 1, 2, 3, 4]
    assert batches.by_length(np.empty(0, np.int64), 60) == []
