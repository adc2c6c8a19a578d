"""A run is asked the same questions with their options in other orders: what it knows stays, what it guesses moves.

found = in_orders(run, examples, 4)
found["changed"]["value"]              # the share of questions whose answer was not the same option every time
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from slmfit.errors import UsageError
from slmfit.events import Listener
from slmfit.evidence.clusters import clusters_of
from slmfit.evidence.statistic import share_right
from slmfit.records import Example, Prediction
from slmfit.runs.run import Run
from slmfit.timing.work import counted


def check_orders(run: Run, orders: int) -> None:
    """Raise UsageError for a task whose inputs have no options, and for fewer than two orders."""
    if not hasattr(run.task, "reordered"):
        fix = "leave --orders out; it is for multiple-choice"
        raise UsageError(f"{run.task.name} has no options to put in another order", where=str(run.folder), fix=fix)
    if orders < 2:
        raise UsageError(f"--orders cannot be {orders}", fix="give 2 or more: the first is that of the file")


def in_orders(
    run: Run, examples: Sequence[Example], first: Sequence[Prediction], orders: int, listen: Listener
) -> dict[str, Any]:
    """`accuracy` in each order, of which the first is that of the file; their mean, lowest and highest; `changed`: the
    share of questions whose answer is not the same option in all of them; `right_in_all`. JSON as it stands.

    first: the answers in the file's order. The other orders are drawn from the run's seed, question by question.
    """
    task: Any = run.task
    chosen = [[p.target if p.outcome == "ok" else None for p in first]]
    for order in range(1, orders):
        dealt = [task.reordered(example.input, f"{run.record.seed} {order}") for example in examples]
        with counted(listen, f"predicting order {order + 1} of {orders}", len(examples)):
            answers = run.predict([question for question, _ in dealt])
        chosen.append([was.get(str(p.target)) if p.outcome == "ok" else None
                       for p, (_, was) in zip(answers, dealt, strict=True)])  # fmt: skip
    right = np.array([[c == e.target for c, e in zip(row, examples, strict=True)] for row in chosen])
    changed = np.array([len(set(answers)) > 1 for answers in zip(*chosen, strict=True)])
    clusters = clusters_of(run.task.text(e.input) for e in examples)
    shares = right.mean(axis=1).tolist()
    return {
        "accuracy": shares,
        "mean": float(np.mean(shares)),
        "lowest": min(shares),
        "highest": max(shares),
        "changed": asdict(share_right(changed, clusters)),
        "right_in_all": asdict(share_right(right.all(axis=0), clusters)),
    }
