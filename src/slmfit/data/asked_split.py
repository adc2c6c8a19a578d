"""Groups and times that a split is asked to go by, held against splits that the data bring: these are used as they are,
so that a group may stand on both sides, and test may be older than train. Whatever is so is said.

list(held_against(rows, "user", None, ["test"]))
# ["60 of 60 test rows (100.0 %) have a 'user' that stands in train or validation as well: splits that are given …"]
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from slmfit.data.examples import Row
from slmfit.data.group_doubts import doubtful_groups
from slmfit.data.groupings import group_name
from slmfit.data.times import moments_of, spoken
from slmfit.errors import Where
from slmfit.text.figures import part_of

Splits = Mapping[str, Sequence[Row]]  # train, validation, test


def held_against(rows: Splits, group: str | None, time: str | None, given: Collection[str]) -> Iterator[str]:
    """What is to be said of the splits, of which some may be given, by the column that was asked for.

    Raises DataError for a cell that lists several groups, and for what is no time.
    """
    if group is not None:
        yield from doubtful_groups(group, [row for part in rows.values() for row in part])
    if given and group is not None:
        yield from _grouped(rows, group)
    if given and time is not None:
        yield from _timed(rows, time, given)


def groups_of(rows: Sequence[Row], column: str | None) -> list[str]:
    """The name of each row's group; empty where it has none."""
    return [group_name(cell) if column and (cell := row.cells.get(column)) is not None else "" for row in rows]


def times_of(rows: Sequence[Row], column: str | None) -> dict[Any, Where]:
    """The times of those rows that have one, and the place of each."""
    return {row.cells[column]: row.where.at(column) for row in rows if column and has_time(row, column)}


def has_time(row: Row, column: str) -> bool:
    """Whether the row says when it is from."""
    cell = row.cells.get(column)
    return cell is not None and bool(str(cell).strip()) and cell == cell  # nan alone is not itself


def _grouped(rows: Splits, column: str) -> Iterator[str]:
    """That rows of a group stand on both sides, and that a file does not say its groups."""
    groups = {split: groups_of(part, column) for split, part in rows.items()}
    before: set[str] = set()
    sides: list[str] = []
    for split, names in groups.items():
        if torn := sum(name in before for name in names):
            share = part_of(torn, len(names), f"{split} row", "have")
            others = " or ".join(sides)
            yield f"{share} a {column!r} that stands in {others} as well: splits that are given stay as they are."
        if not any(names):
            yield f"{rows[split][0].where.file}: there is no {column!r}, so {split} may hold groups of the others."
        before |= {name for name in names if name}
        sides.append(split)


def _timed(rows: Splits, column: str, given: Collection[str]) -> Iterator[str]:
    """From when to when the splits reach that were given, and that one begins before the one before it ends.

    Raises DataError for what is no time, and where the splits have two kinds of times.
    """
    has = {split: [row for row in part if row.cells.get(column) not in (None, "")] for split, part in rows.items()}
    every = [row for part in has.values() for row in part]
    moments = moments_of([row.cells[column] for row in every], [row.where.at(column) for row in every])
    of_rows = dict(zip(map(id, every), moments, strict=True))
    last: float | None = None
    for before, (split, part) in zip(("", *has), has.items(), strict=False):
        if not part:
            yield f"{rows[split][0].where.file}: there is no {column!r}, so whether {split} is later is not known."
            continue
        first, newest = (choose(part, key=lambda row: of_rows[id(row)]) for choose in (min, max))
        if split in given:
            yield f"By {column!r}, {split} reaches from {_spoken(first, column)} to {_spoken(newest, column)}."
        if split in given and last is not None and of_rows[id(first)] < last:
            yield f"By {column!r}, {split} begins before {before} ends, so its scores are not of later rows."
        last = max(of_rows[id(newest)], last if last is not None else of_rows[id(newest)])


def _spoken(row: Row, column: str) -> str:
    return spoken(row.cells[column])
