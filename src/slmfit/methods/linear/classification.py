"""TF-IDF with a linear support vector machine: fitted in seconds, answers in a fraction of a millisecond.

    method = Classifier(Settings(features="words"))
    method.fit(task, train, validation, Context())
    method.explain("my card was charged twice", "billing", top=3)    # [("charged", 0.41), …]

Prediction needs numpy alone for one text, polars and scipy for many; both give the same bits. On embeddings
(`Settings(embeddings="models/potion-base-4m-int8")`) the same machine weighs vectors instead of counts.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from slmfit.errors import UsageError
from slmfit.methods.base import Context, Method, must
from slmfit.methods.linear.embedded import Embedded
from slmfit.methods.linear.search import (
    EMBEDDINGS,
    FEATURES,
    START,
    WITHOUT_VALIDATION,
    Candidate,
    Counts,
    Matrices,
    Rows,
    Search,
    part,
)
from slmfit.methods.linear.settings import Settings
from slmfit.methods.linear.solver import Codes, Curve, Floats, fit_curve, held_out_margins, margins, train_svm
from slmfit.records import Example, Input, Prediction
from slmfit.tasks.base import Task
from slmfit.text.tfidf import Counter, Tfidf

ENOUGH_TO_CALIBRATE = 500  # validation rows; with fewer, every row is held out once instead
FOLDS = 5
FEW = 8  # texts up to this many are answered one by one


class Classifier(Method):
    """One support vector machine per label against the rest, and one curve from margins to probabilities."""

    Settings = Settings
    refits = True

    task: Task
    labels: tuple[str, ...]
    features: Tfidf | Embedded
    weights: NDArray[np.float16]  # [features, labels]
    intercepts: Floats  # [labels]
    curve: Curve

    def fit(self, task: Task, train: Sequence[Example], validation: Sequence[Example], context: Context) -> None:
        """Choose what is open on validation, then fit train with it."""
        self.task, self.labels, self.search = task, task.labels, []
        self.rows_used = {"fitted": "train"}
        rows, others = _rows(task, train), _rows(task, validation)
        without = {"features": EMBEDDINGS, "C": START} if self.settings.embeds else WITHOUT_VALIDATION
        self.chosen = {**without, **self._given()}
        self._calibrated = len(validation) >= ENOUGH_TO_CALIBRATE
        begin = time.perf_counter()
        vectors = self._learn(rows.texts, context) if self.settings.embeds else None
        took = time.perf_counter() - begin
        if validation and len(self._given()) < len(self.chosen):
            self.chosen = self._choose(task, rows, others, vectors, context)
            self.rows_used["settings_chosen"] = "validation"
        begin = time.perf_counter()
        self._train(rows, self._learn(rows.texts, context) if vectors is None else vectors, context)
        self.fit_seconds = took + time.perf_counter() - begin
        if self._calibrated:
            self.curve = fit_curve(self._margins(others.texts), others.codes)
            self.rows_used["calibrated"] = "validation"

    def refit(self, task: Task, examples: Sequence[Example], context: Context) -> None:
        """Fit these rows with what was chosen. A curve learnt from few validation rows is learnt anew from these."""
        rows, self.labels = _rows(task, examples), task.labels
        self._train(rows, self._learn(rows.texts, context), context)

    def predict(self, inputs: Sequence[Input]) -> list[Prediction]:
        texts = [self.task.text(i) for i in inputs]
        shares = self.curve.probabilities(self._margins(texts))
        return [
            Prediction(self.labels[answer], probabilities=dict(zip(self.labels, row, strict=True)))
            for answer, row in zip(shares.argmax(axis=1).tolist(), shares.tolist(), strict=True)
        ]

    def explain(self, text: str, label: str, top: int = 10) -> list[tuple[str, float]]:
        """The terms of a text that speak most for a label (above 0) or against it, strongest first.

        The numbers and the label's intercept add up to its margin. A character n-gram counts for its words.
        Raises ValueError for a label that is none, UsageError on embeddings, in which no word stands for itself.
        """
        if isinstance(self.features, Embedded):
            raise UsageError("a vector has no terms that could speak for a label", fix="explain a run on TF-IDF")
        k = self.labels.index(label)
        shares: dict[str, float] = {}
        for term, column, value in self.features.parts(text):
            shares[term] = shares.get(term, 0.0) + value * float(self.weights[column, k])
        return sorted(shares.items(), key=lambda item: (-abs(item[1]), item[0]))[:top]

    def save(self, folder: Path) -> None:
        from safetensors.numpy import save_file

        self.features.save(folder)
        save_file({"weights": self.weights, "intercepts": self.intercepts}, folder / "weights.safetensors")
        curve = {"slope": self.curve.slope, "offset": self.curve.offset}
        about = {"labels": self.labels, "chosen": self.chosen, "curve": curve}
        (folder / "linear.json").write_text(json.dumps(about, ensure_ascii=False, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, task: Task, settings: Any) -> Self:
        from safetensors.numpy import load_file

        method, tensors = cls(settings), load_file(folder / "weights.safetensors")
        about = json.loads((folder / "linear.json").read_text(encoding="utf-8"))
        method.task = task
        method.labels, method.chosen, method.curve = tuple(about["labels"]), about["chosen"], Curve(**about["curve"])
        method.features = (Embedded if settings.embeds else Tfidf).load(folder)
        method.weights, method.intercepts = tensors["weights"], tensors["intercepts"]
        return method

    def check(self, task: Task) -> None:
        width = self.features.transform(["a"]).shape[1]
        must(self.labels == tuple(task.labels), "its labels are not those of its task")
        must(
            self.weights.dtype.kind == "f" and self.weights.shape == (width, len(self.labels)),
            "weights of another shape",
        )
        must(
            self.intercepts.dtype.kind == "f" and self.intercepts.shape == (len(self.labels),),
            "intercepts of another shape",
        )
        must(all(abs(float(n)) < 1e6 for n in (self.curve.slope, self.curve.offset)), "no proper curve")

    def _learn(self, texts: Sequence[str], context: Context) -> Any:
        """Learn the features from these texts, as chosen; returns theirs [texts, features]."""
        if self.settings.embeds:
            base = self.settings.embeddings
            if base is None or not hasattr(self, "features"):
                self.features = Embedded.learn(texts, base, context.seed, context.cache)
            return self.features.transform(texts)
        counter, counts = Counter.fit(texts, FEATURES[self.chosen["features"]])
        self.features = Tfidf.fit(counter, counts, self.chosen["power"])
        return self.features.weigh(counts)

    def _train(self, rows: Rows, matrix: Any, context: Context) -> None:
        given = (rows.classes, self.chosen["C"])
        self.weights, self.intercepts = train_svm(matrix, rows.codes, *given, context.seed)
        if not self._calibrated:
            held_out = held_out_margins(matrix, rows.codes, *given, FOLDS, context.seed)
            self.curve = fit_curve(held_out, rows.codes)
            self.rows_used["calibrated"] = "the fitted rows, each held out once"

    def _margins(self, texts: Sequence[str]) -> Floats:
        """[texts, labels]; the sums are exact, so neither order nor number of the texts changes a bit."""
        if isinstance(self.features, Embedded) or len(texts) > FEW:
            return margins(self.features.transform(texts), self.weights, self.intercepts)
        found = np.empty((len(texts), len(self.labels)))
        for i, text in enumerate(texts):
            columns, values = self.features.transform_one(text)
            found[i] = values @ self.weights[columns].astype(np.float64)
        return found + self.intercepts

    def _given(self) -> dict[str, Any]:
        """What the user fixed of what could be searched."""
        named = {name: getattr(self.settings, name) for name in ("features", "power", "C")}
        return {name: value for name, value in named.items() if value is not None}

    def _choose(self, task: Task, train: Rows, validation: Rows, vectors: Any, context: Context) -> dict[str, Any]:
        """What is best on validation; fills `search`. vectors: of train, where texts become such."""
        kept = part(train, context.seed)
        matrices = self._matrices(train[kept], validation, None if vectors is None else vectors[kept])
        given = self._given() if vectors is None else {**self._given(), "power": None}
        answers = [Prediction(label) for label in self.labels]
        targets = [self.labels[code] for code in validation.codes]

        def score(codes: Codes) -> float:
            if context.metric == "accuracy":
                return float((codes == validation.codes).mean())
            return task.components(context.metric, targets, [answers[code] for code in codes]).value

        def tell(tried: Candidate) -> None:
            self.search.append({**tried.settings(), context.metric: tried.value, "log_loss": tried.log_loss})
            context.event("search", **self.search[-1])

        search = Search(train[kept], validation, matrices, score, given=given, seed=context.seed, tell=tell)
        return search.run().settings()

    def _matrices(self, train: Rows, validation: Rows, vectors: Any) -> Matrices:
        """What the search asks for features. vectors: of train, where texts become such."""
        if vectors is None:
            return Counts(train.texts, validation.texts, self.settings.features)
        made = vectors, self.features.transform(validation.texts)
        return lambda features, power: made


def _rows(task: Task, examples: Sequence[Example]) -> Rows:
    number = {label: i for i, label in enumerate(task.labels)}
    codes = np.array([number[str(e.target)] for e in examples], np.int64)
    return Rows([task.text(e.input) for e in examples], codes, len(task.labels))
