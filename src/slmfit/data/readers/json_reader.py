"""JSON and JSON lines to rows, each with the line it starts on.

[{"text": "…", "label": "billing"}, …]        {"data": [{"text": …}, …], "version": 1}
{"text": "…", "label": "billing"}             one object a line
{"train": [{"text": …}, …], "test": […]}      all splits                    and pandas' shapes: see frames.py
["fly to Rome", {"entities": [[7, 11, "CITY"]]}]         spaCy's pair, for an object with these keys and `text`
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from slmfit.data.readers.frames import rows_of_frame
from slmfit.data.readers.lines import Bytes, lines_of, text_of
from slmfit.data.readers.split_names import SPLIT_NAMES
from slmfit.errors import DataError, Where
from slmfit.tasks.common import refuse_halves
from slmfit.text.figures import listed, number_of
from slmfit.text.numerals import numeral

_SPACE = re.compile(r"[ \t\n\r]*")
_ROWS = ("rows", "data", "examples", "utterances")  # beside lists of columns, intents and the like
_MAYBE_HALF = re.compile(r"\\u[dD][89a-fA-F]")


def rows_of_jsonl(handle: Bytes, file: str, notes: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line, object) of every line that is not blank, or of one JSON list. Raises DataError."""
    lines = lines_of(handle, file)
    start: list[str] = []
    for line in lines:
        start.append(line)
        if line.strip():
            break
    if start and _opens_more(start[-1]):
        text = "".join([*start, *lines])
        if start[-1].strip() == "{" and not is_json(text):
            fix = "write each on a line of its own: jq -c . OLD > NEW"
            raise DataError("an object goes over several lines", where=Where(file, len(start)), fix=fix)
        notes.append(f"{file}: this is no object a line but one value, so it is read as JSON.")
        yield from _rows_of_text(text, file, notes)
        return
    yield from _rows_of_lines(chain(start, lines), file, notes)


def rows_of_json(handle: Bytes, file: str, notes: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line, object) of a list of objects, or of the one list of objects that an object holds. Raises DataError."""
    yield from _rows_of_text(text_of(handle, file), file, notes)


def _rows_of_text(text: str, file: str, notes: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    if _is_json_lines(text):
        notes.append(f"{file}: this is one object a line, so it is read as JSON lines.")
        yield from _rows_of_lines(re.split("\r\n|\r|\n", text), file, notes)
        return
    value = parse_json(text, file)
    start = _after_space(text, 0)
    while isinstance(value, dict) and len(value) == 1 and isinstance(inner := next(iter(value.values())), dict):
        [(_, start)], value = _members(text, start), inner  # as Rasa has it
    named = {"": ""}  # the split of each list of rows that is read
    if isinstance(value, dict):
        if (rows := rows_of_frame(value)) is not None:
            refuse_halves(rows, Where(file))
            notes.append(
                f"{file}: one object holds a table: its columns, its rows by their names, or a list for each label."
            )
            yield from enumerate(rows, 1)
            return
        named = _lists_of_objects(value, file)
        split = len(named) > 1
        notes.append(
            f"{file}: the {'splits are the lists' if split else 'rows are the list'} under {listed(list(named))}."
        )
    elif not isinstance(value, list):
        raise DataError(
            f"holds {_spoken(value)}, not a list of objects", where=file, fix='write [{"text": …, "label": …}, …]'
        )
    del value  # the walk below reads it again, for the places
    half = bool(_MAYBE_HALF.search(text))
    line, counted, twice = 1, 0, _Twice()
    starts = {"": start} if "" in named else {k: at for k, at in _members(text, start) if k in named}
    for key, start in starts.items():
        for at, end, element in _elements(text, start):
            line, counted = line + _breaks(text, counted, at), at
            twice.look(text[at:end], element, line)
            row = _row(element, Where(file, line), half)
            yield line, row | {"split": named[key]} if named[key] else row
    twice.note(file, notes)


def _rows_of_lines(lines: Iterable[str], file: str, notes: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    twice = _Twice()
    for number, line in enumerate(lines, 1):
        if line.strip():
            text = line.rstrip().removeprefix("\ufeff")  # as where files were put one after another
            value = parse_json(text, file, number)
            twice.look(text, value, number)
            yield number, _row(value, Where(file, number), bool(_MAYBE_HALF.search(line)))
    twice.note(file, notes)


class _Twice:
    """Objects with two members of one key, of which Python reads the last, counted."""

    def __init__(self) -> None:
        self._count, self._first = 0, ""
        self._decode = json.JSONDecoder(object_pairs_hook=self._object).decode

    def look(self, text: str, value: Any, line: int) -> None:
        """Count those in the text of one row, which holds this value."""
        if type(value) is dict and text.count('":') + text.count('" :') == _keys(value):
            return  # the usual case, without reading the row twice
        before = self._count
        self._decode(text)
        if not before and self._count:
            self._first += f" on line {line}"

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            if not self._count:
                self._first = repr(next(key for n, (key, _) in enumerate(pairs) if key in dict(pairs[:n])))
            self._count += 1
        return found

    def note(self, file: str, notes: list[str]) -> None:
        """Say how many there were, and which was the first."""
        if self._count:
            objects = number_of(self._count, "object", "name")
            notes.append(f"{file}: {objects} a key twice, and the last one counts: {self._first}.")


def _keys(value: dict[str, Any]) -> int:
    """Of an object and of those that stand in lists in it."""
    lists = [cell for cell in value.values() if type(cell) is list]
    return len(value) + sum(len(item) for cell in lists for item in cell if type(item) is dict)


def parse_json(text: str, file: str, line: int = 1) -> Any:
    """`json.loads` whose errors are a DataError with line and character; `line` is where the text starts."""
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise DataError(
            f"broken JSON at character {error.colno}: {error.msg}",
            where=Where(file, line + error.lineno - 1),
            fix=_remedy(error),
        ) from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits; thousands of open brackets
        raise DataError(f"JSON that cannot be read ({error})", where=Where(file, line), fix="mend or drop it") from None


def _remedy(error: json.JSONDecodeError) -> str:
    rest = error.doc[error.pos : error.pos + 20].strip()
    if error.doc.lstrip().startswith(("//", "#")):
        return "remove the line: JSON has no comments"
    if error.msg == "Extra data" and rest == ",":
        return "remove the comma at the end of the line"
    if error.msg == "Extra data" and rest.startswith("{"):
        return "one object follows another: make a list of them, or one a line in a .jsonl file (jq -c . OLD > NEW)"
    return "mend it there; a comma, quotation mark or bracket is often missing just before"


def _unpaired(value: Any) -> Any:
    """spaCy's pair of a text and what is known of it as one object; anything else as it is."""
    match value:
        case [str(text), {**known}]:
            return {**known, "text": text}
    return value


def _row(value: Any, where: Where, maybe_half: bool) -> dict[str, Any]:
    value = _unpaired(value)
    if not isinstance(value, dict):
        raise DataError(
            f"a row must be an object, and this is {_spoken(value)}",
            where=where,
            fix='write each row as {"text": …, "label": …}',
        )
    if maybe_half:
        refuse_halves(value, where)
    return value


def is_json(text: str) -> bool:
    """Whether a text is one value."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _opens_more(line: str) -> bool:
    """Whether a list of rows, or an object, begins with this line, which is no row itself as spaCy's pair is."""
    if line.strip() == "{":
        return True
    if not line.lstrip().startswith("["):
        return False
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return line.strip() == "[" or line.lstrip("[ \t").startswith("{")
    return bool(value) and isinstance(value, list) and all(isinstance(_unpaired(item), dict) for item in value)


def _is_json_lines(text: str) -> bool:
    """Whether a second object follows the first on a line of its own."""
    first, _, rest = text.lstrip().partition("\n")
    if not (first.startswith("{") and rest.lstrip().startswith("{")):
        return False
    try:
        return isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False


def _lists_of_objects(value: dict[str, Any], file: str) -> dict[str, str]:
    """The key of the one list of objects, or of those that by name are splits, train among them, with their splits.

    Raises DataError where none or several can be meant.
    """
    keys = [k for k, v in value.items() if isinstance(v, list) and v and isinstance(_unpaired(v[0]), dict)]
    splits = {key: SPLIT_NAMES[key.lower()] for key in keys if key.lower() in SPLIT_NAMES}
    if len(splits) > 1 and len(set(splits.values())) == len(keys) and "train" in splits.values():
        return splits
    if splits and len(keys) > 1:
        what = f"holds {len(keys)} lists of objects ({listed(keys)}), and {listed(list(splits))} by name a split each"
        fix = "write each split into a file of its own, as train.json and test.json, and give their folder"
        raise DataError(what, where=file, fix=fix)
    rows = keys if len(keys) == 1 else [key for key in keys if key in _ROWS]
    if len(rows) == 1:
        return {rows[0]: ""}
    if not keys:
        raise DataError(
            "holds an object without a list of objects in it",
            where=file,
            fix='write [{"text": …, "label": …}, …], or one object a line in a .jsonl file',
        )
    raise DataError(
        f"holds {len(keys)} lists of objects ({', '.join(map(repr, keys[:5]))})", where=file, fix="keep one list a file"
    )


def _spoken(value: Any) -> str:
    kinds = {list: "a list", dict: "an object", str: "a text", int: "a number", float: "a number", bool: "a yes or no"}
    return kinds.get(type(value), "null")


# --- places: where in a sound JSON text the members and elements start -----------------------------------------------

_DECODER = json.JSONDecoder(parse_float=numeral)  # a row may be written again, as it was


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _members(text: str, at: int) -> Iterator[tuple[str, int]]:
    """(key, start of its value) of the object that starts at `at`."""
    at = _after_space(text, at + 1)
    while text[at] != "}":
        key, at = _DECODER.raw_decode(text, at)
        at = _after_space(text, _after_space(text, at) + 1)
        yield key, at
        _, at = _DECODER.raw_decode(text, at)
        at = _after_space(text, at)
        at = _after_space(text, at + 1) if text[at] == "," else at


def _elements(text: str, at: int) -> Iterator[tuple[int, int, Any]]:
    """(start, end, value) of every element of the list that starts at `at`."""
    at = _after_space(text, at + 1)
    while text[at] != "]":
        value, end = _DECODER.raw_decode(text, at)
        yield at, end, value
        at = _after_space(text, end)
        at = _after_space(text, at + 1) if text[at] == "," else at


def _breaks(text: str, start: int, end: int) -> int:
    """Line breaks in a stretch of JSON, where they only stand between tokens; a lone \\r is one, too."""
    newlines = text.count("\n", start, end)
    return newlines + text.count("\r", start, end) - text.count("\r\n", start, end)
