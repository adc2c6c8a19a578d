"""TF-IDF with a linear support vector machine: fitted in seconds, answers in a fraction of a millisecond.

    method = Classifier(Settings(features="words"))
    method.fit(task, train, validation, Context())
    method.explain("my card was charged twice", "billing", top=3)    # [("charged", 0.41), …]

Prediction needs numpy alone for one text, polars and scipy for many; both give the same bits. With embeddings
(`Settings(embeddings="models/potion-base-4m-int8")`) the same machine weighs vectors, alone or beside counts.
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
from slmfit.methods.in_time import left_out, rows_in_time, rows_known
from slmfit.methods.linear.embedded import Beside, Embedded, beside
from slmfit.methods.linear.ratios import USUAL, added, log_ratios
from slmfit.methods.linear.search import (
    EMBEDDINGS,
    FOLDS,
    START,
    Candidate,
    Choice,
    Counts,
    Matrices,
    Rows,
    Search,
    Split,
    blocks_of,
    held_out,
    part,
)
from slmfit.methods.linear.settings import Settings
from slmfit.methods.linear.solver import (
    Codes,
    Curve,
    Floats,
    Machine,
    fit_curve,
    folds,
    held_out_margins,
    margins,
    train_svm,
)
from slmfit.records import Example, Input, Prediction
from slmfit.tasks.base import Task
from slmfit.text.tfidf import Counter, Tfidf
from slmfit.timing.work import counted

ENOUGH_TO_CALIBRATE = 500  # validation rows; with fewer, every row is held out once instead
SEARCHING = 0.5  # of the time that is left the search may take; fitting, also once more, and predicting follow
USUALLY_TRIED = 16  # settings, before the search is over
FEW = 32  # texts up to this many are answered one by one


class _Enough(Exception):
    """The search has taken its part of the budget."""


class Classifier(Method):
    """One support vector machine per label against the rest, and one curve from margins to probabilities."""

    Settings = Settings
    refits = True

    task: Task
    labels: tuple[str, ...]
    features: Tfidf | Embedded | Beside
    weights: NDArray[np.float16]  # [features, labels]
    intercepts: Floats  # [labels]
    curve: Curve
    vectors: Embedded | None = None  # what makes them, wherever the settings name some

    def fit(self, task: Task, train: Sequence[Example], validation: Sequence[Example], context: Context) -> None:
        """Choose what is open on rows held out, then fit train with it.

        Under a budget the search ends when it has taken its part, and where an encoder is slow, as many rows are used
        as there is time to embed.
        Raises UsageError for vectors of a sentence encoder beside counts.
        """
        self.task, self.labels, self.search = task, task.labels, []
        self.rows_used, every = {"fitted": "train"}, train
        if self.settings.embeds and self.settings.embeddings is not None:
            self.vectors = Embedded.learn((), self.settings.embeddings, context.seed, context.cache)
            train, validation = rows_in_time(self.vectors.embedding, task, train, validation, context)
        rows, others = _rows(task, train, context), _rows(task, validation, context)
        self._calibrated = len(validation) >= ENOUGH_TO_CALIBRATE
        begin = time.perf_counter()
        vectors = self._embed(rows.texts, context) if self.settings.embeds else None
        took = time.perf_counter() - begin
        given = self._given()
        self.chosen = Choice.of(given.get("features", self._usual), {"ratios": USUAL, **given}, START).settings()
        if validation and self.chosen.keys() - given.keys():
            self.chosen = self._choose(rows, others, vectors, given, context)
            if self.settings.embeds and EMBEDDINGS not in blocks_of(self.chosen["features"]):
                self.chosen["embeddings"] = None  # with what was chosen alone, the settings make the same model again
        begin = time.perf_counter()
        self._train(rows, self._learn(rows.texts, context, vectors), context)
        self.fit_seconds = took + time.perf_counter() - begin
        if self._calibrated:
            self.curve = fit_curve(self._margins(others.texts), others.codes)
            self.rows_used["calibrated"] = "validation"
        self._tell(train, every)

    def refit(self, task: Task, examples: Sequence[Example], context: Context) -> None:
        """Fit these rows with what was chosen. A curve learnt from few validation rows is learnt anew from these."""
        every, self.labels = examples, task.labels
        if self.vectors is not None and self.settings.embeddings is not None:
            examples = rows_known(self.vectors.embedding, task, examples, context)
        rows = _rows(task, examples, context)
        self._train(rows, self._learn(rows.texts, context), context)
        self._tell(examples, every)

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
        Raises ValueError for a label that is none, UsageError on embeddings alone, in which no word stands for itself;
        beside words all of a vector counts as one term.
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
        blocks = blocks_of(method.chosen["features"])
        kinds: dict[bool, Any] = {True: Beside, False: Tfidf}
        method.features = (Embedded if blocks == (EMBEDDINGS,) else kinds[EMBEDDINGS in blocks]).load(folder)
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
        shares = self._counted.shares.values() if self._counted else ()
        must(
            all(abs(float(n)) < 1e6 for n in (self.curve.slope, self.curve.offset, *shares)), "no proper curve or share"
        )

    def _tell(self, fitted: Sequence[Example], every: Sequence[Example]) -> None:
        """Say where rows were left out for the budget's sake."""
        self.chosen |= left_out(fitted, every)
        if len(fitted) < len(every):
            self.rows_used["fitted"] = f"{len(fitted):,} rows of train"

    def _embed(self, texts: Sequence[str], context: Context) -> Floats:
        """The vectors of these texts; what makes them is fetched once, or learnt from them."""
        base, beside_counts = self.settings.embeddings, self.settings.features not in (None, EMBEDDINGS)
        if base is None or self.vectors is None:
            self.vectors = Embedded.learn(texts, base, context.seed, context.cache)
        if beside_counts and not self.vectors.whole:
            what = f"{base} is a sentence encoder, and only static embeddings stand beside what is counted"
            raise UsageError(what, fix=f"set linear.features={EMBEDDINGS}, or leave it out")
        return self.vectors.transform(texts)

    def _learn(self, texts: Sequence[str], context: Context, vectors: Floats | None = None) -> Any:
        """Learn the features from these texts, as chosen; returns theirs [texts, features]. vectors: theirs."""
        choice = Choice.of(self.chosen["features"], self.chosen, START)
        blocks = blocks_of(choice.features)
        if EMBEDDINGS in blocks and vectors is None:
            vectors = self._embed(texts, context)
        if choice.power is None:
            assert self.vectors is not None
            self.features = self.vectors
            return vectors
        counter, counts = Counter.fit(texts, blocks)
        self.features = counted = Tfidf.fit(counter, counts, choice.power, choice.shares)
        if EMBEDDINGS not in blocks:
            return counted.weigh(counts)
        assert self.vectors is not None and vectors is not None
        self.features = Beside(counted, self.vectors)
        return beside(counted.weigh(counts), vectors)

    def _train(self, rows: Rows, matrix: Any, context: Context) -> None:
        counted = self._counted.size if self._counted else 0

        def machine(features: Any, codes: Codes) -> Machine:
            found = train_svm(features, codes, rows.classes, self.chosen["C"], context.seed)
            if not (weight := self.chosen.get("ratios")):
                return found
            return added(found, log_ratios(features, codes, found, counted), weight)

        self.weights, self.intercepts = machine(matrix, rows.codes)
        if not self._calibrated:
            fold = folds(rows.codes, FOLDS, context.seed, rows.groups)
            self.curve = fit_curve(held_out_margins(matrix, rows.codes, fold, machine), rows.codes)
            self.rows_used["calibrated"] = "the fitted rows, each held out once"

    @property
    def _counted(self) -> Tfidf | None:
        """What is counted, where something is."""
        counted = self.features.counted if isinstance(self.features, Beside) else self.features
        return counted if isinstance(counted, Tfidf) else None

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
        """What is fixed of what could be searched: by the user, or as a sentence encoder's vectors stand alone."""
        named = {name: getattr(self.settings, name) for name in ("features", "power", "characters", "C", "ratios")}
        if self.vectors is not None and not self.vectors.whole:
            named |= {"features": EMBEDDINGS}
        return {name: value for name, value in named.items() if value is not None}

    @property
    def _usual(self) -> str:
        """The features where there is no validation to choose by."""
        return f"words+pairs+{EMBEDDINGS}" if self.settings.embeds else "words+pairs"

    def _choose(
        self, train: Rows, validation: Rows, vectors: Floats | None, given: dict[str, Any], context: Context
    ) -> dict[str, Any]:
        """What is best on rows held out; fills `search`. vectors: of train, where texts become such."""
        kept = part(train, context.seed)
        rows, splits = held_out(train[kept], validation, context.seed)
        if vectors is not None:
            assert self.vectors is not None
            vectors = np.concatenate((vectors[kept], self.vectors.transform(validation.texts)))
        codes = rows.codes[np.concatenate([others for _, others in splits])]
        answers = [Prediction(label) for label in self.labels]
        targets = [self.labels[code] for code in codes]

        def score(found: Codes) -> float:
            if context.metric == "accuracy":
                return float((found == codes).mean())
            return self.task.components(context.metric, targets, [answers[code] for code in found]).value

        def tell(tried: Candidate) -> None:
            values = {context.metric: tried.value, "log_loss": tried.log_loss}
            self.search.append({**tried.choice.settings(), **values})
            context.event("search", **self.search[-1])
            work.rows = max(work.rows, work.done + 2)  # one more, until it is over
            work.advance(1)
            if time_to_search.limited and not time_to_search.left():
                raise _Enough

        time_to_search = context.budget.part(1 / SEARCHING)
        alone = len(splits) == 1 and len(splits[0][1]) == len(validation.texts)
        self.rows_used["settings_chosen"] = "validation" if alone else "train + validation, cross-validated"
        dimension = 0 if vectors is None else vectors.shape[1]
        matrices = _matrices(rows, splits, vectors, given.get("features"))
        search = Search(rows, splits, matrices, score, given=given, dimension=dimension, seed=context.seed, tell=tell)
        try:
            with counted(context.event, "searching", USUALLY_TRIED, time_to_search, unit="settings") as work:
                return search.run().choice.settings()
        except _Enough:
            return search.best().choice.settings() | {"search_ended": "by the budget"}


def _matrices(rows: Rows, splits: Sequence[Split], vectors: Floats | None, features: str | None) -> Matrices:
    """What the search asks for features. vectors: of the rows. features: the only ones that it will ask for."""
    counts = None if features == EMBEDDINGS else Counts(rows.texts, splits, features)

    def matrices(choice: Choice) -> Sequence[tuple[Any, Any]]:
        counted = [] if choice.power is None or counts is None else counts(choice)
        if vectors is None or EMBEDDINGS not in blocks_of(choice.features):
            return counted
        pairs = [(vectors[fitted], vectors[others]) for fitted, others in splits]
        if not counted:
            return pairs
        return [(beside(a, v), beside(b, w)) for (a, b), (v, w) in zip(counted, pairs, strict=True)]

    return matrices


def _rows(task: Task, examples: Sequence[Example], context: Context) -> Rows:
    number = {label: i for i, label in enumerate(task.labels)}
    codes = np.array([number[str(e.target)] for e in examples], np.int64)
    groups = None
    if context.groups:
        names = {name: i for i, name in enumerate(sorted(set(context.groups.values())))}
        groups = np.array([names.get(context.groups.get(e.id, ""), -1) for e in examples], np.int64)
    return Rows([task.text(e.input) for e in examples], codes, len(task.labels), groups)
