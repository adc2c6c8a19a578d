"""Small files that ask for much: linear in time, bounded in memory, refused in a sentence."""

import io
import time

import polars as pl
import pytest

from slmfit.data.readers.csv_reader import rows_of_csv
from slmfit.data.readers.parquet_reader import rows_of_parquet
from slmfit.errors import DataError


def seconds_for(columns):
    header = ",".join(f"c{i}" for i in range(columns))
    table = f"{header}\n{','.join('x' * columns)}\n".encode()
    begin = time.process_time()
    [(_, row)] = rows_of_csv(io.BytesIO(table), "wide.csv", [])
    assert len(row) == columns
    return time.process_time() - begin


def test_forty_thousand_columns_take_no_time():
    assert seconds_for(40_000) < 2  # quadratic, they took 7 to 50 s


def test_a_column_named_twice_is_told_with_both_places():
    with pytest.raises(DataError, match=r"names 'b' twice \(columns 2 and 4\)"):
        list(rows_of_csv(io.BytesIO(b"a,b,c,b\n1,2,3,4\n"), "d.csv", []))


def parquet(cell, rows):
    file = io.BytesIO()
    pl.DataFrame({"text": pl.repeat(cell, rows, eager=True), "label": pl.repeat("x", rows, eager=True)}).write_parquet(
        file
    )
    return file.getvalue()


def test_a_parquet_file_that_grows_without_measure_is_refused():
    small = parquet("a" * 10_000, 500_000)  # one cell of 10 kB, 500,000 times: 5 GB
    assert len(small) < 10_000
    with pytest.raises(DataError, match=r"its 4,\d\d\d bytes would grow to 5,0\d\d,\d\d\d,\d\d\d"):
        next(rows_of_parquet(io.BytesIO(small), "small.parquet", []))


def test_a_parquet_file_that_repeats_itself_within_measure_is_read():
    rows = list(rows_of_parquet(io.BytesIO(parquet("late parcel", 20_000)), "d.parquet", []))
    assert len(rows) == 20_000 and rows[-1] == (20_000, {"text": "late parcel", "label": "x"})
