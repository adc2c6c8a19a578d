"""Rows of tokens and tags as they are meant: tags of another scheme, and tokens of which nothing is there.

parts = as_bio(parts, task, {"tokens": "tokens", "tags": "tags"}, notes)      # ["O", "CITY"] is ["O", "B-CITY"] now
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from slmfit.data.readers.conll_reader import emptied
from slmfit.data.readers.rows import Part
from slmfit.errors import DataError, Where
from slmfit.tasks.base import Task
from slmfit.tasks.schemes import Scheme
from slmfit.tasks.spans import BIO, read_list


def as_bio(parts: Mapping[str, Part], task: Task, roles: Mapping[str, str], notes: list[str]) -> dict[str, Part]:
    """The parts, with what was made of their tags in `notes`.

    Raises DataError for a tag that is none, for tags of two schemes in a file, and where no file says of any token that
    it is outside of all entities, unless the task's labels are known.
    """
    if not task.marks or not {"tokens", "tags"} <= roles.keys():
        return dict(parts)
    schemes = {split: Scheme() for split in parts}
    found = {split: _read(part, roles, schemes[split], notes) for split, part in parts.items()}
    bare = [part.file for split, part in parts.items() if schemes[split].bare]
    if bare and not task.labels and not any(scheme.plausible for scheme in schemes.values()):
        what = "every token has a tag, and none is O, as where tags are parts of speech"
        raise DataError(what, where=Where(bare[0], column=roles["tags"]), fix=BIO)
    return found


def _read(part: Part, roles: Mapping[str, str], scheme: Scheme, notes: list[str]) -> Part:
    tokens_in, tags_in = roles["tokens"], roles["tags"]
    empty, rows = 0, []
    for where, cells in part.rows:
        tokens, tags = _texts(cells.get(tokens_in)), _named(cells.get(tags_in), cells.get(roles.get("tag_names", "")))
        if tokens is not None and tags is not None and len(tokens) == len(tags):
            for i, tag in enumerate(tags, 1):
                try:
                    scheme.look(tag)
                except ValueError as error:
                    raise DataError(f"{error} (token {i})", where=where.at(tags_in), fix=BIO) from None
            kept = [i for i, token in enumerate(tokens) if (token if "text" in roles else token.strip(" \t"))]
            if len(kept) < len(tokens):
                empty += len(tokens) - len(kept)
                cells = {**cells, tokens_in: [tokens[i] for i in kept], tags_in: [tags[i] for i in kept]}
        rows.append((where, cells))
    notes += [f"{part.file}: {scheme.note}."] if scheme.note else []
    notes += emptied(part.file, empty)
    if not empty and not scheme.bare:
        return part
    return replace(part, rows=[(where, _in_bio(cells, tags_in, scheme)) for where, cells in rows])


def _texts(cell: Any) -> list[str] | None:
    """The texts of a list, also of one that is written as JSON; None for anything else."""
    if not isinstance(cell, list | str):
        return None
    try:
        items = read_list(cell, Where(""))
    except DataError:
        return None
    return items if all(isinstance(item, str) for item in items) else None


def _named(cell: Any, names: Any) -> list[str] | None:
    """The tags by their names; those that are numbers by the list of names beside them."""
    if isinstance(cell, list) and isinstance(names, list) and all(isinstance(name, str) for name in names):
        known = dict(enumerate(names))
        cell = [known.get(tag) if type(tag) is int else tag for tag in cell]
    return _texts(cell)


def _in_bio(cells: dict[str, Any], column: str, scheme: Scheme) -> dict[str, Any]:
    tags = _texts(cells.get(column))
    return cells if tags is None else {**cells, column: scheme.bio(tags)}
