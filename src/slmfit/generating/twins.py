"""Which new texts are twins of texts that are there already.

twins = Twins(avoid=["Cancel my call with Ann"])
twins.sort_out(["cancel my call with Ann!", "Is it on Friday?"], keep)       # ["copied row", None]
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from slmfit.data.audit.near import find_duplicates


class Twins:
    """The texts to stay apart from: rows of other data, and what has been kept so far."""

    def __init__(self, avoid: Sequence[str] = ()) -> None:
        self._avoid, self._texts = len(avoid), list(avoid)

    def add(self, texts: Sequence[str]) -> None:
        """Texts that were kept earlier."""
        self._texts += texts

    def sort_out(self, texts: Sequence[str], keep: Callable[[int], str | None]) -> list[str | None]:
        """In order, the reason why each text is not kept: a twin of a row to avoid or of a kept one; None if it is.

        keep: called with the position of a text that is no twin; returns another reason, or None if it was kept.
        """
        before = len(self._texts)
        everything = [*self._texts, *texts]
        found = find_duplicates(everything)
        near: dict[int, list[int]] = defaultdict(list)
        for one, other in found.near.tolist():
            near[one].append(other)
            near[other].append(one)
        variant = found.variant.tolist()
        first: dict[int, int] = {}  # variant -> its first row that counts
        for row in range(before):
            first.setdefault(variant[row], row)
        reasons: list[str | None] = []
        for position in range(len(texts)):
            name = variant[before + position]
            reason = self._reason(first.get(name), [first[twin] for twin in near[name] if twin in first])
            reason = reason or keep(position)
            if reason is None:
                first[name] = before + position
                self._texts.append(texts[position])
            reasons.append(reason)
        return reasons

    def _reason(self, same: int | None, near: Sequence[int]) -> str | None:
        rows = near if same is None else [same, *near]
        if any(row < self._avoid for row in rows):
            return "copied row"
        return "duplicate" if same is not None else "near duplicate" if near else None
