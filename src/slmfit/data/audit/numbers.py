"""Test rows that are train rows but for numbers, as lines of a log are: what is scored on them is how well they recall.

list(same_but_for_numbers(rows))     # [{"kind": "numbers", "message": "31 of 36 test rows (86.1 %) are train rows …"}]
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from slmfit.data.audit.findings import Finding, Rows, finding
from slmfit.text.figures import part_of

_MANY = 0.1  # of the test rows
_WORDS = 2  # of a text at least that hold no digit
_LONGEST = 1_000  # characters: of longer texts, those that differ in numbers only are twins mostly
_DIGIT = re.compile(r"\d")


def same_but_for_numbers(rows: Rows) -> Iterator[Finding]:
    """A word with a digit in it is a number, as host7 and 10.0.0.1; texts of nothing else are left out."""
    seen: dict[str, int] = {}
    for row, split in enumerate(rows.splits):
        if split == "train" and (form := _form(rows.texts[row])):
            seen.setdefault(form, row)
    texts = {text for text, split in zip(rows.texts, rows.splits, strict=True) if split == "train"}
    test = [row for row, split in enumerate(rows.splits) if split == "test"]
    found = [row for row in test if rows.texts[row] not in texts and _form(rows.texts[row]) in seen]
    if len(found) > _MANY * len(test):
        message = f"{part_of(len(found), len(test), 'test row', 'repeat')} a train row except for its numbers."
        fix = (
            "Scores show how well known wordings are recognised. If new texts will be worded differently, write the "
            "wording into a column, and split by it: --group COLUMN."
        )
        examples = (rows.example([seen[_form(rows.texts[row])], row]) for row in found)
        yield finding("numbers", "note", len(found), message, fix, examples)


def _form(text: str) -> str:
    """A text with 0 for every number; empty where it has none, or hardly anything else."""
    if len(text) > _LONGEST or not _DIGIT.search(text):
        return ""
    words = ["0" if _DIGIT.search(word) else word for word in text.casefold().split()]
    return " ".join(words) if len(words) >= words.count("0") + _WORDS else ""
