"""A method answers the rows of a split: all of them, or under a budget as many as there is time for.

    answered = ask(method, data, data.test, "test", seed=0, budget=budget, event=event)
    answered.left_out        # rows that were not asked for lack of time: the last of the split's random order

The random order of a split is the same for every method, so those that get less far answer some of the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from slmfit.data.dataset import Dataset, targets
from slmfit.methods.base import Method, Remote
from slmfit.records import Example, Prediction
from slmfit.tasks.answers import rounded
from slmfit.tasks.base import Scores
from slmfit.timing.budget import Budget, Pieces, random_order
from slmfit.timing.work import counted

Event = Callable[..., None]


@dataclass(frozen=True)
class Answered:
    """Rows of one split with their answers and the scores of these. left_out: how many more rows the split has."""

    examples: Sequence[Example]
    answers: Sequence[Prediction]
    scores: Scores
    left_out: int = 0

    @classmethod
    def of(
        cls, examples: Sequence[Example], answers: Sequence[Prediction], data: Dataset, seed: int, left_out: int = 0
    ) -> Answered:
        scores = data.task.score(targets(examples), answers, seed, [e.input for e in examples])
        return cls(examples, answers, scores, left_out)


def ask(
    method: Method, data: Dataset, examples: Sequence[Example], split: str, *, seed: int, budget: Budget, event: Event
) -> Answered:
    """What the method answers to these rows, scored. A server is asked all of them: it has limits of its own."""
    event("predict", split=split, rows=len(examples))
    with counted(event, f"predicting {split}", len(examples), budget) as work:
        if isinstance(method, Remote) or not budget.limited or not examples:
            return Answered.of(examples, predict(method, examples), data, seed)
        order = random_order(len(examples))
        pieces = Pieces(len(examples), budget.left(), clock=budget.clock)
        found: dict[int, Prediction] = {}
        while (piece := pieces.next()) is not None:
            rows = order[piece].tolist()
            found |= dict(zip(rows, predict(method, [examples[i] for i in rows]), strict=True))
            work.reached(pieces.done)
    kept = sorted(found)
    return Answered.of(
        [examples[i] for i in kept], [found[i] for i in kept], data, seed, left_out=len(examples) - len(kept)
    )


def predict(method: Method, examples: Sequence[Example]) -> list[Prediction]:
    """One answer per row, with probabilities as they are written down."""
    answers = method.predict([e.input for e in examples])
    if len(answers) != len(examples):
        raise AssertionError(f"{type(method).__name__}.predict gave {len(answers)} answers for {len(examples)} inputs")
    return [_rounded(answer) for answer in answers]


def _rounded(answer: Prediction) -> Prediction:
    """Probabilities as they are written down, so that scores are those of the file."""
    labels, spans, sure = answer.probabilities, answer.span_probabilities, answer.confidence
    return replace(
        answer,
        probabilities=labels and {k: rounded(p) for k, p in labels.items()},
        span_probabilities=spans if spans is None else [rounded(p) for p in spans],
        confidence=sure if sure is None else rounded(sure),
    )
