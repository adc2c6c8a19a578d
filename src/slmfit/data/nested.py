"""Columns that hold objects, such as {"user": 7} under `meta`, as columns of their own, called `meta.user`.

unfolded("meta", rows)                      # {"train": [{"meta.user": 7}, …], "test": […]}
with_nested(part, ["meta.user"])            # the part, whose rows have that column now
nested({"meta": {"user": 7}}, ["meta.user"])    # {"meta.user": 7}

An object may be written out as JSON in a cell of text. What is nested more than two levels deep stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any

from slmfit.data.label_cells import parsed
from slmfit.data.readers.exports import AROUND
from slmfit.data.readers.rows import Part

Cells = Mapping[str, Any]
LEVELS = 2
LOOKED_AT = 100  # rows of each split that tell which columns there are


def unfolded(column: str, rows: Mapping[str, Sequence[Cells]]) -> dict[str, list[Cells]] | None:
    """The rows with what the column's objects hold, and nothing else; None for a column of anything else."""
    first = [cell for part in rows.values() for cells in part[:LOOKED_AT] if (cell := cells.get(column)) is not None]
    if not any(_object(cell) for cell in first):
        return None
    return {split: [dict(_inside(column, cells.get(column))) for cells in part] for split, part in rows.items()}


def with_nested(part: Part, columns: Sequence[str | None]) -> Part:
    """The part with those of the columns that its objects hold and that are none by themselves."""
    for column in columns:
        if column and "." in column and not any(column in cells for _, cells in part.rows):
            part = replace(part, rows=[(where, cells | nested(cells, [column])) for where, cells in part.rows])
    return part


def nested(cells: Cells, columns: Iterable[str]) -> dict[str, Any]:
    """Those of the columns that objects of the row hold and that are none of its own."""
    found: dict[str, Any] = {}
    for column in (column for column in columns if "." in column and column not in cells):
        around, _, inner = column.partition(".")
        if around in AROUND and around not in cells and inner in cells:
            found[column] = cells[inner]  # which was lifted out of it
        for name in accumulate(column.split(".")[:-1], "{}.{}".format):
            inside = (value for inner, value in _inside(name, cells.get(name)) if inner == column)
            if column not in found and (value := next(inside, None)) is not None:
                found[column] = value
    return found


def _inside(name: str, cell: Any, levels: int = LEVELS) -> Iterator[tuple[str, Any]]:
    for key, value in (_object(cell) or {}).items():
        if levels > 1 and isinstance(value, Mapping):
            yield from _inside(f"{name}.{key}", value, levels - 1)
        else:
            yield f"{name}.{key}", value


def _object(cell: Any) -> Mapping[Any, Any] | None:
    if isinstance(cell, str) and cell.lstrip()[:1] == "{":
        cell = parsed(cell)
    return cell if isinstance(cell, Mapping) else None
