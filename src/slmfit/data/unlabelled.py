"""Rows whose labels are not there: a column left empty, or -1 in every row, as contests and hubs hide them.

parts = without_hidden(parts, task, roles, notes)        # raises where all test rows of a file are so
refuse_minus_one(["0", "1", "-1"], {"0", "1"}, place)    # raises: train has no such label
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from slmfit.data.hub import is_hub
from slmfit.data.label_cells import is_number
from slmfit.data.readers.rows import Part
from slmfit.errors import DataError, Where
from slmfit.tasks.base import Task
from slmfit.tasks.published import NUMBER
from slmfit.text.figures import listed

_ANSWERS = {"text-classification": ("label",), "multiple-choice": ("answer", NUMBER)}
_MARKS = ("spans", "tags", "intent")
_REMEDY = {
    "test": "test on validation, or leave the test file out",
    "validation": "leave the validation file out, and some of train is taken",
}


def without_hidden(
    parts: Mapping[str, Part], task: Task, roles: Mapping[str, str], notes: list[str]
) -> dict[str, Part]:
    """The parts, less those of a hub's data set that have no labels. Raises DataError for a file that has none."""
    columns = [roles[role] for role in _ANSWERS.get(task.name, _MARKS) if role in roles]
    minus = any(_is_minus_one(cells.get(column)) for _, cells in parts["train"].rows for column in columns)
    kept = dict(parts)
    for split, part in parts.items():
        if split == "train" or not all(_is_hidden(cells, columns, minus) for _, cells in part.rows):
            continue
        if not is_hub(part.file):
            _refuse_other_form(parts["train"], part, task, roles)
            raise no_labels(split, part.file)
        del kept[split]
        notes.append(f"{part.file}: its {split} rows have no labels, so they are not used.")
    return kept


def _refuse_other_form(train: Part, part: Part, task: Task, roles: Mapping[str, str]) -> None:
    """Raise DataError for entities that are written in another way than in train."""
    cells = part.rows[0][1]
    other = [name for role in _MARKS for name in task.roles.get(role, ()) if name in cells.keys() - set(roles.values())]
    if other:
        known = listed(roles[role] for role in _MARKS if role in roles)
        what = f"its entities are in {listed(other)}, and those of {train.file} in {known}"
        raise DataError(what, where=part.file, fix="write both in one way, or give all rows as one file")


def no_labels(split: str, file: str, why: str = "") -> DataError:
    """The error for a file of rows without labels."""
    remedy = _REMEDY.get(split, "give rows that have some")
    return DataError(f"the {split} rows have no labels{why}", where=file, fix=remedy)


def refuse_minus_one(labels: Sequence[str], known: Collection[str], place: Callable[[int], Where]) -> None:
    """Raises DataError for a label -1 that can only mean none: beside names, or where no row of train has it.

    labels: of one split. known: those of train. place: of the row with this number.
    """
    if "-1" not in labels:
        return
    where = place(labels.index("-1"))
    others = set(known) - {"-1"}
    if "-1" not in known:
        what = "the label is -1, which no row of train has: it means that there is none"
        raise DataError(what, where=where, fix="give the row its label, or drop it")
    if others and not any(map(is_number, others)):
        what = "the label is -1 beside labels that are names: it means that there is none"
        raise DataError(what, where=where, fix="give the row its label, or drop it")


def _is_minus_one(cell: Any) -> bool:
    if isinstance(cell, str):
        return cell.strip() in ("-1", "-1.0")
    return not isinstance(cell, bool) and isinstance(cell, int | float) and cell == -1


def _is_hidden(cells: Mapping[str, Any], columns: Sequence[str], minus: bool) -> bool:
    found = [cells.get(column) for column in columns]
    return all(c is None or (isinstance(c, str) and not c.strip()) or (not minus and _is_minus_one(c)) for c in found)
