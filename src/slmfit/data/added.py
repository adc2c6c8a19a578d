"""Rows of another file added to train, and to nothing else: what every method learns from them, on the same split.

added = add_rows(data, "emails.jsonl")
added.data.train                         # data's own, and the file's rows; validation and test are untouched
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from slmfit.data.audit.copies import copies_of
from slmfit.data.audit.near import find_duplicates
from slmfit.data.dataset import Dataset
from slmfit.data.groupings import group_name
from slmfit.data.layout import read_file
from slmfit.data.load import load_examples
from slmfit.data.readers.rows import Part
from slmfit.data.texts import in_any_order
from slmfit.errors import DataError
from slmfit.records import Example
from slmfit.storage import file_name
from slmfit.tasks import names_of
from slmfit.text.figures import number_of
from slmfit.text.looks import beside


@dataclass(frozen=True)
class Added:
    """A dataset with rows added. name: of their file, short. record: JSON for the comparison's record.

    notes: what was guessed of the file, and what was left out of it, a sentence each.
    """

    name: str
    data: Dataset
    record: dict[str, Any]
    notes: tuple[str, ...] = ()


def add_rows(data: Dataset, path: str | Path) -> Added:
    """The dataset with the rows of a file in train, but for twins of its validation and test rows.

    The columns are those of the data where the file has them, else found by name; labels are merged and texts stripped
    as the data's were. Raises DataError for a file that cannot be read, a label that the data do not have, and where
    no row is left.
    """
    notes: list[str] = []
    part = read_file(Path(path), notes)
    rows = load_examples(part, data.task, data.origin, {}, notes, split="train")
    _refuse_unknown(data, rows, part.file)
    if data.recipe.strip:
        rows = [replace(row, input=data.recipe(row.input)) for row in rows if isinstance(row.input, str)]
    rows, grouped = _of_other_groups(data, rows, part, notes)
    several, kept = _apart(data, rows)
    if not kept:
        what = f"every row is a twin of a validation or test row{', or of a group of theirs' if grouped else ''}"
        raise DataError(what, where=part.file, fix="add rows that were not copied from them")
    if twins := len(rows) - len(several):
        notes.append(f"{twins:,} rows of {Path(path).name} are twins of validation or test rows, and are not added.")
    if copies := len(several) - len(kept):
        shared = "share nearly all of their words with validation or test rows, or overlap them"
        notes.append(f"{copies:,} rows of {Path(path).name} {shared}, and are not added.")
    record = {"file": Path(path).name, "sha256": part.sha256, "rows": len(kept), "left_out": twins + copies + grouped}
    train = (*data.train, *(replace(row, id=f"added:{row.id}") for row in kept))
    more = replace(data, splits={**data.splits, "train": train}, source={**data.source, "added": record})
    return Added(file_name(str(path).removesuffix(".gz").rpartition(".")[0]), more, record, tuple(notes))


def _refuse_unknown(data: Dataset, rows: Sequence[Example], file: str) -> None:
    """Raises DataError where a row has a label, type or intent that the data do not have: it could only be wrong."""
    task = data.task.with_labels([row.target for row in rows if row.target is not None])
    own = names_of(data.task)
    for kind, names in names_of(task).items():
        known = own[kind]
        unknown = [name for name in names if name not in known]
        if unknown:
            what = f"the data have no {', '.join(beside(unknown[:5], known))} among their {kind}"
            raise DataError(what, where=file, fix=f"rename or drop them; the data have: {', '.join(known[:20])}")


def _of_other_groups(data: Dataset, rows: list[Example], part: Part, notes: list[str]) -> tuple[list[Example], int]:
    """The rows without those whose group stands in validation or test, where the split went by groups; and how many."""
    column = data.source.get("group")
    if not column or not data.held_groups:
        return rows, 0
    groups = {str(n): cells.get(column) for n, (_, cells) in zip(part.numbers, part.rows, strict=True)}
    if not any(group not in (None, "") for group in groups.values()):
        notes.append(f"{part.file}: there is no {column!r}, so rows of groups in validation and test may be added.")
        return rows, 0
    kept = [row for row in rows if group_name(groups[row.id]) not in data.held_groups]
    if left := len(rows) - len(kept):
        say = f"a {column!r} that stands in validation or test, and are not added"
        notes.append(f"{number_of(left, 'row')} of {Path(part.file).name} have {say}.")
    return kept, left


def _apart(data: Dataset, rows: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    """The rows that no validation or test row equals, or nearly does; and those of them that are none of such a row
    with its words in another order, with more around it, or cut from the same text.
    """
    own = [*data.validation, *data.test]
    found = find_duplicates([in_any_order(data.task, row.input) for row in (*own, *rows)])
    twins, copied = found.among_first(len(own)), copies_of(found.words, len(own)) >= 0
    told = list(zip(rows, twins.tolist(), (twins | copied).tolist(), strict=True))
    return [row for row, twin, _ in told if not twin], [row for row, _, either in told if not either]
