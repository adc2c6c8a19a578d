"""Test rows that came as tokens, scored once more as people write them: what serving asks, and their score cannot show.

as_written(method, data, test_answers, seed=0)
# {"rows": 1284, "entity_f1": {"value": 0.16, "low": 0.13, "high": 0.19}}; None where no text would differ
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from slmfit.data.dataset import Dataset, targets
from slmfit.methods.base import Method
from slmfit.records import Example, Prediction, Tokens
from slmfit.tasks.spelling import signs_apart, words_of, written

METRIC = "entity_f1"


def respelled(data: Dataset) -> list[Example]:
    """The test rows that people write otherwise, by the signs that the tokens of train have apart."""
    if not data.task.marks:
        return []
    came = (words_of(e.input) for e in data.train if isinstance(e.input, Tokens))
    return written(data.test, signs_apart(came))


def as_written(method: Method, data: Dataset, answers: Sequence[Prediction], seed: int) -> dict[str, Any] | None:
    """How many test rows differ, and the entity F1 of all of them; the others keep their answers."""
    changed = {example.id: example for example in respelled(data)}
    if not changed:
        return None
    told = method.predict([str(example.input) for example in changed.values()])
    new = dict(zip(changed, told, strict=True))
    rows = [changed.get(example.id, example) for example in data.test]
    found = [new.get(example.id, answer) for example, answer in zip(data.test, answers, strict=True)]
    scores = data.task.score(targets(rows), found, seed, [example.input for example in rows])
    return {"rows": len(changed), METRIC: asdict(scores.values[METRIC])}
