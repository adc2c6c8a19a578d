"""What is odd about entities and intents: their labels by split, and spans whose edges are white space.

entity_findings([("train", Example("1", "to Rome ", Entities((Span(3, 8, "CITY"),))))])
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import accumulate
from math import prod
from typing import Literal

from slmfit.data.audit.findings import Finding, excerpt, finding
from slmfit.data.audit.labels import INTENT, TYPE, label_findings
from slmfit.data.audit.near import UNSPACED
from slmfit.records import Example
from slmfit.tasks.answers import entities_of
from slmfit.tasks.words import in_word
from slmfit.text.figures import number_of, part_of

_MANY = 0.1  # of all spans
_AGAIN, _TOLD, _NEARLY_ALL = 3, 5, 0.8  # times that words are marked; so many such words, and the share of them
_BY_CHANCE = 1e-4  # how seldom edges may lie so by chance
_OFFSETS = "Check the offsets: they count code points from 0, not tokens, bytes or UTF-16 units."
_COUNTED = (  # in what else, as which encoding has it, its bytes a unit, and how an offset is turned into ours
    ("bytes of UTF-8", "utf-8", 1, "len(text.encode()[:offset].decode())"),
    ("UTF-16 units", "utf-16-le", 2, "len(text.encode('utf-16-le')[:2 * offset].decode('utf-16-le'))"),
)
_BEFORE_ITS_LETTER = "\u0e40\u0e41\u0e42\u0e43\u0e44\u0ec0\u0ec1\u0ec2\u0ec3\u0ec4"  # vowels of Thai and Lao


def entity_findings(rows: Sequence[tuple[str, Example]]) -> Iterator[Finding]:
    """rows: (split, example) of all splits; nothing is found where targets are no entities."""
    intents: dict[str, Counter[str]] = defaultdict(Counter)
    types: dict[str, Counter[str]] = defaultdict(Counter)
    for split, example in rows:
        target = entities_of(example.target)
        intents[split].update([target.intent] if target.intent is not None else [])
        types[split].update(span.label for span in target.spans)
    yield from label_findings(intents, INTENT)
    yield from label_findings(types, TYPE)
    total = sum(counts.total() for counts in types.values())
    yield from _edges(rows, total)
    yield from _inside_words(rows)
    yield from _one_short(rows)
    yield from _of_bytes(rows)


def offset_notes(file: str, examples: Sequence[Example]) -> list[str]:
    """What is said of one more file whose spans look as if they counted something else than characters."""
    rows = [("", example) for example in examples]
    spans = sum(len(entities_of(example.target).spans) for example in examples)
    found = [*_inside_words(rows), *_one_short(rows), *_edges(rows, spans), *_of_bytes(rows)]
    return [f"{file}: {one['message']} {one['fix']}" for one in found if one["severity"] == "warning"]


def _inside_words(rows: Sequence[tuple[str, Example]]) -> Iterator[Finding]:
    """Spans that begin or end inside a word, as offsets do that count something else than characters."""
    spans = sum(len(entities_of(example.target).spans) for _, example in rows)
    odd = [
        {"id": example.id, "split": split, "label": span.label, "text": excerpt(text[span.start : span.end])}
        for split, example in rows
        for text in (str(example.input),)
        for span in entities_of(example.target).spans
        if _cuts(text, span.start) or _cuts(text, span.end)
    ]
    if odd:
        severity: Literal["warning", "note"] = "warning" if len(odd) > _MANY * spans else "note"
        begin = "begins or ends" if len(odd) == 1 else "begin or end"
        message = f"{len(odd):,} of {number_of(spans, 'span')} {begin} inside a word."
        fix = _OFFSETS
        if (other := _counted_otherwise(rows, len(odd))) is not None:
            message = f"{message[:-1]}; read as {other[0]}, hardly any does."
            fix = f"Convert the offsets to code points: {other[1]}."
        yield finding("span_in_word", severity, len(odd), message, fix, ({"rows": [row]} for row in odd))


def _counted_otherwise(rows: Sequence[tuple[str, Example]], odd: int) -> tuple[str, str] | None:
    """In what the offsets seem to count and how they are converted: read so, hardly a span's edge is not a word's."""
    for name, encoding, size, convert in _COUNTED:
        wrong = 0
        for _, example in rows:
            text = str(example.input)
            code = text if text.isascii() else text.encode(encoding, "surrogatepass")
            for span in entities_of(example.target).spans:
                wrong += not _whole(text, *(_place(code, at, encoding, size) for at in (span.start, span.end)))
            if wrong >= _MANY * odd:
                break
        else:
            return name, convert
    return None


def _place(code: str | bytes, at: int, encoding: str, size: int) -> int | None:
    """An offset in code points; None where it is none between two characters. code: the text, if it is plain ASCII."""
    if isinstance(code, str):
        return at
    if size * at > len(code):
        return None
    try:
        return len(code[: size * at].decode(encoding, "surrogatepass"))
    except UnicodeDecodeError:
        return None


def _whole(text: str, start: int | None, end: int | None) -> bool:
    """Whether a span's edges are those of words."""
    if start is None or end is None or _cuts(text, start) or _cuts(text, end):
        return False
    return text[start:end] == text[start:end].strip()


def _cuts(text: str, at: int) -> bool:
    """Whether two letters or digits of one word stand on either side of a place."""
    if not 0 < at < len(text):
        return False
    sides = text[at - 1 : at + 1]
    if UNSPACED.search(sides):  # no spaces there, but a letter and the marks upon it stand together
        return sides[0] in _BEFORE_ITS_LETTER or unicodedata.category(sides[1])[0] == "M"
    return in_word(sides[0]) and in_word(sides[1])


def _one_short(rows: Sequence[tuple[str, Example]]) -> Iterator[Finding]:
    """Spans that end one character before their words do, as where `end` is the last character's own place, in scripts
    without spaces: what stands behind the same words is always the same sign, and behind others another.
    """
    behind: dict[str, Counter[str]] = defaultdict(Counter)
    for text, spans in {str(e.input): entities_of(e.target).spans for _, e in rows}.items():
        for span in spans:
            if UNSPACED.match(text[span.end - 1 : span.end]):
                behind[text[span.start : span.end]][text[span.end : span.end + 1]] += 1
    often = {words: signs for words, signs in behind.items() if signs.total() >= _AGAIN}
    short = {words: sign for words, signs in often.items() for sign in signs if len(signs) == 1 and sign.isalnum()}
    if len(often) >= _TOLD and len(short) > _NEARLY_ALL * len(often) and len(set(short.values())) > len(short) / 2:
        words, sign = next(iter(short.items()))
        message = (
            f"{len(short)} of {len(often)} entities that are marked {_AGAIN} times or more are always followed by one "
            f"and the same character, most by one of their own: '{excerpt(words)}' by '{excerpt(sign)}'."
        )
        fix = "Check the offsets: `end` is the place behind the last character, not its own."
        yield finding("span_one_short", "warning", len(short), message, fix)


def _of_bytes(rows: Sequence[tuple[str, Example]]) -> Iterator[Finding]:
    """Spans whose every edge, if it counts bytes of UTF-8, lies between two characters, as hardly any would by chance:
    in scripts of three bytes a character, whose words have no spaces by which an edge is seen to be wrong.
    """
    chances: dict[int, float] = {}
    count = 0
    for text, spans in {str(e.input): entities_of(e.target).spans for _, e in rows}.items():
        if not spans or not UNSPACED.search(text):
            continue
        ends = list(accumulate(len(sign.encode("utf-8", "surrogatepass")) for sign in text))
        for place in {place for span in spans for place in (span.start, span.end)} - {0}:
            before = bisect_right(ends, place)
            if not before or ends[before - 1] != place:
                return
            chances.setdefault(place, before / place)
        count += len(spans)
    if prod(chances.values()) < _BY_CHANCE:
        message = f"All edges of {number_of(count, 'span')} lie between characters if they count bytes of UTF-8."
        yield finding("span_in_bytes", "warning", count, message, _OFFSETS)


def _edges(rows: Sequence[tuple[str, Example]], spans: int) -> Iterator[Finding]:
    """Spans that begin or end with white space, which no method that marks words can find."""
    odd = [
        {"id": example.id, "split": split, "label": span.label, "text": excerpt(repr(words))}
        for split, example in rows
        for span in entities_of(example.target).spans
        if (words := str(example.input)[span.start : span.end]) != words.strip()
    ]
    if odd:
        message = f"{part_of(len(odd), spans, 'span', 'have')} white space at an edge."
        fix = "Move their edges to the words: a method marks words, and cannot find these exactly."
        yield finding("edge_space", "warning", len(odd), message, fix, ({"rows": [row]} for row in odd))
