"""The last touch to a written text: spaces and capitals as they belong, or typos as a person in a hurry makes them.

roughen(tidy(Marked("hello ,  where is my order")), Noise(hasty=1.0, typos=0.1), rng)      # "Hello, wehre is my order"
"""

from __future__ import annotations

import re
from random import Random

from slmfit.generating.chance import pick
from slmfit.generating.marked import Marked
from slmfit.generating.recipe import Noise
from slmfit.records import Span

KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
NEIGHBOURS = {row[at]: row[max(at - 1, 0) : at] + row[at + 1 : at + 2] for row in KEYBOARD for at in range(len(row))}

_SPACES = re.compile(r"[ \t]+")
_BREAK = re.compile(r" ?\n ?")
_LOOSE = re.compile(r" (?=[.,;!?])")
_ENDS = re.compile(r"^\s+|(?<!\s)\s+$")
_START = re.compile(r"(?:^|(?<=[.!?] )|(?<=[.!?]\" )|(?<=\n)|(?<= \"))['(]?[a-z]")
_WORD = re.compile(r"(?<![\w'])([A-Za-z]{4,})(?![\w'])")
_ANY = re.compile(r".", re.DOTALL)
_APOSTROPHE = re.compile("'")
_STOP = re.compile(r"\.\Z")


def tidy(text: Marked) -> Marked:
    """The text with single spaces, none before punctuation or at line ends, and capitals where sentences start."""
    text = text.edit(_SPACES, lambda _: " ").edit(_BREAK, lambda _: "\n").edit(_LOOSE, lambda _: "")
    text = text.edit(_ENDS, lambda _: "")
    abbreviated = {span.end + 1 for span in text.spans}  # "3 p.m. tomorrow": this stop ends no sentence
    return _trimmed(text.edit(_START, lambda at: at[0] if at.start() in abbreviated else at[0].upper()))


def _trimmed(text: Marked) -> Marked:
    """Spans without the spaces at their edges."""
    if not text.spans:
        return text
    spans = []
    for span in text.spans:
        words = text.text[span.start : span.end]
        start = span.start + len(words) - len(words.lstrip())
        if words.strip():
            spans.append(Span(start, start + len(words.strip()), span.label))
    return Marked(text.text, tuple(spans))


def roughen(text: Marked, noise: Noise, rng: Random) -> Marked:
    """The text as a person in a hurry would have typed it, or unchanged when this text is not a hasty one."""
    if rng.random() >= noise.hasty:
        return text
    text = text.edit(_WORD, lambda word: mistype(word[0], rng) if rng.random() < noise.typos else word[0])
    if rng.random() < noise.lowercase:
        text = text.edit(_ANY, lambda character: character[0].lower())
    if rng.random() < noise.bare:
        text = text.edit(_APOSTROPHE, lambda _: "").edit(_STOP, lambda _: "")
    return text


def mistype(word: str, rng: Random) -> str:
    """The word with two letters swapped, or one dropped, doubled or hit beside its key; the first letter stays."""
    at = 1 + int(rng.random() * (len(word) - 2))
    before, letter, after = word[:at], word[at], word[at + 1 :]
    swapped = before + after[0] + letter + after[1:]
    beside = before + pick(rng, NEIGHBOURS[letter.lower()]) + after
    return pick(rng, [swapped, before + after, before + letter + letter + after, beside])
