"""What the audit looks at, and the shape of what it says.

rows = Rows(ids=["1"], texts=["Cancel it"], labels=["billing"], splits=["train"])
finding("empty_text", "warning", 1, "1 of 1 texts is empty.", "Drop it.", [rows.example([0])])
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from slmfit import visible
from slmfit.wording import percent

EXAMPLES = 10  # shown per finding; counts are of all
_EXCERPT = 80  # characters of a user's text or label

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
    return visible.excerpt(text, _EXCERPT)


def number_of(count: int, noun: str, verb: str = "") -> str:
    """'1 row', '1,200 rows'; with a verb in the plural '1 text occurs', '2 texts occur'."""
    phrase = f"{count:,} {noun}{'' if count == 1 else 's'}"
    return f"{phrase} {verb_of(count, verb)}" if verb else phrase


def part_of(part: int, whole: int, noun: str, verb: str) -> str:
    """'62 of 7,600 test rows (0.8 %) have', '1 of 20 labels (5.0 %) has'."""
    share = part / whole
    shown = percent(share) if share >= 0.0005 else "less than 0.1 %"
    return f"{part:,} of {number_of(whole, noun)} ({shown}) {verb_of(part, verb)}"


def verb_of(count: int, verb: str) -> str:
    """A verb's plural form in the number that goes with the count."""
    return verb if count != 1 else {"have": "has", "are": "is"}.get(verb, f"{verb}s")


def listed(names: Iterable[str], most: int = 5) -> str:
    """'a', 'b' and 3 more; spaces at the ends stay visible."""
    every = list(names)
    shown = [repr(name if len(name) <= _EXCERPT else f"{name[: _EXCERPT - 1]}…") for name in every[:most]]
    more = len(every) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")


def counted(labels: Iterable[str], counts: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    """Labels as examples of a finding, each with its number of rows."""
    return ({"label": label[:_EXCERPT], "rows": counts[label]} for label in labels)
