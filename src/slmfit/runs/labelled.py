"""Scores label by label: of classes, entity types, intents, letters. They stand in the details of a run's scores.

by_label(run.record.details["test"])["per_class"][0]["f1"]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slmfit.records import RunRecord

SPLITS = ("validation", "test")  # of train a sample was scored, by the model that learnt it


@dataclass(frozen=True)
class Kind:
    """A table of the details: what its lines are, which field names a line, which is its score, what it counts."""

    title: str
    name: str
    score: str
    unit: str = "rows"


KINDS: Mapping[str, Kind] = {
    "per_class": Kind("class", "label", "f1"),
    "per_type": Kind("entity type", "label", "f1", "spans"),
    "per_intent": Kind("intent", "label", "right"),
    "by_letter": Kind("right letter", "letter", "accuracy"),
    "by_options": Kind("number of options", "options", "accuracy"),
    "by_subject": Kind("subject", "subject", "accuracy"),
}


def by_label(details: Mapping[str, Any]) -> dict[str, Sequence[Mapping[str, Any]]]:
    """Of one split's details those that go label by label."""
    return {key: details[key] for key in KINDS if details.get(key)}


def of_splits(record: RunRecord) -> dict[str, dict[str, Sequence[Mapping[str, Any]]]]:
    """The same for validation and test; a split that was not scored so is left out."""
    return {split: found for split in SPLITS if (found := by_label(record.details.get(split, {})))}


def share(row: Mapping[str, Any], kind: Kind) -> float | None:
    """A line's score, from 0 to 1; None where there is none."""
    value = row[kind.score]
    if kind.score == "right":
        return row["right"] / row["support"] if row["support"] else None
    return value["value"] if isinstance(value, Mapping) else value
