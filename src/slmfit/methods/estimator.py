"""A method as a scikit-learn classifier, for `cross_val_score`, `GridSearchCV` and `Pipeline`.

from sklearn.model_selection import cross_val_score
cross_val_score(SlmClassifier("linear"), texts, labels, cv=5)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from slmfit import methods
from slmfit.data.held import has_no_order, is_frame
from slmfit.data.split import assign, checked_seed
from slmfit.errors import DataError
from slmfit.events import curves_of
from slmfit.methods.base import Context
from slmfit.methods.specs import Word
from slmfit.records import Example, Pair, Prediction
from slmfit.tasks.base import PAIR_ROLES
from slmfit.tasks.classification import TextClassification
from slmfit.tasks.common import probability_table

SIDES = ("train", "validation")


class SlmClassifier(ClassifierMixin, BaseEstimator):
    """Fits one method on texts and labels; a tenth of them, stratified, chooses its settings, then all are used.

    method: a name of `slmfit methods`, or "my_module:MyMethod"; either with =BASE_MODEL. settings: setting -> value.
    seed: for everything random.
    X may also be pairs of texts, (first, second), each pair one input; a table of two columns is that as well.
    Labels may be strings or integers; predictions are of the same kind. After `fit`: `classes_`
    [n_classes]; `curves_`, for a method that trains in epochs, as `Run.curves` has them.
    """

    def __init__(self, method: str = "linear", settings: dict[str, Any] | None = None, seed: int = 0) -> None:
        self.method = method
        self.settings = settings
        self.seed = seed

    def fit(self, X: Sequence[Any], y: Sequence[Any]) -> Self:
        """X: n texts, or pairs of texts. y: n labels.

        Raises DataError when they do not match, one is missing, or all are the same.
        """
        seed = checked_seed(self.seed)
        texts, labels = _texts(X), _labels(y)
        if len(texts) != len(labels):
            raise DataError(f"{len(texts)} texts and {len(labels)} labels", fix="give one label per text")
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise DataError("all labels are the same", fix="give at least two classes")
        names = [str(c) for c in self.classes_]
        examples = [Example(str(i), text, names[code]) for i, (text, code) in enumerate(zip(texts, codes, strict=True))]
        sides = assign([names[c] for c in codes], texts, {"train": 0.9, "validation": 0.1}, seed)
        train, validation = ([e for e, s in zip(examples, sides, strict=True) if s == side] for side in SIDES)
        name, _, base_model = Word.of(self.method)
        of_pairs = bool(texts) and isinstance(texts[0], Pair)
        self.task_ = TextClassification(tuple(sorted(names)), PAIR_ROLES if of_pairs else ())
        self.fitted_ = methods.create(name, self.settings, base_model)
        losses: list[dict[str, Any]] = []

        def event(kind: str, **told: Any) -> None:
            losses.extend([told] if kind == "loss" else ())

        context = Context(seed=seed, metric=self.task_.metric, event=event)
        self.fitted_.fit(self.task_, train, validation, context)
        self.curves_ = curves_of(losses, self.task_.metric)
        if self.fitted_.refits:
            self.fitted_.refit(self.task_, examples, context)
        return self

    def predict(self, X: Sequence[Any]) -> np.ndarray:
        """Labels [n], of the kind given to `fit`."""
        answers = self._predict(X)
        by_name = {str(c): c for c in self.classes_}
        return np.array([by_name[str(answer.target)] for answer in answers], dtype=self.classes_.dtype)

    def predict_proba(self, X: Sequence[Any]) -> np.ndarray:
        """Probabilities [n, n_classes], columns as `classes_`."""
        answers = self._predict(X)
        return probability_table([str(c) for c in self.classes_], answers).reshape(len(answers), len(self.classes_))

    def _predict(self, X: Sequence[Any]) -> list[Prediction]:
        check_is_fitted(self, "fitted_")
        return self.fitted_.predict([self.task_.given(text) for text in _texts(X)])


def _labels(y: Iterable[Any]) -> np.ndarray:
    """The labels [n].

    Raises DataError for a missing one (None, nan, pandas' NA), an infinite one, a fraction, and for several of a text.
    """
    if isinstance(y, str):
        raise DataError("one label was given, and a list is needed", fix="give one label per text")
    if is_frame(y) or has_no_order(y):
        what = f"the labels are {type(y).__name__}, and a list is needed"
        raise DataError(what, fix='give a list, in the order of the texts, or one column: table["label"]')
    given = y if isinstance(y, np.ndarray) else list(y)
    if isinstance(given, np.ndarray) and given.ndim != 1:
        how = "ravel()" if given.size == len(given) else "argmax(axis=1)"  # a column, or one-hot
        raise DataError(f"the labels have the shape {given.shape}", fix=f"give one label per text: y.{how}")
    for n, label in enumerate(given):
        if isinstance(label, list | tuple | dict | set | np.ndarray):
            raise DataError(f"label {n} is {label!r:.40}, not one label", fix="give one label per text")
        if label is None or not _is_itself(label):
            raise DataError(f"label {n} is missing", fix="fill it in, or drop the row")
        if isinstance(label, float | np.floating) and np.isinf(label):
            raise DataError(f"label {n} is {label}, which is no class", fix="fill it in, or drop the row")
    kinds = {isinstance(label, str) for label in given}
    if len(kinds) > 1:
        raise DataError(
            "some labels are text and some are numbers", fix="give all of one kind: [str(label) for label in y]"
        )
    labels = np.asarray(given)
    if labels.dtype.kind == "f" and len(fractions := labels[labels != np.rint(labels)]):
        what = f"the labels are numbers with fractions, such as {fractions[0]:g}, and no classes"
        raise DataError(what, fix="give the name of a class for each text; slmfit does not guess numbers")
    return labels


def _is_itself(label: Any) -> bool:
    """False for nan and NaT, which are not, and for NA, of which nobody knows."""
    try:
        return bool(label == label)
    except (TypeError, ValueError):
        return False


def _texts(X: Iterable[Any]) -> list[str]:
    """The texts or pairs of texts, n of them; all of one kind.

    Raises DataError for a single one, for a table, whose columns may be anything, and for what is no text, such as
    pandas' nan.
    """
    if isinstance(X, str):
        raise DataError("one text was given, and a list is needed", fix="put it into a list: [text]")
    if is_frame(X):
        fix = 'give one column: table["text"]; or two as pairs: table[["premise", "hypothesis"]].to_numpy()'
        raise DataError("a table was given, and a list of texts is needed", fix=fix)
    if has_no_order(X):
        raise DataError("the texts are a set, which has no order", fix="give a list, in the order of the labels")
    texts = [_paired(row) for row in X]
    for n, text in enumerate(texts):
        if not isinstance(text, str):
            raise DataError(f"text {n} is {text!r:.40}, not text", fix="fill in what is missing, or drop the row")
        if isinstance(text, Pair) != isinstance(texts[0], Pair):
            raise DataError(f"text {n} is {text!r:.40}, and others are pairs", fix="give pairs only, or texts only")
    return [text if isinstance(text, Pair) else str(text) for text in texts]


def _paired(row: Any) -> Any:
    """A row of two texts as a pair; anything else as it is."""
    two = isinstance(row, tuple | list | np.ndarray) and len(row) == 2
    return Pair(*map(str, row)) if two and all(isinstance(text, str) for text in row) else row
