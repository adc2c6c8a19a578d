"""How many answers of a method go wrong, of which label, and how many if people take those it is least sure of.

wrong(source, row)            # "185 in 1,000 texts get a wrong label (669 of 3,607)."
label_table(source, row)      # overlooked and falsely called, label by label
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slmfit.records import MethodRow
from slmfit.reporting.disk import Source, read_lines
from slmfit.text.figures import joined

SHOWN = 6  # labels in the table
LEVELS = (0.8, 0.5)  # shares of the texts that a method may be left with
NEAR = 0.03

WRONG = {
    "accuracy": "get a wrong answer",
    "exact_match": (
        "are not wholly right: an entity is missed, invented, or has a wrong type, start or end, or the intent is wrong"
    ),
    "intent_accuracy": "get a wrong intent",
}


@dataclass(frozen=True)
class LabelMistakes:
    """One label, or entity type, per 1,000 texts of the test.

    such: texts, or entities, that are so; overlooked: those of them not found so; false: others that are called so.
    said, said_wrong: of the surest half of the answers, those that name it, and how many of these are wrong.
    """

    label: str
    such: str
    overlooked: str
    overlooked_share: str
    false: str
    false_share: str
    said: str = ""
    said_wrong: str = ""


@dataclass(frozen=True)
class LabelTable:
    """noun: what a line is. of: how many lines there are, of which `lines` are those with the most mistakes."""

    noun: str
    things: str
    lines: Sequence[LabelMistakes]
    of: int
    half: bool


def wrong(source: Source, row: MethodRow) -> str:
    """How many go wrong, of 1,000 texts and as counted; empty where the metric does not say so."""
    score = (row.scores or {})["test"][source.metric]
    if source.metric not in WRONG:
        return ""
    scored = source.about.scored.get("test", source.about.split["test"].rows)
    counted = f" ({round((1 - score.value) * scored):,} of {scored:,})" if len(row.seeds) <= 1 else ""
    start, colon, rest = WRONG[source.metric].partition(":")
    return f"{of_1000(1 - score.value)} in 1,000 texts {start}{counted}{colon}{rest}."


def of_1000(share: float) -> str:
    """0.185 -> '185', 0.0042 -> '4.2'."""
    number = 1000 * share
    return f"{number:,.0f}" if number >= 9.95 or not number else f"{number:.1f}"


def label_table(source: Source, row: MethodRow) -> LabelTable | None:
    """The labels, or types, with the most mistakes; None where they are not known, or all answers are right."""
    details, rows = source.details(row.id), source.about.split["test"].rows
    if len(row.seeds) > 1 or row.floor:
        return None
    key, noun, things = ("per_type", "Kind", "entities") if details.get("per_type") else ("per_class", "Label", "texts")
    known = [one for one in details.get(key) or () if one.get("recall") is not None]
    counts = [(one["label"], *_counted(one)) for one in known]
    worst = sorted((one for one in counts if one[2] or one[3]), key=lambda one: -(one[2] + one[3]))
    if len(counts) < 2 or not worst:
        return None
    scored = source.about.scored.get("test", rows)
    sure = _surest_by_label(source, row.id) if key == "per_class" else None
    lines = [_line(*one, scored, sure) for one in worst[:SHOWN]]
    return LabelTable(noun, things, lines, len(counts), sure is not None)


def _counted(one: Mapping[str, Any]) -> tuple[int, int, int, int]:
    """Such, overlooked, falsely called, called in all."""
    found = round(one["recall"] * one["support"])
    called = round(found / one["precision"]) if one.get("precision") else found
    return one["support"], one["support"] - found, called - found, called


def _line(
    label: Any, such: int, overlooked: int, false: int, called: int, rows: int, sure: Mapping[Any, list[int]] | None
) -> LabelMistakes:
    said, bad = (sure or {}).get(label, (0, 0))
    return LabelMistakes(
        str(label),
        of_1000(such / rows),
        of_1000(overlooked / rows),
        f"{100 * overlooked / such:.0f} %" if such else "",
        of_1000(false / rows),
        f"{100 * false / called:.0f} %" if called else "",
        of_1000(said / rows) if sure is not None else "",
        of_1000(bad / rows) if sure is not None else "",
    )


def _surest_by_label(source: Source, id: str) -> dict[Any, list[int]] | None:
    """Of the surest half of the answers: label -> how many name it, and how many of these are wrong."""
    point = point_at(source, id, 0.5)
    if point is None or id not in source.folders:
        return None
    found: dict[Any, list[int]] = {}
    for one in read_lines(source.folders[id] / "predictions.jsonl"):
        said = one["prediction"]
        sure = (one.get("probabilities") or {}).get(said) if isinstance(said, str) else None
        if one["split"] == "test" and sure is not None and sure >= point["threshold"]:
            counts = found.setdefault(said, [0, 0])
            counts[0] += 1
            counts[1] += said != one["target"]
    return found


def point_at(source: Source, id: str, share: float) -> Mapping[str, Any] | None:
    """Of the answers that it is surest of, about this share: how many that are, and how many of them are right."""
    points = [p for p in source.details(id).get("coverage") or () if abs(p["coverage"] - share) < NEAR]
    return min(points, key=lambda point: abs(point["coverage"] - share)) if points else None


def left_to_it(source: Source, row: MethodRow) -> str:
    """How many of 1,000 texts go wrong, and how many people read, if it answers all or only where it is surest."""
    if source.metric != "accuracy" or not (parts := list(_levels(source, row))):
        return ""
    whole = of_1000(1 - (row.scores or {})["test"][source.metric].value)
    return f"Of 1,000 texts it gets {whole} wrong if it answers all; {joined(parts)}."


def _levels(source: Source, row: MethodRow) -> Iterator[str]:
    for share in LEVELS:
        if point := point_at(source, row.id, share):
            taken = point["coverage"]
            bad, left = of_1000(taken * (1 - point["accuracy"])), f"{1000 * (1 - taken):,.0f}"
            yield f"{bad} if it answers the {1000 * taken:,.0f} it is surest of and people read {left}"


def still_climbs(source: Source, id: str) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """The last two points of its learning curve where the last one is higher by a point or more."""
    curve = (source.diagnostics or {}).get("learning_curve") or {}
    points = sorted((p for p in curve.get("points", ()) if p["method"] == id), key=lambda p: p["rows"])
    if len(points) < 2 or points[-1]["score"]["value"] < points[-2]["score"]["value"] + 0.01:
        return None
    return points[-2], points[-1]
