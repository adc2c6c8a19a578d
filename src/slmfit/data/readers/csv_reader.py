"""CSV and TSV to rows, strictly: what does not fit the header, or leaves a quotation mark open, is refused.

A header that stands between rows, as where files were put one after another, is no row.

for line, row in rows_of_csv(handle, "tickets.csv", notes): ...     # 2, {"text": "My card …", "label": "billing"}
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

from slmfit.data.readers.conll_reader import are_columns, rows_of_columns
from slmfit.data.readers.lines import Bytes, lines_of
from slmfit.errors import DataError, Where
from slmfit.text.figures import EXCERPT, number_of
from slmfit.text.visible import excerpt

LONGEST_TEXT = 1_000_000  # characters in one cell: a long novel
_COMMENTS = ("#", "//", "%", "--")
SAMPLE = 500  # lines by which quotation marks are judged
_SWALLOWED = 3  # whole lines in one cell by which it is asked whether they are rows
_SEP = re.compile(r"\"?sep=(\\t|.)\"?", re.IGNORECASE | re.DOTALL)
_SPOKEN = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}


def rows_of_csv(
    handle: Bytes, file: str, notes: list[str], delimiter: str = ","
) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line the row starts on, column -> cell). Blank lines are skipped. Raises DataError."""
    lines = lines_of(handle, file)
    sample = list(islice(lines, SAMPLE))
    if delimiter == "\t" and are_columns(sample):
        notes.append(f"{file}: this is no table with a header but tokens with their tags, so it is read as CoNLL.")
        yield from rows_of_columns(chain(sample, lines), file, notes)
        return
    skipped = next((n for n, line in enumerate(sample) if line.strip()), len(sample))
    named = _SEP.fullmatch(sample[skipped].strip(" \r\n")) if skipped < len(sample) else None
    if named:  # as Excel writes it
        sample = sample[skipped + 1 :]
    header = next((line for line in sample if line.strip()), "")
    if not header:
        raise DataError("is empty", where=file, fix="give a file with a header line and rows")
    if named:
        delimiter = named[1].replace("\\t", "\t")
        notes.append(f"{file}: cells are split at each {_spoken(delimiter)}, as its first line says.")
    else:
        delimiter = _delimiter(header, sample, delimiter, file, notes)
    quoting: Any = csv.QUOTE_MINIMAL
    if (
        delimiter == "\t"
        and not _rectangular(sample, delimiter, csv.QUOTE_MINIMAL)
        and _rectangular(sample, delimiter, csv.QUOTE_NONE)
    ):
        notes.append(f"{file}: quotation marks are read as ordinary characters.")
        quoting = csv.QUOTE_NONE
    # The limit is one number for the whole process and too small by default, so it is only ever raised.
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_TEXT))
    reader = csv.reader(chain(sample, lines), delimiter=delimiter, quoting=quoting, strict=True)
    columns: list[str] = []
    header_cells: list[str] = []
    repeated, header_line = 0, 1
    before = skipped + 1 if named else 0
    start = before + 1
    try:
        for cells in reader:
            if cells and not columns:
                columns, header_cells, header_line = _header(cells, Where(file, start)), cells, start
            elif len(cells) > 1 and _folded(cells) == _folded(header_cells):
                repeated += 1
            elif cells:
                if len(cells) != len(columns):
                    raise _ragged(cells, header_cells, header_line, delimiter, Where(file, start))
                if before + reader.line_num - start > _SWALLOWED:
                    _refuse_swallowed(cells, delimiter, Where(file, start))
                yield start, dict(zip(columns, cells, strict=True))
            start = before + reader.line_num + 1
    except csv.Error as error:
        raise _broken(str(error), Where(file, start)) from None
    if repeated:
        lines_again = "1 line that repeats" if repeated == 1 else f"{repeated:,} lines that repeat"
        notes.append(f"{file}: {lines_again} the header {'is' if repeated == 1 else 'are'} left out.")


def rows_of_tsv(handle: Bytes, file: str, notes: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """As `rows_of_csv`. Quotation marks are ordinary characters where they cannot be anything else."""
    return rows_of_csv(handle, file, notes, delimiter="\t")


def _delimiter(header: str, sample: list[str], usual: str, file: str, notes: list[str]) -> str:
    """What stands between cells: the usual one unless the header lacks it, or it alone leaves rows of unlike length."""
    others = [d for d in ";\t,|" if d != usual and d in header]
    fitting = [d for d in others if _rectangular(sample, d, csv.QUOTE_MINIMAL) and len(_cells(header, d)) > 1]
    if usual not in header and others:
        found = (fitting or others)[0]
        notes.append(f"{file}: the header has no {_SPOKEN[usual]}, so cells are split at each {_SPOKEN[found]}.")
        return found
    quotings = (csv.QUOTE_MINIMAL, csv.QUOTE_NONE) if usual == "\t" else (csv.QUOTE_MINIMAL,)
    if fitting and not any(_rectangular(sample, usual, quoting) for quoting in quotings):
        found, at = fitting[0], f"split at each {_SPOKEN[usual]}, its rows are of unlike length"
        notes.append(f"{file}: cells are split at each {_SPOKEN[found]}: {at}.")
        return found
    return usual


def _folded(cells: list[str]) -> list[str]:
    """The cells of a header whatever its case, and without the mark that begins a file."""
    return [cell.removeprefix("\ufeff").strip().casefold() for cell in cells]


def _cells(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter), [])


def _spoken(delimiter: str) -> str:
    return _SPOKEN.get(delimiter, repr(delimiter))


def _header(cells: list[str], where: Where) -> list[str]:
    """Column names without the spaces around them; a nameless one (pandas' index) is called by its number."""
    columns = [cell.strip() or f"column {number}" for number, cell in enumerate(cells, 1)]
    places: dict[str, int] = {}
    for number, column in enumerate(columns, 1):
        first = places.setdefault(column, number)
        if first < number:
            raise DataError(
                f"the header names {column!r} twice (columns {first} and {number})",
                where=where,
                fix="rename one of the two columns",
            )
    return columns


def _rectangular(sample: list[str], delimiter: str, quoting: Any) -> bool:
    """Whether all rows of the sample have the same number of cells. Its last row may be cut off."""
    widths = set()
    try:
        for cells in csv.reader(sample, delimiter=delimiter, quoting=quoting, strict=True):
            widths.add(len(cells))
    except csv.Error as error:
        if "unexpected end" not in str(error) or len(sample) < SAMPLE:
            return False
    return len(widths - {0}) == 1


def _refuse_swallowed(cells: list[str], delimiter: str, where: Where) -> None:
    """Raise DataError for a cell that holds rows: two stray quotation marks swallow what stands between them.

    Its whole lines have as many cells as a row, and in some column these say the same again and again, as labels do, or
    are all numbers, as ids are.
    """
    for cell in cells:
        lines = [line.split(delimiter) for line in cell.split("\n")[1:-1]]
        if len(lines) < _SWALLOWED or any(len(line) != len(cells) for line in lines) or len(cells) < 2:
            continue
        for column in zip(*lines, strict=True):
            values = [value.strip() for value in column]
            if all(values) and (2 * len(set(values)) <= len(values) or all(map(str.isdecimal, values))):
                what = f"a cell of this row holds {len(lines):,} lines that are rows by their look"
                fix = 'close its quotation mark, or double it ("") if it belongs to the text'
                raise DataError(what, where=where, fix=fix)


def _ragged(cells: list[str], header: list[str], header_line: int, delimiter: str, where: Where) -> DataError:
    """The error for a row of another length than the header, which may be none: a title above it, or a comment."""
    fix = f"put quotation marks around a cell that holds a {_spoken(delimiter)} or a line break"
    if len(header) < len(cells) and (len(header) == 1 or header[0].startswith(_COMMENTS)):
        title = excerpt(delimiter.join(header), EXCERPT)
        fix = f"if line {header_line} is no header ({title!r}), remove it; else {fix}"
    what = f"this row has {number_of(len(cells), 'cell')}, but the header has {len(header)}"
    return DataError(what, where=where, fix=fix)


def _broken(error: str, where: Where) -> DataError:
    if "unexpected end" in error:
        return DataError(
            "a quotation mark that opens in this row is never closed",
            where=where,
            fix='close it, or double it ("") if it belongs to the text',
        )
    if "field limit" in error:
        return DataError(
            f"a cell that starts in this row is longer than {LONGEST_TEXT:,} characters",
            where=where,
            fix="close the quotation mark that is left open, or shorten the text",
        )
    if "expected after" in error:
        return DataError(
            "there is text right after a closing quotation mark",
            where=where,
            fix='double the quotation marks inside a quoted cell: "She said ""no"""',
        )
    return DataError(f"this is not CSV ({error})", where=where, fix="export the table again as CSV (UTF-8)")
