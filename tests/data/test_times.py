"""Columns of times: one way of writing is put in order, two are refused with both lines."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slmfit.data.times import moments_of, spoken
from slmfit.errors import DataError, Where

UTC = datetime.UTC


def moments(*cells: Any) -> list[float]:
    return moments_of(cells, [Where("f.csv", n, "when") for n in range(2, len(cells) + 2)])


@pytest.mark.parametrize(("earlier", "later"), [
    ("2026-01-31", "2026-02-01"),
    ("2026-01-31T08:30:00Z", "2026-01-31T08:30:01Z"),
    ("2026-01-31T12:00+05:00", "2026-01-31T08:00Z"),
    (datetime.date(2026, 1, 31), datetime.datetime(2026, 1, 31, 1)),
    ("9", "10"), (9, " 1e1 "), ("20260131", "20260201"), ("1969-12-31", "1970-01-01"), ("0001-01-01", "9999-12-31"),
    ("2026-01-31", "2026-01-31 08:30"), ("2.5", "13.75"), (99_999_999, 100_000_001), (20_240_000, 20_240_101),
])  # fmt: skip
def test_moments_are_ordered(earlier: object, later: object) -> None:
    first, second = moments(earlier, later)
    assert first < second


@pytest.mark.parametrize("value", ["", "soon", "nan", "inf", None, True, "31.01.2026", "2026-13-01", [], float("nan")])
def test_what_is_no_moment(value: object) -> None:
    with pytest.raises(DataError, match=r"line 3.*is not a date or time"):
        moments("2026-01-31", value)


WAYS: dict[str, Callable[[datetime.datetime], Any]] = {
    "iso": lambda t: t.strftime("%Y-%m-%d"),
    "digits": lambda t: t.strftime("%Y%m%d"),
    "digits as a number": lambda t: int(t.strftime("%Y%m%d")),
    "digits to the second": lambda t: t.strftime("%Y%m%d%H%M%S"),
    "seconds": lambda t: int(t.timestamp()),
    "seconds as text": lambda t: f"{t.timestamp():.3f}",
    "milliseconds": lambda t: int(t.timestamp() * 1000),
    "microseconds": lambda t: int(t.timestamp()) * 10**6,
    "nanoseconds": lambda t: str(int(t.timestamp()) * 10**9),
    "day and month": lambda t: t.strftime("%d.%m"),
    "year": lambda t: t.year,
    "python": lambda t: t,
}
SAME = [{"iso", "python"}, {"digits", "digits as a number"}, {"seconds", "seconds as text"},
        {"digits", "digits to the second"}, {"digits as a number", "digits to the second"}]  # fmt: skip
times = st.datetimes(datetime.datetime(1980, 1, 1), datetime.datetime(2090, 1, 1)).map(lambda t: t.replace(tzinfo=UTC))


@given(st.lists(times, min_size=2, max_size=20), st.sampled_from(sorted(WAYS.keys() - {"day and month"})))
def test_times_written_in_one_way_are_in_order(rows: list[datetime.datetime], way: str) -> None:
    found = moments(*map(WAYS[way], rows))
    day = way in ("iso", "digits", "digits as a number")
    rank = lambda t: t.year if way == "year" else t.date() if day else t.replace(microsecond=0)  # noqa: E731
    for one, first in zip(rows, found, strict=True):
        for two, second in zip(rows, found, strict=True):
            if rank(one) < rank(two):
                assert first < second


@given(st.lists(st.tuples(times, st.booleans()), min_size=2, max_size=12),
       st.sampled_from(sorted(WAYS)), st.sampled_from(sorted(WAYS)))  # fmt: skip
def test_times_written_in_two_ways_are_refused_with_both_lines(rows: Any, one: str, two: str) -> None:
    if one == two or {one, two} in SAME or len({other for _, other in rows}) < 2:
        return
    cells = [WAYS[two if other else one](t) for t, other in rows]
    with pytest.raises(DataError) as caught:
        moments(*cells)
    said, second = str(caught.value), next(i for i, (_, other) in enumerate(rows) if other != rows[0][1])
    assert f"line {second + 2}," in said
    assert "on line 2 " in said


@given(st.lists(times, min_size=2, max_size=12), st.booleans())
def test_days_and_months_without_a_year_are_refused(rows: list[datetime.datetime], number: bool) -> None:
    cells = [float(t.strftime("%d.%m")) if number else t.strftime("%d.%m") for t in rows]
    with pytest.raises(DataError, match="without a year"):
        moments(*cells)


@given(st.lists(times, min_size=1, max_size=9), st.sampled_from(["%d%m%Y", "%m%d%Y"]), st.booleans())
def test_dates_that_end_in_the_year_are_refused(rows: list[datetime.datetime], way: str, number: bool) -> None:
    """As numbers they are in order of their days: the newest rows were learnt from. None of them begins with a year.

    A number has lost the zero of its day: 2012000 may be a year and a month, too, and is refused as that.
    """
    digits = [when.strftime(way) for when in rows]
    with pytest.raises(DataError, match=r"in digits that ends in the year|without its zero"):
        moments(*(int(text) if number else text for text in digits))


def test_times_with_a_zone_and_without_are_two_kinds() -> None:
    with pytest.raises(DataError, match="is a date, but '2025-01-01T01:00:00Z' on line 2 is a time with its zone"):
        moments("2025-01-01T01:00:00Z", "2024-12-31T16:00:00")
    assert moments("2025-01-01T01:00:00Z", "2025-01-01T01:00:00-08:00")[1] == 8 * 3600 + moments("2025-01-01T01:00")[0]


def test_versions_are_no_decimals() -> None:
    with pytest.raises(DataError, match=r"'1\.1' is a version number, where 1\.10 comes after 1\.9"):
        moments(*[f"1.{i}" for i in range(1, 18)])
    with pytest.raises(DataError, match="a version number"):
        moments("1.9", "1.10", "1.11")
    assert moments("1.5", "1.25", "2") == [1.5, 1.25, 2.0]
    assert moments("1.50", "1.25", "2.00") == [1.5, 1.25, 2.0]


def test_years_and_months_in_digits_are_two_kinds() -> None:
    with pytest.raises(DataError, match="'202509' is a number, but '2025' on line 2 is a year"):
        moments("2025", "202509")


@pytest.mark.parametrize(("cell", "said"), [
    ("2025-08-25 ", "2025-08-25"), (1756080000, "1756080000 (2025-08-25)"),
    ("1756080000123", "1756080000123 (2025-08-25)"),
    (17, "17"),
])  # fmt: skip
def test_a_time_is_said_as_it_stands_and_what_it_means(cell: Any, said: str) -> None:
    assert spoken(cell) == said


def test_a_count_of_seconds_beside_a_day_is_no_version() -> None:
    with pytest.raises(DataError, match=r"line 3,.*on line 2 "):
        moments("946684800.001", "01.10")


@pytest.mark.parametrize("form", ["%m.%Y", "%m%Y", "%d%m%y", "%m%d%y", "%d%m%Y"])
@pytest.mark.parametrize("written", [str, float, int])
def test_what_ends_in_its_year_is_not_taken_for_a_number(form: str, written: Callable[[Any], Any]) -> None:
    days = [datetime.date(2024, 11, 3) + datetime.timedelta(days=5 * i) for i in range(90)]
    cells = [day.strftime(form) for day in days]
    if written is int and "." in cells[0]:
        return
    with pytest.raises(DataError, match="ends in the year"):
        moments(*(cell if written is str else written(cell) for cell in cells))


@pytest.mark.parametrize(("cells", "said"), [
    (("202411030905", "202512310000"), "202411030905"), (("2024110309", "2025123100"), "2024110309"),
    (("1730624700", "1735689600"), "1730624700 (2024-11-03)"),
])  # fmt: skip
def test_digits_that_are_a_date_are_no_count_of_seconds(cells: tuple[str, str], said: str) -> None:
    first, second = moments(*cells)
    assert first < second and spoken(cells[0]) == said


@pytest.mark.parametrize("cells", [
    ("251103", "251104", "260101"), ("202411", "202512"), (1.5, 2.25, 10.125), (10_001, 123_456), ("1.20", "2.35"),
])  # fmt: skip
def test_what_grows_with_time_is_still_a_number(cells: tuple[Any, ...]) -> None:
    assert moments(*cells) == sorted(moments(*cells))
