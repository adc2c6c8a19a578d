"""Of test rows that came as tokens: entity F1 on them, and on the same rows as people write them, in a table."""

from __future__ import annotations

from typing import Any

from slmfit.records import Score, from_plain
from slmfit.reporting.disk import Source

METRIC = "entity_f1"


def as_written(source: Source) -> dict[str, Any] | None:
    """rows: how many differ. lines: method, its F1 on the tokens, and as people write; None where no run has any."""
    lines = []
    rows = 0
    for id, record in source.records.items():
        if about := source.details(id).get("as_written"):
            rows = about["rows"]
            lines.append((id, record.scores["test"][METRIC], from_plain(Score, about[METRIC])))
    return {"rows": rows, "of": source.about.split["test"].rows, "metric": METRIC, "lines": lines} if lines else None
