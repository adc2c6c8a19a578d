"""Predictions for texts, for lines as they arrive, and for files too large to hold: order and columns are kept.

predict_file(load("slmfit-demo"), Path("new.csv"), Path("answered.csv"))
"""

from __future__ import annotations

import csv
import gzip
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any

from slmfit.data.columns import no_column
from slmfit.data.readers.rows import ending, read_rows
from slmfit.errors import DataError, SlmfitError, UsageError, Where
from slmfit.records import Input
from slmfit.runs.run import Run
from slmfit.tasks.answers import apart, clashes

BATCH = 1000
CHUNK = 2**16  # bytes read from a pipe at once, at most

Row = dict[str, Any]


def predict_texts(run: Run, texts: Sequence[str]) -> list[Row]:
    """One row per text: the text and the task's columns. Raises UsageError where a text is no input of the task."""
    return [{"text": t, **run.task.columns(p, t)} for t, p in zip(texts, run.predict(texts), strict=True)]


def predict_lines(run: Run, stream: IO[bytes]) -> Iterator[Row]:
    """One row per line of a byte stream, as soon as the line is there. Blank lines are texts too.

    Raises DataError for a line that is not UTF-8.
    """
    number, rest = 0, b""
    while True:
        chunk = os.read(stream.fileno(), CHUNK)
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop() if chunk else b""
        if not chunk and lines[-1] == b"":
            lines.pop()
        texts = [_decode(line, number + n) for n, line in enumerate(lines, 1)]
        number += len(texts)
        if texts:
            yield from predict_texts(run, texts)
        if not chunk:
            return


def predict_file(
    run: Run, source: str | Path, output: str | Path | None = None, *, columns: Mapping[str, str] | None = None
) -> int:
    """Answer every row of a file; returns how many. The output appears when all rows are answered.

    output: CSV, TSV or JSONL, each also .gz; None = JSON lines to stdout. columns: role -> column, such as
    {"text": "body"}; where not given, those that the run was fitted on, or what goes by a role's name.
    Raises DataError with file and line for a row that has no input, and leaves no output behind.
    """
    output = None if output is None else Path(output)
    rows = read_rows(source, [])
    count, clashed = 0, False
    with _writer(output) as write:
        while batch := list(islice(rows, BATCH)):
            inputs, added = zip(*(_input(run, row, where, columns or {}) for where, row in batch), strict=True)
            found = zip(run.predict(inputs), inputs, strict=True)
            answers = [{"outcome": "ok", **run.task.columns(answer, input)} for answer, input in found]
            answered = [(row, answer) for (_, row), answer in zip(batch, answers, strict=True)]
            clashed = clashed or any(clashes(row, answer, run.task) for row, answer in answered)
            for (row, answer), more in zip(answered, added, strict=True):
                write({**row, **more, **(apart(answer) if clashed else answer)})
            count += len(batch)
    return count


def _input(run: Run, row: Row, where: Where, columns: Mapping[str, str]) -> tuple[Input, Row]:
    """What the model may see of a row, and what the row lacks of it as a column."""
    missing = next((column for column in columns.values() if column not in row), None)
    if missing is not None:
        raise no_column(missing, list(row), str(where))
    used = dict(run.record.origin.columns)
    if "text" in columns:
        used.pop("text_pair", None)  # the one that is named holds all of the text
    return run.task.seen(row, {**used, **columns}, where)


@contextmanager
def _writer(output: Path | None) -> Iterator[Callable[[Row], None]]:
    """A function that writes one row; the file appears under its name when all went well."""
    if output is None:
        yield lambda row: print(json.dumps(row, ensure_ascii=False))
        return
    kind = ending(output)
    if kind not in ("csv", "tsv", "jsonl", "ndjson"):
        raise UsageError(
            "this kind of file is not written", where=str(output), fix="end it in .csv, .tsv or .jsonl (.gz)"
        )
    partial = output.with_name(f".{output.name}.{os.getpid()}.partial")
    try:
        opener = gzip.open if output.name.endswith(".gz") else open
        with opener(partial, "wt", encoding="utf-8", newline="") as file:
            yield _csv_writer(file, "\t" if kind == "tsv" else ",") if kind in ("csv", "tsv") else _jsonl_writer(file)
        partial.replace(output)
    except OSError as error:
        fix = "check the folder, and the space left on its disk"
        raise SlmfitError(f"could not be written: {error.strerror}", where=str(output), fix=fix) from None
    finally:
        partial.unlink(missing_ok=True)


def _jsonl_writer(file: IO[str]) -> Callable[[Row], None]:
    return lambda row: print(json.dumps(row, ensure_ascii=False), file=file)


def _csv_writer(file: IO[str], delimiter: str) -> Callable[[Row], None]:
    """CSV keeps the columns of the first row; what is not text or number is written as JSON."""
    writer: csv.DictWriter[str] | None = None

    def write(row: Row) -> None:
        nonlocal writer
        flat = {k: _cell(v) for k, v in row.items() if not k.endswith("probabilities")}
        if writer is None:
            writer = csv.DictWriter(file, list(flat), delimiter=delimiter, lineterminator="\n", extrasaction="ignore")
            writer.writeheader()
        writer.writerow(flat)

    return write


def _cell(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float) else json.dumps(value, ensure_ascii=False)


def _decode(line: bytes, number: int) -> str:
    try:
        return line.removesuffix(b"\r").decode("utf-8")
    except UnicodeDecodeError as error:
        place = Where("standard input", number)
        fix = "convert it: iconv -f latin1 -t utf-8"
        raise DataError(f"byte {error.start + 1} is not UTF-8", where=place, fix=fix) from None
