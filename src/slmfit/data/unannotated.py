"""Rows of annotation tools that nobody annotated yet, or where nothing was chosen: no truth, and left out with a count.

{"text": "…", "annotations": []}      Label Studio's JSON              {"text": "…", "label": []}       doccano's
{"text": "…", "annotation_id": null}  its JSON-MIN and CSV

What was annotated and has no marks, where other rows have some, has no entities.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from slmfit.data.readers.exports import UNDONE
from slmfit.data.readers.rows import Part
from slmfit.tasks import by_name
from slmfit.tasks.spans import holds_spans
from slmfit.text.figures import number_of

ANNOTATION = "annotation_id"
OF_STUDIO = {"id", "annotator", ANNOTATION, "created_at", "updated_at", "lead_time"}  # beside data and answers
_MARKS = ("label", "labels", "spans", "entities")
_CHOICES = by_name("text-classification").roles["label"]
_EMPTY: Collection[Any] = (None, "", [])


def annotated_only(part: Part, used: Collection[str], notes: list[str]) -> Part:
    """The part without those rows, which are counted in `notes`; as it is where there are none, or nothing else.

    Label Studio's choices beside marks in other rows are intents. used: columns that the user named.
    """
    part = _annotated(part, notes)
    rows = [cells for _, cells in part.rows]
    for column in _MARKS:
        filled = [cell for cells in rows if (cell := cells.get(column)) not in _EMPTY]
        if filled and all(map(holds_spans, filled)):
            return _with_none(part, column)
    lists = [column for column in _MARKS[:2] if any(isinstance(cells.get(column), list) for cells in rows)]
    studio = ["label"] if any("label" in cells for cells in rows) and any("spans" in cells for cells in rows) else []
    for column in lists or studio:
        chosen = [cells.get(column) != [] and (column in cells or cells.get("spans") != []) for cells in rows]
        part = _kept(part, chosen, notes, "nothing is chosen there")
    if all(ANNOTATION in cells for cells in rows):
        if (marks := _marks_of(rows)) and marks not in used:
            copied = [(where, {**cells, "spans": cells.get(marks) or []}) for where, cells in part.rows]
            return replace(part, rows=copied)
        for column in (column for column in used if _repeats(rows, column)):  # the choices, by the name of their tag
            chosen = [cells.get(column) not in _EMPTY for _, cells in part.rows]
            part = _kept(part, chosen, notes, "nothing is chosen there")
        rows = [cells for _, cells in part.rows]
        lacking = [column for column in _CHOICES if 0 < sum(column in cells for cells in rows) < len(rows)]
        chosen = [cells.keys().isdisjoint(lacking) is (not lacking) for cells in rows]
        part = _kept(part, chosen, notes, "nothing is chosen there")
    return part


def _repeats(rows: Sequence[Mapping[str, Any]], column: str) -> bool:
    """Whether a column says the same again and again, as labels do and texts do not."""
    filled = [str(cell) for cells in rows if (cell := cells.get(column)) not in _EMPTY]
    return 0 < 2 * len(set(filled)) <= len(filled)


def _marks_of(rows: Sequence[Mapping[str, Any]]) -> str | None:
    """The one column that holds marks; its name is that of a tag in the labelling interface."""
    cells: dict[str, list[Any]] = {}
    for row in rows:
        for column, cell in row.items():
            if cell and isinstance(cell, list | str):
                cells.setdefault(column, []).append(cell)
    found = [column for column, filled in cells.items() if all(map(holds_spans, filled))]
    return found[0] if len(found) == 1 else None


def _annotated(part: Part, notes: list[str]) -> Part:
    made = [
        (cells[ANNOTATION] not in _EMPTY if ANNOTATION in cells else cells.get(UNDONE) != [])
        or any(cells.get(column) not in _EMPTY for column in _MARKS)
        for _, cells in part.rows
    ]
    return _kept(part, made, notes, "not annotated yet")


def _with_none(part: Part, column: str) -> Part:
    """The part with an empty list in rows that were annotated and have no marks; a choice beside marks is an intent."""
    rows = []
    for where, cells in part.rows:
        if column == "spans" and "spans" not in cells and "label" in cells:
            label = cells["label"]
            rest = {name: cell for name, cell in cells.items() if name != "label"}
            intent = label[0] if isinstance(label, list) and len(label) == 1 else label
            cells = rest | {"intent": intent, "spans": []}
        elif ANNOTATION in cells and cells.get(column) in _EMPTY:
            cells = cells | {column: []}
        rows.append((where, cells))
    return replace(part, rows=rows)


def _kept(part: Part, kept: list[bool], notes: list[str], why: str) -> Part:
    left = kept.count(False)
    if not left or left == len(kept):
        return part
    notes.append(f"{part.file}: {number_of(left, 'row')} left out: {why}.")
    ids = [i for i, keep in enumerate(kept) if keep]
    return replace(part, rows=[part.rows[i] for i in ids], numbers=[part.numbers[i] for i in ids])
