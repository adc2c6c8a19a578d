"""Rows of files to examples, each with its place and the cells it came from.

rows = parse(part, task, {"text": "body", "label": "kind"}, ids, cells)      # rows[0].example, rows[0].where
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slmfit.data.label_cells import LabelCells
from slmfit.data.readers.rows import Part, is_table
from slmfit.errors import DataError, Where
from slmfit.records import Example
from slmfit.tasks.answers import holds_labels, read_back
from slmfit.tasks.base import Task
from slmfit.text.figures import listed

LONGEST_ID = 64  # characters


@dataclass(slots=True)
class Row:
    """An example on its way: `cells` are the columns it came from."""

    example: Example
    where: Where
    cells: Mapping[str, Any]


class _Place(Where):
    """The row being parsed: a task asks for its columns by role, and messages show the column's name in the file."""

    __slots__ = ("roles",)

    def __init__(self, file: str, roles: Mapping[str, str]) -> None:
        super().__init__(file)
        self.roles = roles

    def at(self, column: str) -> Where:
        return Where(self.file, self.line, self.roles.get(column, column), self.row)


def label_cells(parts: Mapping[str, Part], roles: Mapping[str, str], known: Sequence[str] = ()) -> LabelCells:
    """How labels are read in these parts, which belong together; nothing is to read where a task has no labels."""
    column = roles.get("label")
    files = [[cells.get(column) for _, cells in part.rows] for part in parts.values()] if column else []
    return LabelCells(files, known)


def parse(part: Part, task: Task, roles: Mapping[str, str], ids: Sequence[str], labels: LabelCells) -> list[Row]:
    """The rows of a part. Raises DataError, with file, line and column, for what is no example or has no answer."""
    rows = []
    place = _Place(part.file, roles)
    answered = is_table(Path(part.file)) and any(map(holds_labels, roles.values()))
    for (where, cells), id in zip(part.rows, ids, strict=True):
        place.file, place.line, place.row = where.file, where.line, where.row
        plain = read_back(dict(cells)) if answered else cells
        keyed = {role: plain.get(column) for role, column in roles.items()}
        if "label" in keyed:
            keyed["label"] = labels.read(keyed["label"], place)
        example = task.parse(keyed, place, id)
        if example.target is None:
            raise _no_answer(task, roles, cells, where)
        rows.append(Row(example, where, cells))
    return rows


def _no_answer(task: Task, roles: Mapping[str, str], cells: Mapping[str, Any], where: Where) -> DataError:
    """The error for a row without an answer, which may stand in a column that does not go by a name of answers."""
    fix = "give it, or drop the row"
    if "answer" in task.roles and roles.keys().isdisjoint(("answer", "answer_number")):
        others = listed([column for column in cells if column not in roles.values()], 20, quoted=False)
        fix = f"name its column: --column answer=NAME (answer_number=NAME if it counts from 1), one of: {others}"
    return DataError("the answer is missing", where=where, fix=fix)


def ids_of(parts: Mapping[str, Part]) -> tuple[dict[str, list[str]], str]:
    """Split -> ids: the column `id` where it tells all rows of a split apart, else the rows' numbers in their files.

    The split is put before them where rows of two splits would have the same. Also where they are from: `column`,
    `numbers` where there is no such column, or `repeated` where it tells rows not apart, so that they are numbered.
    """
    kind = "column"
    given = {split: [_given_id(cells.get("id")) for _, cells in part.rows] for split, part in parts.items()}
    if all(None not in ids and len(set(ids)) == len(ids) for ids in given.values()):
        found = {split: [str(id) for id in ids] for split, ids in given.items()}
        marked = len(set().union(*found.values())) < sum(map(len, found.values()))
    else:
        found = {split: [str(number) for number in part.numbers] for split, part in parts.items()}
        marked = len({part.file for part in parts.values()}) > 1
        kind = "repeated" if any(id is not None for ids in given.values() for id in ids) else "numbers"
    return {split: [f"{split}:{id}" for id in ids] if marked else ids for split, ids in found.items()}, kind


def ids_within(part: Part) -> list[str]:
    """The ids of rows that stand for themselves: a column `id` or `question_id` that tells all apart, else numbers."""
    for column in ("id", "question_id"):
        ids = [_given_id(cells.get(column)) for _, cells in part.rows]
        if (told := [id for id in ids if id is not None]) and len(set(told)) == len(ids):
            return told
    return [str(number) for number in part.numbers]


def other_ids(rows: Sequence[Row], known: Collection[str]) -> dict[str, frozenset[str]]:
    """Columns that tell all these rows apart by short names, and not by their numbers -> those names.

    known: columns that are something else.
    """
    found = {}
    numbers = [row.example.id.rpartition(":")[2] for row in rows]
    for column in rows[0].cells.keys() - known if rows else ():
        names = [str(row.cells.get(column)).strip() for row in rows]
        apart = len(set(names)) == len(names) and all(0 < len(name) <= LONGEST_ID for name in names)
        if apart and names != numbers:
            found[column] = frozenset(names)
    return found


def _given_id(cell: Any) -> str | None:
    return str(cell) if isinstance(cell, str | int) and str(cell).strip() else None
