"""Entities told by their words, in reading order and without offsets: their places in the text, found again.

    spans_from_words("at 11 on May 11", [("11", "B-TIME"), ("May", "B-DATE"), ("11", "I-DATE")])
    # ([Span(3, 5, "TIME"), Span(9, 15, "DATE")], [Repair("ambiguous word", "'11' at 3"), …])

This is how written answers come back to the text, and how rows that list `{"word": "May", "label": "B-DATE"}` are read.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from slmfit.errors import DataError, Where
from slmfit.records import Span
from slmfit.tasks.spans import BIO, Repair, read_list, spans_from_tags


def place(text: str, words: Sequence[str]) -> list[tuple[int, int]]:
    """Where the words stand in the text, in order and without overlap: the one aligner of written answers.

    Each takes its first place after the word before it where it stands as a whole word ("1" in "11 at 1"); where
    that would leave no room for a later word, or there is none, its first place of any kind. So whenever some
    placement in order exists, one is found. Raises ValueError naming the first word that has no place.
    """
    latest = _latest_starts(text, words)
    offsets, position = [], 0
    for word, limit in zip(words, latest, strict=True):
        start = first = text.find(word, position)
        while 0 <= start <= limit and not is_whole(text, start, start + len(word)):
            start = text.find(word, start + 1)
        if not 0 <= start <= limit:
            start = first
        if start < 0 or not word:
            raise ValueError(f"{word!r} does not occur in the text" + (" where it should" if word in text else ""))
        position = start + len(word)
        offsets.append((start, position))
    return offsets


def _latest_starts(text: str, words: Sequence[str]) -> list[int]:
    """For each word, the last start that leaves room for those after it; -1 from where there is none."""
    latest, limit = [], len(text)
    for word in reversed(words):
        limit = text.rfind(word, 0, limit) if limit >= 0 else -1
        latest.append(limit)
    return latest[::-1]


def placeable(text: str, words: Sequence[str]) -> list[int]:
    """Which of the words can be placed in order and without overlap: as many as possible, those that end earliest."""
    # With k words placed: how far they reach at least, and the last of them, with those before it.
    ends: list[tuple[int, Any]] = [(0, None)]
    for i, word in enumerate(words):
        for k in reversed(range(len(ends))):
            start = text.find(word, ends[k][0]) if word else -1
            found = (start + len(word), (ends[k][1], i))
            if start >= 0 and k + 1 == len(ends):
                ends.append(found)
            elif start >= 0 and found[0] < ends[k + 1][0]:
                ends[k + 1] = found
    kept, chain = [], ends[-1][1]
    while chain is not None:
        chain, i = chain
        kept.append(i)
    return kept[::-1]


def is_whole(text: str, start: int, end: int) -> bool:
    """Whether neither edge of text[start:end] stands inside a word."""
    return not any(0 < edge < len(text) and in_word(text[edge - 1]) and in_word(text[edge]) for edge in (start, end))


def in_word(character: str) -> bool:
    return character == "_" or unicodedata.category(character)[0] in "LNM"  # a letter, a digit, a mark upon one


def spans_from_words(text: str, words: Sequence[tuple[str, str]]) -> tuple[list[Span], list[Repair]]:
    """Spans from (word, BIO tag) in reading order, words outside of entities left out; what had to be decided.

    Words take their places as `place` says; those that have none in this order are left out. An `I-X` goes on with
    the X before it when nothing but space and punctuation lies between ("Friday, March 19"); past another word, which
    must have been an `O`, it starts one.
    Raises ValueError for a tag that is not BIO.
    """
    repairs = [Repair("stray label", f"{word!r} is listed as O") for word, tag in words if tag == "O"]
    words = [(word, tag) for word, tag in words if tag != "O"]
    kept = placeable(text, [word for word, _ in words])
    lost = set(range(len(words))).difference(kept)
    repairs += [Repair("unplaced word", f"{words[i][0]!r} ({words[i][1]})") for i in sorted(lost)]
    words = [words[i] for i in kept]
    offsets = place(text, [word for word, _ in words])
    repairs += [Repair("ambiguous word", f"{w!r} at {o[0]}") for (w, _), o in zip(words, offsets, strict=True)
                if text.count(w) > 1]  # fmt: skip
    tags, places, position = [], [], 0
    for (_, tag), (start, end) in zip(words, offsets, strict=True):
        if any(map(in_word, text[position:start])):
            tags.append("O")
            places.append((position, start))
        tags.append(tag)
        places.append((start, end))
        position = end
    spans, mended = spans_from_tags(tags, places)
    repairs += [Repair("mended tag", f"{tags[i]} of {text[slice(*places[i])]!r} starts an entity") for i in mended]
    return spans, repairs


def words_from_spans(text: str, spans: Iterable[Span]) -> list[tuple[str, str]]:
    """(word, BIO tag) in reading order; raises ValueError where reading them would give other spans."""
    spans = list(spans)
    words = []
    for span in spans:
        tags = f"B-{span.label}", f"I-{span.label}"
        words += [(word, tags[i > 0]) for i, word in enumerate(text[span.start : span.end].split())]
    if spans_from_words(text, words)[0] != spans:
        raise ValueError("these spans cannot be told by their words")
    return words


def read_words(cell: Any, text: str, where: Where) -> tuple[list[Span], list[Repair]]:
    """[{"word", "label"}] as `spans_from_words` reads them."""
    words = []
    for i, item in enumerate(read_list(cell, where)):
        word, tag = (item.get("word"), item.get("label")) if isinstance(item, Mapping) else (None, item)
        if not (isinstance(word, str) and word and isinstance(tag, str)):
            what = f"label {i + 1} is not a word with its tag, and there are no tokens that tags could belong to"
            raise DataError(what, where=where, fix='write {"word": "Rome", "label": "B-CITY"}, or add `tokens`')
        words.append((word, tag))
    try:
        return spans_from_words(text, words)
    except ValueError as error:
        fix = f"list the words as they stand in the text, in its order; {BIO}"
        raise DataError(str(error), where=where, fix=fix) from None
