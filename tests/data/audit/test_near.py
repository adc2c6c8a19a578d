"""Twins: everything the definition names is found, nothing else is, and nothing takes forever."""

import random
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slmfit.data.audit.edits import Words, word_edits
from slmfit.data.audit.near import WORDS_PER_EDIT, find_duplicates

VOCABULARY = [f"word{k}" for k in range(400)]


def slow_edits(one, other):
    """The textbook's table, row by row."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]


def edited(words, times, rng):
    words = list(words)
    for _ in range(times):
        at, how = rng.randrange(len(words)), rng.randrange(3)
        words[at : at + (how != 1)] = [] if how == 0 else [rng.choice(VOCABULARY)]
    return words


def pairs_of(texts):
    return {(i, j) for i, j in find_duplicates(texts).near.tolist()}


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.integers(0, 3), max_size=14), min_size=2, max_size=6), st.data())
def test_edit_distance_is_the_textbooks(texts, data):
    length = np.array([len(t) for t in texts])
    words = Words(np.array([w for t in texts for w in t], np.int64), np.cumsum(length) - length, length)
    pairs = np.array([(i, j) for j in range(len(texts)) for i in range(j)])
    limit = np.array(data.draw(st.lists(st.integers(0, 12), min_size=len(pairs), max_size=len(pairs))))
    edits, finished = word_edits(words, pairs, limit)
    true = np.array([slow_edits(texts[i], texts[j]) for i, j in pairs])
    assert finished and edits.tolist() == np.minimum(true, limit + 1).tolist()


def test_near_is_exactly_what_brute_force_finds():
    rng = random.Random(0)
    texts = []
    for _ in range(18):
        base = [rng.choice(VOCABULARY) for _ in range(rng.randint(8, 60))]
        texts += [base, *(edited(base, rng.randint(0, len(base) // 7), rng) for _ in range(4))]
    rng.shuffle(texts)
    expected = set()
    for j, other in enumerate(texts):
        for i, one in enumerate(texts[:j]):
            longer = max(len(one), len(other))
            if one not in texts[:i] and other not in texts[:j] and slow_edits(one, other) <= longer // WORDS_PER_EDIT:
                expected.add((i, j))
    found = find_duplicates([" ".join(t) for t in texts])
    assert {tuple(pair) for pair in found.near.tolist()} == expected and len(expected) > 30 and found.complete
    assert found.similarity.min() >= 0.9 and found.similarity.max() < 1


VARIANTS = [
    ("Cancel my order", "cancel  my order!"),
    ("Cancel my order", "\tCANCEL MY\nORDER "),
    ("the U.S. e-mail", "The US email"),
    ("covid-19 cases", "Covid 19 cases"),
    ("ﬁne print", "fine print"),
    ("Straße", "STRASSE"),
    ("你好，世界", "你好 世界"),
    ("café", "cafe\u0301"),
    ("one\u200b two", "one two"),
    ("!?", "!? "),
]
DIFFERENT = [
    ("version 1.5", "version 15"),
    ("1 23", "12 3"),
    ("I like C", "I like C++"),
    ("5 $", "5 €"),
    (":)", ":("),
    ("", " "),
    ("\n", "\n"),
    ("play a song", "play the song"),
    ("🙂", "🙁"),
    ("call <person>", "call <place>"),
    ("a < b", "a > b"),
    ("<br>", "<hr>"),
]


@pytest.mark.parametrize(("one", "other"), VARIANTS)
def test_case_spaces_and_punctuation_do_not_count(one, other):
    assert list(find_duplicates([one, other]).links()) == [(0, 1, "variant", 1.0)]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_differs_in_meaning_is_no_variant(one, other):
    found = find_duplicates([one, other])
    assert list(found.links()) == [] and found.groups.tolist() == [0, 1]


def test_kinds_links_and_groups():
    base = "a b c d e f g h i j"
    texts = ["other", base, base, base.upper(), base.replace("j", "x"), base.replace("j", "x y"), "", "other "]
    found = find_duplicates(texts)
    assert found.exact.tolist() == [0, 1, 1, 3, 4, 5, 6, 7]
    assert found.variant.tolist() == [0, 1, 1, 1, 4, 5, 6, 0]
    assert found.groups.tolist() == [0, 1, 1, 1, 1, 1, 6, 0]  # 5 is two edits from 1 and joins it through 4
    assert [link[:3] for link in found.links()] == [
        (1, 2, "exact"), (1, 3, "variant"), (0, 7, "variant"), (1, 4, "near"), (4, 5, "near"),
    ]  # fmt: skip


def test_one_word_in_ten_and_not_more():
    ten = "a b c d e f g h i j".split()
    assert pairs_of([" ".join(ten), " ".join([*ten[:4], "X", *ten[5:]])]) == {(0, 1)}
    assert pairs_of([" ".join(ten), " ".join(ten[:-1])]) == {(0, 1)}
    assert pairs_of([" ".join(ten), " ".join(["X", *ten[1:9], "X"])]) == set()
    assert pairs_of([" ".join(ten[:9]), " ".join([*ten[:8], "X"])]) == set()
    assert pairs_of(["这是一个关于天气的问题吗", "这是一个关于气候的问题吗"]) == set()
    assert pairs_of(["这是一个关于天气的问题吗", "这是一个关于天空的问题吗"]) == {(0, 1)}


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(st.characters(), max_size=40), max_size=8))
def test_any_text_is_read_and_every_answer_holds_together(texts):
    found = find_duplicates([*texts, *texts])
    n = len(texts)
    for rows in (found.exact, found.variant, found.groups):
        assert (rows <= np.arange(2 * n)).all() and (rows[rows] == rows).all()
    assert all(found.exact[n + k] == found.exact[k] for k in range(n) if texts[k].strip())
    assert (found.groups[found.near[:, 0]] == found.groups[found.near[:, 1]]).all()


def test_few_and_no_texts():
    assert find_duplicates([]).groups.tolist() == []
    assert find_duplicates(["one"]).groups.tolist() == [0]


RNG = random.Random(3)
TEMPLATE = [RNG.choice(VOCABULARY) for _ in range(40)]
LONG = [RNG.choice(VOCABULARY) for _ in range(150_000)]
HARD = {
    "identical": lambda: [" ".join(TEMPLATE)] * 20_000,
    "blank": lambda: ["", " "] * 10_000,
    "two words": lambda: [f"{RNG.choice(VOCABULARY)} {RNG.choice(VOCABULARY)}" for _ in range(20_000)],
    "two words only": lambda: [" ".join(RNG.choices("ab", k=40)) for _ in range(1_000)],
    "growing": lambda: ["ha " * k for k in range(1, 400)],
    "one word of a megabyte": lambda: ["a" * (1_000_000 + k) for k in range(3)],
    "one Chinese template": lambda: [f"{'欢迎光临我们的网上商店' * 4}{chr(0x5000 + k)}" for k in range(1_000)],
}


@pytest.mark.parametrize("texts", HARD.values(), ids=HARD)
def test_no_data_takes_its_square(texts):
    rows = texts()
    began = time.process_time()
    find_duplicates(rows)
    assert time.process_time() - began < 8


def test_a_crowd_from_one_template_is_one_group():
    texts = [" ".join([*TEMPLATE[:20], str(k), *TEMPLATE[20:]]) for k in range(2_000)]
    assert set(find_duplicates(texts).groups.tolist()) == {0}


def test_a_budget_that_runs_out_is_said(monkeypatch):
    texts = [" ".join([*TEMPLATE[:20], str(k), *TEMPLATE[20:]]) for k in range(300)]
    assert find_duplicates(texts).complete and len(pairs_of(texts)) == 300 * 299 // 2
    monkeypatch.setattr("slmfit.data.audit.near._CANDIDATES", 1_000)
    cut = find_duplicates(texts)
    assert not cut.complete and set(cut.groups.tolist()) == {0}
    monkeypatch.setattr("slmfit.data.audit.edits._WORK", 1)
    monkeypatch.setattr("slmfit.data.audit.edits.CELLS", 1_000)
    assert not find_duplicates(texts).complete


def test_long_texts_with_few_edits_are_near():
    other = list(LONG)
    for k in range(0, len(other), 500):
        other[k] = "new"
    assert pairs_of([" ".join(LONG), " ".join(other)]) == {(0, 1)}


def test_the_same_texts_give_the_same_answer_in_any_order():
    rng = random.Random(5)
    texts = [" ".join(edited(TEMPLATE, rng.randint(0, 6), rng)) for _ in range(200)]
    order = rng.sample(range(200), 200)
    found, shuffled = find_duplicates(texts), find_duplicates([texts[k] for k in order])
    pairs = {frozenset((texts[i], texts[j])) for i, j in found.near.tolist()}
    assert pairs == {frozenset((texts[order[i]], texts[order[j]])) for i, j in shuffled.near.tolist()}
