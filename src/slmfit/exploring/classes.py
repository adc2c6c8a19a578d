"""What answers there are, and how many rows have each.

    class_groups(data)    # [{"kind": "label", "rows": [{"name": "billing", "train": 610, …}], …}]

A label, an option's letter, an intent, or an entity type: whatever the task's targets hold.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from slmfit.data.dataset import Dataset
from slmfit.records import SPLITS, Example
from slmfit.tasks.base import Task


def class_of(task: Task, example: Example) -> str | None:
    """The one class of a row by which texts can be told apart: its label or intent; None where it has neither."""
    return None if example.target is None else task.class_of(example.target)


def class_groups(data: Dataset) -> list[dict[str, Any]]:
    """A group for each kind of answer: {"kind", "counts": what is counted, "rows": [{"name", split: n, "total",
    "share"}], most frequent first, "imbalance": the largest total against the smallest}.
    """
    counts: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: {split: Counter() for split in SPLITS})
    for split in SPLITS:
        for example in data.splits[split]:
            for kind, name in () if example.target is None else data.task.counted(example.target):
                counts[kind][split][name] += 1
    return [_group(kind, per_split) for kind, per_split in counts.items()]


def _group(kind: str, counts: dict[str, Counter[str]]) -> dict[str, Any]:
    total = sum(counts.values(), Counter())
    rows = [
        {"name": name, **{split: counts[split][name] for split in SPLITS}, "total": n, "share": n / total.total()}
        for name, n in sorted(total.items(), key=lambda item: (-item[1], item[0]))
    ]
    imbalance = max(total.values()) / min(total.values()) if total else 1.0
    return {"kind": kind, "counts": "spans" if kind == "entity type" else "rows", "rows": rows, "imbalance": imbalance}
