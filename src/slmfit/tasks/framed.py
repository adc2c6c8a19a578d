"""What stands around a text where somebody's own prompt asks about it: the same in every request.

    frame = Frame((Turn("system", "Sort the ticket."), Turn("user", "Ticket: ", "")), at=1)
    frame.text_of([("system", "Sort the ticket."), ("user", "Ticket: where is my parcel")])     # "where is my parcel"

Digits count as one digit: a date in a system prompt does not make another prompt of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Said = tuple[str, str]  # role, words
_DIGITS = str.maketrans("123456789", "000000000")


def masked(words: str) -> str:
    """The words with every digit as 0, which keeps their places."""
    return words.translate(_DIGITS)


@dataclass(frozen=True)
class Turn:
    """after: what follows on what varies; None where nothing does, and `before` is all that is said."""

    role: str
    before: str
    after: str | None = None

    def held(self, said: Said) -> str | None:
        """What varies of a turn that is like this one, "" where nothing does; None for another turn."""
        role, words = said
        if role != self.role:
            return None
        plain = masked(words)
        if self.after is None:
            return "" if plain == masked(self.before) else None
        begin, end = len(self.before), len(words) - len(self.after)
        fits = begin <= end and plain.startswith(masked(self.before)) and plain.endswith(masked(self.after))
        return words[begin:end] if fits else None


@dataclass(frozen=True)
class Frame:
    """A request's turns. at: the one that holds the text."""

    turns: Sequence[Turn]
    at: int

    def text_of(self, messages: Sequence[Said]) -> str | None:
        """The text that these messages ask about; None for those of another prompt."""
        if len(messages) != len(self.turns):
            return None
        held = [turn.held(said) for turn, said in zip(self.turns, messages, strict=True)]
        return None if None in held else held[self.at]
