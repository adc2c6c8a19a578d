"""Answers before and after a change on the same rows: by how much a score drops, and how sure that is.

before = Before.of(run, examples)
paired("one typo", "…", before, [[(changed_row, answer), None, …], …]).drop      # None: not changed in that draw

Each row is changed by a lot of its own. So the mean over a row's draws is one reading of that row, and an interval over
rows holds the luck of the draws, too. To add the spread between draws, as `evidence.spread` does for training seeds,
which all rows share, would count it twice. benchmarks/stress.py measures the coverage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from slmfit.data.dataset import targets
from slmfit.evidence.clusters import Clusters, clusters_of
from slmfit.evidence.statistic import Difference, paired_accuracy, paired_sums
from slmfit.records import Example, Prediction, Score
from slmfit.runs.run import Run
from slmfit.runs.stressed import KindRecord
from slmfit.tasks.base import Components, Task

Asked = tuple[Example, Prediction]


@dataclass(frozen=True)
class Before:
    """Rows with what the run answered to them when it was scored."""

    task: Task
    metric: str
    examples: Sequence[Example]
    answers: Sequence[Prediction]

    @classmethod
    def of(cls, run: Run, examples: Sequence[Example]) -> Before:
        return cls(run.task, run.record.metric, examples, run.answers("test", examples))

    def only(self, rows: Sequence[int]) -> Before:
        return Before(self.task, self.metric, [self.examples[i] for i in rows], [self.answers[i] for i in rows])

    def drawn(self, draw: Sequence[Asked | None]) -> tuple[Components, np.ndarray]:
        """The metric's parts after one draw, and which rows are right [rows]; what it left alone is as before."""
        every = [pair or old for pair, old in zip(draw, zip(self.examples, self.answers, strict=True), strict=True)]
        truth, answers = targets([example for example, _ in every]), [answer for _, answer in every]
        whole = next(name for name in ("accuracy", "exact_match") if name in self.task.metrics)
        right = self.task.components(whole, truth, answers).rows[:, 0] > 0
        return self.task.components(self.metric, truth, answers), right


def paired(kind: str, what: str, before: Before, draws: Sequence[Sequence[Asked | None]]) -> KindRecord:
    """The record of one kind of change. draws: per draw and row the changed row with its answer; None = not changed."""
    was, right = before.drawn([None] * len(before.examples))
    after = [before.drawn(draw) for draw in draws]
    tables = [parts.rows for parts, _ in after]
    clusters = clusters_of(before.task.text(example.input) for example in before.examples)
    gap = drop(was, tables, clusters)
    single = [float(was.combine(table.sum(axis=0))) for table in tables]
    return KindRecord(
        kind=kind,
        what=what,
        rows=len(before.examples),
        draws=len(draws),
        before=was.value,
        after=was.value - gap.value,
        lowest=min(single),
        highest=max(single),
        drop=Score(gap.value, gap.low, gap.high),
        p_value=gap.p_value,
        right_to_wrong=float(np.mean([(right & ~now).sum() for _, now in after])),
        wrong_to_right=float(np.mean([(~right & now).sum() for _, now in after])),
    )


def drop(before: Components, after: Sequence[np.ndarray], clusters: Clusters | None = None) -> Difference:
    """Before less after, paired by rows. after: per draw a table [rows, parts] like that of `before`."""
    if before.paired_mean and len(after) == 1:
        return paired_accuracy(before.rows[:, 0], after[0][:, 0], clusters=clusters)
    return paired_sums(before.rows, np.mean(after, axis=0), before.combine, clusters=clusters)
