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
from slmfit.records import Entities, Example, Input, Prediction, Question, Target
from slmfit.tasks.answers import target_from_json, target_to_json
from slmfit.tasks.base import Task


@dataclass(frozen=True)
class Settings:
    """Nothing to set."""


class Majority(Method):
    """The most frequent label, letter, or intent (with no entities) of train; on a tie the one that sorts first."""

    Settings = Settings
    refits = True
    counts: list[tuple[Target, int]]  # most frequent first

    def fit(self, task: Task, train: Sequence[Example], validation: Sequence[Example], context: Context) -> None:
        self.rows_used = {"fitted": "train"}
        self.refit(task, train, context)

    def refit(self, task: Task, examples: Sequence[Example], context: Context) -> None:
        counts = Counter(_floor(e.target) for e in examples if e.target is not None)
        self.counts = sorted(counts.items(), key=lambda item: (-item[1], str(target_to_json(item[0]))))

    def predict(self, inputs: Sequence[Input]) -> list[Prediction]:
        return [self._predict(i) for i in inputs]

    def _predict(self, input: Input) -> Prediction:
        counts = self.counts
        if isinstance(input, Question):  # a letter that this question does not offer is no answer to it
            counts = [(t, n) for t, n in counts if t in input.options] or [(next(iter(input.options)), 1)]
        total = sum(n for _, n in counts)
        shares = {t: n / total for t, n in counts if isinstance(t, str)}
        return Prediction(counts[0][0], probabilities=shares or None)

    def save(self, folder: Path) -> None:
        rows = [[target_to_json(target), n] for target, n in self.counts]
        (folder / "counts.json").write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, task: Task, settings: Any) -> Self:
        method = cls(settings)
        rows = json.loads((folder / "counts.json").read_text(encoding="utf-8"))
        method.counts = [(target_from_json(t), n) for t, n in rows]  # type: ignore[misc]
        return method

    def check(self, task: Task) -> None:
        must(self.counts, "it counted nothing")
        must(all(type(n) is int and 0 < n < 2**53 for _, n in self.counts), "a count that is none")
        known = {*getattr(task, "labels", ()), *getattr(task, "intents", ()), None}
        said = [target.intent if isinstance(target, Entities) else target for target, _ in self.counts]
        must(all(one in known for one in said), "an answer that its task does not know")
        must(not any(isinstance(t, Entities) and (t.spans or t.unplaced) for t, _ in self.counts), "spans of no text")


def _floor(target: Target) -> Target:
    """What can be answered without reading: a label, a letter, or the intent with no entities."""
    return Entities(intent=target.intent) if isinstance(target, Entities) else target
