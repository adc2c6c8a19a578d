"""Columns beside text and answer by which rows may belong together: a user, a conversation, a file.

    groupings({"train": [{"text": "…", "user_id": "u7"}, …], "test": […]}, {"text", "label"})
    # {"user_id": {"train": array("i", [0, 1, 0, …]), "test": array("i", [1, …])}}

What a column's objects hold are columns, too: `meta.user` of {"meta": {"user": "u7"}}; and so is each part of addresses
and paths. Kept as numbers, four bytes a
cell, so that the audit can tell whether the split tears such rows apart.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from slmfit.data.nested import LOOKED_AT, unfolded
from slmfit.data.times import is_time
from slmfit.text.looks import look

Groupings = Mapping[str, Mapping[str, Sequence[int]]]  # column -> split -> per row the number of its value, -1: none

MOST_SHARE = 0.5  # different values to a row: with more, hardly two rows belong together
BEGUN_ALIKE = "id up to its last number"  # no column: what a row was made from, as `doc12` in `doc12_3`
PART_OF = ", between its slashes"  # no column either
_BETWEEN = re.compile(r"[/?&#]")
_MOST_PARTS = 8
_PART = "chunk|part|page|sent|sentence|turn|line|row|utt|seg"
_ENDING = re.compile(r"(?:\.[a-z]{1,9}){1,2}$")
_NUMBERED = re.compile(rf"[-_.:# ](?:{_PART})?[-_.]?\d+$")
LONGEST = 200  # characters of a value; what is longer is text


def groupings(rows: Mapping[str, Sequence[Mapping[str, Any]]], known: Collection[str]) -> Groupings:
    """rows: split -> the cells of its rows. known: columns that are something else."""
    columns = _columns(rows)
    found = {}
    for column in columns:
        if column in known:
            continue
        inside = unfolded(column, rows)
        for name in [column] if inside is None else [one for one in _columns(inside) if one not in columns]:
            if (numbers := _numbers(name, rows if inside is None else inside)) is not None:
                found[name] = numbers
            else:
                found |= _of_parts(name, rows if inside is None else inside)
    stems = _stems(rows) if "id" in known else None
    if "id" in known:
        found |= _of_parts("id", rows)
    if stems is not None and (numbers := _numbers(BEGUN_ALIKE, stems)) is not None:
        found[BEGUN_ALIKE] = numbers
    return found


def _columns(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    return list(dict.fromkeys(column for part in rows.values() for cells in part[:LOOKED_AT] for column in cells))


def _of_parts(column: str, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, dict[str, array[int]]]:
    """What stands at one place of addresses and paths, such as the user in https://shop.example/user/17/review/3."""
    first = next((cells.get(column) for part in rows.values() for cells in part), None)
    if not isinstance(first, str) or len(_parts(first)) < 2:
        return {}
    found: dict[str, dict[str, array[int]]] = {}
    for place in range(min(len(_parts(first)), _MOST_PARTS)):
        name = f"part {place + 1} of {column}{PART_OF}"
        own = {
            split: [{name: "".join(_parts(cells.get(column))[place : place + 1])} for cells in part]
            for split, part in rows.items()
        }
        numbers = _numbers(name, own)
        if numbers is not None and numbers not in found.values():
            found[name] = numbers
    return found


def _parts(cell: Any) -> list[str]:
    """What stands between the slashes and signs of an address, or a path; nothing of any other cell."""
    address = cell.partition("://")[2] or cell if isinstance(cell, str) and len(cell) <= LONGEST else ""
    return [part for part in _BETWEEN.split(address) if part] if "/" in address and " " not in address else []


def _stems(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, list[dict[str, str]]] | None:
    """The rows' ids up to their last number, as a column; None where one has no such number behind a name."""
    found: dict[str, list[dict[str, str]]] = {split: [] for split in rows}
    for split, part in rows.items():
        for cells in part:
            if not (stem := _stem(cells.get("id"))):
                return None
            found[split].append({BEGUN_ALIKE: stem})
    return found


def _stem(id: Any) -> str:
    """`doc12` of `label/doc12_3.txt`; empty where no number stands at the end."""
    name = _ENDING.sub("", id[-LONGEST:].rpartition("/")[2]) if isinstance(id, str) else ""
    numbered = _NUMBERED.search(name)
    return name[: numbered.start()].rstrip("-_.:# ") if numbered else ""


def _numbers(column: str, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, array[int]] | None:
    """None for a column whose values are no names: texts, lists, times, fractions, or different in nearly every row."""
    most = MOST_SHARE * sum(map(len, rows.values()))
    seen: dict[Any, int] = {}
    numbers_of: dict[str, int] = {}
    numbers = {}
    for split, part in rows.items():
        column_of_split = numbers[split] = array("i")
        for cells in part:
            cell = cells.get(column)
            number = -1 if cell is None or cell == "" else seen.get(cell) if _plain(cell) else None
            if number is None:
                if not _names(cell) or len(seen) >= most:
                    return None
                number = seen[cell] = numbers_of.setdefault(group_name(cell), len(numbers_of))
            column_of_split.append(number)
    return numbers if len(numbers_of) > 1 else None


def group_name(cell: Any) -> str:
    """What a cell calls the group of its row: 7, 7.0, "7" and "7 " are one, and so is a name in another case, or in
    letters that look alike: two groups taken for one cost little, one taken for two is a leak.
    """
    name = look(str(cell).strip()).casefold()
    whole, dot, zeros = name.partition(".")
    return whole if dot and whole.lstrip("+-").isdecimal() and not zeros.strip("0") else name


def _plain(cell: Any) -> bool:
    return isinstance(cell, str | int | float)


def _names(cell: Any) -> bool:
    """Whether a cell may be the name of something that has several rows."""
    if isinstance(cell, float):
        return cell.is_integer()
    if isinstance(cell, str):
        return len(cell) <= LONGEST and not _is_fraction(cell) and (_is_number(cell) or not is_time(cell))
    return isinstance(cell, int) and not isinstance(cell, bool)


def _is_number(cell: str) -> bool:
    whole, _, zeros = cell.strip().partition(".")
    return whole.isdecimal() and not zeros.strip("0")


def _is_fraction(cell: str) -> bool:
    try:
        return not float(cell).is_integer()
    except (ValueError, OverflowError):
        return False
