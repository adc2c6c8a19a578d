"""Whether test rows are like those that were learnt from: what the audit found, and the gap from validation to test.

for caveat in shifted(data, out, rows): ...      # "Your test rows are not like your train rows: …"
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from slmfit import storage
from slmfit.data.audit.shift import START, looked_at, said_of
from slmfit.data.dataset import Dataset, targets
from slmfit.evidence import shift
from slmfit.records import MethodRow
from slmfit.runs.run import Run
from slmfit.text.figures import percent

WHOLE = ("accuracy", "exact_match")  # the share of rows that are right, whatever the task


def shifted(data: Dataset, out: Path, rows: Sequence[MethodRow]) -> Iterator[str]:
    """At most one caveat. rows: the lines that have scores; their runs are below `out`."""
    audit = out / "data" / "audit.json"
    found = list(said_of(storage.read_json(audit, "findings")["findings"])) if audit.is_file() else []
    apart = _gap(data, out, rows) if looked_at(data) and data.validation else None
    if apart and found:
        yield f"{found[0].removesuffix('.')}; {apart}."
    elif apart:
        yield f"{START.replace('train', 'validation')}: {apart}."
    else:
        yield from found


def _gap(data: Dataset, out: Path, rows: Sequence[MethodRow]) -> str | None:
    """How far the method that did best on validation is from that on test, where it is more than chance."""
    metric = next(name for name in WHOLE if name in data.task.metrics)
    tried = [row for row in rows if not row.floor and metric in (row.scores or {}).get("validation", {})]
    if not tried:
        return None
    best = max(tried, key=lambda row: row.scores["validation"][metric].value if row.scores else 0.0)
    run = Run(out / str(best.run))
    right = [_right(data, run, split, metric) for split in ("validation", "test")]
    gap = shift.gap(right[0], right[1], data.repeats("validation"), data.repeats("test"))
    if gap.p_value >= shift.EACH:
        return None
    return (
        f"{best.id} is right on {percent(gap.validation)} of {len(right[0]):,} validation rows and on "
        f"{percent(gap.test)} of {len(right[1]):,} test rows"
    )


def _right(data: Dataset, run: Run, split: str, metric: str) -> np.ndarray:
    rows = data.splits[split]
    found: np.ndarray = data.task.components(metric, targets(rows), run.answers(split, rows)).rows[:, 0]
    return found
