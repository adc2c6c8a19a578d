"""Rows of another file added to train, and to nothing else: what every method learns from them, on the same split.

added = add_rows(data, "emails.jsonl")
added.data.train                         # data's own, and the file's rows; validation and test are untouched
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from slmfit.data.asked_split import groups_of, has_time
from slmfit.data.audit.copies import copies_of
from slmfit.data.audit.near import find_duplicates
from slmfit.data.dataset import Dataset
from slmfit.data.examples import Row
from slmfit.data.layout import read_file
from slmfit.data.load import load_rows
from slmfit.data.nested import with_nested
from slmfit.data.texts import in_any_order
from slmfit.data.times import moments_of, spoken
from slmfit.errors import DataError
from slmfit.records import Example, Target
from slmfit.storage import file_name
from slmfit.tasks import names_of
from slmfit.text.figures import number_of, part_of
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
    """The dataset with the rows of a file in train, but for twins of its validation and test rows, and for rows of
    their groups or as late as they are where the split went by groups or by time.

    The columns are those of the data where the file has them, else found by name; labels are merged and texts stripped
    as the data's were. Raises DataError for a file that cannot be read, a label that the data do not have, and where
    no row is left.
    """
    notes: list[str] = []
    part = with_nested(read_file(Path(path), notes), [data.source.get("group"), data.source.get("time")])
    read = load_rows(part, data.task, data.origin, {}, notes, split="train")
    _refuse_unknown(data, [row.example for row in read], part.file)
    others = _of_other_groups(data, read, part.file, notes)
    earlier = _earlier(data, others, part.file, notes)
    rows = [row.example for row in earlier]
    if data.recipe.strip:
        rows = [replace(row, input=data.recipe(row.input)) for row in rows if isinstance(row.input, str)]
    several, kept = _apart(data, rows)
    if not kept:
        what = "every row is a twin of a validation or test row"
        what += ", or of a group of theirs" if len(others) < len(read) else ""
        what += ", or as late as they are" if len(earlier) < len(others) else ""
        earlier_by = f", and are earlier by {data.source['time']!r}" if data.held_times else ""
        raise DataError(what, where=part.file, fix=f"add rows that were not copied from them{earlier_by}")
    notes += _known(data, kept, Path(path).name)
    if twins := len(rows) - len(several):
        notes.append(f"{twins:,} rows of {Path(path).name} are twins of validation or test rows, and are not added.")
    if copies := len(several) - len(kept):
        shared = "share nearly all of their words with validation or test rows, or overlap them"
        notes.append(f"{copies:,} rows of {Path(path).name} {shared}, and are not added.")
    left = len(read) - len(kept)
    record = {"file": Path(path).name, "sha256": part.sha256, "rows": len(kept), "left_out": left}
    train = (*data.train, *(replace(row, id=f"added:{row.id}") for row in kept))
    more = replace(data, splits={**data.splits, "train": train}, source={**data.source, "added": record})
    return Added(file_name(str(path).removesuffix(".gz").rpartition(".")[0]), more, record, tuple(notes))


def _known(data: Dataset, rows: Sequence[Example], file: str) -> Iterator[str]:
    """That rows which are added stand in train already, with the same answer or another, or twice in their file."""

    def words(example: Example) -> str:
        return " ".join(data.task.text(example.input).split())

    own: dict[str, set[Target | None]] = {}
    for example in data.train:
        own.setdefault(words(example), set()).add(example.target)
    theirs = [(words(row), row.target) for row in rows]
    again = sum(target in own.get(text, ()) for text, target in theirs)
    others = sum(text in own and target not in own[text] for text, target in theirs)
    repeated = len(theirs) - len(set(theirs))
    if again:
        said = part_of(again, len(rows), "row", "stand")
        yield f"{file}: {said} in train already with the same answer; added, they count twice and bring nothing new."
    if others:
        said = part_of(others, len(rows), "row", "have")
        yield f"{file}: {said} the text of a train row and another answer."
    if repeated:
        yield f"{file}: {part_of(repeated, len(rows), 'row', 'repeat')} another row of it."


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


def _of_other_groups(data: Dataset, rows: list[Row], file: str, notes: list[str]) -> list[Row]:
    """The rows without those whose group stands in validation or test, where the split went by groups."""
    column = data.source.get("group")
    if not column or not data.held_groups:
        return rows
    groups = groups_of(rows, column)
    if not any(groups):
        notes.append(f"{file}: there is no {column!r}, so rows of groups in validation and test may be added.")
        return rows
    kept = [row for row, group in zip(rows, groups, strict=True) if group not in data.held_groups]
    if left := len(rows) - len(kept):
        say = f"a {column!r} that stands in validation or test, and are not added"
        notes.append(f"{number_of(left, 'row')} of {Path(file).name} have {say}.")
    return kept


def _earlier(data: Dataset, rows: list[Row], file: str, notes: list[str]) -> list[Row]:
    """The rows without those that are as late as validation or test, where the split went by time.

    Raises DataError for what is no time, and for times that cannot be put in order with those of the data.
    """
    column = data.source.get("time")
    if not column or not data.held_times:
        return rows
    timed = [row for row in rows if has_time(row, column)]
    if lacking := len(rows) - len(timed):
        none = f"{number_of(lacking, 'row', 'have')} no" if timed else "there is no"
        notes.append(f"{file}: {none} {column!r}, so rows as late as validation and test may be added.")
    held = list(data.held_times)
    places = [*data.held_times.values(), *(row.where.at(column) for row in timed)]
    moments = moments_of([*held, *(row.cells[column] for row in timed)], places)
    first = min(range(len(held)), key=moments.__getitem__)
    late = {id(row) for row, time in zip(timed, moments[len(held) :], strict=True) if time >= moments[first]}
    if late:
        say = f"a {column!r} not before that of the first validation or test row, {spoken(held[first])}"
        notes.append(f"{number_of(len(late), 'row')} of {Path(file).name} have {say}, and are not added.")
    return [row for row in rows if id(row) not in late]


def _apart(data: Dataset, rows: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    """The rows that no validation or test row equals, or nearly does; and those of them that are none of such a row
    with its words in another order, with more around it, or cut from the same text.
    """
    own = [*data.validation, *data.test]
    found = find_duplicates([in_any_order(data.task, row.input) for row in (*own, *rows)])
    twins, copied = found.among_first(len(own)), copies_of(found.words, len(own)) >= 0
    told = list(zip(rows, twins.tolist(), (twins | copied).tolist(), strict=True))
    return [row for row, twin, _ in told if not twin], [row for row, _, either in told if not either]
