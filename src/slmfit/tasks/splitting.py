"""Text into words that tags are put on: as coarse as the spans allow.

    split("Fly to St. Ives.")               # words at white space: Fly, to, St., Ives.
    split("Fly to St. Ives.", fine=True)    # punctuation apart: Fly, to, St, ., Ives, .

Where every span of the training rows begins and ends at white space, tags go on whole words; elsewhere on finer ones.

    grain = grain_for(train)                # "words"; "pieces" where spans cut these, "characters" where those, too
    split_by("Rome's St. Ives.", grain)     # Rome's, St, ., Ives, .
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from slmfit.records import Entities, Example, Span
from slmfit.tasks.spans import Offsets

COARSE = re.compile(r"\S+")
FINE = re.compile(r"[^\W_]+|[^\w\s]|_")
# What a word is -> the share of spans that may begin or end within one, and then take all of it. Pieces cost little;
# characters make texts five times as long.
GRAINS = {"words": 0.01, "pieces": 0.1, "characters": 1.0}


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


def split_by(text: str, grain: str) -> list[tuple[int, int]]:
    """Where the words of a text stand, none of them with white space in it; every other character is in one.

    grain: `words`, runs without white space, signs at their edges apart; `pieces`, runs of letters and the marks upon
    them, runs of digits, every sign apart; `characters`, each apart, for scripts that do not space their words.
    """
    return [match.span() for match in _patterns()[grain].finditer(text)]


def grain_for(examples: Iterable[Example]) -> str:
    """The coarsest of GRAINS that cuts no more of these rows' spans than it may."""
    targets = [(str(e.input), e.target.spans) for e in examples if isinstance(e.target, Entities)]
    count = sum(len(spans) for _, spans in targets)
    return next(g for g, share in GRAINS.items() if sum(_cut(text, s, g) for text, s in targets if s) <= share * count)


def _cut(text: str, spans: Iterable[Span], grain: str) -> int:
    """How many spans begin or end within a word."""
    words = split_by(text, grain)
    starts, ends = {start for start, _ in words}, {end for _, end in words}
    return sum(s.start not in starts or s.end not in ends for s in spans)


@lru_cache(maxsize=1)
def marks() -> str:
    """Every mark upon a letter."""
    return "".join(chr(point) for point in range(0x300, 0x10000) if unicodedata.category(chr(point))[0] == "M")


@lru_cache(maxsize=1)
def _patterns() -> dict[str, re.Pattern[str]]:
    inside = rf"[\w{marks()}]"
    pieces = rf"(?:[^\W\d_]|[{marks()}])+|\d+|\S"
    patterns = {"words": rf"{inside}(?:\S*{inside})?|\S", "pieces": pieces, "characters": r"\S"}
    return {grain: re.compile(pattern) for grain, pattern in patterns.items()}
