"""Which probabilities of an answer are worth writing down where labels are many: 2,000 of them fill 50 kB a row.

    kept({"l0": 0.9, "l1": 0.05, …}, "l7", "l0")     # {"probabilities": {20 or so}, "other_probability": 0.0004}

With the truth's, the answer's and the highest, log loss, calibration, coverage and every metric that a verdict may go
by follow from the file. The Brier score needs all, and is computed before, as the others are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slmfit.records import Target
from slmfit.tasks.answers import chance_of, rounded

MOST = 20  # labels: of so many, all probabilities are kept


def kept(chances: Mapping[str, float], truth: Target | None, answer: Target | None) -> dict[str, Any]:
    """The columns of a row of predictions.jsonl: `probabilities`, and what the others have together where some are left
    out."""
    if len(chances) <= MOST:
        return {"probabilities": dict(chances)}
    highest = sorted(chances, key=lambda label: -chances[label])[:MOST]
    wanted = {*highest, chance_of(truth), chance_of(answer)}
    some = {label: chance for label, chance in chances.items() if label in wanted}
    others = sum(chance for label, chance in chances.items() if label not in wanted)
    return {"probabilities": some, "other_probability": rounded(others)}
