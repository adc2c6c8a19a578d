"""SlmClassifier behaves as scikit-learn expects of a classifier."""

import math

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from conftest import make_dataset
from slmfit import SlmClassifier
from slmfit.errors import DataError, UsageError


@pytest.fixture(scope="module")
def rows():
    data = make_dataset(sizes=(150, 30, 30))
    examples = [*data.train, *data.validation, *data.test]
    return [e.input for e in examples], [e.target for e in examples]


@pytest.mark.parametrize("method", ["majority", "linear", "knn"])
def test_fits_and_predicts(rows, method):
    texts, labels = rows
    model = SlmClassifier(method).fit(texts, labels)
    assert list(model.classes_) == sorted(set(labels))
    assert set(model.predict(texts)) <= set(labels)
    probabilities = model.predict_proba(texts[:7])
    assert probabilities.shape == (7, 3)
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(7), abs=1e-4)


def test_cross_validation_grid_search_and_pipeline(rows):
    texts, labels = rows
    assert cross_val_score(SlmClassifier("knn"), texts, labels, cv=3).mean() > 0.8
    steps = [("lower", FunctionTransformer(lambda x: [t.lower() for t in x])), ("model", SlmClassifier("knn"))]
    grid = {"model__settings": [{"k": 1}, {"k": 5}]}
    search = GridSearchCV(Pipeline(steps), grid, cv=2).fit(texts, labels)
    assert search.best_score_ > 0.8


def test_clone_and_repr():
    model = SlmClassifier("knn", settings={"k": 3}, seed=5)
    assert clone(model).get_params() == model.get_params()
    assert "knn" in repr(model)


def test_labels_keep_their_kind(rows):
    texts, labels = rows
    numbers = np.array([{"account": 1, "billing": 2, "delivery": 7}[label] for label in labels])
    predicted = SlmClassifier("knn").fit(texts, numbers).predict(texts)
    assert predicted.dtype == numbers.dtype
    assert set(predicted) <= {1, 2, 7}


def test_what_cannot_be(rows):
    texts, labels = rows
    with pytest.raises(NotFittedError):
        SlmClassifier().predict(["x"])
    with pytest.raises(DataError, match="give one label per text"):
        SlmClassifier().fit(texts, labels[1:])
    with pytest.raises(DataError, match="at least two classes"):
        SlmClassifier().fit(texts, ["a"] * len(texts))
    with pytest.raises(UsageError, match="did you mean"):
        SlmClassifier("liner").fit(texts, labels)


@pytest.mark.parametrize("texts", ["ab", ["a", None], ["a", float("nan")], [["a"], ["b"]]])
def test_what_is_no_list_of_texts_is_refused(rows, texts):
    with pytest.raises(DataError, match=r"list is needed|not text"):
        SlmClassifier("majority").fit(texts, ["x", "y"])
    with pytest.raises(DataError, match=r"list is needed|not text"):
        SlmClassifier("majority").fit(*rows).predict(texts)


MISSING = {"nan": float("nan"), "None": None, "numpy's nan": np.float64("nan"), "a list": ["a", "b"]}
MISSING["NaT"] = np.datetime64("NaT")


@pytest.mark.parametrize("kind", MISSING)
def test_a_label_that_is_none(rows, kind):
    texts, labels = rows
    with pytest.raises(DataError, match="label 3 is"):
        SlmClassifier("majority").fit(texts, [*labels[:3], MISSING[kind], *labels[4:]])


@pytest.mark.parametrize("value", [math.inf, -math.inf, np.float32("inf")])
def test_a_class_without_end_is_none(rows, value):
    texts, _ = rows
    numbers = [float(n % 3) for n in range(len(texts))]
    with pytest.raises(DataError, match=r"label 3 is -?inf, which is no class"):
        SlmClassifier("majority").fit(texts, [*numbers[:3], value, *numbers[4:]])
    with pytest.raises(DataError, match=r"label 3 is -?inf"):
        SlmClassifier("majority").fit(texts, np.array([*numbers[:3], value, *numbers[4:]]))


def test_labels_that_are_not_one_a_text(rows):
    texts, labels = rows
    with pytest.raises(DataError, match=r"have the shape \(210, 1\)"):
        SlmClassifier("majority").fit(texts, np.array(labels).reshape(-1, 1))
    for set_of in (set(labels), dict.fromkeys(texts).keys(), {"label": labels}):
        with pytest.raises(DataError, match=r"the labels are .* and a list is needed"):
            SlmClassifier("majority").fit(texts, set_of)
    with pytest.raises(DataError, match="the texts are a set, which has no order"):
        SlmClassifier("majority").fit(set(texts), labels)
    with pytest.raises(DataError, match="one label was given"):
        SlmClassifier("majority").fit(texts, "billing")
    with pytest.raises(DataError, match="some labels are text and some are numbers"):
        SlmClassifier("majority").fit(texts, [1, *labels[1:]])


def test_generators_and_nothing_at_all(rows):
    texts, labels = rows
    model = SlmClassifier("majority").fit((text for text in texts), (label for label in labels))
    assert len(model.predict(text for text in texts[:3])) == 3
    assert model.predict([]).shape == (0,) and model.predict_proba([]).shape == (0, 3)
