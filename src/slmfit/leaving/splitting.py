"""Rows of a log apart by time, near-duplicates on one side.

splits, said = by_time(rows)       # ["train", …, "test"], "train to 2026-10-03, …"
"""

from __future__ import annotations

from collections.abc import Sequence

from slmfit.data.audit.near import find_duplicates
from slmfit.data.split import assign_by_time
from slmfit.leaving.found import AnsweredText
from slmfit.records import SPLITS

SHARES = {"train": 0.7, "validation": 0.1, "test": 0.2}


def by_time(rows: Sequence[AnsweredText]) -> tuple[list[str] | None, str]:
    """The split of every row, the latest in test, and what is to be said of it; None where time does not tell.

    A text that is nearly another goes with the one that was asked first, so that no test row was seen before.
    """
    untimed = sum(row.time is None for row in rows)
    if untimed:
        some = "the log" if untimed == len(rows) else f"{untimed:,} of {len(rows):,} rows"
        return None, f"{some} {'tells' if untimed == len(rows) else 'tell'} no time, so the split is by chance"
    moments = [row.time.timestamp() for row in rows if row.time is not None]
    groups = find_duplicates([row.text for row in rows]).groups.tolist()
    first: dict[int, float] = {}
    for group, moment in zip(groups, moments, strict=True):
        first[group] = min(moment, first.get(group, moment))
    chosen = assign_by_time([first[group] for group in groups], SHARES)
    if chosen is None:
        return None, "all rows have the same time, so the split is by chance"
    starts = [min(first[g] for g, to in zip(groups, chosen, strict=True) if to == split) for split in SPLITS]
    dates = [next(row.time for row, m in zip(rows, moments, strict=True) if m == start) for start in starts]
    words = [f"{split} from {date:%Y-%m-%d %H:%M}" for split, date in zip(SPLITS, dates, strict=True) if date]
    return chosen, f"by time, near-duplicates on one side: {', '.join(words)} (UTC)"
