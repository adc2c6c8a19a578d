"""linear: what is chosen on which rows, and vectors beside what is counted."""

from __future__ import annotations

import json
from importlib.util import find_spec

import numpy as np
import pytest

import tiny
from conftest import make_dataset
from slmfit import methods
from slmfit.errors import UsageError
from slmfit.methods.base import Context
from slmfit.methods.linear import Settings
from slmfit.methods.linear import search as searching
from slmfit.methods.linear.classification import Classifier
from slmfit.methods.linear.embedded import VECTOR
from slmfit.methods.linear.search import Choice, Counts, Rows, held_out
from slmfit.records import Example
from slmfit.tasks.classification import TextClassification
from slmfit.text.tfidf import Counter, Tfidf
from static_model import model2vec_folder


def fit(train, validation, **given):
    method = Classifier(Settings(**given))
    task = TextClassification().with_labels(e.target for e in [*train, *validation])
    method.fit(task, train, validation, Context())
    return method


@pytest.fixture(scope="module")
def data():
    return make_dataset(sizes=(200, 60, 60))


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return str(model2vec_folder(tmp_path_factory.mktemp("static") / "potion"))


# --- on which rows ---


@pytest.mark.parametrize(("train", "validation", "splits", "scored"), [
    (270, 30, 2, 200), (1500, 160, 2, 1107), (1600, 70, 3, 1002), (2250, 250, 2, 1000), (5400, 600, 1, 1200),
    (3000, 1000, 1, 1000), (7, 1, 2, 6),
])  # fmt: skip
def test_few_rows_are_held_out_in_folds(train, validation, splits, scored):
    def made(count, start):
        codes = (np.arange(count) + start) % 3
        return Rows([str(start + i) for i in range(count)], codes, 3)

    rows, found = held_out(made(train, 0), made(validation, train), seed=0)
    assert rows.texts == [str(i) for i in range(train + validation)]
    out = np.concatenate([others for _, others in found])
    assert len(found) == splits and len(out) == len(set(out.tolist())) == scored
    for fitted, others in found:
        assert not {*fitted.tolist()} & {*others.tolist()} and len(fitted) + len(others) == train + validation
        assert train < 100 or np.bincount(rows.codes[others]).min() >= len(others) // 3 - 1
    if validation >= searching.ENOUGH:
        assert out.tolist() == list(range(train, train + validation))


def test_long_texts_are_held_out_in_fewer_folds(monkeypatch):
    rows, other = Rows(["word " * 20] * 40, np.arange(40) % 2, 2), Rows(["word " * 20] * 10, np.arange(10) % 2, 2)
    for characters, splits, scored in ((50_000, 2, 34), (6_000, 1, 17), (4_000, 1, 10)):
        monkeypatch.setattr(searching, "MOST_CHARACTERS", characters)
        found = held_out(rows, other, seed=0)[1]
        assert (len(found), sum(len(others) for _, others in found)) == (splits, scored)


def test_what_a_fold_is_fitted_on_knows_nothing_of_the_rows_held_out(data):
    texts = [e.input for e in data.train]
    fitted, others = np.arange(0, 150), np.arange(150, 200)
    counts = Counts(texts, [(fitted, others)])
    for features, characters in (("words+pairs", None), ("words+pairs+characters", 0.5)):
        choice = Choice(features, 2.0, characters, 1.0)
        ((mine, held),) = counts(choice)
        counter, alone = Counter.fit(texts[:150], features.split("+"))
        weights = Tfidf.fit(counter, alone, 2.0, choice.shares)
        assert (mine != weights.weigh(alone)).nnz == 0
        assert (held != weights.transform(texts[150:])).nnz == 0


def test_validation_that_is_large_enough_is_what_settings_are_chosen_on(data, monkeypatch):
    monkeypatch.setattr(searching, "ENOUGH", 60)
    method = fit(data.train, data.validation)
    assert method.rows_used["settings_chosen"] == "validation"
    monkeypatch.setattr(searching, "ENOUGH", 61)
    assert fit(data.train, data.validation, features="words", power=2.0).rows_used["settings_chosen"] == (
        "train + validation, cross-validated"
    )


# --- which features ---


def test_characters_find_words_that_were_not_seen():
    """Endings tell the label and no word comes twice."""
    rng = np.random.default_rng(0)
    stems = ["".join(rng.choice(list("bcdfgklmnprt"), 6)) for _ in range(400)]
    made = [Example(str(i), f"{stem}{('ization', 'ability')[i % 2]}", "ab"[i % 2]) for i, stem in enumerate(stems)]
    method = fit(made[:150], made[150:200])
    assert "characters" in method.chosen["features"] and method.chosen["characters"] in searching.LENGTHS
    answers = method.predict([e.input for e in made[200:]])
    assert np.mean([a.target == e.target for a, e in zip(answers, made[200:], strict=True)]) > 0.95


def test_the_length_of_characters_can_be_given(data):
    method = fit(data.train, data.validation, features="words+characters", characters=0.25, power=1.0, C=1.0, ratios=0)
    assert method.search == []
    assert method.chosen == {"features": "words+characters", "power": 1.0, "characters": 0.25, "C": 1.0, "ratios": 0}
    assert method.features.shares["characters"] == 0.25
    with pytest.raises(UsageError, match=r"linear\.characters weighs runs of characters, and words have none"):
        Settings(features="words", characters=1.0)


def test_vectors_are_chosen_where_they_tell_more_than_words(table):
    """Words are new in every text but one, which a table knows: among few rows, its vector says it best."""
    known = ("invoice", "refund", "parcel", "courier")
    made = [Example(str(i), f"{known[i % 4]} x{i} y{i} z{i}", "ab"[i % 4 // 2]) for i in range(240)]
    method = fit(made[:40], made[40:60], embeddings=table)
    tried = {one["features"] for one in method.search}
    assert {"words", "words+pairs", "words+characters", "embeddings"} <= tried
    assert any(name.startswith("words") and name.endswith("+embeddings") for name in tried)
    answers = method.predict([e.input for e in made[60:]])
    assert np.mean([a.target == e.target for a, e in zip(answers, made[60:], strict=True)]) == 1


def test_words_alone_can_win_over_a_table(table, tmp_path):
    """The table knows none of these words, so nothing of it is saved."""
    made = [Example(str(i), f"{('good', 'bad')[i % 2]} film number {i}", "ab"[i % 2]) for i in range(80)]
    method = fit(made[:60], made[60:], embeddings=table)
    assert (method.chosen["features"], method.chosen["embeddings"]) == ("words", None)
    again = methods.create("linear", {"embeddings": table, **method.chosen})  # as the learning curve makes it
    again.fit(method.task, made[:60], [], Context())
    assert again.predict(["good film"]) == method.predict(["good film"])
    method.save(tmp_path)
    assert not (tmp_path / "embedding").exists()
    again = Classifier.load(tmp_path, method.task, method.settings)
    assert again.predict(["good film"]) == method.predict(["good film"])


def test_without_validation_words_and_vectors_stand_side_by_side(table, data):
    method = fit(data.train, [], embeddings=table)
    assert method.search == [] and method.chosen["features"] == "words+pairs+embeddings"


def test_a_vector_speaks_as_one_term(table, data):
    method = fit(data.train, data.validation, embeddings=table, features="words+pairs+embeddings", power=2.0, C=1.0)
    text = "the invoice is late"
    for k, label in enumerate(method.labels):
        shares = dict(method.explain(text, label, top=100))
        assert VECTOR in shares and "invoice" in shares
        assert sum(shares.values()) + method.intercepts[k] == pytest.approx(method._margins([text])[0, k], abs=1e-9)


@pytest.mark.skipif(find_spec("torch") is None, reason="needs the extra train")
def test_vectors_of_a_sentence_encoder_stand_alone(data, tmp_path):
    encoder = str(tiny.encoder(tmp_path))
    method = fit(data.train[:30], data.validation[:10], embeddings=encoder)
    assert {one["features"] for one in method.search} == {"embeddings"} == {method.chosen["features"]}
    with pytest.raises(UsageError, match="only static embeddings stand beside what is counted"):
        fit(data.train[:30], data.validation[:10], embeddings=encoder, features="words+embeddings")


# --- what was saved ---


def test_a_share_that_is_none_is_refused(data, tmp_path):
    method = fit(data.train, data.validation, features="words+characters", characters=1.0, power=1.0, C=1.0)
    method.save(tmp_path)
    path = tmp_path / "vocabulary.json"
    for share in (float("nan"), 1e300):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"shares": {"words": 1.0, "characters": share}}))
        with pytest.raises(ValueError, match="no proper curve or share"):
            Classifier.load(tmp_path, method.task, method.settings).check(method.task)
