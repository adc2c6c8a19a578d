"""Text into words that tags are put on: as coarse as the spans allow.

    split("Fly to St. Ives.")               # words at white space: Fly, to, St., Ives.
    split("Fly to St. Ives.", fine=True)    # punctuation apart: Fly, to, St, ., Ives, .

Where every span of the training rows begins and ends at white space, tags go on whole words; elsewhere on finer ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from slmfit.records import Entities, Example, Span
from slmfit.tasks.spans import Offsets

COARSE = re.compile(r"\S+")
FINE = re.compile(r"[^\W_]+|[^\w\s]|_")


def split(text: str, *, fine: bool = False) -> list[tuple[int, int]]:
    """Where the words of a text stand: runs without white space, or if fine letters and digits, and each sign apart."""
    return [match.span() for match in (FINE if fine else COARSE).finditer(text)]


def needs_fine(examples: Iterable[Example]) -> bool:
    """Whether a span of these rows begins or ends within a run that has no white space."""
    for example in examples:
        if isinstance(example.target, Entities) and example.target.spans:
            words = split(str(example.input))
            starts, ends = {start for start, _ in words}, {end for _, end in words}
            if any(s.start not in starts or s.end not in ends for s in example.target.spans):
                return True
    return False


def tags_of(spans: Iterable[Span], words: Offsets) -> list[str]:
    """One BIO tag per word: a word belongs to the span that it shares a character with, the first of them."""
    tags = ["O"] * len(words)
    at = 0
    for span in spans:
        while at < len(words) and words[at][1] <= span.start:
            at += 1
        prefix = "B"
        while at < len(words) and words[at][0] < span.end:
            tags[at], prefix, at = f"{prefix}-{span.label}", "I", at + 1
    return tags
