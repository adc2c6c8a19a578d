"""Files to rows: CSV, TSV, JSON lines, JSON, Parquet and CoNLL columns, each also gzipped; every row knows its place.

    for where, row in read_rows("tickets.csv.gz", notes):
        print(where, row["text"])            # tickets.csv.gz, line 2  My card was charged twice

Whatever the bytes are, what comes out is rows or a DataError that says where and how to fix it.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

from slmfit.data.readers.conll_reader import rows_of_conll
from slmfit.data.readers.csv_reader import LONGEST_TEXT, rows_of_csv, rows_of_tsv
from slmfit.data.readers.exports import flat
from slmfit.data.readers.json_reader import rows_of_json, rows_of_jsonl
from slmfit.data.readers.lines import Bytes, chunks_of
from slmfit.data.readers.packed import FREE_EXPANSION, MOST_EXPANSION, grown, only_file
from slmfit.data.readers.parquet_reader import rows_of_parquet
from slmfit.data.readers.plain_reader import rows_of_txt
from slmfit.data.readers.token_a_row import gathered
from slmfit.data.readers.unknown import missing, unreadable
from slmfit.errors import DataError, Where
from slmfit.text.figures import number_of, verb_of

READERS = {
    "csv": rows_of_csv,
    "tsv": rows_of_tsv,
    "jsonl": rows_of_jsonl,
    "ndjson": rows_of_jsonl,
    "json": rows_of_json,
    "parquet": rows_of_parquet,
    "conll": rows_of_conll,
    "iob": rows_of_conll,
    "iob2": rows_of_conll,
    "bio": rows_of_conll,
}
_LONGEST_ID = 40  # in a message
_READERS = {**READERS, "txt": rows_of_txt}  # a text may also be one of a folder of texts

Row = dict[str, Any]
Placed = tuple[Where, Row]


def ending(path: Path) -> str | None:
    """The key of `READERS` that the file's name ends in, with or without .gz; None for any other name."""
    stem, _, last = path.name.lower().removesuffix(".gz").rpartition(".")
    return last if stem and last in READERS else None


def is_plain(path: Path) -> bool:
    """Whether it goes by the name of a plain text, of which the shape tells what it holds."""
    return path.name.lower().removesuffix(".gz").endswith((".txt", ".text"))


def _kind(path: Path) -> str | None:
    return ending(path) or ("txt" if is_plain(path) else None)


def is_read(path: Path) -> bool:
    """Whether a file of that name is opened as rows: as one of `READERS`, a plain text, or a zip of one."""
    stem = path.name.lower().removesuffix(".gz").rpartition(".")[0]
    return bool(stem) and (_kind(path) is not None or path.name.lower().endswith(".zip"))


def is_table(path: Path) -> bool:
    """Whether it is CSV or TSV, in which all cells are text and a spreadsheet may have had a hand."""
    return ending(path) in ("csv", "tsv")


def read_rows(path: str | Path, notes: list[str], name: str | None = None, *, whole: bool = False) -> Iterator[Placed]:
    """The rows of one file as (place, column -> cell), streamed where the format allows it.

    A place is the file and the line its row starts on (in Parquet, the row's number). Cells are text in CSV and TSV,
    and whatever the file holds elsewhere. What had to be guessed is added to `notes`, a sentence each. `name`: what the
    file is called in messages, where it is the copy of another. whole: rows as they stand in the file, with nothing
    taken out of their objects.
    Raises DataError for a file that is missing, unreadable, empty, or not what its ending says.
    """
    path = Path(path)
    with opened(path, notes, name) as (handle, kind):
        yield from rows_from(handle, name or str(path), kind, notes, whole=whole)


@contextmanager
def opened(path: Path, notes: list[str], name: str | None = None) -> Iterator[tuple[Bytes, str]]:
    """A file's bytes, unpacked, and the key of its reader. Arguments and errors as `read_rows`."""
    with reading(str(path)):
        if not path.exists():
            raise missing(path)
        if not path.is_file():
            raise DataError("is not a file", where=str(path), fix="give a file")
        if path.name.lower().endswith(".zip"):
            with only_file(path) as (handle, inner):
                kind = None if inner.lower().endswith(".gz") else _kind(Path(inner))
                if kind is None:
                    raise unreadable(path / inner)
                notes.append(f"{name or path}: read {inner} in it.")
                yield handle, kind
            return
        kind = _kind(path)
        if kind is None:
            raise unreadable(path)
        zipped = path.name.lower().endswith(".gz")
        if zipped:
            refuse_bomb(path)
        with gzip.open(path) if zipped else path.open("rb") as handle:
            yield handle, kind


def rows_from(handle: Bytes, file: str, kind: str, notes: list[str], *, whole: bool = False) -> Iterator[Placed]:
    """The same for an open stream, such as stdin. `file` is its name in messages, `kind` a key of `READERS`."""
    any_row, again = False, [0]
    forms: dict[str, None] = {}
    with reading(file):
        rows = _plain(_READERS[kind](handle, file, notes), forms, again, whole)
        for where, row in _placed(rows if whole else gathered(rows, file, notes), file):
            any_row = True
            for column, cell in row.items():
                if type(cell) is str and len(cell) > LONGEST_TEXT:
                    raise DataError(
                        f"this text has {len(cell):,} characters; at most {LONGEST_TEXT:,} are read",
                        where=where.at(column),
                        fix="shorten the text, or drop the row",
                    )
            yield where, row
    notes += [f"{file}: rows are read as {form}." for form in forms if form]
    notes += [headers_again(file, again[0])] if again[0] else []
    if not any_row:
        raise DataError("holds no rows", where=file, fix="give a file with at least one row of data")


def _plain(
    rows: Iterable[tuple[int, Row]], forms: dict[str, None], again: list[int], whole: bool
) -> Iterator[tuple[int, Row]]:
    """The rows with their own columns at hand. forms: filled with as what they were read; again: counts headers."""
    for line, raw in rows:
        if is_header(raw):
            again[0] += 1
            continue
        row, form = (raw, "") if whole else flat(raw)
        forms[form] = None
        yield line, row


def _placed(rows: Iterable[tuple[int, Row]], file: str) -> Iterator[Placed]:
    """The rows with their places. Rows that share a line, as in JSON without line ends, are told by id or number."""
    faults: list[Exception] = []
    before = None
    for number, ((line, row), (after, _)) in enumerate(pairwise(chain(_until_fault(rows, faults), [(-1, {})])), 1):
        alone = line not in (before, after)
        yield Where(file, line, row="" if alone else _named(row.get("id"), number)), row
        before = line
    for fault in faults:
        raise fault


def _until_fault(rows: Iterable[tuple[int, Row]], faults: list[Exception]) -> Iterator[tuple[int, Row]]:
    """The rows before one that cannot be read, whose error is kept: the last of them is still to be handed on."""
    try:
        yield from rows
    except Exception as error:
        faults.append(error)


def _named(id: Any, number: int) -> str:
    return f"id {id}" if type(id) in (int, str) and 0 < len(str(id)) <= _LONGEST_ID else f"row {number:,}"


def is_header(row: Row) -> bool:
    """Whether every cell of a row is its column's name, as where tables were put one after another."""
    names = ((name.strip().casefold(), cell) for name, cell in row.items())
    return len(row) > 1 and all(isinstance(cell, str) and cell.strip().casefold() == name for name, cell in names)


def headers_again(file: str, count: int) -> str:
    """The sentence on rows that are left out because of that."""
    return (
        f"{file}: {number_of(count, 'row', 'repeat')} the names of the columns, and {verb_of(count, 'are')} left out."
    )


@contextmanager
def reading(file: str) -> Iterator[None]:
    """The border: what the operating system and zlib raise inside becomes a DataError about `file`."""
    try:
        yield
    except (gzip.BadGzipFile, zlib.error, EOFError):
        fix = "copy or compress it again, or drop .gz from its name"
        raise DataError("is not a gzip file, or is damaged", where=file, fix=fix) from None
    except OSError as error:
        raise DataError(
            f"cannot be read: {error.strerror or error}", where=file, fix="check the path and its permissions"
        ) from None


def refuse_bomb(path: Path) -> None:
    """Unpack once without keeping anything: a file that grows without measure must not reach a parser."""
    limit = max(FREE_EXPANSION, MOST_EXPANSION * path.stat().st_size)
    size = 0
    with gzip.open(path) as handle:
        for chunk in chunks_of(handle):
            size += len(chunk)
            if size > limit:
                raise grown(path, "unpack it yourself (gunzip) and give the unpacked file")


@dataclass(frozen=True)
class Part:
    """The rows of one split, or of a file that is still to be split.

    file: what was read, as the user would name it. sha256: of its bytes (of all names and bytes for a folder).
    numbers: of the rows in the file, from 1.
    """

    file: str
    sha256: str
    rows: list[Placed]
    numbers: Sequence[int]
