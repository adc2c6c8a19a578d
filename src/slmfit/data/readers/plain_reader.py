"""Text files (.txt) that hold more than texts, told by their shape: fastText's labels, CoNLL's columns.

__label__billing my card was charged twice          EU B-ORG
where is my parcel __label__delivery                rejects O

for line, row in rows_of_txt(handle, "train.txt", notes): ...        # 1, {"text": "my card …", "label": "billing"}
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice, takewhile
from pathlib import Path
from typing import Any

from slmfit.data.readers.conll_reader import are_columns, rows_of_columns
from slmfit.data.readers.csv_reader import SAMPLE
from slmfit.data.readers.json_reader import is_json
from slmfit.data.readers.lines import Bytes, lines_of
from slmfit.errors import DataError, Where

_LABEL = "__label__"
_BEFORE = re.compile(rf"(?:{_LABEL}\S*+[\s,]*+)*+")  # each once: a stranger's line may be long
_MARKS = " \t,"  # between labels and text, as some write them


def rows_of_txt(handle: Bytes, file: str, notes: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line, row). Raises DataError, saying what was seen, for a text that is neither."""
    lines = lines_of(handle, file)
    sample = list(islice(lines, SAMPLE))
    whole = chain(sample, lines)
    if are_columns(sample):
        yield from rows_of_columns(whole, file, notes)
    elif _has_labels(next((line for line in sample if line.strip()), "")):
        yield from _rows_of_fasttext(whole, file, notes)
    else:
        raise _strange(sample, file)


def _has_labels(line: str) -> bool:
    words = line.split()
    return bool(words) and (words[0].startswith(_LABEL) or words[-1].startswith(_LABEL))


def _rows_of_fasttext(lines: Iterable[str], file: str, notes: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """A line a row; labels stand before the text or after it. Several of one row are a list."""
    notes.append(f"{file}: the labels are those that begin with {_LABEL}, as fastText has them.")
    for number, line in enumerate(lines, 1):
        if text := line.strip():
            labels, rest = _apart(text)
            if not labels:
                what = f"this line neither begins nor ends with {_LABEL}"
                fix = f"write {_LABEL}NAME before the text, with a space between"
                raise DataError(what, where=Where(file, number), fix=fix)
            yield number, {"text": rest, "label": labels[0] if len(labels) == 1 else labels}


def _apart(text: str) -> tuple[list[str], str]:
    """The labels of a line, and its text."""
    end = _BEFORE.match(text).end()  # type: ignore[union-attr]
    words, rest = text[:end].split(), text[end:]
    if not end:
        count = sum(1 for _ in takewhile(lambda word: word.startswith(_LABEL), reversed(text.split())))
        rest, *words = text.rsplit(None, count)
        rest = rest.rstrip(_MARKS) if words else rest
    return [word.removeprefix(_LABEL).rstrip(",") for word in words if word.startswith(_LABEL)], rest


def nearest(path: Path) -> tuple[str, str] | None:
    """What the first lines of a file look like, and the ending that such files have; None for anything else."""
    try:
        with path.open("rb") as handle:
            sample = list(islice(lines_of(handle, str(path)), SAMPLE))
    except (OSError, DataError):
        return None
    return _looks(sample)


def _looks(sample: Sequence[str]) -> tuple[str, str] | None:
    lines = [line.strip() for line in sample if line.strip()]
    if not lines:
        return None
    if are_columns(sample):
        return "lines are tokens with their tags", ".conll"
    if _has_labels(lines[0]):
        return f"lines have fastText's {_LABEL}", ".txt"
    if lines[0].startswith(("{", "[")):
        return ("lines are JSON", ".jsonl") if lines[0][0] == "{" and is_json(lines[0]) else ("text is JSON", ".json")
    for mark, spoken, ending in (("\t", "tabs", ".tsv"), (";", "semicolons", ".csv"), (",", "commas", ".csv")):
        counts = {line.count(mark) for line in lines}
        if len(lines) > 1 and len(counts) == 1 and counts != {0}:
            return f"lines have {counts.pop() + 1} cells with {spoken} between", ending
    return None


def _strange(sample: Sequence[str], file: str) -> DataError:
    """The error for a text of which it is not said what its lines are."""
    if not any(line.strip() for line in sample):
        return DataError("is empty", where=file, fix="give a file with rows")
    seen = _looks(sample)
    if seen is None:
        what = "is plain text (*.txt), which says neither columns nor labels"
        fix = "save it as .csv, .tsv, .jsonl or .json; or give a folder with a folder of such files per label"
        return DataError(what, where=file, fix=fix)
    named = "if its first line names the columns, " if seen[1] in (".csv", ".tsv") else ""
    what = f"is plain text (*.txt), and its {seen[0]}"
    return DataError(what, where=file, fix=f"{named}rename it to NAME{seen[1]}")
