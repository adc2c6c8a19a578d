"""What the audit warns of, in brief, beside the headline; and what the score is without the rows it warns of.

warnings(source)[0]           # "39 of 3,607 test rows (1.1 %) have a twin in train."
without_twins(source, row)    # (0.813, 3564)
"""

from __future__ import annotations

from slmfit.records import MethodRow
from slmfit.reporting.disk import Source, read_lines
from slmfit.tasks.answers import entities_of, target_from_json
from slmfit.tasks.entity_scores import all_right

# What a warning of the audit means for the scores.
BEARS = {
    "leak": "A twin is the same text, or nearly so: a method that has seen it knows the answer, right or wrong.",
    "contradiction": "No method can be right on all of them.",
}


def warnings(source: Source) -> list[str]:
    """One for each warning of the audit, those of a kind together; the whole of it stands with the data."""
    by_kind: dict[str, list[str]] = {}
    for found in (source.audit or {}).get("findings", ()):
        if found["severity"] == "warning":
            by_kind.setdefault(found["kind"], []).append(_brief(found["message"]))
    for kind, said in by_kind.items():
        if kind in BEARS:
            said[-1] += f" {BEARS[kind]}"
    return [one for said in by_kind.values() for one in said]


def _brief(message: str) -> str:
    """What stands before the first colon, unless that is inside a name."""
    start, colon, _ = message.partition(": ")
    brief = f"{start}." if colon and not start.count("'") % 2 else message
    return f"{brief} That touches the choice of settings, not the score." if " validation rows (" in brief else brief


def without_twins(source: Source, row: MethodRow) -> tuple[float, int] | None:
    """The share of right answers to the test rows without a twin in another split, and how many these are.

    None where no row has one, where the score is no share of rows, and where it is the mean of several trainings.
    """
    if source.metric not in ("accuracy", "exact_match") or len(row.seeds) > 1 or source.data is None:
        return None
    twins = {one["id"] for one in read_lines(source.data / "twins.jsonl")
             if one.get("split") == "test" and one.get("twin_split") != "test"}  # fmt: skip
    folder = source.folders.get(row.id)
    if not twins or folder is None or "test" in source.records[row.id].scored:
        return None
    right = [_right(one) for one in read_lines(folder / "predictions.jsonl")
             if one["split"] == "test" and one["id"] not in twins]  # fmt: skip
    return (sum(right) / len(right), len(right)) if right else None


def _right(row: dict[str, object]) -> bool:
    if row["outcome"] != "ok":
        return False
    truth, answer = target_from_json(row["target"]), target_from_json(row["prediction"])
    return answer == truth if isinstance(truth, str) else all_right(entities_of(truth), entities_of(answer))
