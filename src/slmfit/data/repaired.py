"""What reading a file had to decide for itself, one sentence for each kind, with the places.

repair_notes(part, task, {"text": "text", "tags": "labels", "intent": "intent"})
# ["emails.json: 2 words that occur more than once … in reading order: line 101 'PM' at 20; line 640 '10' at 31."]
"""

from __future__ import annotations

from collections.abc import Mapping

from slmfit.data.answered_twice import unsettled
from slmfit.data.readers.rows import Part
from slmfit.tasks.base import Task

LISTED = 30  # of each kind; the others are counted

# kind -> what is said of one, and of several
KINDS = {
    "ambiguous word": (
        "a word that occurs more than once in its text was placed in reading order",
        "words that occur more than once in their text were placed in reading order",
    ),
    "unplaced word": (
        "a word that has no place in its text, in reading order, was left out",
        "words that have no place in their text, in reading order, were left out",
    ),
    "stray label": (
        "a word listed as O, which is no entity, was left out",
        "words listed as O, which is no entity, were left out",
    ),
    "mended tag": (
        "a tag I-… that goes on with nothing starts an entity",
        "tags I-… that go on with nothing start an entity",
    ),
    "unsaid entities": (
        "a row with an intent says nothing of entities and counts as having none",
        "rows with an intent say nothing of entities and count as having none",
    ),
}


def repair_notes(part: Part, task: Task, roles: Mapping[str, str]) -> list[str]:
    """The sentences on one part; none for tasks whose rows leave nothing to decide.

    Raises DataError where rows that are right one by one cannot be so together.
    """
    rows = ((where, {role: cells.get(column) for role, column in roles.items()}) for where, cells in part.rows)
    if noted := getattr(task, "noted", None):
        return [f"{part.file}: {sentence}" for sentence in (*noted(rows), *unsettled(part, task, roles))]
    repairs = getattr(task, "repairs", None)
    if repairs is None:
        return []
    found: dict[str, list[str]] = {}
    for where, row in rows:
        for repair in repairs(row, where):
            found.setdefault(repair.kind, []).append(f"line {where.line} {repair.detail}")
    return [f"{part.file}: {_sentence(kind, found[kind])}" for kind in KINDS if kind in found]


def _sentence(kind: str, places: list[str]) -> str:
    one, several = KINDS[kind]
    said = one if len(places) == 1 else f"{len(places):,} {several}"
    more = f"; and {len(places) - LISTED:,} more" if len(places) > LISTED else ""
    return f"{said}: {'; '.join(places[:LISTED])}{more}."
