"""What the audit looks at, and the shape of what it says.

rows = Rows(ids=["1"], texts=["Cancel it"], labels=["billing"], splits=["train"])
finding("empty_text", "warning", 1, "1 of 1 texts is empty.", "Drop it.", [rows.example([0])])
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from slmfit.text import visible
from slmfit.text.figures import EXCERPT

EXAMPLES = 10  # shown per finding; counts are of all

Finding = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rows:
    """All rows of all splits, column by column. labels[k] is None where a row has no answer."""

    ids: Sequence[str]
    texts: Sequence[str]
    labels: Sequence[str | None]
    splits: Sequence[str]

    def example(self, rows: Iterable[int], **more: Any) -> dict[str, Any]:
        """Some rows that belong together, as an example of a finding."""
        shown = [
            {
                "id": self.ids[row],
                "split": self.splits[row],
                "label": None if (label := self.labels[row]) is None else excerpt(label),
                "text": excerpt(self.texts[row]),
            }
            for row in rows
        ]
        return {"rows": shown, **more}


def finding(
    kind: str,
    severity: Literal["warning", "note"],
    count: int,
    message: str,
    fix: str,
    examples: Iterable[dict[str, Any]] = (),
) -> Finding:
    """One thing found: `count` of what the message's first number counts."""
    return {
        "kind": kind,
        "severity": severity,
        "count": count,
        "message": message,
        "fix": fix,
        "examples": list(islice(examples, EXAMPLES)),
    }


def excerpt(text: str) -> str:
    """The first 80 characters on one line, nothing in them that a terminal would obey."""
    return visible.excerpt(text, EXCERPT)


def counted(labels: Iterable[str], counts: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    """Labels as examples of a finding, each with its number of rows."""
    return ({"label": label[:EXCERPT], "rows": counts[label]} for label in labels)
