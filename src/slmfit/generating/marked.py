"""A text with its entities, kept in step while the text is edited; and the inline marks they are written as.

    read_marks("Call [NAME|Ann Lee] at [TIME|10]")      # Marked("Call Ann Lee at 10", (Span(5, 12, "NAME"), …))

A mark is `[LABEL|words]`. It is the one way in which writers say where an entity stands, so that the "10" of a time and
the "10" of a date cannot be taken for each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from slmfit.records import Span

LABEL = r"[^\s\[\]{}()|]+"
_MARK = re.compile(rf"\[({LABEL})\|([^\[\]|]*)\]")


@dataclass(frozen=True, slots=True)
class Marked:
    """A text and its spans, in reading order."""

    text: str
    spans: tuple[Span, ...] = ()

    def edit(self, pattern: re.Pattern[str], by: Callable[[re.Match[str]], str]) -> Marked:
        """Every match replaced as `pattern.sub` does; a span that ends inside a match loses what is replaced there."""
        if not self.spans:
            return Marked(pattern.sub(by, self.text))
        pieces: list[str] = []
        moves: list[tuple[int, int, int, int]] = []  # start and end of each match, before and after
        last = length = 0
        for match in pattern.finditer(self.text):
            new = by(match)
            pieces += self.text[last : match.start()], new
            start = length + match.start() - last
            last, length = match.end(), start + len(new)
            moves.append((match.start(), last, start, length))
        pieces.append(self.text[last:])
        moved = (Span(_moved(s.start, moves, inside=3), _moved(s.end, moves, inside=2), s.label) for s in self.spans)
        return Marked("".join(pieces), tuple(span for span in moved if span.start < span.end))

    @property
    def words(self) -> tuple[str, ...]:
        """What each span covers."""
        return tuple(self.text[span.start : span.end] for span in self.spans)


def _moved(offset: int, moves: Iterable[tuple[int, int, int, int]], inside: int) -> int:
    """Where the offset is after the moves; one within a match goes to the new start (2) or end (3) of it."""
    shift = 0
    for move in moves:
        start, end, _, new_end = move
        if offset >= end:
            shift = new_end - end
        elif offset > start:
            return move[inside]
        else:
            break
    return offset + shift


def join(parts: Iterable[Marked]) -> Marked:
    """The texts one after the other, with their spans where they stand then."""
    texts: list[str] = []
    spans: list[Span] = []
    length = 0
    for part in parts:
        texts.append(part.text)
        spans += [Span(s.start + length, s.end + length, s.label) for s in part.spans]
        length += len(part.text)
    return Marked("".join(texts), tuple(spans))


def read_marks(written: str) -> Marked:
    """The text that was written with inline marks. Raises ValueError for a bracket that belongs to none."""
    parts: list[Marked] = []
    last = 0
    for match in _MARK.finditer(written):
        parts += Marked(written[last : match.start()]), Marked(match[2], (Span(0, len(match[2]), match[1]),))
        last = match.end()
    parts.append(Marked(written[last:]))
    stray = re.search(r"[\[\]]", "".join(part.text for part in parts if not part.spans))
    if stray:
        raise ValueError(f"a {stray[0]!r} belongs to no mark")
    return join(part for part in parts if part.text or part.spans)


def write_marks(marked: Marked) -> str:
    """The text with its spans as inline marks; the inverse of `read_marks` for texts without brackets and bars."""
    pieces: list[str] = []
    last = 0
    for span in marked.spans:
        pieces += marked.text[last : span.start], f"[{span.label}|{marked.text[span.start : span.end]}]"
        last = span.end
    return "".join([*pieces, marked.text[last:]])
