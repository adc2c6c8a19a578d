"""How many answers of a method go wrong, and where it is weak, in words.

list(mistakes(source, row))     # ["About 1 in 5 is wrong (669 of 3,607).", "Weakest is neutral: 57 in 100 …"]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from slmfit.records import MethodRow
from slmfit.reporting.disk import Source
from slmfit.text.figures import joined, percent
from slmfit.text.visible import excerpt

ENOUGH = 5  # rows, or entities, of a label that is called weak
WEAK = 3  # types that are named


def mistakes(source: Source, row: MethodRow) -> Iterator[str]:
    """How many answers are wrong; then the labels, or the types, that it does worst on."""
    score = (row.scores or {})["test"][source.metric]
    if source.metric in ("accuracy", "exact_match") and score.value < 1:
        yield f"{_one_in(1 - score.value)} is wrong{_counted(source, row, score.value)}."
    details = source.details(row.id)
    if len(row.seeds) <= 1 and (rows := details.get("per_class")):
        yield from _labels(rows)
    if types := details.get("per_type"):
        yield from _types(types)


def _one_in(share: float) -> str:
    return "More than every second answer" if share > 0.55 else f"About 1 answer in {max(2, round(1 / share)):,}"


def _counted(source: Source, row: MethodRow, value: float) -> str:
    scored = source.about.scored.get("test", source.about.split["test"].rows)
    return f" ({round((1 - value) * scored):,} of {scored:,})" if len(row.seeds) <= 1 else ""


def _labels(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The label whose texts are missed most often, and what becomes of the commonest one."""
    known = [row for row in rows if row["support"] >= ENOUGH and row.get("recall") is not None]
    if len(known) < 2:
        return
    weakest, commonest = min(known, key=lambda row: row["recall"]), max(known, key=lambda row: row["support"])
    found = round(weakest["recall"] * weakest["support"])
    yield (
        f"Weakest is {_name(weakest)}: of 100 such texts, {round(100 * weakest['recall'])} are recognised "
        f"({found:,} of {weakest['support']:,})."
    )
    if commonest is not weakest:
        missed = commonest["support"] - round(commonest["recall"] * commonest["support"])
        yield (
            f"Of the commonest label, {_name(commonest)}, {round(100 * (1 - commonest['recall']))} in 100 are "
            f"overlooked ({missed:,} of {commonest['support']:,})."
        )


def _types(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    known = sorted((row for row in rows if row["support"] >= ENOUGH), key=lambda row: row["f1"])[:WEAK]
    weak = [f"{_name(row)} (F1 {percent(row['f1'])}, {row['support']:,} of them)" for row in known if row["f1"] < 1]
    if len(rows) > 1 and weak:
        yield f"Weakest in finding {joined(weak)}."


def _name(row: Mapping[str, Any]) -> str:
    return excerpt(str(row["label"]), 30)


def surest_half(source: Source, id: str) -> tuple[float, float] | None:
    """Of the answers that it is surest of, about one half: how many that are, and the share of right ones."""
    points = source.details(id).get("coverage") or ()
    near = [point for point in points if abs(point["coverage"] - 0.5) < 0.03]
    if not near:
        return None
    half = min(near, key=lambda point: abs(point["coverage"] - 0.5))
    return half["coverage"], half["accuracy"]


def still_climbs(source: Source, id: str) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """The last two points of its learning curve where the last one is higher by a point or more."""
    curve = (source.diagnostics or {}).get("learning_curve") or {}
    points = sorted((p for p in curve.get("points", ()) if p["method"] == id), key=lambda p: p["rows"])
    if len(points) < 2 or points[-1]["score"]["value"] < points[-2]["score"]["value"] + 0.01:
        return None
    return points[-2], points[-1]
