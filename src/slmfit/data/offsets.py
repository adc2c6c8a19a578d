"""Offsets as browsers count them, in UTF-16 units, to code points: an emoji is two of those units and one of these.

    parts = in_code_points(parts, task, roles, notes)

Only the spans' own words tell the two apart, so only where they fit one way and not the other is anything changed;
where they fit neither way, `read_spans` refuses them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from slmfit.data.readers.rows import Part, Placed
from slmfit.errors import DataError
from slmfit.tasks.base import Task
from slmfit.tasks.spans import own_words, read_list, same_words, usual

_BEYOND = re.compile("[\U00010000-\U0010ffff]")  # two units each


def in_code_points(
    parts: Mapping[str, Part], task: Task, roles: Mapping[str, str], notes: list[str]
) -> dict[str, Part]:
    """The parts, with the spans of those files in code points that count in UTF-16; they are named in `notes`."""
    if not task.marks or not {"text", "spans"} <= roles.keys():
        return dict(parts)
    changed: dict[str, Part] = {}
    for file in dict.fromkeys(part.file for part in parts.values()):
        own = {split: part for split, part in parts.items() if part.file == file}
        found = {split: _counted(part, roles["text"], roles["spans"]) for split, part in own.items()}
        wrong = any(one is not None and one[1] for one in found.values())
        if wrong and all(one is not None for one in found.values()):
            notes.append(f"{file}: the offsets of its spans count UTF-16 units, as the spans' own words show.")
            changed |= {s: replace(own[s], rows=one[0]) for s, one in found.items() if one is not None}
    return {split: changed.get(split, part) for split, part in parts.items()}


def _counted(part: Part, text_in: str, spans_in: str) -> tuple[list[Placed], bool] | None:
    """The rows as they are if offsets count in UTF-16, and whether words show that they do not count code points.

    None where some span does not fit if they are counted in UTF-16.
    """
    rows, wrong = [], False
    for where, cells in part.rows:
        text, cell = cells.get(text_in), cells.get(spans_in)
        if isinstance(text, str) and cell and not text.isascii() and _BEYOND.search(text):
            try:
                items = [usual(item) for item in read_list(cell, where)]
            except DataError:
                return None
            places = _places(text)
            moved = [_moved(item, places) for item in items]
            if any(new is None or not _fits(new, text) for new in moved):
                return None
            wrong = wrong or not all(_fits(item, text) for item in items)
            cells = {**cells, spans_in: moved}
        rows.append((where, cells))
    return rows, wrong


def _places(text: str) -> dict[int, int]:
    """UTF-16 offset -> offset in code points, for all offsets that do not cut a character in two."""
    places, at = {}, 0
    for i, character in enumerate(text):
        places[at] = i
        at += 1 + (character > "\uffff")
    return places | {at: len(text)}


def _moved(item: Any, places: Mapping[int, int]) -> Any:
    """A span with its offsets in code points; None where they are no places in UTF-16."""
    match item:
        case {"start": int(start), "end": int(end)} if start in places and end in places:
            return {**item, "start": places[start], "end": places[end]}
        case [int(start), int(end), *more] if start in places and end in places:
            return [places[start], places[end], *more]
    return None


def _fits(item: Any, text: str) -> bool:
    """Whether a span's own words, where it has some, stand at its offsets."""
    if not isinstance(item, Mapping) or (words := own_words(item)) is None:
        return True
    start, end = item["start"], item["end"]
    return isinstance(start, int) and isinstance(end, int) and same_words(text[start:end], words[1])
