"""knn: nothing is trained, what is nearest answers.

    method = Knn(Settings(embeddings="models/potion-base-4m-int8"))
    method.fit(task, train, validation, Context())
    method.predict(["my card was charged twice"])[0].target    # "billing"

What differs by task is a part of its own: `voting.py` (the labels of the nearest texts) and `matching.py` (the option
that is nearest to its question, or to what was right of questions like it).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from slmfit.methods.base import Context, Method
from slmfit.methods.knn.matching import Matcher
from slmfit.methods.knn.settings import WEIGHTINGS, Settings
from slmfit.methods.knn.voting import Voter
from slmfit.records import Example, Input, Prediction
from slmfit.tasks.base import Task

__all__ = ["WEIGHTINGS", "Knn", "Settings"]

PARTS: dict[str, type[Voter] | type[Matcher]] = {"text-classification": Voter, "multiple-choice": Matcher}


class Knn(Method):
    """The part for the task, and what it says of itself."""

    Settings = Settings
    base_model_setting = "embeddings"
    refits = True

    part: Voter | Matcher

    def fit(self, task: Task, train: Sequence[Example], validation: Sequence[Example], context: Context) -> None:
        self.part = PARTS[task.name](self.settings)
        self.part.fit(task, train, validation, context)
        self._told()

    def refit(self, task: Task, examples: Sequence[Example], context: Context) -> None:
        self.part.refit(task, examples, context)
        self._told()

    def predict(self, inputs: Sequence[Input]) -> list[Prediction]:
        return self.part.predict(inputs)

    def save(self, folder: Path) -> None:
        self.part.save(folder)

    def check(self, task: Task) -> None:
        self.part.check(task)

    @classmethod
    def load(cls, folder: Path, task: Task, settings: Any) -> Self:
        method = cls(settings)
        method.part = PARTS[task.name].load(folder, task, settings)
        method._told()
        return method

    def _told(self) -> None:
        self.chosen, self.search = self.part.chosen, self.part.search
        self.fit_seconds, self.rows_used = self.part.fit_seconds, self.part.rows_used
