"""Words and n-grams: equal on both paths, equal to scikit-learn's, and never across two texts."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slmfit.text.ngrams import UNKNOWN, Grams, Tokens, character_ngrams, ngrams, split_words, words_of

ANY_TEXT = st.text(st.characters(), max_size=40)  # surrogates included


def spelled(tokens: Tokens) -> list[list[str]]:
    """The tokens of each text as strings."""
    rows = zip(tokens.offsets[:-1], tokens.offsets[1:], strict=True)
    return [[tokens.vocabulary[i] for i in tokens.ids[low:high]] for low, high in rows]


def row_keys(grams: Grams) -> list[list[int]]:
    rows = zip(grams.offsets[:-1], grams.offsets[1:], strict=True)
    return [grams.keys[low:high].tolist() for low, high in rows]


@settings(deadline=None)  # the first example compiles
@given(st.lists(ANY_TEXT, max_size=5), st.integers(1, 3))
def test_many_texts_and_one_text_give_the_same_words(texts: list[str], shortest: int) -> None:
    many = spelled(split_words(texts, shortest=shortest))
    assert many == [words_of(text, shortest=shortest) for text in texts]


def test_every_code_point_is_judged_alike_on_both_paths() -> None:
    planes = [*range(0x40000), *range(0xE0000, 0xE0400)]  # the rest is unassigned or private
    texts = ["b a".join(map(chr, planes[low : low + 64])) for low in range(0, len(planes), 64)]
    assert spelled(split_words(texts)) == [words_of(text) for text in texts]


@given(st.text(st.characters(exclude_categories=["M", "Cs"]), max_size=60))
def test_without_combining_marks_the_words_are_scikit_learns(text: str) -> None:
    # lower-casing İ makes a combining dot, the one way a mark can appear here
    text = text.replace("İ", "i")
    assert words_of(text) == re.findall(r"(?u)\b\w\w+\b", text.lower())


@pytest.mark.parametrize("word", ["हिन्दी", "ภาษาไทย", "cafe\u0301"])
def test_combining_marks_stay_in_their_word(word: str) -> None:
    assert words_of(f"x {word}, y") == [word]


def test_vocabulary_is_sorted_and_does_not_depend_on_the_order_of_texts() -> None:
    one, other = split_words(["bb aa", "cc"]), split_words(["cc", "bb aa"])
    assert one.vocabulary == other.vocabulary == ["aa", "bb", "cc"]
    assert one.ids.tolist() == [1, 0, 2]


def test_unknown_words_break_ngrams() -> None:
    tokens = split_words(["aa bb zz aa bb"], ["aa", "bb"])
    assert tokens.ids.tolist() == [0, 1, UNKNOWN, 0, 1]
    assert ngrams(tokens, 2).keys.tolist() == [1, 1]


@pytest.mark.parametrize("texts", [[], [""], ["", "a", " "]])
def test_texts_without_words(texts: list[str]) -> None:
    tokens = split_words(texts)
    assert tokens.offsets.tolist() == [0] * (len(texts) + 1)
    assert ngrams(tokens, 2).offsets.tolist() == tokens.offsets.tolist()
    assert split_words(texts, ["aa"]).ids.tolist() == []
    assert split_words(["aa bb"], []).ids.tolist() == [UNKNOWN, UNKNOWN]


@given(st.lists(st.lists(st.sampled_from(["aa", "bb", "cc"]), max_size=6), max_size=4), st.integers(1, 4))
def test_ngrams_are_the_runs_within_one_text(rows: list[list[str]], n: int) -> None:
    tokens = split_words([" ".join(row) for row in rows])
    number = {word: i for i, word in enumerate(tokens.vocabulary)}
    size = len(number)
    expected = [
        [sum(number[w] * size ** (n - 1 - k) for k, w in enumerate(row[i : i + n])) for i in range(len(row) - n + 1)]
        for row in rows
    ]
    assert row_keys(ngrams(tokens, n)) == expected


def test_keys_that_do_not_fit_are_hashed_and_stay_apart() -> None:
    rng = np.random.default_rng(0)
    size, n = 2**20, 5
    ids = rng.integers(0, size, 200_000, dtype=np.int32)
    keys = ngrams(Tokens(ids, np.array([0, len(ids)]), ["x"] * size), n).keys
    assert len(set(keys.tolist())) == len(ids) - n + 1
    assert keys.min() >= 0
    twice = np.concatenate((ids, ids))
    again = ngrams(Tokens(twice, np.array([0, len(ids), 2 * len(ids)]), ["x"] * size), n)
    assert row_keys(again) == [keys.tolist(), keys.tolist()]


@given(st.lists(st.text("abc", min_size=1, max_size=7), max_size=5), st.sampled_from(["abc", "ab", ""]))
def test_runs_of_characters_stay_in_their_word(words: list[str], alphabet: str) -> None:
    found = row_keys(character_ngrams(words, alphabet, (2, 3, 5)))
    names: dict[int, str] = {}
    for word, keys in zip(words, found, strict=True):
        marked = f"|{word}|"
        runs = [marked[i : i + n] for n in (2, 3, 5) for i in range(len(marked) - n + 1)]
        runs = [run for run in runs if set(run) <= {*alphabet, "|"}]
        assert len(keys) == len(runs)
        for key, run in zip(keys, runs, strict=True):  # in the order of length, then place
            assert names.setdefault(key, run) == run
    assert len(set(names.values())) == len(names)
