"""CoNLL columns to rows: a token a line with its tag in the last column, an empty line after each text.

    EU      NNP  B-ORG          # intent = book          -DOCSTART- -X- O
    rejects VBZ  O              Rome  B-CITY

    for line, row in rows_of_conll(handle, "train.conll", notes): ...    # 1, {"tokens": ["EU", …], "tags": [...]}

The token is the first column; where that only counts (1, 2, 3 …), the second. Another column of tags, such as chunks or
outer entities, is kept by its number (`tags_3`). Columns stand apart by tabs if the first line has one, else by spaces.
Of comments, `# text = …` and `# intent = …` are read and the others skipped, and so is a first line that names the
columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from slmfit.data.readers.lines import Bytes, lines_of
from slmfit.errors import DataError, Where
from slmfit.tasks.schemes import Scheme
from slmfit.tasks.spans import BIO, split_tag
from slmfit.text.figures import number_of

_SPACES = re.compile("[ \t]+")  # not every white space: a no-break space may be part of a token
_WRONG = 0.1  # of the lines of a file of columns, at most
_COMMENT = re.compile("# +(text|intent) *[=:] ?(.*)")  # those that say something of a row

# What columns of a token a row are called.
TOKEN_NAMES = ("word", "token", "words", "tokens", "form")
TAG_NAMES = ("tag", "nertag", "ner_tag", "ner", "iob", "iobtag", "bio", "biotag", "entity", "label", "tags", "nertags",
             "ner_tags", "labels")  # fmt: skip

Line = tuple[int, str]


def rows_of_conll(handle: Bytes, file: str, notes: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line it starts on, {"tokens", "tags"} and what its comments say) of every text. Raises DataError."""
    yield from rows_of_columns(lines_of(handle, file), file, notes)


def rows_of_columns(lines: Iterable[str], file: str, notes: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The same of lines. Tokens with nothing in them are left out, and counted in `notes`."""
    shape: _Columns | None = None
    empty = 0
    known = dict[str, str]()  # words and tags come again and again, and are kept once: a third of the memory
    for block in _blocks(lines):
        if shape is None and (shape := _Columns.of(block)):
            shape.check(Where(file, block[0][0]))
            notes.append(
                f"{file}: tokens are column {shape.token + 1} of {shape.count}, their tags the last{shape.also}."
            )
        others = shape.others if shape else {}
        row: dict[str, Any] = {"tokens": [], "tags": [], **{name: [] for name in others}}
        for number, line in block:
            if said := _COMMENT.fullmatch(line):
                row[said[1]] = said[2]
            elif shape and not shape.is_comment(line):
                token, tag, cells = shape.read(line, Where(file, number))
                if token.strip(" \t"):
                    row["tokens"].append(known.setdefault(token, token))
                    row["tags"].append(known.setdefault(tag, tag))
                    for name, n in others.items():
                        row[name].append(known.setdefault(cells[n], cells[n]))
                else:
                    empty += 1
        if row["tokens"]:
            yield block[0][0], row
    notes += emptied(file, empty)


def emptied(file: str, empty: int) -> list[str]:
    """The sentence on tokens that are left out because there is nothing in them; none where there are none."""
    return [f"{file}: {number_of(empty, 'token')} with nothing in {'it' if empty == 1 else 'them'} left out."] * bool(
        empty
    )


def are_columns(lines: Sequence[str]) -> bool:
    """Whether lines that a file begins with are such columns by their look: as many in all, and tags in the last.

    One in ten may be wrong, and is told of when it is read. Where the first line names the columns, it may be that of a
    table: an empty line must tell texts apart, then.
    """
    shape: _Columns | None = None
    texts, right, wrong = 0, 0, 0
    for block in _blocks(lines):
        texts += 1
        shape = shape or _Columns.of(block)
        if shape is None:
            continue
        for number, line in block:
            if _COMMENT.fullmatch(line) or shape.is_comment(line):
                continue
            try:
                token, *_ = shape.read(line, Where("", number))
            except DataError:
                wrong += 1
                continue
            right += 1
            if shape.scheme.bare and " " in token:  # a table of texts may have a label O
                return False
    if shape is None or shape.count < 2 or (texts == 1 and _names_columns(lines[0])):
        return False
    return shape.scheme.plausible and wrong <= _WRONG * right * (not shape.scheme.bare)


class _Columns:
    """How the lines of a file are made: what stands between columns, how many there are, which one is the token."""

    def __init__(self, tabs: bool, count: int, token: int) -> None:
        self.tabs, self.count, self.token = tabs, count, token
        self.others: dict[str, int] = {}  # name -> column, of those that hold tags beside the last
        self.scheme = Scheme()

    @classmethod
    def of(cls, block: list[Line]) -> _Columns | None:
        """As the first text has it; None where it consists of comments. A hashtag is no comment: it has a tag."""
        lines = [line for _, line in block if not line.startswith("#") or _has_tag(line)]
        lines = [line for line in lines if not _COMMENT.fullmatch(line)]
        if not lines:
            return None
        found = cls("\t" in lines[0], 0, 0)
        rows = [found.cells(line) for line in lines]
        found.count = len(rows[0])
        counts = [cells[0] for cells in rows] == [str(n) for n in range(1, len(rows) + 1)]
        found.token = int(counts and found.count > 2)
        for n in range(found.count - 1):
            if n != found.token and all(len(cells) == found.count and _is_tag(cells[n]) for cells in rows):
                found.others[f"tags_{n + 1}"] = n
        return found

    def cells(self, line: str) -> list[str]:
        return line.split("\t") if self.tabs else _SPACES.split(line.strip(" \t"))

    def check(self, where: Where) -> None:
        if self.count < 2:
            fix = "write a token and its tag on each line, a tab between them, and an empty line after each text"
            raise DataError("this line has one column, and a token and its tag are needed", where=where, fix=fix)

    @property
    def also(self) -> str:
        """That other columns hold tags, too, as chunks stand beside entities; and how those are read."""
        if not self.others:
            return ""
        name, n = next(iter(self.others.items()))
        return f" (column {n + 1} holds tags, too: --column tags={name} reads those)"

    def is_comment(self, line: str) -> bool:
        if not line.startswith("#"):
            return False
        bare = self.scheme.bare and not line.startswith("# ")
        return len(cells := self.cells(line)) != self.count or not (bare or _is_tag(cells[-1]))

    def read(self, line: str, where: Where) -> tuple[str, str, list[str]]:
        """Token, tag and all cells of one line. Raises DataError."""
        cells = self.cells(line)
        if not self.tabs and line.startswith(" ") and len(cells) == self.count - 1:
            cells = ["", *cells]  # a line whose token is empty
        if len(cells) != self.count:
            what = f"this line has {len(cells)} column{'s' * (len(cells) != 1)}, but the first line has {self.count}"
            raise DataError(what, where=where, fix="write as many on every line, and no empty ones")
        try:
            self.scheme.look(cells[-1])
        except ValueError as error:
            raise DataError(str(error), where=where, fix=f"the tag is the last column; {BIO}") from None
        return cells[self.token], cells[-1], cells


def _names_columns(line: str) -> bool:
    """Whether a file's first line is a header."""
    cells = line.lower().split()
    return len(cells) > 1 and cells[0] in TOKEN_NAMES and cells[-1] in TAG_NAMES


def _is_tag(cell: str) -> bool:
    try:
        return bool(split_tag(cell))
    except ValueError:
        return False


def _has_tag(line: str) -> bool:
    _, *more = line.split("\t") if "\t" in line else _SPACES.split(line)
    return bool(more and more[-1][:2] in ("B-", "I-", "O") and _is_tag(more[-1]))


def _blocks(lines: Iterable[str]) -> Iterator[list[Line]]:
    """The lines between empty ones, each with its number; marks of where a document starts are left out."""
    block: list[Line] = []
    for number, line in enumerate(lines, 1):
        text = line.rstrip("\r\n")
        if number == 1 and _names_columns(text):
            continue
        if text.strip(" \t") and not text.startswith("-DOCSTART-"):
            block.append((number, text))
        elif block:
            yield block
            block = []
    if block:
        yield block
