"""The nearest neighbours vote: no training, every answer comes with the examples that gave it.

    method = Voter(Settings(embeddings="models/potion-base-4m-int8"))
    method.fit(task, train, validation, Context())
    ids, similarities = method.neighbours(["my card was charged twice"], k=3)

One search for the 100 nearest train rows of every validation row tells how each k and each weighting would have done.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from slmfit import embeddings
from slmfit.embeddings import Embedding, Index, Vectors
from slmfit.methods.base import Context, Method, must
from slmfit.methods.in_time import left_out, rows_in_time, rows_known
from slmfit.methods.knn.settings import WEIGHTINGS, Settings
from slmfit.records import Example, Input, Prediction
from slmfit.tasks.base import Task

MOST = 100  # the largest k that is tried
WITHOUT_VALIDATION = {"k": 10, "weighting": "softmax-0.1"}
DOUBTS = (0.03, 0.1, 0.3, 1.0, 3.0)
SHARPNESSES = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8)

Votes = NDArray[np.float64]


class Voter(Method):
    """Cosine, exact. A row that shares nothing with a text (similarity <= 0) has no vote; where none has any, the
    most frequent label answers. Equal votes: the label whose voters are more similar in sum, then the first by name.
    """

    Settings = Settings
    base_model_setting = "embeddings"
    refits = True

    task: Task
    labels: tuple[str, ...]
    embedding: Embedding
    index: Index  # n rows, directions in whole numbers
    codes: NDArray[np.int32]  # [n], the label of each row as an index into labels

    def fit(self, task: Task, train: Sequence[Example], validation: Sequence[Example], context: Context) -> None:
        """Index train, then choose k and weighting, and how votes become probabilities, on validation.

        Where an encoder is too slow for the budget, with as many rows of either as there is time to embed.
        """
        begin, every = time.perf_counter(), train
        if self.settings.embeddings is not None:
            self.embedding = embeddings.pretrained(self.settings.embeddings, context.cache)
            train, validation = rows_in_time(self.embedding, task, train, validation, context)
        self._index(task, train, context)
        self.fit_seconds = time.perf_counter() - begin
        self._choose(task, validation, context)
        self.chosen |= left_out(train, every)
        self.rows_used = {"fitted": "train", "settings_chosen": "validation", "calibrated": "validation"}
        if len(train) < len(every):
            self.rows_used["fitted"] = f"{len(train):,} rows of train"

    def refit(self, task: Task, examples: Sequence[Example], context: Context) -> None:
        """Learn the embedding (if it is LSA) and index these rows; what was chosen stays.

        Under a budget, of the rows those whose vectors are there.
        """
        every = examples
        if hasattr(self, "embedding"):
            examples = rows_known(self.embedding, task, examples, context)
        self._index(task, examples, context)
        self.chosen |= left_out(examples, every)

    def _index(self, task: Task, examples: Sequence[Example], context: Context) -> None:
        self.task, self.labels = task, task.labels
        code = {label: i for i, label in enumerate(task.labels)}
        self.codes = np.array([code[str(e.target)] for e in examples], np.int32)
        texts = [task.text(e.input) for e in examples]
        if self.settings.embeddings is None:
            dimension, seed = self.settings.dimension, context.seed
            self.embedding, vectors = embeddings.LSA.fit_embed(texts, dimension=dimension, seed=seed)
        else:
            if not hasattr(self, "embedding"):
                self.embedding = embeddings.pretrained(self.settings.embeddings, context.cache)
            vectors = self.embedding.embed(texts)
        self._search_in(Index.of(vectors))

    def predict(self, inputs: Sequence[Input]) -> list[Prediction]:
        ids, similarities = self.neighbours(inputs, self.chosen["k"])
        cells = (np.arange(len(ids))[:, None] * len(self.labels) + self.codes[ids]).ravel()
        votes, closeness = (
            np.bincount(cells, each.ravel(), len(ids) * len(self.labels))
            .astype(float)
            .reshape(len(ids), len(self.labels))
            for each in _weights(similarities, self.chosen["weighting"])
        )
        answers = self._answers(votes, closeness)
        shares = self._probabilities(votes, self.chosen["doubt"], self.chosen["sharpness"])
        return [
            Prediction(self.labels[answer], probabilities=dict(zip(self.labels, row, strict=True)))
            for answer, row in zip(answers.tolist(), shares.tolist(), strict=True)
        ]

    def neighbours(self, inputs: Sequence[Input], k: int) -> tuple[NDArray[np.int64], Vectors]:
        """The k fitted rows nearest to each text: their numbers in the order fitted, and their cosines [texts, k]."""
        return self.index.search(self.embedding.embed([self.task.text(i) for i in inputs]), k)

    def save(self, folder: Path) -> None:
        from safetensors.numpy import save_file

        (folder / "embedding").mkdir()
        self.embedding.save(folder / "embedding")
        save_file({"rows": self.index.rows, "labels": self.codes}, folder / "rows.safetensors")
        about = {"labels": self.labels, **self.chosen}
        (folder / "knn.json").write_text(json.dumps(about, ensure_ascii=False, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, task: Task, settings: Any) -> Self:
        from safetensors.numpy import load_file

        method, tensors = cls(settings), load_file(folder / "rows.safetensors")
        method.chosen = json.loads((folder / "knn.json").read_text(encoding="utf-8"))
        method.task, method.labels = task, tuple(method.chosen.pop("labels"))
        method.embedding = embeddings.load(folder / "embedding")
        method.codes = tensors["labels"]
        method._search_in(Index(tensors["rows"]))
        return method

    def check(self, task: Task) -> None:
        rows, chosen = self.index.rows, self.chosen
        must(self.labels == tuple(task.labels), "its labels are not those of its task")
        must(
            rows.dtype == np.int8 and rows.shape == (len(self.codes), self.embedding.dimension), "rows of another shape"
        )
        must(self.codes.dtype == np.int32 and self.codes.ndim == 1 and len(self.codes), "labels of another shape")
        must(self.codes.min() >= 0 and self.codes.max() < len(self.labels), "a row has a label that is not there")
        must(type(chosen["k"]) is int and chosen["k"] >= 1, "no proper k")
        must(chosen["weighting"] in WEIGHTINGS, "no proper weighting")
        must(all(0 < float(chosen[name]) < 1e9 for name in ("doubt", "sharpness")), "no proper doubt or sharpness")

    def _search_in(self, index: Index) -> None:
        self.index = index
        self._shares = np.bincount(self.codes, minlength=len(self.labels)) + 1.0
        self._shares /= self._shares.sum()

    # --- choosing ---

    def _choose(self, task: Task, validation: Sequence[Example], context: Context) -> None:
        """Fill `chosen` and `search`. Best by the metric; equals by log loss at a doubt of one neighbour."""
        if not validation:
            self.chosen = {**WITHOUT_VALIDATION, **self._given(), "doubt": 1.0, "sharpness": 1.0}
            return
        ids, similarities = self.neighbours([e.input for e in validation], self.settings.k or MOST)
        code = {label: i for i, label in enumerate(self.labels)}
        truth = np.array([code[str(e.target)] for e in validation])
        score = _scorer(task, validation, truth, self.labels, context.metric)
        best: tuple[float, float] = (-np.inf, 0.0)
        for weighting in [self.settings.weighting] if self.settings.weighting else WEIGHTINGS:
            votes, closeness = np.zeros((2, len(truth), len(self.labels)))
            for k in _count(self.codes[ids], similarities, weighting, votes, closeness):
                if self.settings.k and k < ids.shape[1]:
                    continue
                doubt = _typical(votes) / k
                value = score(self._answers(votes, closeness))
                loss = _loss(self._probabilities(votes, doubt, 1.0), truth)
                self.search.append({"k": k, "weighting": weighting, context.metric: value, "log_loss": loss})
                if (value, -loss) > best:
                    best = (value, -loss)
                    self.chosen = {"k": self.settings.k or k, "weighting": weighting}
                    final, unit = votes.copy(), doubt
        grid = [(doubt * unit, sharpness) for doubt in DOUBTS for sharpness in SHARPNESSES]
        doubt, sharpness = min(grid, key=lambda pair: _loss(self._probabilities(final, *pair), truth))
        self.chosen |= {"doubt": doubt, "sharpness": sharpness}
        context.event("search", **self.chosen, **{context.metric: best[0]})

    def _given(self) -> dict[str, Any]:
        given = {"k": self.settings.k, "weighting": self.settings.weighting}
        return {name: value for name, value in given.items() if value is not None}

    # --- votes to answers ---

    def _answers(self, votes: Votes, closeness: Votes) -> NDArray[np.int64]:
        """The label with the most votes [texts, labels], as an index [texts]."""
        most = votes.max(axis=1, keepdims=True)
        answers = np.where(votes == most, closeness, -np.inf).argmax(axis=1)
        return np.where(most[:, 0] > 0, answers, self._shares.argmax())

    def _probabilities(self, votes: Votes, doubt: float, sharpness: float) -> Votes:
        """(votes + doubt / labels) ** sharpness, to sum 1: never 0, in the order of the votes.

        doubt: the weight of votes that are cast evenly for all labels. sharpness: above 1 for many labels and
        neighbours, where shares are too timid. Where nobody votes: the shares of the labels in the fitted rows.
        """
        shares = votes + doubt / votes.shape[1]
        shares = (shares / shares.max(axis=1, keepdims=True)) ** sharpness
        shares /= shares.sum(axis=1, keepdims=True)
        return np.where(votes.any(axis=1, keepdims=True), shares, self._shares)


def _count(
    codes: NDArray[np.int32], similarities: Vectors, weighting: str, votes: Votes, closeness: Votes
) -> Iterator[int]:
    """Let the first, second, … neighbour vote into `votes` and `closeness` [texts, labels]; yield how many have."""
    weights, similar = _weights(similarities, weighting)
    texts = np.arange(len(codes))
    for i in range(codes.shape[1]):
        votes[texts, codes[:, i]] += weights[:, i]
        closeness[texts, codes[:, i]] += similar[:, i]
        yield i + 1


def _weights(similarities: Vectors, weighting: str) -> tuple[Votes, Votes]:
    """What each neighbour's vote weighs, and how close it is; nothing where it is not similar at all."""
    temperature = WEIGHTINGS[weighting]
    similar = np.maximum(similarities.astype(np.float64), 0)
    weights = np.ones_like(similar) if temperature is None else np.exp((similar - 1) / temperature)
    weights[similar <= 0] = 0
    return weights, similar


def _scorer(task: Task, validation: Sequence[Example], truth: NDArray[Any], labels: Sequence[str], metric: str) -> Any:
    """Answers (indices of labels) -> the metric on validation."""
    if metric == "accuracy":
        return lambda answers: float((answers == truth).mean())
    predictions = [Prediction(label) for label in labels]
    targets = [e.target for e in validation if e.target is not None]
    return lambda answers: task.components(metric, targets, [predictions[a] for a in answers]).value


def _typical(votes: Votes) -> float:
    """The weight of all votes on a typical text."""
    return float(np.median(votes.sum(axis=1))) or 1.0


def _loss(probabilities: Votes, truth: NDArray[np.int64]) -> float:
    """Log loss with targets of (n + 1) / (n + 2) instead of 1, so that few rows do not make it bold (Platt, 1999)."""
    rows = len(truth)
    even = np.log(probabilities).mean(axis=1)
    right = np.log(probabilities[np.arange(rows), truth])
    return float(-((rows + 1) * right + even).mean() / (rows + 2))
