"""A label in an answer that says more than it: in a frame of words, or alone on one of several lines.

wording = Wording({"billing": "billing", "delivery": "delivery"}, [("topic: ", "")])
wording.label_of("**Topic: Billing.**")          # "billing"
wording.held("billing, or delivery?")            # {"billing", "delivery"}
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

_LETTER = re.compile(r"\w")
MARKS = " \t\r\n.!\"'*`"
Frame = tuple[str, str]  # folded, what stands before the label and after it


def folded(said: str) -> str:
    """A label as models write it now and then: in another case, in quotation marks, with a full stop."""
    return (said.strip(MARKS) or said.strip()).casefold()


@dataclass(frozen=True)
class Wording:
    """labels: folded -> label."""

    labels: Mapping[str, str]
    frames: Sequence[Sequence[str]] = ()

    def label_of(self, said: str) -> str | None:
        """The label that an answer states; None for none, and where it may be several."""
        whole = folded(said)
        label = self._stated(whole)
        if label is not None or "\n" not in whole:
            return label
        lines = [self._stated(folded(line)) for line in whole.split("\n")]
        stated = {label for label in lines if label is not None}
        return stated.pop() if len(stated) == 1 and self.held(whole) == stated else None

    def held(self, said: str) -> set[str]:
        """The labels whose words stand in an answer; of those at one place the longest."""
        text, at, found = said.casefold(), 0, set()
        while at < len(text):
            if label := self._at(text, at):
                found.add(self.labels[label])
            at += len(label or " ")
        return found

    def _stated(self, said: str) -> str | None:
        if said in self.labels:
            return self.labels[said]
        for before, after in self.frames:
            if said.startswith(before) and said.endswith(after):
                label = self.labels.get(said[len(before) : len(said) - len(after)])
                if label is not None:
                    return label
        return None

    def _at(self, text: str, at: int) -> str | None:
        """The longest label that begins at a place, with no letter before it or behind."""
        if at and _LETTER.match(text, at - 1):
            return None
        for length in self._lengths:  # looked up, not tried one by one: a log may have thousands of labels
            if (label := text[at : at + length]) in self.labels and not _LETTER.match(text, at + length):
                return label
        return None

    @cached_property
    def _lengths(self) -> list[int]:
        return sorted({len(label) for label in self.labels if label}, reverse=True)
