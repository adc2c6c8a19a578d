"""A table that one JSON object holds column by column, or row by row under its names, to rows.

{"text": {"0": "Hi", "1": "Bye"}, "label": {"0": "greeting", "1": "parting"}}         pandas' to_json()
{"0": {"text": "Hi", "label": "greeting"}, "1": {"text": "Bye", "label": "parting"}}  orient="index"
{"columns": ["text", "label"], "index": [0, 1], "data": [["Hi", "greeting"], …]}      orient="split"
{"text": ["Hi", "Bye"], "label": ["greeting", "parting"]}                             lists
{"intents": [{"tag": "greeting", "patterns": ["Hi", "Hello"], "responses": […]}, …]}  a chat bot's intents.json

rows_of_frame(value)       # [{"text": "Hi", "label": "greeting"}, …]; None for any other object
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from slmfit.tasks import TASKS, by_name

Row = dict[str, Any]

_NAMES = {name.lower() for task in TASKS for role in by_name(task).roles.values() for name in role if len(name) > 1}


def rows_of_frame(value: Mapping[str, Any]) -> list[Row] | None:
    """The rows in their order. A name of a row that is more than its number is its `id`, where it has none."""
    match value:
        case {"columns": [*columns], "data": [*data]}:
            return _of_split(columns, value.get("index", range(len(data))), data)
        case {"intents": [*intents]} if intents and (found := [_of_intent(one) for one in intents]):
            return None if None in found else [row for rows in found for row in rows or []]
    if value and all(isinstance(cell, Mapping) for cell in value.values()):
        return _of_objects(value)
    lists = {column: cells for column, cells in value.items() if isinstance(cells, list) and cells}
    told = any(name.lower() in _NAMES and not isinstance(cells[0], Mapping) for name, cells in lists.items())
    if told and len(lists) > 1 and len({len(cells) for cells in lists.values()}) == 1:
        return [dict(zip(lists, cells, strict=True)) for cells in zip(*lists.values(), strict=True)]
    return None


def _of_intent(intent: Any) -> list[Row] | None:
    """A row for each pattern of an intent."""
    match intent:
        case {"tag": str(label), "patterns": [*texts]} if all(isinstance(text, str) for text in texts):
            return [{"text": text, "label": label} for text in texts]
    return None


def _of_split(columns: list[Any], index: Any, data: list[Any]) -> list[Row] | None:
    """index: names of the rows, which `datasets` leaves out."""
    if not isinstance(index, list | range) or len(index) != len(data):
        return None
    if not all(isinstance(cells, list) and len(cells) == len(columns) for cells in data):
        return None
    return _with_ids(list(map(str, index)), [dict(zip(map(str, columns), cells, strict=True)) for cells in data])


def _of_objects(value: Mapping[str, Mapping[str, Any]]) -> list[Row] | None:
    """Of columns of the same rows, or of rows with usual columns."""
    first = next(iter(value.values()))
    if _are_columns(value):
        if not first or any(cells.keys() != first.keys() for cells in value.values()):
            return None
        return _with_ids(list(first), [{column: cells[name] for column, cells in value.items()} for name in first])
    if all(map(_are_columns, value.values())):
        return _with_ids(list(value), [dict(row) for row in value.values()])
    return None


def _are_columns(value: Mapping[str, Any]) -> bool:
    """Whether a usual column is there, with another beside it."""
    return len(value) > 1 and any(name.lower() in _NAMES for name in value)


def _with_ids(names: Sequence[str], rows: list[Row]) -> list[Row]:
    counted = all(name == str(n) for n, name in enumerate(names))
    return rows if counted else [{"id": name} | row for name, row in zip(names, rows, strict=True)]
