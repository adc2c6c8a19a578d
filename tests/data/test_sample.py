"""Fewer rows of a dataset: drawn at random, said, and everything else as it was."""

import pytest

from conftest import make_dataset
from slmfit.comparison.compare import train
from slmfit.data import load_data
from slmfit.errors import UsageError


@pytest.fixture(scope="module")
def data():
    return make_dataset(sizes=(90, 30, 30))


def test_rows_are_drawn_from_their_split_in_their_order(data):
    few = data.sample(train=40, validation=10)
    assert (len(few.train), len(few.validation), few.test) == (40, 10, data.test)
    places = [data.train.index(example) for example in few.train]
    assert places == sorted(set(places)) and places != list(range(40))
    assert few.task == data.task and few.hashes["test"] == data.hashes["test"]
    assert few.fingerprint != data.fingerprint


def test_a_seed_draws_the_same_rows_again_and_another_draws_others(data):
    assert data.sample(train=40).train == data.sample(train=40).train != data.sample(train=40, seed=1).train


def test_it_is_said_and_recorded(data, tmp_path):
    said = "train: 40 of 90 rows are used, drawn at random."
    few = data.sample(train=40)
    assert few.notes[-1] == said
    record = train(few, "majority", out=tmp_path / "out").record
    assert record.dataset["source"]["split"].endswith(said) and record.split["train"].rows == 40


def test_the_whole_is_left_as_it_is(data):
    assert data.sample().fingerprint == data.fingerprint and data.sample().notes == data.notes


@pytest.mark.parametrize("rows", [0, -1, 91])
def test_a_number_that_the_split_does_not_have_is_refused(data, rows):
    with pytest.raises(UsageError, match="train"):
        data.sample(train=rows)


def test_what_rows_belong_to_is_drawn_with_them():
    rows = [{"text": f"text number {k} of {k % 60}", "label": "ab"[k % 2], "user": f"u{k % 60}"} for k in range(900)]
    data = load_data(rows)
    few = data.sample(train=300)
    assert data.groupings and few.groupings.keys() == data.groupings.keys()
    for column, of in few.groupings.items():
        assert [len(of[split]) for split in few.splits] == [len(few.splits[split]) for split in few.splits]
        place = {example.id: n for n, example in enumerate(data.train)}
        assert list(of["train"]) == [data.groupings[column]["train"][place[example.id]] for example in few.train]
