"""Predictions for texts, for lines as they arrive, and for files too large to hold: order and columns are kept.

predict_file(load("slmfit-demo"), Path("new.csv"), Path("answered.csv"))
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice, repeat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, Self

from slmfit import storage
from slmfit.data.columns import no_column
from slmfit.data.nested import nested
from slmfit.data.readers.lines import LONGEST_LINE, begun, decode
from slmfit.data.readers.rows import ending, is_table, read_rows, reading
from slmfit.data.texts import in_any_order
from slmfit.errors import DataError, SlmfitError, UsageError, Where
from slmfit.events import Listener
from slmfit.records import Input, Pair, Prediction
from slmfit.runs.learnt import learnt_texts, plain_text
from slmfit.runs.run import Run
from slmfit.runs.suggesting import Tool, tool_of
from slmfit.runs.tables import CONLL, JSON, kind_of, table
from slmfit.tasks.answers import BY, entities_of, names, prefix
from slmfit.tasks.common import find, text_column
from slmfit.tasks.spans import read_tokens
from slmfit.tasks.tagged import conll_block, tagged
from slmfit.text.figures import listed, number_of, part_of
from slmfit.timing.work import counted, told_to

_NUMBERED = re.compile(r"column \d+")
BATCH = 1000
STDIN = "standard input"
CHUNK = 2**16  # bytes read from a pipe at once, at most

Row = dict[str, Any]


def predict_texts(run: Run, texts: Sequence[str]) -> list[Row]:
    """One row per text: the text and the task's columns. Raises UsageError where a text is no input of the task."""
    return [{"text": t, **run.task.columns(p, t)} for t, p in zip(texts, run.predict(texts), strict=True)]


def predict_lines(run: Run, stream: IO[bytes], notes: list[str] | None = None) -> Iterator[Row]:
    """One row per line of a byte stream, as soon as the line is there. Blank lines are texts too.

    notes: filled with how many lines are blank, once all are answered.
    Raises DataError for a line that is not UTF-8, or that has no end in sight.
    """
    number, blank, rest = 0, 0, b""
    while True:
        chunk = os.read(stream.fileno(), CHUNK)
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop() if chunk else b""
        if not chunk and lines[-1] == b"":
            lines.pop()
        if lines and not number:
            lines[0] = begun(lines[0], STDIN)
        texts = [decode(line.removesuffix(b"\r"), STDIN, number + n) for n, line in enumerate(lines, 1)]
        number += len(texts)
        blank += sum(not text.strip() for text in texts)
        if texts:
            yield from predict_texts(run, texts)
        if len(rest) > LONGEST_LINE:
            what = f"this line is longer than {LONGEST_LINE:,} bytes"
            raise DataError(what, where=Where(STDIN, number + 1), fix="give one text a line")
        if not chunk:
            if blank and notes is not None:
                notes.append(_empty(STDIN, blank, number))
            return


def _empty(source: str | Path, empty: int, of: int) -> str:
    return f"{source}: {number_of(empty, 'row')} of {of:,} have an empty text, and are answered as such."


def predict_file(
    run: Run, source: str | Path, output: str | Path | None = None, *, columns: Mapping[str, str] | None = None,
    notes: list[str] | None = None, listen: Listener | None = None,
) -> int:  # fmt: skip
    """Answer every row of a file; returns how many. The output appears when all rows are answered.

    The file is read twice: what columns there are, so that none is lost and all answers stand under one name, is known
    only after its last row. A pipe is kept on disk in between.

    output: CSV, TSV, JSON or JSONL, each also .gz; of entities also CoNLL, which holds nothing but tokens, tags, text
    and intent; None = JSON lines to stdout. Where rows of an annotation tool go to JSON, the answers stand where the
    tool takes suggestions from. Tokens that a row came with get `tags`, too. columns: role -> column, such as
    {"text": "body"}; where not given, those that the run was fitted on, or what goes by a role's name. notes: filled
    with what was guessed of the file, how many rows have an empty text, and how many the run learnt from.
    Raises UsageError where the output is the input, for tags of what has no entities, and DataError with file and line
    for a row that has no input, and for a file whose texts are all empty beside a column of words, before anything is
    answered.
    """
    source, output = Path(source), None if output is None else Path(output)
    kind = kind_of(output)
    if kind == CONLL and not run.task.marks:
        raise UsageError(
            f"{run.task.name} has no tags", where=str(output), fix="end it in .csv, .tsv, .json or .jsonl (.gz)"
        )
    if output is not None and output.exists() and source.exists() and output.samefile(source):
        raise UsageError("is the input, too", where=str(output), fix="give another --output")
    said, count = notes if notes is not None else [], 0
    with _kept(source) as kept:
        own: dict[str, None] = {}
        seen = sum(1 for _ in looked_at(run, kept, source, columns or {}, said, own))
        sheet = Sheet.of(run, own, kind)
        tool = tool_of(kept, run.task) if kind in JSON else None
        tasks = tool.rows() if tool else repeat(None)
        if tool:
            said.append(suggested(source, tool))
        rows, again = _rows(run, kept, source, columns or {}, [], own), 0
        learnt = _learnt(run) if notes is not None else set()
        with table(output, sheet.own, sheet.ours) as write, counted(told_to(listen), "predicting", seen) as work:
            while batch := list(islice(rows, BATCH)):
                for row, named in answered(run, sheet, batch, tool, tasks):
                    write(row, named)
                if learnt:
                    again += sum(plain_text(in_any_order(run.task, input)) in learnt for _, input, _ in batch)
                count += len(batch)
                work.reached(count)
    if again:
        known = part_of(again, count, "row", "are")
        said.append(
            f"{source}: {known} among those that the run learnt from, and what it answers to them says nothing."
        )
    return count


@dataclass(frozen=True)
class Sheet:
    """How answers stand in the output, decided once over all rows.

    kind: csv, tsv, conll, json or jsonl. own: the user's columns. ours: those of the answers. before: what stands
    before their names, see `prefix`. tags: whether tokens that a row came with get some.
    """

    kind: str
    own: Sequence[str]
    ours: Sequence[str]
    before: str
    tags: bool

    @classmethod
    def of(cls, run: Run, own: Collection[str], kind: str) -> Self:
        """own: every column that any row has."""
        before, left_out = "" if kind == CONLL else prefix(own, run.task), () if kind in JSON else ("probabilities",)
        tags = bool(run.task.marks) and not set(own).isdisjoint(run.task.roles["tokens"])
        every = (*names(run.task), *([BY] if run.record.cascade else []), *(["tags"] if tags else []))
        return cls(kind, tuple(own), tuple(f"{before}{name}" for name in every if name not in left_out), before, tags)


def looked_at(
    run: Run, path: Path, source: Path, columns: Mapping[str, str], notes: list[str], own: dict[str, None]
) -> Iterator[Row]:
    """Every row of a file as the first of two readings sees it. own: filled with its columns.

    notes: filled with what was guessed of the file, and how many rows have an empty text, after the last.
    Raises DataError as `predict_file` does, after the last row for texts that are all empty.
    """
    worded, seen, empty = {}, 0, 0
    for where, input, row in _rows(run, path, source, columns, notes, own):
        if not seen:
            notes += _other_column(run, row, where, columns)
        own.update(dict.fromkeys(row))
        seen += 1
        if not run.task.text(input).strip() or (isinstance(input, Pair) and input.lacks):
            empty += 1
            worded.update(dict.fromkeys(name for name, cell in row.items() if _is_words(cell)))
        yield row
    notes += _nameless(own, source)
    if empty:
        _check_empty(empty, seen, list(worded), source)
        notes.append(_empty(source, empty, seen))


def answered(
    run: Run, sheet: Sheet, batch: Sequence[tuple[Where, Input, Row]], tool: Tool | None, tasks: Iterable[Row | None]
) -> Iterator[tuple[Row, Row]]:
    """The user's cells and ours of each row. tasks: the rows as a tool's file has them, of which one a row is taken."""
    answers = run.predict([input for _, input, _ in batch])
    left_out = () if sheet.kind in JSON else ("probabilities",)
    own = frozenset(sheet.own)
    for (where, input, row), answer, task in zip(batch, answers, tasks, strict=False):
        if not row.keys() <= own:
            raise DataError("changed while it was read", where=where, fix="run the same command again")
        found = {"outcome": "ok", **run.task.columns(answer, input)}
        if sheet.tags or sheet.kind == CONLL:
            found |= _tags(run, row, input, answer, sheet.kind)
        named = {f"{sheet.before}{name}": cell for name, cell in found.items() if name not in left_out}
        if tool and task:
            row, named = tool.written(task, row, named, answer, run.task.text(input))
        yield row, named


def suggested(source: Path, tool: Tool) -> str:
    """The sentence on where answers to a tool's rows stand."""
    return f"{source}: the answers stand where {tool.name} takes suggestions from."


def _learnt(run: Run) -> set[str]:
    """The texts that the run learnt from, as far as they are still there."""
    # What else lies in a run's folder may be damaged: its model answers all the same.
    with suppress(SlmfitError), storage.undamaged("what it learnt from"):
        return {plain_text(text) for text in learnt_texts(run)}
    return set()


def _tags(run: Run, row: Row, input: Input, answer: Prediction, kind: str) -> Row:
    """Tags as a column, of the tokens that a row has; or all of a row as CoNLL."""
    text, found = run.task.text(input), entities_of(answer.target)
    name, cell = find(row, [run.record.origin.columns.get("tokens", ""), *run.task.roles["tokens"]])
    offsets = None
    with suppress(DataError):  # tokens that do not make up the text, which was read instead
        offsets = None if cell is None else read_tokens(cell, text, Where("", column=name))[1]
    tokens, tags = tagged(text, found.spans, offsets)
    if kind == CONLL:
        return {CONLL: conll_block(text, found, tokens, tags)}
    return {"tags": None if offsets is None or answer.target is None else tags}


def _other_column(run: Run, row: Row, where: Where, columns: Mapping[str, str]) -> Iterator[str]:
    """That the text is read from another column than the run's own, where nobody asked for one."""
    used = run.record.origin.columns.get("text")
    if used is not None and used not in row and "text" not in columns:
        among = [role for role in ("text", "tokens") if role in run.task.roles]
        found = text_column(row, run.task.roles, run.record.origin.columns, where, among)
        yield f"{where.file}: there is no column {used!r}, as in the run's data; the texts are those of {found!r}."


def _is_words(cell: Any) -> bool:
    return isinstance(cell, str) and any(map(str.isalpha, cell))


def _check_empty(empty: int, rows: int, worded: Sequence[str], source: Path) -> None:
    """Raise DataError where no row has a text and another column has words: that will be the one that is meant."""
    if empty == rows and worded:
        what = f"the text is empty in every row, and there are words in {listed(worded)}"
        raise DataError(what, where=str(source), fix="name the column that holds the text: --column text=NAME")


def _nameless(own: Iterable[str], source: Path) -> Iterator[str]:
    """That columns without a name in a table's header get one: it stands in the output."""
    if is_table(source) and (named := [column for column in own if _NUMBERED.fullmatch(column)]):
        verb = "is" if len(named) == 1 else "are"
        yield f"{source}: what has no name in the header {verb} called {listed(named)}."


def _rows(
    run: Run, path: Path, source: Path, columns: Mapping[str, str], notes: list[str], own: Collection[str]
) -> Iterator[tuple[Where, Input, Row]]:
    """Place, what the model may see, and all that is to be written again, of every row.

    own: columns of the rows before, in which a row may lack one.
    """
    for where, row in read_rows(path, notes, str(source)):
        text = columns.get("text", run.record.origin.columns.get("text"))
        if text is not None and text in own and text not in row and "text" in run.task.required:
            raise DataError("the text is missing", where=where.at(text), fix="give text, or drop the row")
        input, more = input_of(run, row, where, columns)
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


def input_of(run: Run, row: Row, where: Where, columns: Mapping[str, str]) -> tuple[Input, Row]:
    """What the model may see of a row, and what the row lacks of it as a column."""
    row = row | nested(row, [*columns.values(), *run.record.origin.columns.values()])
    missing = next((column for column in columns.values() if column not in row), None)
    if missing is not None:
        raise no_column(missing, list(row), str(where))
    used = dict(run.record.origin.columns)
    if "text" in columns:
        used.pop("text_pair", None)  # the one that is named holds all of the text
    return run.task.seen(row, {**used, **columns}, where)
