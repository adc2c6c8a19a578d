"""Questions that offer the same option twice: left out of train, where one of two equals would count as wrong.

notes += without_same_options(rows)          # rows: split -> rows; those of train are taken out in place
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from slmfit.data.examples import Row
from slmfit.errors import DataError
from slmfit.records import Input
from slmfit.text.figures import part_of


def without_same_options(rows: Mapping[str, list[Row]]) -> Iterator[str]:
    """Says of each split how many there are. Raises DataError where nothing of train would be left."""
    for split, part in rows.items():
        found = [row for row in part if _twice(row.example.input)]
        if not found:
            continue
        said = f"{found[0].where.file}: {part_of(len(found), len(part), 'question', 'offer')} the same option twice"
        said += f", the first in line {found[0].where.line}"
        if split != "train":
            yield f"{said}; in {split} they stay, and only the one that is named is right."
            continue
        if len(found) == len(part):
            fix = "correct the options, so that one is right"
            raise DataError("every question of train offers the same option twice", where=found[0].where, fix=fix)
        taken = {id(row) for row in found}
        part[:] = [row for row in part if id(row) not in taken]
        yield f"{said}; they are left out of train."


def _twice(input: Input) -> bool:
    """Whether two options differ in case and spaces at most."""
    texts = [" ".join(text.casefold().split()) for text in getattr(input, "options", {}).values()]
    return len(set(texts)) < len(texts)
