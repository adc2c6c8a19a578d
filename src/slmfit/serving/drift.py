"""What tells that texts have changed since a run was made: confidences, answers by label, words never seen.

    counts = Counts()
    counts.add(run, inputs, predictions)
    counts.plain()          # {"answers": {"billing": 3}, "outcomes": {"ok": 3}, "confidence": [0, …, 3], …}

Counts only, never texts. The same is counted once of validation, which is what to hold them against.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from slmfit.errors import SlmfitError
from slmfit.records import Input, Prediction
from slmfit.runs.known_words import Words
from slmfit.runs.run import Run
from slmfit.tasks.answers import prediction_from_json, said

BINS = 10  # of confidence, as wide as each other


@dataclass
class Counts:
    """What was answered. confidence: how many answers in each tenth; words, unseen: of runs that know their words.

    by: which part answered, of a run that has several.
    """

    answers: Counter[str] = field(default_factory=Counter)
    by: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    confidence: list[int] = field(default_factory=lambda: [0] * BINS)
    confidence_sum: float = 0.0
    words: int = 0
    unseen: int = 0
    truncated: int = 0

    def add(self, predictions: Iterable[Prediction]) -> None:
        for answer in predictions:
            self.outcomes[answer.outcome] += 1
            if answer.outcome == "ok":
                self.answers.update(said(answer))
            if (part := getattr(answer, "by", None)) is not None:
                self.by[part] += 1
            if (sure := _confidence(answer)) is not None:
                self.confidence[min(BINS - 1, int(sure * BINS))] += 1
                self.confidence_sum += sure

    def read(self, words: Words | None, texts: Iterable[str]) -> None:
        """Count the words of these texts, where the run knows which it has seen."""
        if words is not None:
            found = words.counts(texts)
            self.words += found["words"]
            self.unseen += found["unseen"]

    def plain(self) -> dict[str, Any]:
        return {**vars(self), "answers": dict(self.answers), "outcomes": dict(self.outcomes), "by": dict(self.by)}

    def merge(self, plain: dict[str, Any]) -> None:
        """Add what another has counted."""
        self.answers.update(plain["answers"])
        self.outcomes.update(plain["outcomes"])
        self.by.update(plain["by"])
        self.confidence = [a + b for a, b in zip(self.confidence, plain["confidence"], strict=True)]
        for name in ("confidence_sum", "words", "unseen", "truncated"):
            setattr(self, name, getattr(self, name) + plain[name])


def _confidence(answer: Prediction) -> float | None:
    """How sure a method says it is of all of its answer."""
    if answer.probabilities:
        return max(answer.probabilities.values())
    return min(answer.span_probabilities) if answer.span_probabilities else None


def of_validation(run: Run) -> dict[str, Any] | None:
    """The counts of validation, by the answers that the run kept; None where it kept none."""
    counts = Counts()
    with suppress(SlmfitError, KeyError, TypeError, ValueError):
        counts.add(prediction_from_json(row) for row in run.predictions() if row.get("split") == "validation")
    unseen = run.record.details.get("validation", {}).get("unseen_words")
    if unseen is not None:
        counts.words, counts.unseen = unseen["words"], unseen["unseen"]
    return counts.plain() if counts.outcomes else None


def texts_of(run: Run, inputs: Sequence[Input]) -> list[str]:
    """The inputs as words are counted in them."""
    return [run.task.text(input) for input in inputs]
