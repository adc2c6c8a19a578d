"""Times that can be put in order, of which it is doubtful that this is the order of time.

list(doubtful_times("month", [1, 2, 12, 1, …]))
# ["'month' by its name begins anew again and again, so what counts as later may be earlier."]
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Sequence
from typing import Any

from slmfit.data.times import date_of
from slmfit.text.figures import listed, number_of

# What begins anew, and how far it counts.
_AGAIN = {"quarter": 4, "weekday": 7, "dow": 7, "month": 12, "hour": 24, "day": 31, "week": 53, "minute": 60,
          "second": 60, "doy": 366}  # fmt: skip
_BACKWARDS = {"ago", "age", "remaining", "left", "until", "countdown"}
_NEVER = [datetime.date(*day) for day in ((1, 1, 1), (1899, 12, 30), (1899, 12, 31), (1900, 1, 1), (1970, 1, 1))]
_FAR = 2100  # a year
_HOURS = set(range(1, 13))
_YEAR_FIRST = re.compile(r"\d{4}\D\d")
_ROUNDED = re.compile(r"\d(?:[.,]\d{1,5})?[eE]\+?1\d")  # 1.7566E+12, as a spreadsheet writes what is long
_MONTHS = 12
_FEWEST_DAYS = 8  # different ones, each of which is in the first 12 of its month by chance in two of five
_FEWEST = 24  # rows, of which none is in the morning's first hour or after noon


def doubtful_times(column: str, cells: Sequence[Any]) -> Iterator[str]:
    """cells: of all rows, each of which is a time."""
    words = set(re.split(r"[\W_]+", column.lower()))
    if any(all(_within(cell, _AGAIN[word]) for cell in cells) for word in words & _AGAIN.keys()):
        yield f"{column!r} by its name begins anew again and again, so what counts as later may be earlier."
    if words & _BACKWARDS:
        yield f"{column!r} by its name is larger for what is earlier, and larger counts as later."
    rounded = [cell.strip() for cell in cells if isinstance(cell, str) and _ROUNDED.fullmatch(cell.strip())]
    if len(set(rounded)) < len(rounded):  # what a program writes so is all of it, and each its own
        yield (
            f"In {column!r} {number_of(len(rounded), 'row', 'have')} a time that a spreadsheet rounded, such as "
            f"{rounded[0]}, so that their order is lost: export the column as text, or the times as dates."
        )
    dates = [(str(cell).strip(), date) for cell in cells if (date := date_of(cell)) is not None]
    never = [said for said, date in dates if date.year >= _FAR or date.date() in _NEVER]
    if 0 < len(never) < len(dates):
        yield (
            f"In {column!r} {number_of(len(never), 'row', 'have')} a time that programs write where there is none: "
            f"{listed(sorted(set(never)), 3)}. Drop these rows, or mend them."
        )
    written = [(said, date) for said, date in dates if _YEAR_FIRST.match(said)]
    days = {(date.year, date.month, date.day) for _, date in written}
    numbers = [{day[k] for day in days} for k in (1, 2)]
    if len(days) >= _FEWEST_DAYS and min(map(len, numbers)) > 1 and max(numbers[1]) <= _MONTHS:
        said = next(said for said, date in written if date.day != date.month)
        meant = date_of(said)
        assert meant is not None
        yield (
            f"No date in {column!r} has a day after the {_MONTHS}th, so day and month may have changed places: "
            f"{said} is read as {meant.day} {meant:%B}."
        )
    hours = [date.hour for _, date in dates]
    if len(hours) >= _FEWEST and {12} < set(hours) <= _HOURS and len(set(hours)) > len(_HOURS) // 2:
        yield f"No time in {column!r} is in the hour 0 or after 12: where am and pm were lost, the order is wrong."


def _within(cell: Any, most: int) -> bool:
    try:
        return 0 <= float(cell) <= most
    except (TypeError, ValueError, OverflowError):
        return False
