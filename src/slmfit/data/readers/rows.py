"""Files to rows: CSV, TSV, JSON lines, JSON, Parquet and CoNLL columns, each also gzipped; every row knows its place.

    for where, row in read_rows("tickets.csv.gz", notes):
        print(where, row["text"])            # tickets.csv.gz, line 2  My card was charged twice

Whatever the bytes are, what comes out is rows or a DataError that says where and how to fix it.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from slmfit.data.readers.conll_reader import rows_of_conll
from slmfit.data.readers.csv_reader import LONGEST_TEXT, rows_of_csv, rows_of_tsv
from slmfit.data.readers.exports import flat
from slmfit.data.readers.json_reader import rows_of_json, rows_of_jsonl
from slmfit.data.readers.lines import Bytes, chunks_of
from slmfit.data.readers.parquet_reader import rows_of_parquet
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
MOST_EXPANSION = 200  # times its size that a gzip file may grow; text grows 3 to 20 times
FREE_EXPANSION = 8 * 2**20  # bytes below which any growth is harmless

Row = dict[str, Any]
Placed = tuple[Where, Row]


def ending(path: Path) -> str | None:
    """The key of `READERS` that the file's name ends in, with or without .gz; None for any other name."""
    stem, _, last = path.name.lower().removesuffix(".gz").rpartition(".")
    return last if stem and last in READERS else None


def is_table(path: Path) -> bool:
    """Whether it is CSV or TSV, in which all cells are text and a spreadsheet may have had a hand."""
    return ending(path) in ("csv", "tsv")


def read_rows(path: str | Path, notes: list[str], name: str | None = None) -> Iterator[Placed]:
    """The rows of one file as (place, column -> cell), streamed where the format allows it.

    A place is the file and the line its row starts on (in Parquet, the row's number). Cells are text in CSV and TSV,
    and whatever the file holds elsewhere. What had to be guessed is added to `notes`, a sentence each. `name`: what the
    file is called in messages, where it is the copy of another.
    Raises DataError for a file that is missing, unreadable, empty, or not what its ending says.
    """
    path = Path(path)
    with reading(str(path)):
        if not path.exists():
            raise missing(path)
        if not path.is_file():
            raise DataError("is not a file", where=str(path), fix="give a file")
        kind = ending(path)
        if kind is None:
            raise unreadable(path)
        zipped = path.name.lower().endswith(".gz")
        if zipped:
            refuse_bomb(path)
        with gzip.open(path) if zipped else path.open("rb") as handle:
            yield from rows_from(handle, name or str(path), kind, notes)


def rows_from(handle: Bytes, file: str, kind: str, notes: list[str]) -> Iterator[Placed]:
    """The same for an open stream, such as stdin. `file` is its name in messages, `kind` a key of `READERS`."""
    any_row, repeated = False, 0
    forms: dict[str, None] = {}
    with reading(file):
        for line, raw in READERS[kind](handle, file, notes):
            if is_header(raw):
                repeated += 1
                continue
            any_row = True
            row, form = flat(raw)
            forms[form] = None
            where = Where(file, line)
            for column, cell in row.items():
                if type(cell) is str and len(cell) > LONGEST_TEXT:
                    raise DataError(
                        f"this text has {len(cell):,} characters; at most {LONGEST_TEXT:,} are read",
                        where=where.at(column),
                        fix="shorten the text, or drop the row",
                    )
            yield where, row
    notes += [f"{file}: rows are read as {form}." for form in forms if form]
    notes += [headers_again(file, repeated)] if repeated else []
    if not any_row:
        raise DataError("holds no rows", where=file, fix="give a file with at least one row of data")


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
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise DataError(f"is not a whole gzip file ({error})", where=file, fix="copy or compress it again") from None
    except OSError as error:
        raise DataError(
            f"cannot be read: {error.strerror or error}", where=file, fix="check the path and its permissions"
        ) from None


_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip", ".7z", ".rar")
_PACKED = (".bz2", ".xz", ".zst", ".lz4")


def is_packed(path: Path) -> bool:
    """Whether a file's name says that it must be unpacked first, and not as .gz, which is read as it is."""
    return path.name.lower().endswith(_ARCHIVES + _PACKED)


def unreadable(path: Path) -> DataError:
    """The error for a file whose name says that it is none of `READERS`."""
    name = path.name.lower()
    suffix = ".gz" if name.endswith(".gz") else ""
    inner = Path(name.removesuffix(".gz")).suffix
    what = f"files named *{inner}{suffix} cannot be read" if inner or suffix else "the name has no ending"
    fix = "save it as .csv, .tsv, .jsonl, .json or .parquet, or tokens and tags as .conll (or with .gz)"
    if name.endswith(_ARCHIVES):
        what, fix = "is an archive of files", "unpack it, and give the folder or the file in it"
    elif name.endswith(_PACKED):
        what, fix = (
            f"is packed as {path.suffix}",
            "unpack it, or pack it as .gz, as in NAME.csv.gz",
        )
    elif inner in (".txt", ".text"):
        what = f"is plain text (*{inner}{suffix}), which says neither columns nor labels"
        fix = "save it as .csv, .tsv, .jsonl or .json; or give a folder with a folder of such files per label"
    return DataError(what, where=str(path), fix=fix)


def missing(path: Path) -> DataError:
    """The error for a path that does not exist, with the sibling that was probably meant."""
    siblings = sorted(p.name for p in path.parent.iterdir()) if path.parent.is_dir() else []
    close = get_close_matches(path.name, siblings, n=1)
    return DataError(
        "there is no such file or folder",
        where=str(path),
        fix=f"did you mean {str(path.parent / close[0])!r}?" if close else "check the path",
    )


def refuse_bomb(path: Path) -> None:
    """Unpack once without keeping anything: a file that grows without measure must not reach a parser."""
    limit = max(FREE_EXPANSION, MOST_EXPANSION * path.stat().st_size)
    size = 0
    with gzip.open(path) as handle:
        for chunk in chunks_of(handle):
            size += len(chunk)
            if size > limit:
                raise DataError(
                    f"grows to more than {MOST_EXPANSION} times its size when unpacked",
                    where=str(path),
                    fix="if you trust it, unpack it yourself (gunzip) and give the unpacked file",
                )


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
