"""The smallest rung of docs/figures/ag-news.md: the most telling words of train and a weight of each for every label.

    cd benchmarks && slmfit compare ../../shared/data/ag_news --methods majority,keywords:Keywords,linear

`--set keywords:Keywords.words=600` keeps more of them. What is saved is a page of JSON that anybody can read.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from slmfit.methods.base import Context, Method, setting
from slmfit.records import Example, Input, Prediction
from slmfit.tasks.base import Task


@dataclass(frozen=True)
class Settings:
    words: int = setting(60, "How many words are kept: those with the highest chi-squared.", low=1)


class Keywords(Method):
    """Logistic regression on whether a text has each of a few words."""

    Settings = Settings
    refits = True
    labels: list[str]
    intercepts: list[float]  # [labels]
    weights: dict[str, list[float]]  # word -> [labels]

    def fit(self, task: Task, train: Sequence[Example], validation: Sequence[Example], context: Context) -> None:
        self.refit(task, train, context)

    def refit(self, task: Task, examples: Sequence[Example], context: Context) -> None:
        from sklearn.feature_extraction.text import CountVectorizer
        from sklearn.feature_selection import SelectKBest, chi2
        from sklearn.linear_model import LogisticRegression

        counter = CountVectorizer(tokenizer=_words, token_pattern=None, lowercase=False, binary=True)
        counts = counter.fit_transform([str(e.input) for e in examples])
        targets = [str(e.target) for e in examples]
        kept = SelectKBest(chi2, k=min(self.settings.words, counts.shape[1])).fit(counts, targets).get_support(True)
        model = LogisticRegression(max_iter=1000).fit(counts[:, kept], targets)
        names = counter.get_feature_names_out()[kept]
        self.labels, self.intercepts = list(model.classes_), [round(float(b), 2) for b in model.intercept_]
        self.weights = {
            str(word): [round(float(w), 2) for w in column]
            for word, column in zip(names, model.coef_.T, strict=True)
        }  # fmt: skip

    def predict(self, inputs: Sequence[Input]) -> list[Prediction]:
        return [self._predict(str(text)) for text in inputs]

    def save(self, folder: Path) -> None:
        whole = {"labels": self.labels, "intercepts": self.intercepts, "words": self.weights}
        (folder / "words.json").write_text(
            json.dumps(whole, ensure_ascii=False, separators=(",", ":")), encoding="utf-8"
        )

    @classmethod
    def load(cls, folder: Path, task: Task, settings: Any) -> Self:
        method, whole = cls(settings), json.loads((folder / "words.json").read_text(encoding="utf-8"))
        method.labels, method.intercepts, method.weights = whole["labels"], whole["intercepts"], whole["words"]
        return method

    def _predict(self, text: str) -> Prediction:
        found = [self.weights[word] for word in sorted(set(_words(text))) if word in self.weights]
        scores = [sum(column) for column in zip(self.intercepts, *found, strict=True)]
        shares = [math.exp(score - max(scores)) for score in scores]
        probabilities = {label: share / sum(shares) for label, share in zip(self.labels, shares, strict=True)}
        return Prediction(max(probabilities, key=probabilities.__getitem__), probabilities=probabilities)


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z]{2,}", text.lower())
