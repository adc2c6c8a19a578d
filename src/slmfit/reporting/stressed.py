"""How much methods take: their answers to the same rows written otherwise, kind by kind, the methods side by side.

view = stressed({"linear": record, "knn": record})     # None without records
view["kinds"][0]["lines"][0]["drop"]                   # ("3.1", "1.8 to 4.4")
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slmfit.runs.stressed import KindRecord, StressRecord
from slmfit.text.figures import below, by_unit


def stressed(records: Mapping[str, StressRecord]) -> dict[str, Any] | None:
    """kinds: those that change any row, with a line a method; left_out: the others, and why; rows, of: asked.

    records: by method id, in the order of the table.
    """
    if not records:
        return None
    first = next(iter(records.values()))
    by_kind: dict[str, list[tuple[str, KindRecord]]] = {}
    for id, record in records.items():
        for kind in record.kinds:
            by_kind.setdefault(kind.kind, []).append((id, kind))
    asked = {name: [pair for pair in pairs if pair[1].rows] for name, pairs in by_kind.items()}
    return {
        "metric": first.metric,
        "rows": first.rows,
        "of": first.of_rows,
        "kinds": [
            {"kind": name, "what": pairs[0][1].what, "rows": pairs[0][1].rows,
             "lines": [line(id, kind, records[id].metric) for id, kind in pairs]}
            for name, pairs in asked.items() if pairs
        ],
        "left_out": [(name, by_kind[name][0][1].reason) for name, pairs in asked.items() if not pairs],
    }  # fmt: skip


def line(id: str, kind: KindRecord, metric: str) -> dict[str, Any]:
    """One method and one kind of change, in words. draws: the scores of single draws, where there are several."""
    assert kind.drop is not None and kind.before is not None and kind.after is not None
    low, high = kind.drop.low or 0.0, kind.drop.high or 0.0
    draws = (kind.lowest, kind.highest) if kind.draws > 1 else ()
    return {
        "id": id,
        "rows": kind.rows,
        "before": by_unit(metric, kind.before),
        "after": by_unit(metric, kind.after),
        "draws": "–".join(by_unit(metric, score).removesuffix(" %") for score in draws if score is not None),
        "drop": below(kind.drop),
        "differs": low > 0 or high < 0,
        "right_to_wrong": _rows(kind.right_to_wrong),
        "wrong_to_right": _rows(kind.wrong_to_right),
    }


def _rows(count: float | None) -> str:
    """12.0 -> '12', 12.4 -> '12.4': rows, on average over the draws."""
    return "" if count is None else f"{count:,.1f}".removesuffix(".0")
