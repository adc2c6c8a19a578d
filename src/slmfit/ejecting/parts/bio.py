"""Tags and spans: B-X begins an X, I-X goes on with it, O is outside of all."""

from __future__ import annotations

from collections.abc import Sequence

Spans = list[tuple[int, int, str]]  # where each starts and ends in its text, and its label


def spans_of(tags: Sequence[str], places: Sequence[tuple[int, int]]) -> Spans:
    """The spans that the tags of words mean. An I-X that follows no X begins one."""
    spans: Spans = []
    before = ""
    for tag, (start, end) in zip(tags, places, strict=True):
        prefix, _, label = tag.partition("-")
        if prefix == "I" and label == before:
            spans[-1] = (spans[-1][0], end, label)
        elif prefix != "O":
            spans.append((start, end, label))
        before = label
    return spans


def tags_for(spans: Spans, places: Sequence[tuple[int, int]]) -> list[str]:
    """The reverse: a word that shares a character with a span belongs to it."""
    tags = ["O"] * len(places)
    for start, end, label in spans:
        inside = [i for i, (begins, ends) in enumerate(places) if begins < end and start < ends and tags[i] == "O"]
        for n, i in enumerate(inside):
            tags[i] = f"{'I' if n else 'B'}-{label}"
    return tags
