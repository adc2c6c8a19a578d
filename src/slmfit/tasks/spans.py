"""Spans of a text: to and from tags and tokens.

    text, offsets = join_tokens(["fly", "to", "New", "York"])
    spans_from_tags(["O", "O", "B-CITY", "I-CITY"], offsets)     # ([Span(7, 15, "CITY")], [])

Tags are BIO in its IOB2 form: `B-X` starts an X, `I-X` goes on with it, `O` is outside; of others see schemes.py. The
one rule for an impossible sequence is conlleval's (Tjong Kim Sang & Buchholz 2000): an `I-X` that does not follow an X
starts one.
"""

from __future__ import annotations

import contextlib
import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal, NamedTuple, TypeAlias

from slmfit.errors import DataError, Where
from slmfit.records import Span
from slmfit.tasks.common import refuse_halves
from slmfit.text.visible import excerpt, written

Offsets: TypeAlias = Sequence[tuple[int, int]]
_WORDS = ("text", "value", "word")  # where a span says what stands at its offsets
OUTSIDE = "O"
_IN_BIO = {"B": "B", "I": "I", "S": "B", "U": "B", "W": "B", "E": "I", "L": "I", "M": "I"}
BIO = "tags are O, B-LABEL (an entity starts) and I-LABEL (it goes on); those of BIOES, BILOU and IO are read, too"


class Repair(NamedTuple):
    """One thing that a reader had to decide for itself, to be counted and shown."""

    kind: Literal["mended tag", "ambiguous word", "stray label", "unplaced word", "unsaid entities"]
    detail: str


def join_tokens(tokens: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """The tokens joined by single spaces, and where each of them stands in that text."""
    offsets, position = [], 0
    for token in tokens:
        offsets.append((position, position + len(token)))
        position += len(token) + 1
    return " ".join(tokens), offsets


def tile_tokens(text: str, tokens: Sequence[str]) -> list[tuple[int, int]]:
    """Where each token stands in the text. Raises ValueError unless they make up all of it but white space."""
    offsets, position = [], 0
    for token in tokens:
        while not text.startswith(token, position) and text[position : position + 1].isspace():
            position += 1
        if not text.startswith(token, position):
            raise ValueError(f"token {token!r} does not go on the text at {text[position : position + 20]!r}")
        offsets.append((position, position + len(token)))
        position += len(token)
    if rest := text[position:].strip():
        raise ValueError(f"no token covers {rest[:20]!r}")
    return offsets


def split_tag(tag: str) -> tuple[str, str]:
    """`B-CITY` as ("B", "CITY"), `O` as ("O", ""), and the letters of BIOES, BMES and BILOU as those of BIO. Raises
    ValueError for anything else.
    """
    prefix, _, label = tag.partition("-")
    if tag == OUTSIDE or (prefix in _IN_BIO and label.strip()):
        return _IN_BIO.get(prefix, prefix), label
    raise ValueError(f"{tag!r} is no BIO tag")


def spans_from_tags(tags: Sequence[str], offsets: Offsets) -> tuple[list[Span], list[int]]:
    """The spans that the tags of these tokens mean, and which tags were mended by the module's rule.

    Raises ValueError for a tag that is not BIO.
    """
    spans: list[Span] = []
    mended = []
    before = ""
    for i, (tag, (start, end)) in enumerate(zip(tags, offsets, strict=True)):
        prefix, label = split_tag(tag)
        if prefix == "I" and label == before:
            spans[-1] = Span(spans[-1].start, end, label)
        elif prefix != "O":
            spans.append(Span(start, end, label))
            if prefix == "I":
                mended.append(i)
        before = label
    return spans, mended


def tags_from_spans(spans: Iterable[Span], offsets: Offsets) -> list[str]:
    """One tag per token; the inverse of `spans_from_tags`. Raises ValueError if a span's edge cuts a token."""
    tags = ["O"] * len(offsets)
    starts = {start: i for i, (start, _) in enumerate(offsets)}
    ends = {end: i for i, (_, end) in enumerate(offsets)}
    for span in spans:
        if span.start not in starts or span.end not in ends:
            raise ValueError(f"the span {span.start}–{span.end} does not begin and end with a token")
        first, last = starts[span.start], ends[span.end]
        tags[first : last + 1] = [f"B-{span.label}"] + [f"I-{span.label}"] * (last - first)
    return tags


# --- cells of a row: the same, with errors that name the place and the remedy ---


def read_spans(cell: Any, text: str, where: Where) -> list[Span]:
    """[{"start", "end", "label"}] or [[start, end, label]] in any order, as spans in reading order.

    Keys may be those of Label Studio and doccano, see `usual`. What a span says of its own words, under `text`, `value`
    or `word`, must stand at its offsets. Raises DataError.
    """
    spans: list[Span] = []
    for i, item in enumerate(map(usual, read_list(cell, where))):
        match item:
            case [int(start), int(end), str(label)] | {"start": int(start), "end": int(end), "label": str(label)} if (
                label.strip() and not isinstance(start, bool) and not isinstance(end, bool)
            ):
                span = Span(start, end, label)
            case _:
                raise _no_span(i + 1, item, text, where)
        if not 0 <= span.start < span.end <= len(text):
            outside = span.start < 0 or span.end > len(text)
            wrong = f"outside of the text, which has {len(text)} characters" if outside else "empty"
            fix = "offsets count code points (not bytes) from 0; the end is the first one after the entity"
            raise DataError(f"span {i + 1}, {span.start} to {span.end}, is {wrong}", where=where, fix=fix)
        words = own_words(item) if type(item) is dict and len(item) > 3 else None
        if words is not None and text[span.start : span.end] != words[1]:
            _refuse_other_words(i + 1, span, text[span.start : span.end], words, where)
        spans.append(span)
    spans.sort(key=lambda span: (span.start, span.end))
    for one, two in pairwise(spans):
        if two.start < one.end:
            what = f"the spans {one.start}–{one.end} {one.label} and {two.start}–{two.end} {two.label} overlap"
            raise DataError(what, where=where, fix="keep one of them, or join them")
    return spans


def _no_span(number: int, item: Any, text: str, where: Where) -> DataError:
    """What to raise for an item that is none: it has several labels, or none, or is something else."""
    labels = item.get("labels") if type(item) is dict else None
    if type(labels) is list and len(labels) > 1:
        what, fix = f"has {len(labels)} labels", "keep one of them"
    elif (place := _unlabelled(item)) is not None:
        start, end = place
        return DataError(
            f"span {number}, {start} to {end} ({excerpt(text[start:end], 60)!r}), has no label",
            where=where,
            fix="give it one, or take it out",
        )
    else:
        what, fix = f"is {written(item, 120)}", 'write {"start": 0, "end": 4, "label": "X"}'
    return DataError(f"span {number} {what}", where=where, fix=fix)


def _unlabelled(item: Any) -> tuple[int, int] | None:
    """The offsets of a span that has no label; None for all else."""
    match item:
        case [int(start), int(end), *labels]:
            pass
        case {"start": int(start), "end": int(end)}:
            labels = [item.get(key) for key in ("label", "labels", "entity")]
        case _:
            return None
    names = [name for label in labels for name in (label if isinstance(label, list) else [label])]
    return None if any(name is not None and str(name).strip() for name in names) else (start, end)


_OTHERS = {"start_offset": "start", "end_offset": "end", "entity_group": "label"}
_UNUSUAL = _OTHERS.keys() | {"labels", "entity"}


def usual(item: Any) -> Any:
    """A span under the usual keys: doccano's `start_offset` and `end_offset` are `start` and `end`, `entity_group`, as
    pipelines of transformers have it, Rasa's `entity` and Label Studio's list `labels`, where it has one, `label`. All
    else as it is.
    """
    if type(item) is not dict or _UNUSUAL.isdisjoint(item):
        return item
    item = {_OTHERS.get(key, key) if _OTHERS.get(key) not in item else key: cell for key, cell in item.items()}
    match item:
        case {"labels": [str(label)]} if "label" not in item:
            return {**{key: cell for key, cell in item.items() if key != "labels"}, "label": label}
        case {"entity": str(label), "value": str()} if "label" not in item:  # a piece of a word has no value beside it
            return {**{key: cell for key, cell in item.items() if key != "entity"}, "label": label}
    return item


def holds_spans(cell: Any) -> bool:
    """Whether a cell is a list of spans by its look: each has two offsets and a name, or several."""
    if not isinstance(cell, list | tuple | str) or not cell:
        return False
    try:
        items = [usual(item) for item in read_list(cell, Where(""))]
    except DataError:
        return False
    written = isinstance(cell, str)  # as text, [[0, 4]] may be the name of a class
    return bool(items) and all(_is_span(item) or (not written and _is_pair(item)) for item in items)


def _is_span(item: Any) -> bool:
    match item:
        case [int(start), int(end), str() | None] | {"start": int(start), "end": int(end)}:
            return 0 <= start <= end
    return False


def _is_pair(item: Any) -> bool:
    """A span without a label, which is refused where it is read."""
    match item:
        case [int(start), int(end)]:
            return 0 <= start < end
    return False


def own_words(item: Mapping[str, Any]) -> tuple[str, str] | None:
    """The key under which a span says its words, and what it says; None where it says none."""
    for key in _WORDS:
        if key in item and type(words := item[key]) is str and words:
            return key, words
    return None


def same_words(one: str, other: str) -> bool:
    """Whether two texts are the same but for white space, case and how letters with marks are written."""
    return one == other or _folded(one) == _folded(other) != ""


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _refuse_other_words(number: int, span: Span, there: str, words: tuple[str, str], where: Where) -> None:
    key, said = words
    if not same_words(there, said):
        place = f"span {number}, {span.start} to {span.end}"
        what = f"{place}, is {excerpt(there, 60)!r} in the text, but {excerpt(said, 60)!r} by its own {key!r}"
        fix = (
            "correct the offsets: they count code points from 0, not tokens, bytes or UTF-16 units; or leave "
            f"{key!r} out where it is not what stands in the text"
        )
        raise DataError(what, where=where, fix=fix)


def read_tokens(cell: Any, text: str | None, where: Where) -> tuple[str, list[tuple[int, int]]]:
    """The text, which is the tokens joined by spaces unless there is one, and where each token stands in it."""
    tokens = read_list(cell, where)
    for i, token in enumerate(tokens):
        if not isinstance(token, str) or not token:
            raise DataError(f"token {i + 1} is {token!r}", where=where, fix="every token must be text, and not empty")
    try:
        return join_tokens(tokens) if text is None else (text, tile_tokens(text, tokens))
    except ValueError as error:
        fix = "tokens must make up the text but for white space; without a text they are joined by single spaces"
        raise DataError(str(error), where=where, fix=fix) from None


def read_tags(
    cell: Any, names: Sequence[Any] | None, offsets: Offsets, where: Where
) -> tuple[list[Span], list[Repair]]:
    """BIO tags, one per token, by name or as numbers into the list of names."""
    tags = read_list(cell, where)
    if len(tags) != len(offsets):
        what = f"there are {len(tags)} tags for {len(offsets)} tokens"
        raise DataError(what, where=where, fix="give one tag per token")
    try:
        named = [_tag_name(tag, names) for tag in tags]
        spans, mended = spans_from_tags(named, offsets)
    except ValueError as error:
        numbered = names is None and any(type(tag) is int for tag in tags)
        fix = 'write the names, or add them to the row: "tag_names": ["O", "B-CITY", …]' if numbered else BIO
        raise DataError(str(error), where=where, fix=fix) from None
    return spans, [Repair("mended tag", f"{named[i]} of token {i + 1} starts an entity") for i in mended]


def _tag_name(tag: Any, names: Sequence[Any] | None) -> str:
    if isinstance(tag, str):
        return tag
    if type(tag) is not int or (names is not None and not 0 <= tag < len(names)):
        raise ValueError(f"{tag!r} is no BIO tag")
    if names is None:
        raise ValueError(f"the tag {tag} is a number, and there is no list of names to look it up in")
    return str(names[tag])


def _quoted(cell: Any) -> str:
    return repr(excerpt(cell, 40) if isinstance(cell, str) else written(cell, 40))


def read_list(cell: Any, where: Where) -> list[Any]:
    """A list, also one that is written as JSON, as in a CSV file. Raises DataError."""
    if isinstance(cell, str) and cell.lstrip().startswith("["):
        with contextlib.suppress(ValueError, RecursionError):
            cell = json.loads(cell)
            refuse_halves(cell, where)  # in here, as what was only just not too deep to read may be too deep to write
    if isinstance(cell, (str, bytes, Mapping)) or not isinstance(cell, Iterable):
        raise DataError(f"a list is needed here, not {_quoted(cell)}", where=where, fix="write it as a JSON list")
    return list(cell)
