"""Splits: in proportion, groups whole, the same everywhere, and by time where asked."""

from __future__ import annotations

import hashlib
import random
import time
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slmfit.data.split import assign, assign_by_time

SHARES = {"train": 0.6, "test": 0.2, "validation": 0.2}
TENTH = {"train": 0.9, "validation": 0.1}


def by_label(labels: list[str], chosen: list[str]) -> dict[tuple[str, str], int]:
    return Counter(zip(labels, chosen, strict=True))


def alone(labels: list[str]) -> range:
    return range(len(labels))


def test_every_label_is_spread_in_proportion() -> None:
    labels = ["a"] * 700 + ["b"] * 250 + ["c"] * 50
    random.Random(1).shuffle(labels)
    counts = by_label(labels, assign(labels, alone(labels), SHARES, 0))
    for label, n in (("a", 700), ("b", 250), ("c", 50)):
        for split, share in SHARES.items():
            assert counts[label, split] == pytest.approx(n * share, abs=1)


@settings(max_examples=200)
@given(st.lists(st.sampled_from("abcdef"), min_size=1), st.sampled_from([SHARES, TENTH]), st.integers(0, 9))
def test_every_label_has_two_rows_in_train_and_its_share_elsewhere(
    labels: list[str], shares: dict[str, float], seed: int
) -> None:
    chosen = assign(labels, alone(labels), shares, seed)
    counts, total = by_label(labels, chosen), Counter(labels)
    assert set(chosen) <= shares.keys()
    for label, n in total.items():
        assert counts[label, "train"] >= min(n, 2)
        for split, share in shares.items():
            assert abs(counts[label, split] - n * share) < 2


def test_many_small_labels_add_up_to_the_shares() -> None:
    labels = [f"label {i}" for i in range(100) for _ in range(7)]
    counts = Counter(assign(labels, alone(labels), SHARES, 0))
    assert counts["test"] == pytest.approx(140, abs=2)
    assert counts["validation"] == pytest.approx(140, abs=2)
    labels = [f"label {i}" for i in range(100) for _ in range(3)]
    assert Counter(assign(labels, alone(labels), TENTH, 0))["validation"] == pytest.approx(30, abs=2)


def test_the_split_is_the_same_on_every_machine() -> None:
    labels = [str(i % 5) for i in range(1000)]
    groups = [i // 2 if i < 200 else i for i in range(1000)]
    chosen = assign(labels, groups, SHARES, 7)
    assert hashlib.sha256(" ".join(chosen).encode()).hexdigest()[:16] == "f5dd0dca6d8ddfc9"
    assert chosen == assign(labels, groups, SHARES, 7)
    assert chosen != assign(labels, groups, SHARES, 8)


@settings(max_examples=200)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 12)), min_size=1, max_size=60), st.integers(0, 5))
def test_groups_stay_whole_and_no_split_is_empty_that_need_not_be(rows: list[tuple[str, int]], seed: int) -> None:
    labels, groups = [label for label, _ in rows], [group for _, group in rows]
    chosen = assign(labels, groups, SHARES, seed)
    assert len(set(zip(groups, chosen, strict=True))) == len(set(groups))
    if min(Counter(groups).values()) > 1 and len(set(groups)) >= 3:
        assert set(chosen) == set(SHARES)


def test_groups_of_customers_are_spread_in_proportion() -> None:
    draw = random.Random(3)
    groups = [g for g in range(300) for _ in range(draw.randrange(1, 20))]
    labels = [draw.choice("aaab" if g % 2 else "abbb") for g in groups]
    counts = by_label(labels, assign(labels, groups, SHARES, 0))
    for label, n in Counter(labels).items():
        for split, share in SHARES.items():
            assert counts[label, split] == pytest.approx(n * share, rel=0.05)


def test_three_customers_are_enough() -> None:
    assert Counter(assign(["a", "b"] * 30, [0] * 20 + [1] * 20 + [2] * 20, SHARES, 0)) == dict.fromkeys(SHARES, 20)


def test_twins_do_not_disturb_the_proportions() -> None:
    draw = random.Random(4)
    labels = [draw.choice("abcd") for _ in range(5000)]
    groups = list(range(5000))
    for _ in range(300):
        i, j = draw.randrange(5000), draw.randrange(5000)
        groups[j] = groups[i]
    counts = by_label(labels, assign(labels, groups, SHARES, 0))
    for label, n in Counter(labels).items():
        for split, share in SHARES.items():
            assert counts[label, split] == pytest.approx(n * share, abs=2)


def test_120_000_rows_are_split_in_a_moment() -> None:
    labels = [str(i % 20) for i in range(120_000)]
    groups = [i // 2 if i < 10_000 else i for i in range(120_000)]
    start = time.process_time()
    assign(labels, groups, SHARES, 0)
    assert time.process_time() - start < 5


# --- time -------------------------------------------------------------------------------------------------------------


def test_the_latest_rows_are_test_and_those_before_validation() -> None:
    moments = list(range(100))
    random.Random(0).shuffle(moments)
    chosen = assign_by_time(moments, SHARES)
    assert chosen
    for m, split in zip(moments, chosen, strict=True):
        assert split == ("train" if m < 60 else "validation" if m < 80 else "test")
    assert assign_by_time(list(range(10)), TENTH) == ["train"] * 9 + ["validation"]


@given(st.lists(st.integers(0, 8), max_size=40))
def test_rows_of_one_moment_stay_together_and_in_order(moments: list[int]) -> None:
    chosen = assign_by_time(moments, SHARES)
    if len(set(moments)) < 3:
        assert chosen is None
        return
    assert chosen
    rank = {"train": 0, "validation": 1, "test": 2}
    assert set(chosen) == set(SHARES)
    assert len(set(zip(moments, chosen, strict=True))) == len(set(moments))
    ordered = [rank[split] for _, split in sorted(zip(moments, chosen, strict=True))]
    assert ordered == sorted(ordered)
