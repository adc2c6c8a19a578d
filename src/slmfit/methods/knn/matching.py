"""The option that is nearest: to its question, or to what was right of the train questions that are like it.

    method = Matcher(Settings())
    method.fit(task, train, validation, Context())
    method.predict([Question("Ice is", {"A": "cold", "B": "hot"})])[0].target    # "A"

An option is embedded alone: with the question before it, all are alike, and the shortest option wins for being least
else. Validation chooses between the two readings, and how many questions are looked at.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from slmfit import embeddings
from slmfit.embeddings import Embedding, Index, whole
from slmfit.embeddings.affordable import affordable, known
from slmfit.errors import UsageError
from slmfit.methods.base import Context, Method, must
from slmfit.methods.in_time import left_out
from slmfit.methods.knn.settings import Settings
from slmfit.methods.ranked import Floats, best, fitted_sharpness, offsets_of, ranked, right_of
from slmfit.records import Example, Input, Prediction, Question
from slmfit.tasks.base import Task
from slmfit.tasks.forms.letters import question_of
from slmfit.timing.work import each_part

KS = (1, 3, 10, 30, 100)  # neighbours that are tried, beside none
Whole = NDArray[np.int8]


class Matcher(Method):
    """See the module. `chosen["k"]` is 0 where an option is compared with its own question."""

    Settings = Settings
    base_model_setting = "embeddings"
    refits = True

    embedding: Embedding
    asked: Index  # of the train questions
    right: Whole  # [train questions, directions], their right options

    def fit(self, task: Task, train: Sequence[Example], validation: Sequence[Example], context: Context) -> None:
        """Index train, then choose the reading on validation.

        Where an encoder is too slow for the budget, with as many rows of train as there is time to embed. Raises
        UsageError for a weighting, as nothing votes here.
        """
        if self.settings.weighting is not None:
            raise UsageError("knn.weighting says nothing in multiple-choice", fix="leave weighting out")
        begin, every = time.perf_counter(), train
        if self.settings.embeddings is not None:
            self.embedding = embeddings.pretrained(self.settings.embeddings, context.cache)
            texts, later = [_asked(question_of(e.input)) for e in train], 5 * context.rows_to_predict
            train = [train[i] for i in affordable(self.embedding, texts, context.budget, later)]
        self._index(train, context)
        self.fit_seconds = time.perf_counter() - begin
        self._choose(validation, context)
        self.chosen |= left_out(train, every)
        self.rows_used = {"fitted": "train", "settings_chosen": "validation", "calibrated": "validation"}
        if len(train) < len(every):
            self.rows_used["fitted"] = f"{len(train):,} rows of train"

    def refit(self, task: Task, examples: Sequence[Example], context: Context) -> None:
        every = examples
        if context.budget.limited:
            texts = [_asked(question_of(e.input)) for e in examples]
            examples = [examples[i] for i in known(self.embedding, texts)]
        self._index(examples, context)
        self.chosen |= left_out(examples, every)

    def _index(self, examples: Sequence[Example], context: Context) -> None:
        """LSA learns from questions with their right options, so what goes together gets near each other."""
        answered = [(question_of(e.input), e.target) for e in examples if isinstance(e.target, str)]
        pairs = [(_asked(question), question.options[letter]) for question, letter in answered]
        if self.settings.embeddings is None:
            texts = [f"{question}\n{option}" for question, option in pairs]
            self.embedding = embeddings.LSA.fit(texts, dimension=self.settings.dimension, seed=context.seed)
        vectors = self.embedding.embed([text for pair in pairs for text in pair])
        self.asked, self.right = Index.of(vectors[::2]), whole(vectors[1::2])

    def predict(self, inputs: Sequence[Input]) -> list[Prediction]:
        k = self.chosen["k"]
        scores = self._scores(inputs, (k,))[k]
        return ranked(inputs, scores, self.chosen["sharpness"])

    def _scores(self, inputs: Sequence[Input], ks: Sequence[int]) -> dict[int, Floats]:
        """k -> the score of every option, end to end."""
        questions = [question_of(i) for i in inputs]
        if not questions:
            return dict.fromkeys(ks, np.zeros(0))
        offsets = offsets_of(inputs)
        with each_part(len(questions) / (len(questions) + int(offsets[-1]))):
            asked = self.embedding.embed([_asked(q) for q in questions])
            options = _unit(whole(self.embedding.embed([text for q in questions for text in q.options.values()])))
        scores = {k: np.zeros(offsets[-1]) for k in ks}
        own = _unit(whole(asked))
        ids, similar = self.asked.search(asked, max(max(ks), 1))
        for n, (begin, end) in enumerate(pairwise(offsets)):
            weights = np.maximum(similar[n].astype(np.float64), 0)
            votes = np.cumsum((options[begin:end] @ _unit(self.right[ids[n]]).T) * weights, axis=1)
            for k in ks:
                if k == 0:
                    scores[k][begin:end] = options[begin:end] @ own[n]
                elif votes.shape[1]:
                    last = min(k, votes.shape[1]) - 1
                    scores[k][begin:end] = votes[:, last] / (weights[: last + 1].sum() or 1.0)
        return {k: found.round(6) for k, found in scores.items()}

    def _choose(self, validation: Sequence[Example], context: Context) -> None:
        """The most right on validation; on a tie the fewest neighbours, which were tried first."""
        held = [e for e in validation if e.target is not None]
        inputs, right = [e.input for e in held], right_of(held)
        offsets = offsets_of(inputs)
        found = self._scores(inputs, [self.settings.k] if self.settings.k else [0, *KS])
        for k, scores in found.items():
            share = float(np.mean(best(scores, offsets) == right)) if held else 0.0
            self.search.append({"k": k, "accuracy": share})
        k = max(self.search, key=lambda tried: tried["accuracy"])["k"]
        self.chosen = {"k": k, "sharpness": fitted_sharpness(found[k], offsets, right)}
        context.event("search", **self.chosen)

    def save(self, folder: Path) -> None:
        from safetensors.numpy import save_file

        (folder / "embedding").mkdir()
        self.embedding.save(folder / "embedding")
        save_file({"asked": self.asked.rows, "right": self.right}, folder / "questions.safetensors")
        (folder / "knn.json").write_text(json.dumps(self.chosen, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, task: Task, settings: Any) -> Self:
        from safetensors.numpy import load_file

        method, tensors = cls(settings), load_file(folder / "questions.safetensors")
        method.chosen = json.loads((folder / "knn.json").read_text(encoding="utf-8"))
        method.embedding = embeddings.load(folder / "embedding")
        method.asked, method.right = Index(tensors["asked"]), tensors["right"]
        return method

    def check(self, task: Task) -> None:
        for rows in (self.asked.rows, self.right):
            must(rows.dtype == np.int8 and rows.ndim == 2, "rows of another kind")
            must(rows.shape == (len(self.right), self.embedding.dimension), "rows of another shape")
        must(type(self.chosen["k"]) is int and self.chosen["k"] >= 0, "no proper k")
        must(0 < float(self.chosen["sharpness"]) < 1e9, "no proper sharpness")


def _asked(question: Question) -> str:
    return f"{question.context}\n{question.question}" if question.context else question.question


def _unit(rows: Whole) -> Floats:
    """Whole numbers as vectors of length 1, float64; zeros stay."""
    exact = rows.astype(np.float64)
    lengths = np.sqrt((exact * exact).sum(axis=1, keepdims=True))
    return np.divide(exact, lengths, out=np.zeros_like(exact), where=lengths > 0)
