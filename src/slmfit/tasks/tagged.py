"""An answer's entities as tags of tokens: of those that came with the row, else of the words of its text.

tagged("fly to Rome", [Span(7, 11, "CITY")])      # (["fly", "to", "Rome"], ["O", "O", "B-CITY"])
conll_block("fly to Rome", Entities((Span(7, 11, "CITY"),), "book"), tokens, tags)
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from slmfit.records import Entities, Span
from slmfit.tasks.spans import Offsets, tags_from_spans
from slmfit.tasks.splitting import GRAINS, split_by, tags_of

_BREAKS = re.compile(r"[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]")


def tagged(text: str, spans: Sequence[Span], offsets: Offsets | None = None) -> tuple[list[str], list[str]]:
    """Tokens and their BIO tags.

    offsets: of the tokens that came with the text, of which a span takes each that it touches; None = words, or where a
    span begins or ends within one, finer ones.
    """
    if offsets is not None:
        return [text[start:end] for start, end in offsets], tags_of(spans, offsets)
    words: Offsets = ()
    tags: list[str] = []
    for grain in GRAINS:
        words = split_by(text, grain)
        try:
            tags = tags_from_spans(spans, words)
            break
        except ValueError:  # a span cuts a word
            tags = tags_of(spans, words)
    return [text[start:end] for start, end in words], tags


def conll_block(text: str, answer: Entities, tokens: Sequence[str], tags: Sequence[str]) -> str:
    """The lines of one text, with an empty one behind them, as `readers/conll_reader.py` reads them.

    The text itself stands in a comment where a line can hold it. What was not answered has no tags but `O`. A tab or
    line break within a token is written as a space; the text is then what the tokens make.
    """
    plain = [_BREAKS.sub(" ", token) for token in tokens]
    said = [f"# text = {text}"] if text.splitlines() == [text] and plain == [*tokens] else []
    said += [f"# intent = {answer.intent}"] if answer.intent is not None else []
    pairs = zip(plain, tags, strict=True)
    return "\n".join([*said, *(f"{token}\t{tag}" for token, tag in pairs), "", ""])
