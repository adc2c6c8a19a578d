"""Tables of a token a row, with a column that says whose sentence it is, to a row for each sentence.

Sentence #,Word,Tag                 {"Sentence #": "1", "tokens": ["fly", "Rome"], "tags": ["O", "B-CITY"]}
1,fly,O
,Rome,B-CITY                        an empty cell: the sentence goes on

for line, row in gathered(rows, "ner.csv", notes): ...
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice, pairwise
from typing import Any, NamedTuple

from slmfit.data.readers.conll_reader import TAG_NAMES, TOKEN_NAMES, emptied
from slmfit.errors import DataError, Where
from slmfit.tasks.schemes import Scheme
from slmfit.tasks.spans import BIO

Row = dict[str, Any]

_SENTENCE = {f"{name}{number}" for name in ("sentence", "sent")
             for number in ("", "#", "id", "idx", "index", "no", "nr", "num", "number")}  # fmt: skip
_DOCUMENT = {"docid", "documentid", "dockey", "document", "doc", "file", "filename", "split"}
_OF_TOKENS = {"id", "tokenid", "tokenidx", "wordid", "wordidx", "index", "pos", "postag", "lemma", "chunk", "chunktag",
              "column1"}  # fmt: skip
_LOOKED_AT = 500  # rows, by which it is judged


class _Columns(NamedTuple):
    keys: tuple[str, ...]  # the sentence's, and before it those of a document and a split
    token: str
    tag: str | None
    beside: tuple[str, ...]  # what is the same for all tokens of a sentence


def gathered(rows: Iterable[tuple[int, Row]], file: str, notes: list[str]) -> Iterator[tuple[int, Row]]:
    """The rows as they are, or where they are of a token each, those of sentences with the line that each starts on.

    Tokens with nothing in them are left out. Raises DataError for a tag that is none, at its own line, and for a
    sentence whose rows do not stand together.
    """
    rows = iter(rows)
    first = list(islice(rows, _LOOKED_AT))
    columns = _columns([row for _, row in first])
    whole = chain(first, rows)
    if columns is None:
        yield from whole
        return
    tags = f", its tag in {columns.tag!r}" if columns.tag else ""
    notes.append(f"{file}: a token a row, in {columns.token!r}{tags}; rows of one {columns.keys[-1]!r} are a text.")
    yield from _sentences(whole, columns, file, notes)


def _sentences(
    rows: Iterable[tuple[int, Row]], columns: _Columns, file: str, notes: list[str]
) -> Iterator[tuple[int, Row]]:
    scheme, empty = Scheme(), 0
    seen: dict[tuple[str, ...], int] = {}
    start, found = 0, Row()
    now: tuple[str, ...] = ("",) * len(columns.keys)
    for line, row in rows:
        key = _key(row, columns.keys, now)
        if not found or key != now:
            if key in seen:
                what = f"{columns.keys[-1]!r} {key[-1]!r} was there already, on line {seen[key]:,}"
                fix = "put the rows of a sentence together, and give each sentence a number of its own"
                raise DataError(what, where=Where(file, line, columns.keys[-1]), fix=fix)
            if found.get("tokens"):
                yield start, found
            seen[key] = start = line
            now = key
            found = {name: row.get(name) for name in columns.beside} | dict(zip(columns.keys, key, strict=True))
            found |= {"tokens": [], **({"tags": []} if columns.tag else {})}
        token = _said(row.get(columns.token))
        if not token:
            empty += 1
            continue
        found["tokens"].append(token)
        if columns.tag:
            found["tags"].append(_tag(row, columns.tag, scheme, Where(file, line, columns.tag)))
    if found.get("tokens"):
        yield start, found
    notes += emptied(file, empty)


def _key(row: Row, columns: Sequence[str], before: Sequence[str]) -> tuple[str, ...]:
    """Whose token it is; what is empty is as in the row before."""
    return tuple(_said(row.get(column)) or old for column, old in zip(columns, before, strict=True))


def _tag(row: Row, column: str, scheme: Scheme, where: Where) -> str:
    tag = _said(row.get(column))
    try:
        scheme.look(tag)
    except ValueError as error:
        raise DataError(str(error), where=where, fix=BIO) from None
    return tag


def _columns(rows: list[Row]) -> _Columns | None:
    """Which columns they are; None for rows of anything else."""
    if not rows or any(row.keys() != rows[0].keys() for row in rows):
        return None
    by_name = {_plain(column): column for column in reversed(rows[0])}
    sentence = next((column for name, column in by_name.items() if name in _SENTENCE), None)
    token = next((by_name[name] for name in TOKEN_NAMES if name in by_name), None)
    if sentence is None or token is None or not (_are_words(rows, token) and _are_ids(rows, sentence)):
        return None
    tag = next((by_name[name] for name in TAG_NAMES if name in by_name and _are_tags(rows, by_name[name])), None)
    rest = [column for column in rows[0] if column not in (sentence, token, tag)]
    if tag is None and not {_plain(column) for column in rest} <= _OF_TOKENS | _DOCUMENT:
        return None
    keys = (*(column for column in rest if _plain(column) in _DOCUMENT), sentence)
    return _with_beside(rows, keys, token, tag, [column for column in rest if column not in keys])


def _with_beside(
    rows: list[Row], keys: tuple[str, ...], token: str, tag: str | None, rest: Sequence[str]
) -> _Columns | None:
    """The columns, with those that say one thing of a sentence; None where no sentence has a second token."""
    now, of = ("",) * len(keys), []
    for row in rows:
        of.append(now := _key(row, keys, now))
    goes_on = [(one, two) for (one, key), (two, next) in pairwise(zip(rows, of, strict=True)) if key == next]
    beside = [column for column in rest if _plain(column) not in _OF_TOKENS]
    beside = [column for column in beside if all(_said(one[column]) == _said(two[column]) for one, two in goes_on)]
    return _Columns(keys, token, tag, tuple(beside)) if goes_on else None


def _plain(column: str) -> str:
    return "".join(c for c in column.lower() if c.isalnum() or c == "#")


def _are_words(rows: list[Row], column: str) -> bool:
    if not all(isinstance(row[column], str | int | float | None) for row in rows):
        return False
    words = [_said(row[column]) for row in rows]
    return not any(" " in word or (word.startswith(("[", "{")) and len(word) > 1) for word in words)


def _are_ids(rows: list[Row], column: str) -> bool:
    """Whether it says `Sentence: 7` or a number, and no sentence itself."""
    cells = [_said(row[column]) for row in rows]
    return bool(cells[0]) and all(len(cell.split()) < 3 and len(cell) < 64 for cell in cells)


def _are_tags(rows: list[Row], column: str) -> bool:
    """Whether what marks entities stands there: a wrong tag after right ones is told with its line."""
    scheme = Scheme()
    for row in rows:
        try:
            scheme.look(row[column] if isinstance(row[column], str) else "")
        except ValueError:
            break
    return scheme.plausible


def _said(cell: Any) -> str:
    """What a cell says; nothing where it is null, or no number."""
    if isinstance(cell, str):
        return cell.strip(" \t")
    return "" if cell is None or (isinstance(cell, float) and cell != cell) else str(cell)
