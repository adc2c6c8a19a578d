"""Ten texts with a label and ten with marks: emoji, right-to-left, nothing at all, marks at both ends, odd labels.

MARKED[0]           # Marked("🙂 fly to Rome", ((9, 13, "CITY"),))
tags(MARKED[0])     # ["O", "O", "O", "B-CITY"]
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from whole_files import as_csv

Mark = tuple[int, int, str]


class Said(NamedTuple):
    """A text and its label."""

    text: str
    label: str


class Marked(NamedTuple):
    """A text and what is marked in it."""

    text: str
    marks: tuple[Mark, ...]

    @property
    def tokens(self) -> list[str]:
        return self.text.split()


SAID = [
    Said("🙂 my card was charged twice 👩\u200d🚀", "billing"), Said("أين طردي؟", "تسليم"), Said("", "billing"),
    Said("a", "a/b c"), Said('say "hi", or; | \'x\'', "🙂"), Said("two\nlines\there", "None"),
    Said("e\u0301te\u0301 \u200fשלום", "تسليم"), Said('{"a": [1]}', "a/b c"), Said("x #1 , O -DOCSTART-", "None"),
    Said("-", "🙂"),
]  # fmt: skip
_WRITTEN = [  # the marks as [words|label]
    "🙂 fly to [Rome|CITY]", "[روما|مدينة] جميلة", "", "nothing in here", "[Oslo|CITY]",
    "👩\u200d🚀 in [New York|CITY] [today|DAY/TIME]", "[Kyiv|B-52] [Lima|O]",
    'say "hi" to [e\u0301te\u0301|I-94] , # 1',
    "O B-CITY [שלום|_] \u200fO", "* [Bern|CITY] [Bern|CITY] 🙂",
]  # fmt: skip


def marked(written: str) -> Marked:
    text, marks = "", []
    for before, words, label in re.findall(r"([^\[]*)(?:\[([^|]*)\|([^\]]*)\])?", written):
        text += before
        if words:
            marks.append((len(text), len(text) + len(words), label))
        text += words
    return Marked(text, tuple(marks))


MARKED = [marked(written) for written in _WRITTEN]


def units(text: str, at: int) -> int:
    """An offset as browsers count it."""
    return len(text[:at].encode("utf-16-le")) // 2


def token_marks(row: Marked) -> list[tuple[int, int, str]]:
    """First token, the one after the last, label."""
    return [(len(row.text[:s].split()), len(row.text[:e].split()), label) for s, e, label in row.marks]


def tags(row: Marked, begin: str = "B-", inside: str = "I-", end: str = "I-", single: str = "B-") -> list[str]:
    found = ["O"] * len(row.tokens)
    for first, after, label in token_marks(row):
        for i in range(first, after):
            only = after - first == 1
            found[i] = (single if only else begin if i == first else end if i == after - 1 else inside) + label
    return found


def triples(row: Marked) -> list[list[Any]]:
    return [[s, e, label] for s, e, label in row.marks]


def spans(row: Marked, start: str = "start", end: str = "end", label: str = "label") -> list[dict[str, Any]]:
    return [{start: s, end: e, label: name} for s, e, name in row.marks]


def conll(separator: str, *schemes: str, head: str = "") -> Callable[[list[Marked]], bytes]:
    def write(rows: list[Marked]) -> bytes:
        blocks = []
        for row in rows:
            lines = [
                separator.join((t, "X", tag)) + "\n" for t, tag in zip(row.tokens, tags(row, *schemes), strict=True)
            ]
            blocks.append("".join(lines))
        return (head + "\n".join(block for block in blocks if block)).encode()

    return write


def each(rows: list[Marked]) -> bytes:
    made = [{"sentence_id": str(i), "word": token, "tag": tag} for i, row in enumerate(rows)
            for token, tag in zip(row.tokens, tags(row), strict=True)]  # fmt: skip
    return as_csv(made)
