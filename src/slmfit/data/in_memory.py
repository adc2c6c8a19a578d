"""Rows that a program holds already: a list of rows, a table as columns, or a data frame of polars or pandas.

part = read_held([{"text": "where is my parcel", "label": "delivery"}, …], notes)
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any, TypeAlias

from slmfit import storage
from slmfit.data.held import has_no_order
from slmfit.data.readers.exports import flat
from slmfit.data.readers.rows import Part, headers_again, is_header
from slmfit.data.readers.token_a_row import gathered
from slmfit.errors import DataError, Where

Held: TypeAlias = Any  # a list of rows, a mapping of columns, or a data frame
NAME = "data"  # what it is called in messages and results


def is_held(source: object) -> bool:
    """Whether it is rows, and no path to some."""
    return isinstance(source, list | tuple | Mapping) or hasattr(source, "to_dicts") or hasattr(source, "iterrows")


def read_held(source: Any, notes: list[str], name: str = NAME) -> Part:
    """The rows, each with its number as its place; as what they are read is added to `notes`.

    Raises DataError for what is no table, and for an empty one.
    """
    given = [{str(column): _plain(cell) for column, cell in row.items()} for row in _rows(source, name)]
    if again := sum(map(is_header, given)):
        notes.append(headers_again(name, again))
    numbered = [(number, *flat(row)) for number, row in enumerate(given, 1) if not is_header(row)]
    rows = list(gathered(((number, row) for number, row, _ in numbered), name, notes))
    notes += [f"{name}: rows are read as {form}." for form in dict.fromkeys(form for *_, form in numbered) if form]
    if not rows:
        raise DataError("holds no rows", where=name, fix="give at least one row of data")
    digest = storage.hash_json([repr(row) for _, row in rows])
    return Part(name, digest, [(Where(name, number), row) for number, row in rows], range(1, len(rows) + 1))


def _plain(cell: Any) -> Any:
    """A number of numpy's as Python's own; any other cell as it is."""
    return cell.item() if hasattr(cell, "dtype") and getattr(cell, "ndim", None) == 0 else cell


def _rows(source: Any, name: str) -> list[Mapping[Any, Any]]:
    if hasattr(source, "to_dicts"):  # polars
        return list(source.to_dicts())
    if hasattr(source, "iterrows"):  # pandas, where nan, NaT and NA are all that is missing
        names = list(map(str, source.columns))
        if twice := next((column for column in names if names.count(column) > 1), None):
            raise DataError(f"two columns are called {twice!r}", where=name, fix="rename one of the two")
        return list(source.astype(object).where(source.notna(), None).to_dict("records"))
    if isinstance(source, Mapping):
        return _of_columns(source, name)
    for number, row in enumerate(source, 1):
        if not isinstance(row, Mapping):
            what = f"a row is {type(row).__name__}, and not a dict of its columns"
            raise DataError(what, where=Where(name, number), fix='write {"text": …, "label": …}')
    return list(source)


def _of_columns(table: Mapping[Any, Any], name: str) -> list[Mapping[Any, Any]]:
    columns = {}
    for column, cells in table.items():
        if isinstance(cells, str | bytes) or not hasattr(cells, "__iter__"):
            what = f"the column {column!r} is {type(cells).__name__}, and not a list"
            raise DataError(what, where=name, fix='write {"text": […], "label": […]}, or a list of rows')
        if has_no_order(cells):
            what = f"the column {column!r} is {type(cells).__name__}, which has no order"
            raise DataError(what, where=name, fix="give a list, in the order of the others")
        columns[column] = list(cells)
    lengths = {column: len(cells) for column, cells in columns.items()}
    if {"train", "test"} <= lengths.keys() and all(isinstance(cell, Mapping) for cell in columns["train"][:1]):
        fix = 'load_data(data["train"], test=data["test"]), and validation= if there is one'
        raise DataError("holds splits, and one of them is needed", where=name, fix=fix)
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{column!r} {length}" for column, length in itertools.islice(lengths.items(), 5))
        raise DataError(f"columns differ in length: {found}", where=name, fix="give one cell a row in each")
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
