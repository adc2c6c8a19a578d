"""Rows with their answers to CSV, TSV, JSON, JSON lines or CoNLL: the user's cells as they stand, ours beside them.

    with table(Path("answered.csv"), ["id", "text"], ["prediction"]) as write:
        write({"id": "7", "text": "my card was charged twice"}, {"prediction": "billing"})

The columns are given before the first row, so none is lost on the way.
"""

from __future__ import annotations

import gzip
import io
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO, Any

from slmfit import storage, streams
from slmfit.data.readers.rows import ending
from slmfit.errors import UsageError
from slmfit.text.cells import guarded
from slmfit.text.numerals import to_json
from slmfit.text.visible import json_shown

CONLL = "conll"
JSON = ("json", "jsonl")  # kinds that hold anything
Row = dict[str, Any]
Write = Callable[[Row, Row], None]


def kind_of(output: Path | None) -> str:
    """csv, tsv, conll, json or jsonl: by the ending, JSON lines into what is no file. Raises UsageError for another."""
    if output is None:
        return "jsonl"
    kind = ending(output)
    if kind is None and streams.is_stream(output):
        return "jsonl"
    if kind not in ("csv", "tsv", "json", "jsonl", "ndjson", "conll"):
        fix = "end it in .csv, .tsv, .json or .jsonl (.gz), or of entities in .conll"
        raise UsageError("this kind of file is not written", where=str(output), fix=fix)
    return "jsonl" if kind == "ndjson" else kind


@contextmanager
def table(output: Path | None, own: Sequence[str], ours: Sequence[str]) -> Iterator[Write]:
    """A function that writes one row: the user's cells, and ours. The file appears when all went well.

    output: None = stdout. own, ours: the columns, of the whole file.
    """
    kind = kind_of(output)
    if output is None:
        yield lambda row, answer: print(json_shown(to_json({**row, **answer})))
        sys.stdout.flush()
        return
    with storage.output(output) as raw:
        zipped = output.name.lower().endswith(".gz")
        with gzip.GzipFile("", "wb", fileobj=raw, mtime=0) if zipped else nullcontext(raw) as file:
            text = io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", newline="")
            if kind == "json":
                yield _listed(text)
                text.write("\n]\n")
            elif kind in ("jsonl", CONLL):
                yield _lines(text, kind)
            else:
                yield _cells(text, own, ours, "\t" if kind == "tsv" else ",")
            text.detach()  # flushes, and leaves the file open to whoever opened it


def _lines(file: IO[str], kind: str) -> Write:
    """Rows as JSON lines, or as CoNLL has them the one cell `CONLL`."""

    def write(row: Row, answer: Row) -> None:
        file.write(answer[CONLL] if kind == CONLL else to_json({**row, **answer}) + "\n")

    return write


def _listed(file: IO[str]) -> Write:
    """Rows as one list, a row a line."""
    between = iter(("[\n",))

    def write(row: Row, answer: Row) -> None:
        file.write(next(between, ",\n") + to_json({**row, **answer}))

    return write


def _cells(file: IO[str], own: Sequence[str], ours: Sequence[str], delimiter: str) -> Write:
    quoted = re.compile(f'[{delimiter}"\r\n]|^\\s|\\s$')

    def line(cells: list[str]) -> None:
        file.write(delimiter.join('"' + c.replace('"', '""') + '"' if quoted.search(c) else c for c in cells) + "\n")

    def write(row: Row, answer: Row) -> None:
        if strange := [name for name in answer if name not in known]:
            raise AssertionError(f"an answer has a column that was not told: {strange}")
        line([_cell(row.get(name)) for name in own] + [guarded(_cell(answer.get(name))) for name in ours])

    known = frozenset(ours)
    line([*own, *ours])
    return write


def _cell(value: Any) -> str:
    """Text as it is; what JSON has as JSON writes it, a date or a decimal as itself; nothing for null."""
    if value is None:
        return ""
    return to_json(value) if isinstance(value, bool | int | float | list | tuple | dict) else str(value)
