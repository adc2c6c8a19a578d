"""Each method against what needs no reading: lots drawn among the options, and a ranker that never sees the question.

beside_floors(data, out, rows)["knn"]["guessing"]      # {"difference": 0.081, "p_value": 0.002, "differs": True}
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from slmfit.data.dataset import Dataset, targets
from slmfit.evidence.guessing import guessed, holm
from slmfit.evidence.statistic import LEVEL, paired_accuracy
from slmfit.records import FLOORS, MethodRow
from slmfit.runs.run import Run

OPTIONS_ONLY = FLOORS[0]


def beside_floors(data: Dataset, out: Path, rows: Sequence[MethodRow]) -> dict[str, dict[str, dict[str, Any]]]:
    """Method -> `guessing` and, where that ran, the options-only ranker -> by how much it is more often right, the
    p-value by Holm over the methods, and whether they differ. Empty where rows offer no options of their own.

    Of a method with several trainings, the one that predicts.
    """
    offered = [data.task.offered(example.input) for example in data.test]
    counts = [len(one) for one in offered if one is not None]
    if not counts:
        return {}
    right = {row.id: _right(data, out, row) for row in rows if row.scores}
    methods = [row.id for row in rows if row.scores and not row.floor]
    chances = [1 / count for count in counts]
    repeats = data.repeats("test")
    tests: dict[str, dict[str, tuple[float, float]]] = {"guessing": {}}
    for id in methods:
        share = float(right[id].mean()) - float(np.mean(chances))
        tests["guessing"][id] = share, guessed(int(right[id].sum()), chances)
    if OPTIONS_ONLY in right:
        gaps = {id: paired_accuracy(right[id], right[OPTIONS_ONLY], clusters=repeats) for id in methods}
        tests[OPTIONS_ONLY] = {id: (gap.value, gap.p_value) for id, gap in gaps.items()}
    found: dict[str, dict[str, dict[str, Any]]] = {id: {} for id in methods}
    for floor, each in tests.items():
        corrected = holm({id: p_value for id, (_, p_value) in each.items()})
        for id, (difference, _) in each.items():
            p_value = corrected[id]
            found[id][floor] = {"difference": difference, "p_value": p_value, "differs": p_value < 1 - LEVEL}
    return found


def _right(data: Dataset, out: Path, row: MethodRow) -> np.ndarray:
    answers = Run(out / str(row.run)).answers("test", data.test)
    return data.task.components("accuracy", targets(data.test), answers).rows[:, 0] > 0
