"""The words that a run was fitted on, and how many of a text are others.

words = Words.of(run.method)
words.count("my crad was charged twice")     # (5, 1)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from slmfit.methods.base import Method


class Words:
    """Those of a method that counts words."""

    def __init__(self, known: Sequence[str], cut: int) -> None:
        self.known, self.cut = frozenset(known), cut

    @classmethod
    def of(cls, method: Method) -> Words | None:
        """None for a method that knows none."""
        features = getattr(getattr(method, "part", method), "features", None)
        counter: Any = getattr(getattr(features, "counted", features), "counter", None)
        return None if counter is None else cls(counter.words, counter.cut)

    def count(self, text: str) -> tuple[int, int]:
        """How many words a text has, and how many of them are unseen."""
        from slmfit.text.cutting import words_of

        found = words_of(text, shortest=1, cut=self.cut)
        return len(found), sum(word not in self.known for word in found)

    def counts(self, texts: Iterable[str]) -> dict[str, int]:
        """The same of many texts, as records hold it."""
        words = unseen = 0
        for text in texts:
            many, new = self.count(text)
            words, unseen = words + many, unseen + new
        return {"words": words, "unseen": unseen}
