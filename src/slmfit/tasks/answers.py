"""Answers on their way out and back: as columns of a row, and as JSON.

    class_columns(Prediction("billing", probabilities={"billing": 0.93}))
    # {"prediction": "billing", "probability": 0.93, "probabilities": {"billing": 0.93}}
    entity_columns(Prediction(Entities((Span(11, 17, "DATE"),), "confirm")), "see you on 10 May")
    # {"spans": [{"start": 11, "end": 17, "label": "DATE", "text": "10 May"}], "intent": "confirm",
    #  "entities": {"DATE": ["10 May"]}}

The columns of entities are read back as data: `spans` is what a file of labelled rows has.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict
from typing import Any

from slmfit.records import (
    Entities,
    Outcome,
    Prediction,
    Span,
    Target,
)
from slmfit.tasks.base import Task
from slmfit.text.cells import unguarded

Row = dict[str, Any]

BY = "answered_by"
NO_ENTITY = "O"  # among what answers are counted as
APART = "slmfit_"  # stands before an answer's columns in a row that has such columns itself


def names(task: Task) -> tuple[str, ...]:
    """All columns that an answer can have, whether this or that answer has them or not."""
    target: Target = Entities((Span(0, 1, "x"),), "x") if task.marks else "x"
    full = Prediction(target, "invalid", {"x": 1.0}, raw="x", span_probabilities=[1.0])
    return ("outcome", *(name for name in task.columns(full, "x") if name != "outcome"))


def prefix(columns: Iterable[str], task: Task) -> str:
    """What stands before all of an answer's columns in a file with these columns of its own: nothing, unless one of
    them, or tags beside entities, has such a name; then what overwrites none and is not taken for the truth.
    """
    own, ours, before = set(columns), names(task), ""
    taken = {*ours, *(task.roles.get("tags", ()) if "spans" in ours else ())}
    while any(f"{before}{name}" in own for name in (taken if not before else ours)):
        before += APART
    return before


def answer_first(row: Row) -> Row:
    """A row with the answer's columns, which stood apart, in place of its own; of answers to answers the last."""
    for name in sorted((name for name in row if name.startswith(APART)), key=lambda name: name.count(APART)):
        row = row | {name.replace(APART, ""): row[name]}
    return row


def stood_at(column: str, columns: Collection[str]) -> str:
    """What the column is called in a file with these columns, whose answers' columns may stand apart."""
    apart = [name for name in columns if name.startswith(APART) and name.replace(APART, "") == column]
    return max(apart, key=len, default=column)


def read_back(row: Row) -> Row:
    """A row of CSV or TSV with the labels in an answer's columns as they were before they were guarded."""
    return {
        name: unguarded(cell) if isinstance(cell, str) and holds_labels(name) else cell for name, cell in row.items()
    }


def holds_labels(column: str) -> bool:
    """Whether it has the name of a column in which `predict` writes labels."""
    return column.replace(APART, "") in ("prediction", "intent")


def rounded(share: float) -> float:
    """A probability as it is written everywhere, to six digits: scores are then those of the file."""
    return float(f"{share:.6g}")


def class_columns(prediction: Prediction) -> dict[str, Any]:
    """A label or letter as columns: prediction, outcome where it is not ok, its probability, all probabilities."""
    target, chances = prediction.target, prediction.probabilities
    columns = {"prediction": target_to_json(target), **_outcome(prediction)}
    if chances is not None:
        if isinstance(target, str):
            columns["probability"] = rounded(chances.get(target, 0.0))
        columns["probabilities"] = {name: rounded(chance) for name, chance in chances.items()}
    return columns


def entity_columns(prediction: Prediction, text: str) -> dict[str, Any]:
    """Entities and an intent as columns; null throughout where there is no answer.

    `spans` with their words and, where known, probabilities; `intent` with its probability; `entities`: the same words
    by type, in order; `unplaced`, where a method wrote its answer: what it named that is not in the text where it
    should be.
    """
    answer, intents = prediction.target, prediction.probabilities
    if not isinstance(answer, Entities):
        return {"spans": None, "intent": None, "entities": None, **_outcome(prediction)}
    spans = [{"start": s.start, "end": s.end, "label": s.label, "text": text[s.start : s.end]} for s in answer.spans]
    if prediction.span_probabilities is not None:
        for span, chance in zip(spans, prediction.span_probabilities, strict=True):
            span["probability"] = rounded(chance)
    columns: dict[str, Any] = {"spans": spans, "intent": answer.intent}
    if intents is not None:
        columns["intent_probability"] = rounded(intents.get(str(answer.intent), 0.0))
    columns["entities"] = combined(text, answer)
    if prediction.raw is not None or answer.unplaced:
        columns["unplaced"] = [{"text": words, "label": label} for words, label in answer.unplaced]
    columns |= _outcome(prediction)
    if intents is not None:
        columns["probabilities"] = {name: rounded(chance) for name, chance in intents.items()}
    return columns


def _outcome(prediction: Prediction) -> dict[str, Any]:
    said = {} if prediction.outcome == "ok" else {"outcome": str(prediction.outcome)}
    return said if prediction.by is None else {**said, BY: prediction.by}


def entities_of(target: Target | None) -> Entities:
    """The entities of a target; none where it holds none."""
    return target if isinstance(target, Entities) else Entities()


def can_be_answer(target: Any, task: Task) -> bool:
    """Whether a value is of the kind that the task's answers are."""
    return isinstance(target, Entities if task.marks else str)


def chance_of(target: Target | None) -> str | None:
    """The name that an answer's probability goes by: the label or letter itself, the intent."""
    return target.intent if isinstance(target, Entities) else target


def combined(text: str, answer: Entities) -> dict[str, list[str]]:
    """Type -> the words of its entities, in order."""
    found: dict[str, list[str]] = {}
    for span in answer.spans:
        found.setdefault(span.label, []).append(text[span.start : span.end])
    return found


def prediction_to_json(prediction: Prediction) -> dict[str, Any]:
    """The part of a prediction that is written down; what is unknown is left out."""
    row: dict[str, Any] = {"prediction": target_to_json(prediction.target), "outcome": prediction.outcome}
    if prediction.probabilities is not None:
        row["probabilities"] = dict(prediction.probabilities)
    if prediction.span_probabilities is not None:
        row["span_probabilities"] = list(prediction.span_probabilities)
    if prediction.confidence is not None:
        row["confidence"] = prediction.confidence
    if prediction.by is not None:
        row["by"] = prediction.by
    if prediction.raw is not None:
        row["raw"] = prediction.raw
    if prediction.usage is not None:
        row["usage"] = {k: v for k, v in asdict(prediction.usage).items() if v is not None}
    return row


def prediction_from_json(row: dict[str, Any]) -> Prediction:
    """The inverse of `prediction_to_json`, without the usage."""
    outcome: Outcome = row["outcome"]
    target = target_from_json(row["prediction"])
    spans = row.get("span_probabilities")
    return Prediction(
        target,
        outcome,
        row.get("probabilities"),
        row.get("raw"),
        span_probabilities=spans,
        confidence=row.get("confidence"),
        by=row.get("by"),
    )


def target_to_json(target: Target | None) -> Any:
    """A label or letter as it is; entities as {"spans": [[start, end, label], …], "intent": …, "unplaced": if any}."""
    if target is None or isinstance(target, str):
        return target
    plain: dict[str, Any] = {"spans": [[s.start, s.end, s.label] for s in target.spans], "intent": target.intent}
    return plain | ({"unplaced": [list(pair) for pair in target.unplaced]} if target.unplaced else {})


def target_from_json(value: Any) -> Target | None:
    """The inverse of `target_to_json`."""
    if value is None or isinstance(value, str):
        return value
    unplaced = tuple((words, label) for words, label in value.get("unplaced", ()))
    return Entities(tuple(Span(*span) for span in value["spans"]), value["intent"], unplaced)


def said(answer: Prediction) -> list[str]:
    """What an answer counts as: its label, its intent, the types of its entities."""
    target = answer.target
    if isinstance(target, Entities):
        types = [span.label for span in target.spans] or [NO_ENTITY]
        return types if target.intent is None else [f"intent {target.intent}", *types]
    return [] if target is None else [target]
