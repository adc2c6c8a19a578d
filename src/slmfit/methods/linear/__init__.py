"""TF-IDF with a linear support vector machine: fitted in seconds, answers in a fraction of a millisecond.

    method = Linear(Settings(features="words"))
    method.fit(task, train, validation, Context())
    method.explain("my card was charged twice", "billing", top=3)    # [("charged", 0.41), …]

Prediction needs numpy alone for one text, polars and scipy for many; both give the same bits.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from slmfit.methods.base import Context, Method, setting
from slmfit.methods.linear.search import FEATURES, WITHOUT_VALIDATION, Candidate, Rows, Search
from slmfit.methods.linear.solver import Codes, Curve, Floats, fit_curve, held_out_margins, margins, train_svm
from slmfit.records import Example, Input, Prediction
from slmfit.tasks.base import Task
from slmfit.tfidf import Counter, Tfidf

ENOUGH_TO_CALIBRATE = 500  # validation rows; with fewer, every row is held out once instead
FOLDS = 5
FEW = 8  # texts up to this many are answered one by one


@dataclass(frozen=True)
class Settings:
    """What `--set linear.NAME=VALUE` sets; what is left open is chosen on validation."""

    features: str | None = setting(
        None,
        "What is counted: words, neighbouring pairs of words, runs of 2 and 4 characters inside words. "
        "none: the fewest that do as well as more.",
        choices=tuple(FEATURES),
    )
    power: float | None = setting(
        None, "Weight of rare words: idf to this power; 1 is plain TF-IDF. none: 1 or 2, the better.", low=0
    )
    C: float | None = setting(
        None,
        "Weight of fitting the rows against keeping weights small. none: the best of 0.03 to 10 on validation.",
        low=1e-6,
    )


class Linear(Method):
    """One support vector machine per label against the rest, and one curve from margins to probabilities."""

    Settings = Settings
    refits = True

    labels: tuple[str, ...]
    features: Tfidf
    weights: NDArray[np.float16]  # [terms, labels]
    intercepts: Floats  # [labels]
    curve: Curve

    def fit(self, task: Task, train: Sequence[Example], validation: Sequence[Example], context: Context) -> None:
        """Choose what is open on validation, then fit train with it."""
        self.labels, self.search, self.rows_used = task.labels, [], {"fitted": "train"}
        others = _rows(task, validation)
        self.chosen = {**WITHOUT_VALIDATION, **self._given()}
        if validation and len(self._given()) < len(self.chosen):
            self.chosen = self._choose(task, _rows(task, train), others, context)
            self.rows_used["settings_chosen"] = "validation"
        self._calibrated = len(validation) >= ENOUGH_TO_CALIBRATE
        begin = time.perf_counter()
        self.refit(task, train, context)
        self.fit_seconds = time.perf_counter() - begin
        if self._calibrated:
            self.curve = fit_curve(self._margins(others.texts), others.codes)
            self.rows_used["calibrated"] = "validation"

    def refit(self, task: Task, examples: Sequence[Example], context: Context) -> None:
        """Fit these rows with what was chosen. A curve learnt from few validation rows is learnt anew from these."""
        rows, self.labels = _rows(task, examples), task.labels
        counter, counts = Counter.fit(rows.texts, FEATURES[self.chosen["features"]])
        self.features = Tfidf.fit(counter, counts, self.chosen["power"])
        matrix = self.features.weigh(counts)
        given = (rows.classes, self.chosen["C"])
        self.weights, self.intercepts = train_svm(matrix, rows.codes, *given, context.seed)
        if not self._calibrated:
            held_out = held_out_margins(matrix, rows.codes, *given, FOLDS, context.seed)
            self.curve = fit_curve(held_out, rows.codes)
            self.rows_used["calibrated"] = "the fitted rows, each held out once"

    def predict(self, inputs: Sequence[Input]) -> list[Prediction]:
        texts = [str(i) for i in inputs]
        shares = self.curve.probabilities(self._margins(texts))
        return [
            Prediction(self.labels[answer], probabilities=dict(zip(self.labels, row, strict=True)))
            for answer, row in zip(shares.argmax(axis=1).tolist(), shares.tolist(), strict=True)
        ]

    def explain(self, text: str, label: str, top: int = 10) -> list[tuple[str, float]]:
        """The terms of a text that speak most for a label (above 0) or against it, strongest first.

        The numbers and the label's intercept add up to its margin. A character n-gram counts for its words.
        Raises ValueError for a label that is none.
        """
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
        method.labels, method.chosen, method.curve = tuple(about["labels"]), about["chosen"], Curve(**about["curve"])
        method.features = Tfidf.load(folder)
        method.weights, method.intercepts = tensors["weights"], tensors["intercepts"]
        return method

    def _margins(self, texts: Sequence[str]) -> Floats:
        """[texts, labels]; the sums are exact, so neither order nor number of the texts changes a bit."""
        if len(texts) > FEW:
            return margins(self.features.transform(texts), self.weights, self.intercepts)
        found = np.empty((len(texts), len(self.labels)))
        for i, text in enumerate(texts):
            columns, values = self.features.transform_one(text)
            found[i] = values @ self.weights[columns].astype(np.float64)
        return found + self.intercepts

    def _given(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self.settings).items() if value is not None}

    def _choose(self, task: Task, train: Rows, validation: Rows, context: Context) -> dict[str, Any]:
        """What is best on validation; fills `search`."""
        answers = [Prediction(label) for label in self.labels]
        targets = [self.labels[code] for code in validation.codes]

        def score(codes: Codes) -> float:
            if context.metric == "accuracy":
                return float((codes == validation.codes).mean())
            return task.components(context.metric, targets, [answers[code] for code in codes]).value

        def tell(tried: Candidate) -> None:
            self.search.append({**tried.settings(), context.metric: tried.value, "log_loss": tried.log_loss})
            context.event("search", **self.search[-1])

        return Search(train, validation, score, given=self._given(), seed=context.seed, tell=tell).run().settings()


def _rows(task: Task, examples: Sequence[Example]) -> Rows:
    number = {label: i for i, label in enumerate(task.labels)}
    codes = np.array([number[str(e.target)] for e in examples], np.int64)
    return Rows([task.text(e.input) for e in examples], codes, len(task.labels))
