"""Entities told by the numbers of their tokens, to a tag for each token: only where a row says how it counts.

    with_tags({"tokenized_text": ["to", "New", "York"], "ner": [[1, 2, "CITY"]]})
    # {"tokens": ["to", "New", "York"], "tags": ["O", "B-CITY", "I-CITY"]}

GLiNER's `ner` beside `tokenized_text` names the last token of an entity, and so do `token_start` and `token_end` of
Prodigy and spaCy. Whether `start` and `end` beside tokens do is told by the spans' own words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from slmfit.tasks.spans import join_tokens, own_words, same_words, usual

Row = dict[str, Any]
Marks = list[tuple[int, int, str]]  # first token, the one after the last, label

_TOKENS = ("tokenized_text", "tokens", "words")
_MARKS = ("ner", "spans", "entities")
_EDGES = (("token_start", "token_end"), ("start_token", "end_token"))


def with_tags(row: Row) -> Row | None:
    """The row with tokens and tags; None where it is not stated how its spans count, or there are none that do.

    Spans that overlap, stand outside or have no label have no tags: they are left as offsets in the text that the
    tokens make.
    """
    tokens_in = next((name for name in _TOKENS if isinstance(row.get(name), list)), None)
    marks_in = next((name for name in _MARKS if isinstance(row.get(name), list)), None)
    if tokens_in is None or "text" in row or "tags" in row:
        return None
    tokens = row[tokens_in]
    if not all(isinstance(token, str) for token in tokens):
        return None
    if marks_in is None:
        rest = {name: cell for name, cell in row.items() if name != tokens_in}
        return rest | {"tokens": tokens} if tokens_in == _TOKENS[0] and "tokens" not in row else None
    found = _marks([usual(item) for item in row[marks_in]], tokens, gliner=tokens_in == _TOKENS[0])
    if found is None:
        return None
    rest = {name: cell for name, cell in row.items() if name not in (tokens_in, marks_in)}
    tags = ["O"] * len(tokens)
    for first, end, label in found:
        if not 0 <= first < end <= len(tokens) or set(tags[first:end]) != {"O"} or not label:
            return rest | _as_offsets(found, tokens)
        tags[first:end] = [f"B-{label}", *[f"I-{label}"] * (end - first - 1)]
    return rest | {"tokens": tokens, "tags": tags}


def _marks(items: Sequence[Any], tokens: Sequence[str], *, gliner: bool) -> Marks | None:
    """None where it is not stated how they count."""
    stated: Marks = []
    for item in items:
        match item:
            case [int(first), int(last), *labels] if gliner and len(labels) < 2:
                stated.append((first, last + 1, _name(*labels)))
            case Mapping():
                edges = next(((item[a], item[b]) for a, b in _EDGES if a in item and b in item), None)
                if edges is None or not all(type(edge) is int for edge in edges):
                    return _by_words(items, tokens)
                stated.append((edges[0], edges[1] + 1, _name(item.get("label"))))
            case _:
                return None
    return stated


def _by_words(items: Sequence[Any], tokens: Sequence[str]) -> Marks | None:
    """As the words that all spans say of themselves tell: the end is the last token, or the one after it."""
    fits: list[Marks] = []
    for more in (0, 1):
        marks = [mark for item in items if (mark := _told(item, more, tokens)) is not None]
        if len(marks) == len(items):
            fits.append(marks)
    return fits[0] if len(fits) == 1 else None


def _told(item: Any, more: int, tokens: Sequence[str]) -> tuple[int, int, str] | None:
    match item:
        case {"start": int(start), "end": int(end)} if 0 <= start < end + more <= len(tokens):
            words = own_words(item) if isinstance(item, Mapping) else None
            said = " ".join(tokens[start : end + more])
            if words is not None and same_words(said.replace(" ", ""), words[1].replace(" ", "")):
                return start, end + more, _name(item.get("label"))
    return None


def _name(label: Any = None) -> str:
    """A label; "" where there is none."""
    return label if isinstance(label, str) and label.strip() else ""


def _as_offsets(marks: Marks, tokens: Sequence[str]) -> Row:
    text, offsets = join_tokens(tokens)
    beyond = (len(text) + 1, len(text) + 2)
    places = [
        (offsets[first] if 0 <= first < len(tokens) else beyond, offsets[end - 1] if 0 < end <= len(tokens) else beyond)
        for first, end, _ in marks
    ]
    return {"text": text, "spans": [[one[0], two[1], mark[2]] for (one, two), mark in zip(places, marks, strict=True)]}
