"""linear: log ratios beside a machine, and rows of one group held out together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from conftest import make_dataset
from slmfit.data.load import load_data
from slmfit.errors import UsageError
from slmfit.methods.base import Context
from slmfit.methods.linear import Settings, classification
from slmfit.methods.linear.classification import Classifier
from slmfit.methods.linear.ratios import SMOOTHING, added, log_ratios
from slmfit.methods.linear.search import Rows, held_out
from slmfit.methods.linear.solver import folds, margins, train_svm
from slmfit.records import Example
from slmfit.tasks.classification import TextClassification


@pytest.fixture(scope="module")
def data():
    return make_dataset(sizes=(200, 60, 60))


def fit(train, validation, context=None, **settings):
    task = TextClassification().with_labels(e.target for e in [*train, *validation])
    method = Classifier(Settings(**settings))
    method.fit(task, train, validation, context or Context())
    return method


# --- ratios ---


def test_ratios_are_those_of_the_shares_and_say_as_much_as_the_machine():
    rng = np.random.default_rng(0)
    features = csr_matrix(rng.random((40, 6)) * (rng.random((40, 6)) < 0.5))
    codes = np.arange(40) % 3  # a fourth class has no rows
    machine = train_svm(features, codes, 4, 1.0)
    found = log_ratios(features, codes, machine, 5)  # the last column is no term
    terms = features.toarray()[:, :5]
    expected = np.zeros((6, 4))
    for k in range(3):
        own = terms[codes == k].sum(axis=0) + SMOOTHING
        others = terms[codes != k].sum(axis=0) + 2 * SMOOTHING
        expected[:5, k] = np.log(own / own.sum()) - np.log(others / others.sum())
    learnt = margins(features, *machine)[:, :3].std()
    expected *= learnt / (terms @ expected[:5, :3]).std()
    assert np.allclose(found, expected, atol=1e-5)
    weights, intercepts = added(machine, found, 0.5)
    assert weights.dtype == np.float16 and np.allclose(weights, machine[0] + 0.5 * expected, atol=2e-2)
    assert added(machine, found, 0) is machine and (intercepts == machine[1]).all()


def test_many_classes_are_taken_in_parts():
    codes = np.arange(200) % 70
    features = csr_matrix(np.eye(70)[codes] + 0.1)
    found = log_ratios(features, codes, train_svm(features, codes, 70, 1.0), 70)
    assert (found.argmax(axis=0) == np.arange(70)).all()


@pytest.mark.parametrize("rows", [csr_matrix((4, 3)), csr_matrix(np.ones((4, 3)))])
def test_terms_that_tell_nothing_have_no_ratios(rows):
    codes = np.array([0, 1, 0, 1])
    assert not log_ratios(rows, codes, train_svm(rows, codes, 2, 1.0), 3).any()


def test_they_are_chosen_or_given_and_every_way_of_asking_agrees(data):
    searched = fit(data.train, data.validation, features="words", power=1.0, C=1.0)
    assert [tried["ratios"] for tried in searched.search][:2] == [0.0, 0.15]
    method = fit(data.train, data.validation, features="words+characters", power=1.0, C=1.0, characters=1.0, ratios=0.5)
    assert method.search == [] and method.chosen["ratios"] == 0.5
    texts = [e.input for e in data.test]
    assert method.predict(texts) == [method.predict([text])[0] for text in texts]
    told = sum(value for _, value in method.explain(texts[0], method.labels[1], top=1000))
    assert told + method.intercepts[1] == pytest.approx(method._margins(texts[:1])[0, 1])
    plain = fit(data.train, data.validation, features="words+characters", power=1.0, C=1.0, characters=1.0, ratios=0)
    assert plain.weights.shape == method.weights.shape and (plain.weights != method.weights).any()


def test_what_was_chosen_before_there_were_ratios_makes_the_same_model(data):
    plain = fit(data.train, [], features="words", power=1.0, C=1.0, ratios=0)
    method = fit(data.train, [], features="words", power=1.0, C=1.0)
    del method.chosen["ratios"]
    method.refit(method.task, data.train, Context())
    assert (method.weights == plain.weights).all() and method.curve == plain.curve


def test_vectors_alone_have_none(data):
    assert "ratios" not in fit(data.train[:50], [], features="embeddings").chosen
    with pytest.raises(UsageError, match=r"linear\.ratios are of counted words, and embeddings count none"):
        Settings(features="embeddings", ratios=0.5)


# --- groups ---


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-1, 8)), min_size=1, max_size=60), st.integers(2, 5))
def test_no_fold_tears_a_group_apart(rows, count):
    codes, groups = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    fold = folds(codes, count, 0, groups)
    assert ((fold >= 0) & (fold < count)).all()
    for group in set(groups[groups >= 0].tolist()):
        assert len(set(fold[groups == group].tolist())) == 1


def test_groups_leave_every_class_its_share():
    codes, groups = np.repeat(np.arange(3), 200), np.arange(600) // 4
    fold = folds(codes, 5, 0, groups)
    assert all((np.bincount(codes[fold == k], minlength=3) == 40).all() for k in range(5))
    alone = folds(codes, 5, 0, np.full(600, -1))
    assert all((np.bincount(codes[alone == k], minlength=3) == 40).all() for k in range(5))


def test_groups_stay_together_where_rows_are_held_out(monkeypatch):
    """The word that tells the label is the group's own: rows of one group on both sides would look easy."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 60).tolist()
    made = [Example(str(i), f"user{i // 4} says thing", "ab"[label[i // 4]]) for i in range(240)]
    groups = {str(i): f"g{i // 4}" for i in range(239)}  # the last row is of no group
    seen = []
    monkeypatch.setattr(classification, "held_out", lambda *given: seen.append(held_out(*given)) or seen[-1])
    options = {"features": "words", "power": 1.0, "ratios": 0}
    torn = fit(made[:200], made[200:], **options)
    kept = fit(made[:200], made[200:], Context(groups=groups), **options)
    (rows, splits) = seen[1]
    assert isinstance(rows, Rows) and len(splits) == 2
    for fitted, others in splits:
        assert not set(rows.groups[fitted].tolist()) & set(rows.groups[others].tolist())
    assert max(tried["accuracy"] for tried in torn.search) > 0.95
    assert max(tried["accuracy"] for tried in kept.search) < 0.75
    shares = kept.predict(["user3 says thing"])[0].probabilities
    assert max(shares.values()) < max(torn.predict(["user3 says thing"])[0].probabilities.values())


def test_the_groups_of_train_and_validation_are_known(tmp_path):
    path = tmp_path / "rows.csv"
    lines = [f"text number {i} of {'good bad'.split()[i % 2]},{'good bad'.split()[i % 2]},{i // 3}" for i in range(120)]
    path.write_text("text,label,user\n" + "\n".join(lines))
    data = load_data(path, group="user")
    kept = [*data.train, *data.validation]
    assert data.groups.keys() == {e.id for e in kept} and len(set(data.groups.values())) >= len(kept) // 3
    assert load_data(path).groups == {}
