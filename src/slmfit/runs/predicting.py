"""Predictions for texts, for lines as they arrive, and for files too large to hold: order and columns are kept.

predict_file(load("slmfit-demo"), Path("new.csv"), Path("answered.csv"))
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from slmfit.data.readers.lines import LONGEST_LINE
from slmfit.data.readers.rows import ending, read_rows, reading
from slmfit.errors import DataError, UsageError, Where
from slmfit.records import Input
from slmfit.runs.run import Run
from slmfit.runs.tables import kind_of, table
from slmfit.tasks.answers import answer_columns, names, prefix
from slmfit.text.figures import listed

BATCH = 1000
CHUNK = 2**16  # bytes read from a pipe at once, at most

Row = dict[str, Any]


def predict_texts(run: Run, texts: Sequence[str]) -> list[Row]:
    """One row per text: the text and `answer_columns`."""
    return [{"text": t, **answer_columns(p, t, run.task)} for t, p in zip(texts, run.predict(texts), strict=True)]


def predict_lines(run: Run, stream: IO[bytes]) -> Iterator[Row]:
    """One row per line of a byte stream, as soon as the line is there. Blank lines are texts too.

    Raises DataError for a line that is not UTF-8, or that has no end in sight.
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
        if len(rest) > LONGEST_LINE:
            what = f"this line is longer than {LONGEST_LINE:,} bytes"
            raise DataError(what, where=Where("standard input", number + 1), fix="give one text a line")
        if not chunk:
            return


def predict_file(run: Run, source: Path, output: Path | None, column: str | None = None) -> int:
    """Answer every row of a file; returns how many. The output appears when all rows are answered.

    The file is read twice: what columns there are, so that none is lost and all answers stand under one name, is known
    only after its last row. A pipe is kept on disk in between.

    output: CSV, TSV or JSONL, each also .gz; None = JSON lines to stdout. column: the one that holds the text; None =
    the one the run was fitted on, or one that goes by a text's name.
    Raises UsageError where the output is the input, and DataError with file and line for a row that has no text, before
    anything is answered.
    """
    kind = kind_of(output)
    if output is not None and output.exists() and source.exists() and output.samefile(source):
        raise UsageError("is the input, too", where=str(output), fix="give another --output")
    with _kept(source) as kept:
        own: dict[str, None] = {}
        for _, _, row in _rows(run, kept, source, column):
            own.update(dict.fromkeys(row))
        before, left_out = prefix(own, run.task), () if kind == "jsonl" else ("probabilities",)
        ours = [f"{before}{name}" for name in names(run.task) if name not in left_out]
        rows, count = _rows(run, kept, source, column), 0
        with table(output, list(own), ours) as write:
            while batch := list(islice(rows, BATCH)):
                answers = run.predict([input for _, input, _ in batch])
                for (where, input, row), answer in zip(batch, answers, strict=True):
                    if not row.keys() <= own.keys():
                        raise DataError("changed while it was read", where=where, fix="run the same command again")
                    found = {"outcome": "ok", **answer_columns(answer, input, run.task)}
                    write(row, {f"{before}{name}": cell for name, cell in found.items() if name not in left_out})
                count += len(batch)
    return count


def _rows(run: Run, path: Path, source: Path, column: str | None) -> Iterator[tuple[Where, Input, Row]]:
    """Place, what the model may see, and all that is to be written again, of every row."""
    for where, row in read_rows(path, [], str(source)):
        input, more = _input(run, row, where, column)
        yield where, input, {**row, **more}


@contextmanager
def _kept(source: Path) -> Iterator[Path]:
    """The file itself, or of a pipe a copy that lives as long: what comes out of a pipe comes once."""
    if not source.exists() or source.is_file() or source.is_dir() or ending(source) is None:
        yield source
        return
    with TemporaryDirectory(prefix="slmfit-") as folder:
        path = Path(folder) / source.name
        with reading(str(source)), source.open("rb") as pipe, path.open("wb") as copy:
            shutil.copyfileobj(pipe, copy)
        yield path


def _input(run: Run, row: Row, where: Where, column: str | None) -> tuple[Input, Row]:
    """What the model may see of a row: its text, or its tokens where it has none, then also as a column of its own."""
    roles = run.task.roles
    if "text" not in roles:
        return run.task.parse(row, where, "").input, {}
    used = run.record.dataset.get("source", {}).get("columns", {})
    for role in ("text", "tokens"):
        names = [column] if column else [used.get(role), *roles.get(role, ())]
        found = next((name for name in names if name in row), None)
        if found is not None:
            input = run.task.parse({role: row[found]}, where, "").input
            return input, {"text": input} if role == "tokens" else {}
    fix = f"name the column with --text COL; the columns are: {listed(list(row), 20, quoted=False)}"
    raise DataError("there is no column with a text", where=where, fix=fix)


def _decode(line: bytes, number: int) -> str:
    try:
        return line.removesuffix(b"\r").decode("utf-8")
    except UnicodeDecodeError as error:
        place = Where("standard input", number)
        fix = "convert it: iconv -f latin1 -t utf-8"
        raise DataError(f"byte {error.start + 1} is not UTF-8", where=place, fix=fix) from None
