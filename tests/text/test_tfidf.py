"""Weighted counts: scikit-learn's where both define them, and the same bits for one text as for many."""

from __future__ import annotations

import json
from collections import Counter as Tally
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slmfit.errors import DataError
from slmfit.text.cutting import FIRST, words_of
from slmfit.text.tfidf import GRID, LENGTHS, SHARES, SHARES_BEFORE, Counter, Tfidf

TEXTS = [
    "My card was charged twice, my card!",
    "where is my parcel",
    "the parcel is late; where is the courier?",
    "charged twice for one parcel",
    "",
    "我的包裹在哪里",
    "我的卡被扣了两次",
]
TEXT = st.one_of(
    st.text(st.characters(), max_size=60),
    st.lists(st.sampled_from("my card parcel charge charged late 我的包裹 x\ud800y".split()), max_size=12).map(
        " ".join
    ),
)


def fitted(texts=TEXTS, blocks=tuple(SHARES), power=2.0):
    counter, counts = Counter.fit(texts, blocks)
    return Tfidf.fit(counter, counts, power), counts


def test_words_and_pairs_are_counted_as_scikit_learn_does():
    from sklearn.feature_extraction.text import CountVectorizer

    texts = [" ".join(words_of(text, shortest=1)) for text in TEXTS]
    counter, counts = Counter.fit(TEXTS, ("words", "pairs"))
    for block, n, least in (("words", 1, 1), ("pairs", 2, 2)):
        other = CountVectorizer(ngram_range=(n, n), token_pattern=r"\S+", min_df=least).fit(texts)
        assert (counts[block] != other.transform(texts)).nnz == 0
        assert counter.sizes()[block] == len(other.vocabulary_)
        assert (counter.count(TEXTS)[block] != counts[block]).nnz == 0


def test_words_alone_are_scikit_learns_tfidf():
    from sklearn.feature_extraction.text import TfidfVectorizer

    features, counts = fitted(blocks=("words",), power=1.0)
    texts = [" ".join(words_of(text, shortest=1)) for text in TEXTS]
    other = TfidfVectorizer(sublinear_tf=True, token_pattern=r"\S+").fit_transform(texts)
    assert np.abs(features.weigh(counts) - other).max() < 2 / GRID


def test_characters_are_the_runs_inside_words():
    _, counts = Counter.fit(TEXTS, ("words", "characters"))
    runs = [Tally() for _ in TEXTS]
    for text, tally in zip(TEXTS, runs, strict=True):
        for word in words_of(text, shortest=1):
            marked = f"[{word}]"
            tally.update(marked[i : i + n] for n in LENGTHS for i in range(len(marked) - n + 1))
    kept = [run for run in set().union(*runs) if sum(run in tally for tally in runs) >= 2]
    columns = counts["characters"].toarray().T.tolist()
    assert sorted(columns) == sorted([tally[run] for tally in runs] for run in kept)


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=8), st.lists(TEXT, min_size=1, max_size=4))
def test_one_text_and_many_give_the_same_bits(texts, others):
    features, counts = fitted(texts)
    for many, asked in ((features.weigh(counts), texts), (features.transform(others), others)):
        for row, text in zip(many, asked, strict=True):
            columns, values = features.transform_one(text)
            assert row.indices.tolist() == columns.tolist()
            assert row.data.tobytes() == values.tobytes()


@settings(deadline=None)
@given(TEXT)
def test_parts_add_up_to_the_values(text):
    features, _ = fitted()
    columns, values = features.transform_one(text)
    total = np.zeros(features.size)
    for _, column, value in features.parts(text):
        total[column] += value
    assert np.abs(total[columns] - values).max(initial=0) < 1e-9
    assert np.count_nonzero(total) <= len(columns)


def test_each_block_of_a_text_has_the_length_of_its_share():
    features, counts = fitted()
    squares = features.weigh(counts).power(2)
    begin = 0
    for block, size in features.counter.sizes().items():
        lengths = np.sqrt(squares[:, begin : begin + size].sum(axis=1))
        assert all(min(abs(length), abs(length - SHARES[block])) < 1e-3 for length in np.asarray(lengths).ravel())
        begin += size


def test_a_word_said_ten_thousand_times_counts_as_often():
    features, _ = fitted()
    columns, values = features.transform_one("card " * 10_000 + "parcel")
    assert len(columns) >= 2
    assert values.max() <= 1


@pytest.mark.parametrize("texts", [["", ""], [".", " "]])
def test_texts_without_words(texts):
    features, counts = fitted(texts)
    assert features.size == 0
    assert features.weigh(counts).shape == (2, 0)
    assert features.transform(["my card"]).nnz == 0
    assert len(features.transform_one("my card")[0]) == 0


def test_saved_and_loaded(tmp_path):
    features, _ = fitted()
    features.save(tmp_path)
    again = Tfidf.load(tmp_path)
    asked = [*TEXTS, "a parcel to the courier", "包裹"]
    assert (again.transform(asked) != features.transform(asked)).nnz == 0


def test_a_model_of_before_keeps_its_words(tmp_path):
    """One without a cut in its file: signs are none, a clause without spaces is one word."""
    words = sorted({word for text in TEXTS for word in words_of(text, shortest=1, cut=FIRST)})
    none = np.zeros(0, np.int64)
    before = Tfidf(
        Counter(words, none, "", none, ("words",), FIRST), {"words": np.ones(len(words), np.float32)}, SHARES
    )
    before.save(tmp_path)
    path = tmp_path / "vocabulary.json"
    about = json.loads(path.read_text())
    assert about.pop("cut") == FIRST
    path.write_text(json.dumps(about))
    again = Tfidf.load(tmp_path)
    text = "C++ card 我的包裹在哪里 :-)"
    for features in (before, again):
        columns, _ = features.transform_one(text)
        assert [words[i] for i in columns] == ["card", "我的包裹在哪里"]
        assert features.transform([text] * 20)[7].indices.tolist() == columns.tolist()


def test_a_model_of_before_keeps_its_shares(tmp_path):
    """One without shares in its file: characters weigh half as much as words."""
    counter, counts = Counter.fit(TEXTS)
    before = Tfidf.fit(counter, counts, 2.0, SHARES_BEFORE)
    before.save(tmp_path)
    path = tmp_path / "vocabulary.json"
    about = json.loads(path.read_text())
    assert about.pop("shares") == {"words": 1.0, "pairs": 0.5, "characters": 0.5}
    path.write_text(json.dumps(about))
    again = Tfidf.load(tmp_path)
    assert (again.transform(TEXTS) != before.weigh(counts)).nnz == 0
    assert (again.transform(TEXTS) != Tfidf.fit(counter, counts, 2.0).weigh(counts)).nnz > 0


def test_words_of_a_later_version_are_refused(tmp_path):
    features, _ = fitted()
    replace(features, counter=replace(features.counter, cut=99)).save(tmp_path)
    with pytest.raises(DataError, match=r"vocabulary\.json: its words are cut in a way"):
        Tfidf.load(tmp_path)
