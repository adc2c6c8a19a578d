"""Columns of a further file by those of the data that it belongs to: the same names, also in another case.

parts = spelled_alike(parts, notes)                          # a test file's `Text` is `text` as in train
columns_as_before({}, origin, part, task, notes)             # {"text": "body", "label": "kind"}, as the run was made
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from slmfit.data.columns import columns_of
from slmfit.data.readers.rows import Part
from slmfit.records import Source
from slmfit.tasks.base import Task
from slmfit.tasks.common import alike, meant, several_columns
from slmfit.text.figures import listed


def spelled_alike(parts: Mapping[str, Part], notes: list[str]) -> dict[str, Part]:
    """The parts, with columns called as in train that differ from train's in case alone; these are named in `notes`."""
    names = columns_of(parts["train"])
    found = dict(parts)
    for split, part in parts.items():
        present = columns_of(part) if part.file != parts["train"].file else []
        others = {own: name for name in names if (own := alike(name, present)) not in (None, name)}
        others = {own: name for own, name in others.items() if own not in names}
        if others:
            rows = [(where, {others.get(c, c): cell for c, cell in cells.items()}) for where, cells in part.rows]
            found[split] = replace(part, rows=rows)
            called = listed(f"{own} as {name}" for own, name in others.items())
            notes.append(f"{part.file}: columns that differ in case alone are read as train's: {called}.")
    return found


def columns_as_before(
    columns: Mapping[str, str], origin: Source, part: Part, task: Task, notes: list[str]
) -> dict[str, str]:
    """Role -> column: as asked for, else as in the data, where the file has that column and nothing else is made of it.

    Of two texts that are one input the second is not left out in silence, unless one column is asked for that has all.
    notes: filled with what differs in case. Raises DataError where the column of texts or labels is not there, and
    several have a name that it goes by.
    """
    present, asked = columns_of(part), set(columns.values())
    free = [column for column in present if column not in asked]
    found = {role: own for role, name in origin.columns.items() if (own := alike(name, free)) is not None}
    if "text_pair" in origin.columns and "text" not in columns:
        found["text_pair"] = origin.columns["text_pair"]
    elif "text" in columns:
        found.pop("text_pair", None)
    for role in ("text", "label"):
        if role in origin.columns and role not in {*found, *columns}:
            may_be = [column for column in meant(free, task.roles.get(role, ())) if column not in found.values()]
            if len(may_be) > 1:
                raise several_columns(role, origin.columns[role], may_be, part.file)
    called = [f"{own} as {origin.columns[role]}" for role, own in found.items() if own != origin.columns[role]]
    if called:
        notes.append(f"{part.file}: columns that differ in case alone are read as the data's: {listed(called)}.")
    return {**found, **columns}
