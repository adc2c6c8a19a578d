"""Words and n-grams: equal on both paths, equal to scikit-learn's, and never across two texts."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slmfit.text.cutting import CUTS, FIRST, NEWEST, parts, python_chunk, words_of
from slmfit.text.ngrams import UNKNOWN, Grams, Tokens, character_ngrams, ngrams, split_words

SIGNS = ":;=-()[]!?+*<>'.,/#^5a 😀\u200d\ufe0f👍🏽🇩🇪✓包裹กี\u0301"
ANY_TEXT = st.text(st.characters(), max_size=40)  # surrogates included


def spelled(tokens: Tokens) -> list[list[str]]:
    """The tokens of each text as strings."""
    rows = zip(tokens.offsets[:-1], tokens.offsets[1:], strict=True)
    return [[tokens.vocabulary[i] for i in tokens.ids[low:high]] for low, high in rows]


def row_keys(grams: Grams) -> list[list[int]]:
    rows = zip(grams.offsets[:-1], grams.offsets[1:], strict=True)
    return [grams.keys[low:high].tolist() for low, high in rows]


@settings(deadline=None)  # the first example compiles
@given(st.lists(st.one_of(ANY_TEXT, st.text(SIGNS, max_size=20)), max_size=5), st.integers(1, 3), st.sampled_from(CUTS))
def test_many_texts_and_one_text_give_the_same_words(texts: list[str], shortest: int, cut: int) -> None:
    alone = [words_of(text, shortest=shortest, cut=cut) for text in texts]
    assert spelled(split_words(texts, shortest=shortest, cut=cut)) == alone


def test_every_code_point_is_judged_alike_on_both_paths() -> None:
    planes = [*range(0x40000), *range(0xE0000, 0xE0400)]  # the rest is unassigned or private
    texts = ["b a".join(map(chr, planes[low : low + 64])) for low in range(0, len(planes), 64)]
    for cut in CUTS:
        assert spelled(split_words(texts, cut=cut)) == [words_of(text, cut=cut) for text in texts]


@given(st.text(st.characters(exclude_categories=["M", "Cs"]), max_size=60))
def test_without_combining_marks_the_first_words_are_scikit_learns(text: str) -> None:
    # lower-casing İ makes a combining dot, the one way a mark can appear here
    text = text.replace("İ", "i")
    assert words_of(text, cut=FIRST) == re.findall(r"(?u)\b\w\w+\b", text.lower())


@given(
    st.lists(st.text("abxyz09é", min_size=1, max_size=6), max_size=9), st.sampled_from([" ", ", ", " - ", ". ", " ("])
)
def test_words_among_single_marks_are_those_of_before(words: list[str], between: str) -> None:
    text = between.join(words)
    assert words_of(text, shortest=1) == words_of(text, shortest=1, cut=FIRST) == words


@pytest.mark.parametrize("word", ["हिन्दी", "ภาษาไทย", "cafe\u0301"])
def test_combining_marks_stay_in_their_first_word(word: str) -> None:
    assert words_of(f"x {word}, y", cut=FIRST) == [word]
    assert spelled(split_words([f"x {word}, y"], cut=FIRST)) == [[word]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("C++, C#; C.", "c ++ c # c"),
        ("+5 -5 2-5 (-5) −5 2004-05", "+ 5 - 5 2 5 - 5 − 5 2004 05"),
        ("well :-) fine :))). no :( ;) =) (: >:(", "well :) fine :) no :( ;) =) (: > :("),
        ("great!!! Great! what?!", "great !! great ! what ?!"),
        ("✓ ✗ $5 -> => 100%", "✓ ✗ $ 5 -> => 100 %"),
        ("😀😡❤\ufe0f👍🏽👨\u200d👩 🇩🇪🇫🇷", "😀 😡 ❤ 👍 👨 👩 🇩🇪 🇫🇷"),
        ('He said: "no", (well-known) isn\'t; http://a.b/c', "he said no well known isn t http a b c"),
        ("iPhone手机没有到。", "iphone 手机 机没 没有 有到"),
        ("第3季 好", "第 3 季 好"),
        ("テキスト", "テキ キス スト"),
        ("สวัสดี", "สวั วัส สดี"),
        ("हिन्दी cafe\u0301 가나다", "हिन्दी cafe\u0301 가나다"),
        ("... -- ))", ".. -- ))"),
        ("", ""),
    ],
)
def test_what_a_word_is(text: str, words: str) -> None:
    assert words_of(text, shortest=1) == words.split()
    assert spelled(split_words([text], shortest=1)) == [words.split()]


def test_a_single_sign_is_a_word_where_a_single_letter_is_none() -> None:
    assert words_of("a C++ 好 5 +5") == ["++", "好", "+"]


def test_no_word_holds_a_space() -> None:
    """So a text can be cut at its spaces first, where every one of them ends a chunk."""
    spaces = [chr(point) for point in range(0x110000) if chr(point).isspace()]
    assert len(spaces) > 20
    for space in spaces:
        text = f"a{space}b-{space}-c +{space}+ 好{space}好"
        words = ["a", "b", "c", "+", "+", "好", "好"]
        assert words_of(text, shortest=1) == words
        assert spelled(split_words([text], shortest=1)) == [words]


@given(st.text(alphabet="ab5-_.:;=)(!?+<>*#/|\\^'~😀👍🏽❤️‍🇩🇪包น้ำé́", max_size=30))
def test_a_word_cut_again_is_itself(signs: str) -> None:
    for chunk in python_chunk(NEWEST, 1).findall(signs):
        for word in parts(chunk, 1):
            if word != "-":  # before a number; it is no chunk when alone
                assert parts(word, 1) == (word,)


def test_a_thousand_signs_take_no_time() -> None:
    assert words_of("-" * 100_000 + "." * 100_000) == ["--", ".."]
    assert words_of("5-" * 50_000) == []


def test_vocabulary_is_sorted_and_does_not_depend_on_the_order_of_texts() -> None:
    one, other = split_words(["bb aa", "cc"]), split_words(["cc", "bb aa"])
    assert one.vocabulary == other.vocabulary == ["aa", "bb", "cc"]
    assert one.ids.tolist() == [1, 0, 2]


def test_unknown_words_break_ngrams() -> None:
    tokens = Tokens(np.array([0, 1, UNKNOWN, 0, 1], np.int32), np.array([0, 5]), ["aa", "bb"])
    assert ngrams(tokens, 2).keys.tolist() == [1, 1]


@pytest.mark.parametrize("texts", [[], [""], ["", "a", " "]])
def test_texts_without_words(texts: list[str]) -> None:
    tokens = split_words(texts)
    assert tokens.offsets.tolist() == [0] * (len(texts) + 1)
    assert ngrams(tokens, 2).offsets.tolist() == tokens.offsets.tolist()
    assert tokens.ids.tolist() == tokens.vocabulary == []


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
