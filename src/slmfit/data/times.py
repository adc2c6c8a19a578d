"""A column of times as numbers that grow with time, all written in one way: two ways cannot be ordered.

moments_of(["2025-08-25", "2025-09-05"], places)      # [1756080000.0, 1757030400.0]
moments_of(["2025-08-25", "20250905"], places)        # DataError that names both lines
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from slmfit.errors import DataError, Where

_FIX = "write a number or an ISO date, such as 2026-01-31 or 2026-01-31T08:30:00"
_ONE_WAY = "write all times of the column in one way, such as 2026-01-31 or 2026-01-31T08:30:00"
_NO_YEAR, _YEAR_LAST = "a day and a month without a year", "a date in digits that ends in the year"
_VERSION = "a version number, where 1.10 comes after 1.9"
_NO_ZERO = "a year and a month or week without its zero, so that 20249 is less than 202410"
_THOUSANDS = "a number with a point for its thousands, or a fraction"
_CLOCK = "a time of day without its day"
_ZONED = "a time with its zone"
_UNORDERED = {
    _NO_YEAR: "write the year, too, as in 2026-01-31",
    _YEAR_LAST: _ONE_WAY,
    _VERSION: "number the versions in their order: 1, 2, 3 …",
    _NO_ZERO: "write two digits for each, as in 202409, or ISO dates",
    _THOUSANDS: "write the numbers without anything for the thousands",
    _CLOCK: "write the day, too, as in 2026-01-31T08:30:00",
}
_DAY_MONTH = re.compile(r"(0?[1-9]|[12]\d|3[01])\.(0[1-9]|1[0-2])\.?")
_DAY_MONTH_NUMBER = re.compile(r"([1-9]|[12]\d|3[01])\.(0[1-9]|1|11|12)")  # 31.10 as a number is 31.1
_COMPACT = {8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_YEARS = range(1900, 2101)
_MONTH_YEAR = re.compile(r"(0?[1-9]|1[0-2])\.(19|20)\d{1,2}")  # 10.2020 as a number is 10.202
_YEAR_MONTH = re.compile(r"(?:19|20)\d\d\.([1-9]|1[0-2])")
_THOUSAND = re.compile(r"[1-9]\d{0,2}\.\d{3}")
_HHMM, _FEWEST_CLOCK = re.compile(r"([01]\d|2[0-3])[0-5]\d"), 20
_YEAR_BEHIND = {8: ("%d%m%Y", "%m%d%Y"), 6: ("%m%Y", "%d%m%y", "%m%d%y")}  # digits -> dates that do not grow with time
# Powers of ten that a count from 1970 has in our time, and how many of the unit a second has.
_EPOCHS = {"seconds since 1970": (8, 10, 1), "milliseconds since 1970": (11, 13, 10**3),
           "microseconds since 1970": (14, 16, 10**6), "nanoseconds since 1970": (17, 19, 10**9)}  # fmt: skip
_APART = 10  # times by which numbers of two kinds lie apart at least; a count that runs on has no such gap


@dataclass(frozen=True, slots=True)
class _Time:
    kind: str
    value: float


def moments_of(cells: Sequence[Any], places: Sequence[Where]) -> list[float]:
    """A number for each cell, later is greater. Times without a zone count as UTC, and stand beside none that has one.

    Raises DataError for a cell that is no time, and naming two lines where the column holds two kinds of times.
    """
    times = [_time(cell) for cell in cells]
    for cell, time, place in zip(cells, times, places, strict=True):
        if time is None:
            raise DataError(f"{str(cell)[:40]!r} is not a date or time", where=place, fix=_FIX)
    found = _settled(cells, [time for time in times if time is not None])
    for kind, fix in _UNORDERED.items():
        if all(time.kind == kind for time in found):
            at = next((i for i, cell in enumerate(cells) if "." in str(cell)), 0) if kind == _THOUSANDS else 0
            raise DataError(f"{str(cells[at])[:40]!r} is {kind}", where=places[at], fix=fix)
    _refuse_two_kinds(cells, found, places)
    return [time.value for time in found]


def spoken(cell: Any) -> str:
    """A time of a column as it stands there, and what it means where it counts from 1970."""
    time = _time(cell)
    if time is None or _settled([cell], [time])[0].kind not in _EPOCHS:
        return str(cell).strip()
    seconds = time.value / _EPOCHS[time.kind][2]
    return f"{str(cell).strip()} ({_EPOCH + datetime.timedelta(seconds=seconds):%Y-%m-%d})"


_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def date_of(cell: Any) -> datetime.datetime | None:
    """The moment that a cell by itself is, as a date or counted from 1970; None for other numbers."""
    time = _time(cell)
    if time is None or time.kind == "a number":
        return None
    seconds = time.value / _EPOCHS[time.kind][2] if time.kind in _EPOCHS else time.value
    try:
        return None if time.kind == _NO_YEAR else _EPOCH + datetime.timedelta(seconds=seconds)
    except OverflowError:
        return None


def is_time(cell: Any) -> bool:
    """Whether a cell is a number, a date or a time."""
    return _time(cell) is not None


def _time(value: Any) -> _Time | None:
    """A cell by itself. Whether a number is a date or a day and a month, only its column can say: see `_settled`."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        text = value.strip()
        try:
            value = float(text) if not text.isdecimal() else int(text)
        except ValueError:
            if _DAY_MONTH.fullmatch(text):
                return _Time(_NO_YEAR, 0.0)
            try:
                value = datetime.datetime.fromisoformat(text)
            except ValueError:
                return None
    if isinstance(value, int | float):
        try:
            number = float(value)
        except OverflowError:
            return None
        return _Time(_magnitude(number), number) if math.isfinite(number) else None
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        value = datetime.datetime(value.year, value.month, value.day)
    if isinstance(value, datetime.datetime):
        zoned = value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
        return _Time(_ZONED if value.tzinfo else "a date", (zoned - _EPOCH).total_seconds())
    return None


def _magnitude(number: float) -> str:
    for kind, (low, high, _) in _EPOCHS.items():
        if 10**low <= number < 10**high:
            return kind
    return "a number"


def _settled(cells: Sequence[Any], times: list[_Time]) -> list[_Time]:
    """The times with numbers as what their column says they are: dates in digits, or days and months."""
    texts = [re.sub(r"\.0+$", "", str(cell).strip()) for cell in cells]
    numbers = [i for i, time in enumerate(times) if time.kind == "a number" or time.kind in _EPOCHS]
    for digits, form in _COMPACT.items():
        like = [i for i in numbers if texts[i].isdecimal() and len(texts[i]) == digits and int(texts[i][:4]) in _YEARS]
        dates = {i: date for i in like if (date := _date(texts[i], form)) is not None}
        if like and len(dates) == len(like):
            for i, date in dates.items():
                times[i] = _Time("a date in digits", (date - _EPOCH).total_seconds())
    years = [i for i in numbers if len(texts[i]) == 4 and texts[i].isdecimal() and int(texts[i]) in _YEARS]
    months = [i for i in numbers if len(texts[i]) == 6 and texts[i].isdecimal() and _date(texts[i], "%Y%m")]
    if years and months and len(years) + len(months) == len(numbers):
        for i in years:
            times[i] = _Time("a year", times[i].value)
    days = [i for i in numbers if (_DAY_MONTH if isinstance(cells[i], str) else _DAY_MONTH_NUMBER).fullmatch(texts[i])]
    decimals = [i for i in numbers if "." in texts[i]]
    if days and len(days) == len(decimals):
        for i in days:
            times[i] = _Time(_NO_YEAR, 0.0)
    if all(times[i].kind not in _EPOCHS for i in decimals) and _are_versions([texts[i] for i in decimals]):
        for i in numbers:
            times[i] = _Time(_VERSION, 0.0)
    raw = [str(cells[i]).strip() for i in numbers]
    if all(times[i].kind == "a number" for i in numbers) and (kind := _unordered(raw, [texts[i] for i in numbers])):
        for i in numbers:
            times[i] = _Time(kind, 0.0)
    two = [i for i in numbers if texts[i].isdecimal() and len(texts[i]) < 3]
    if years and two and len(years) + len(two) == len(numbers):
        for i in years:
            times[i] = _Time("a year", times[i].value)
    if all(times[i].kind == "a number" for i in numbers) and _end_in_years([texts[i] for i in numbers]):
        for i in numbers:
            times[i] = _Time(_YEAR_LAST, 0.0)
    return times


def _unordered(raw: Sequence[str], plain: Sequence[str]) -> str:
    """As what numbers do not grow with time, by their look; empty where they may. raw: with the zeros of fractions."""
    pointed = [text for text in raw if "." in text]
    whole = [text for text in raw if text.isdecimal()]
    mixed = pointed and whole and len(pointed) + len(whole) == len(raw)
    mixed = mixed and (len(pointed) > 1 or max(map(len, whole)) > 2)
    if mixed and all(map(_THOUSAND.fullmatch, pointed)) and all(len(text) < 4 for text in whole):
        return _THOUSANDS
    begun = bool(plain) and all(t.isdecimal() and 5 <= len(t) <= 8 and int(t[:4]) in _YEARS for t in plain)
    months = [found[1] for text in plain if (found := _YEAR_MONTH.fullmatch(text))]
    if len(months) == len(plain) and not {*"23456789"}.isdisjoint(months) and not {"11", "12"}.isdisjoint(months):
        return _NO_ZERO
    if begun and len({*map(len, plain)}) > 1:
        return _NO_ZERO
    clock = len(set(raw)) >= _FEWEST_CLOCK and all(map(_HHMM.fullmatch, raw)) and min(raw) < "1" and max(raw) > "0159"
    return _CLOCK if clock else ""


def _are_versions(texts: Sequence[str]) -> bool:
    """Whether numbers end in a zero behind the point though others are shorter, as 1.10 beside 1.9: no decimals do."""
    behind = [text.partition(".")[2] for text in texts]
    return any(digits.endswith("0") for digits in behind) and len({*map(len, behind)}) > 1


def _end_in_years(texts: Sequence[str]) -> bool:
    """Whether all are 31012026, 012026, 310126 or 01.2026, of which the first may have lost their zero."""
    if texts and all(map(_MONTH_YEAR.fullmatch, texts)):
        return any(len(text.partition(".")[2]) == 4 for text in texts)
    for digits, forms in _YEAR_BEHIND.items():
        if texts and all(text.isdecimal() and digits - 1 <= len(text) <= digits for text in texts):
            whole = [text.zfill(digits) for text in texts]
            grow = digits == 6 and all(_date(text, "%y%m%d") for text in whole)
            grow = grow and len({text[:2] for text in whole}) <= len({text[-2:] for text in whole})  # years are fewer
            return not grow and any(all(_in_our_time(text, form) for text in whole) for form in forms)
    return False


def _in_our_time(text: str, form: str) -> bool:
    date = _date(text, form)
    return date is not None and date.year in _YEARS


def _date(text: str, form: str) -> datetime.datetime | None:
    try:
        return datetime.datetime.strptime(text, form).replace(tzinfo=datetime.UTC)
    except ValueError:
        return None


def _refuse_two_kinds(cells: Sequence[Any], times: Sequence[_Time], places: Sequence[Where]) -> None:
    first: dict[str, int] = {}
    for i, time in enumerate(times):
        first.setdefault(time.kind, i)
    if len(first) < 2 or ({"a number", *_EPOCHS} >= first.keys() and _runs_on([time.value for time in times])):
        return
    (one, at), (other, later) = list(first.items())[:2]
    line = f"line {places[at].line}" + (f" of {places[at].file}" if places[at].file != places[later].file else "")
    what = (
        f"{str(cells[later])[:40]!r} is {_article(other)}, but {str(cells[at])[:40]!r} on {line} is "
        f"{_article(one)}, and the two cannot be put in order"
    )
    raise DataError(what, where=places[later], fix=_ONE_WAY)


def _article(kind: str) -> str:
    return f"a count of {kind}" if kind in _EPOCHS else kind


def _runs_on(values: Sequence[float]) -> bool:
    """Whether numbers of several magnitudes are one count: none is far from the next."""
    ordered = sorted(set(values))
    return all(low > 0 and high < _APART * low for low, high in pairwise(ordered) if high >= 10**7)
