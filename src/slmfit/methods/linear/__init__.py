"""linear: one weight for each thing seen and each answer; fitted in seconds to minutes, answers in milliseconds.

    method = Linear(Settings(features="words"))
    method.fit(task, train, validation, Context())
    method.predict(["my card was charged twice"])[0].target    # "billing"

What differs by task is a part of its own: `classification.py` (a label for a text: TF-IDF or embeddings, support vector
machines), `tagging.py` (spans by a conditional random field, the intent by the same classifier) and `ranking.py` (the
option of a question).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from slmfit.errors import UsageError
from slmfit.methods.base import Context, Method
from slmfit.methods.linear.classification import Classifier
from slmfit.methods.linear.ranking import Ranker
from slmfit.methods.linear.settings import OF_QUESTIONS, OF_SPANS, OF_TEXTS, Settings
from slmfit.methods.linear.tagging import Tagger
from slmfit.records import Example, Input, Prediction
from slmfit.tasks.base import Task

__all__ = ["Linear", "Settings"]

PARTS: dict[str, type[Classifier] | type[Tagger] | type[Ranker]] = {
    "text-classification": Classifier,
    "token-classification": Tagger,
    "multiple-choice": Ranker,
}
# Of each part, the settings that say nothing to it.
FOREIGN: dict[type, tuple[str, ...]] = {
    Classifier: (*OF_SPANS, *OF_QUESTIONS),
    Tagger: OF_QUESTIONS,
    Ranker: (*OF_SPANS, *(name for name in OF_TEXTS if name != "C")),
}


class Linear(Method):
    """The part for the task, and what it says of itself."""

    Settings = Settings
    base_model_setting = "embeddings"
    refits = True

    part: Classifier | Tagger | Ranker

    def fit(self, task: Task, train: Sequence[Example], validation: Sequence[Example], context: Context) -> None:
        """Raises UsageError for settings that have no meaning in the task, MissingPart for spans without CRFsuite."""
        foreign = FOREIGN[PARTS[task.name]]
        if given := next((name for name in foreign if getattr(self.settings, name) is not None), None):
            raise UsageError(f"linear.{given} says nothing in {task.name}", fix=f"leave {given} out")
        self.part = PARTS[task.name](self.settings)
        self.part.fit(task, train, validation, context)
        self._told()

    def refit(self, task: Task, examples: Sequence[Example], context: Context) -> None:
        self.part.refit(task, examples, context)
        self._told()

    def predict(self, inputs: Sequence[Input]) -> list[Prediction]:
        return self.part.predict(inputs)

    def explain(self, text: str, label: str, top: int = 10) -> list[tuple[str, float]]:
        """As `Classifier.explain`, of a label or an intent."""
        return self.part.explain(text, label, top)

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
