"""A method that is another thing for each task: a part of its own does the work, and this hands it on.

class Knn(ByTask):
    Settings = Settings
    parts = {"text-classification": Voter, "multiple-choice": Matcher}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from slmfit.methods.base import Context, Method
from slmfit.records import Example, Input, Prediction
from slmfit.tasks.base import Task


class ByTask(Method):
    """The part for the task, and what it says of itself."""

    parts: ClassVar[Mapping[str, type[Any]]]  # task -> a class with the methods of `Method`
    refits = True

    part: Any

    def fit(self, task: Task, train: Sequence[Example], validation: Sequence[Example], context: Context) -> None:
        self.part = self.parts[task.name](self.settings)
        self.part.fit(task, train, validation, context)
        self._told()

    def refit(self, task: Task, examples: Sequence[Example], context: Context) -> None:
        self.part.refit(task, examples, context)
        self._told()

    def predict(self, inputs: Sequence[Input]) -> list[Prediction]:
        found: list[Prediction] = self.part.predict(inputs)
        return found

    def save(self, folder: Path) -> None:
        self.part.save(folder)

    def check(self, task: Task) -> None:
        self.part.check(task)

    @classmethod
    def load(cls, folder: Path, task: Task, settings: Any) -> Self:
        method = cls(settings)
        method.part = cls.parts[task.name].load(folder, task, settings)
        method._told()
        return method

    def _told(self) -> None:
        self.chosen, self.search = self.part.chosen, self.part.search
        self.fit_seconds, self.rows_used = self.part.fit_seconds, self.part.rows_used
