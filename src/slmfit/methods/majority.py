"""The floor: always the most frequent answer of train, with the shares of train as probabilities.

Whatever does not beat it has learnt nothing from the text.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from slmfit.methods.base import Context, Method, must
from slmfit.records import Example, Input, Prediction, Target
from slmfit.tasks.answers import chance_of, target_from_json, target_to_json
from slmfit.tasks.base import Task


@dataclass(frozen=True)
class Settings:
    """Nothing to set."""


class Majority(Method):
    """The most frequent label, letter, or intent (with no entities) of train; on a tie the one that sorts first."""

    Settings = Settings
    refits = True
    task: Task
    counts: list[tuple[Target, int]]  # most frequent first

    def fit(self, task: Task, train: Sequence[Example], validation: Sequence[Example], context: Context) -> None:
        self.rows_used = {"fitted": "train"}
        self.refit(task, train, context)

    def refit(self, task: Task, examples: Sequence[Example], context: Context) -> None:
        self.task = task
        counts = Counter(task.floor(e.target) for e in examples if e.target is not None)
        self.counts = sorted(counts.items(), key=lambda item: (-item[1], str(target_to_json(item[0]))))

    def predict(self, inputs: Sequence[Input]) -> list[Prediction]:
        return [self._predict(i) for i in inputs]

    def _predict(self, input: Input) -> Prediction:
        counts, offered = self.counts, self.task.offered(input)
        if offered is not None:
            counts = [(t, n) for t, n in counts if t in offered] or [(offered[0], 1)]
        total = sum(n for _, n in counts)
        shares = {t: n / total for t, n in counts if isinstance(t, str)}
        return Prediction(counts[0][0], probabilities=shares or None)

    def save(self, folder: Path) -> None:
        rows = [[target_to_json(target), n] for target, n in self.counts]
        (folder / "counts.json").write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, task: Task, settings: Any) -> Self:
        method = cls(settings)
        method.task = task
        rows = json.loads((folder / "counts.json").read_text(encoding="utf-8"))
        method.counts = [(target_from_json(t), n) for t, n in rows]  # type: ignore[misc]
        return method

    def check(self, task: Task) -> None:
        must(self.counts, "it counted nothing")
        must(all(type(n) is int and 0 < n < 2**53 for _, n in self.counts), "a count that is no positive whole number")
        known = {*getattr(task, "labels", ()), *getattr(task, "intents", ()), None}
        must(all(chance_of(target) in known for target, _ in self.counts), "an answer that its task does not know")
        must(all(task.floor(target) == target for target, _ in self.counts), "spans of no text")
