"""Parquet to rows. A row's place is its number; class names kept by Hugging Face's datasets are put back.

    for number, row in rows_of_parquet(handle, "train.parquet", notes): ...     # 1, {"text": …, "label": "World"}
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

from slmfit.data.lines import Bytes
from slmfit.errors import DataError

_FREE_ROWS = 1_000_000  # rows below which a file may hold more rows than bytes


def rows_of_parquet(handle: Bytes, file: str, notes: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """(number from 1, column -> cell). Raises DataError for what is not Parquet."""
    import polars as pl

    data = handle.read()
    if not (data.startswith(b"PAR1") and data.endswith(b"PAR1") and len(data) >= 12):
        raise DataError("is not a whole Parquet file", where=file, fix="copy or export it again")
    try:
        rows = pl.scan_parquet(io.BytesIO(data)).select(pl.len()).collect().item()
        if rows > max(_FREE_ROWS, len(data)):
            raise DataError(f"claims {rows:,} rows in {len(data):,} bytes", where=file,
                            fix="if you trust it, write it again as .csv and give that")
        table = pl.read_parquet(io.BytesIO(data))
        names = _class_names(pl.read_parquet_metadata(io.BytesIO(data)))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError, OSError, OverflowError) as error:
        reason = str(error).partition("\n")[0][:200]
        raise DataError(f"is not sound Parquet ({reason})", where=file, fix="copy or export it again") from None
    for column in names.keys() & set(table.columns):
        notes.append(f"{file}: the numbers in {column!r} are shown by the class names kept in the file.")
    for number, row in enumerate(table.iter_rows(named=True), 1):
        for column, known in names.items():
            cell = row.get(column)
            if isinstance(cell, int) and 0 <= cell < len(known):
                row[column] = known[cell]
        yield number, row


def _class_names(metadata: dict[str, str]) -> dict[str, list[str]]:
    """Column -> names of a `ClassLabel`, as Hugging Face's datasets keeps them in the schema's metadata."""
    try:
        features = json.loads(metadata["huggingface"])["info"]["features"]
        return {column: [str(name) for name in kind["names"]] for column, kind in features.items()
                if isinstance(kind, dict) and kind.get("_type") == "ClassLabel" and kind.get("names")}
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}
