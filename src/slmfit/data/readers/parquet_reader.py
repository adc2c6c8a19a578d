"""Parquet to rows. A row's place is its number; class names kept by Hugging Face's datasets are put back.

for number, row in rows_of_parquet(handle, "train.parquet", notes): ...     # 1, {"text": …, "label": "World"}
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from slmfit.data.readers.lines import Bytes, begun
from slmfit.environment import without_here
from slmfit.errors import DataError, Where

_LONGEST_WAIT = 600  # seconds for decoding one file
_FIX = "copy or export it again, or save it as .csv"


def rows_of_parquet(handle: Bytes, file: str, notes: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """(number from 1, column -> cell). Raises DataError for what is not sound Parquet."""
    data = handle.read()
    if not data.startswith(b"PAR1"):
        begun(data, file)
    if len(data) < 12 or not (data.startswith(b"PAR1") and data.endswith(b"PAR1")):
        raise DataError("is not a whole Parquet file", where=file, fix=_FIX)
    names, arrow = _decoded(data, file)
    import polars as pl

    table = pl.read_ipc_stream(io.BytesIO(arrow))
    for column in names.keys() & set(table.columns):
        notes.append(f"{file}: the numbers in {column!r} are shown by the class names kept in the file.")
    for number, row in enumerate(table.iter_rows(named=True), 1):
        where = Where(file, number)
        yield number, {c: _named(cell, names[c], where.at(c)) if c in names else cell for c, cell in row.items()}


def _named(cell: Any, names: list[str], where: Where) -> Any:
    """A class number, or a list of them, by name; -1 by itself means that there is none."""
    if isinstance(cell, list):
        return [one if one == -1 else _named(one, names, where) for one in cell]
    if not isinstance(cell, int) or isinstance(cell, bool):
        return cell
    if not -1 <= cell < len(names):
        what = f"there is no class {cell}: the file names {len(names)}, from 0"
        raise DataError(what, where=where, fix="export the file again, with all names")
    return names[cell] if cell >= 0 else None


def _decoded(data: bytes, file: str) -> tuple[dict[str, list[str]], bytes]:
    """Class names by column, and the table as an Arrow stream; see parquet_worker.py for why in a process."""
    command = [sys.executable, "-P", str(Path(__file__).with_name("parquet_worker.py"))]
    answer: dict[str, Any] = {"error": "its decoder crashed or hung"}
    arrow = b""
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=_LONGEST_WAIT, env=without_here())
        head, _, arrow = done.stdout.partition(b"\n")
        if done.returncode == 0:
            answer = json.loads(head)
    except (subprocess.TimeoutExpired, ValueError):
        pass
    if "error" in answer:
        raise DataError(f"is not sound Parquet ({answer['error']})", where=file, fix=_FIX)
    return answer["names"], arrow
