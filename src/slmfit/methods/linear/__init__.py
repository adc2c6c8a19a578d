"""linear: one weight for each thing seen and each answer; fitted in seconds to minutes, answers in milliseconds.

    method = Linear(Settings(features="words"))
    method.fit(task, train, validation, Context())
    method.predict(["my card was charged twice"])[0].target    # "billing"

What differs by task is a part of its own: `classification.py` (a label for a text: TF-IDF or embeddings, support vector
machines), `tagging.py` (spans by a conditional random field, the intent by the same classifier) and `ranking.py` (the
option of a question).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from slmfit.errors import UsageError
from slmfit.methods.base import Context
from slmfit.methods.by_task import ByTask
from slmfit.methods.linear.classification import Classifier
from slmfit.methods.linear.ranking import Ranker
from slmfit.methods.linear.settings import OF_QUESTIONS, OF_SPANS, OF_TEXTS, Settings
from slmfit.methods.linear.tagging import Tagger
from slmfit.records import Example
from slmfit.tasks.base import Task

__all__ = ["Linear", "Settings"]

# Of each part, the settings that say nothing to it.
FOREIGN: dict[type, tuple[str, ...]] = {
    Classifier: (*OF_SPANS, *OF_QUESTIONS),
    Tagger: OF_QUESTIONS,
    Ranker: (*OF_SPANS, *(name for name in OF_TEXTS if name != "C")),
}


class Linear(ByTask):
    """Labels by vector machines, spans by a random field, options by a ranker."""

    Settings = Settings
    base_model_setting = "embeddings"
    parts = {"text-classification": Classifier, "token-classification": Tagger, "multiple-choice": Ranker}

    def idle(self, task: str) -> Collection[str]:
        return FOREIGN[self.parts[task]]

    def fit(self, task: Task, train: Sequence[Example], validation: Sequence[Example], context: Context) -> None:
        """Raises UsageError for settings that have no meaning in the task, MissingPart for spans without CRFsuite."""
        if given := next((name for name in self.idle(task.name) if getattr(self.settings, name) is not None), None):
            raise UsageError(f"linear.{given} says nothing in {task.name}", fix=f"leave {given} out")
        super().fit(task, train, validation, context)

    def explain(self, text: str, label: str, top: int = 10) -> list[tuple[str, float]]:
        """As `Classifier.explain`, of a label or an intent."""
        found: list[tuple[str, float]] = self.part.explain(text, label, top)
        return found
