"""The gate: what is exported answers the validation rows, in the runtime that will serve it, no worse than the run.

    gate = Gate.of(run, rows_of(run))
    judged = gate.judge("int8", answers, seconds=0.0031, against=0.0082)
    judged = let_through(judged, accept=False)          # raises GateRefused with the figures
    to_plain(judged)                                    # goes into export.json

A candidate is refused that is worse by more than a margin, or may be, as far as so many rows can tell; that is no
quicker than what it stands in for; and, where it is to be the same model, whose probabilities are others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from slmfit.data.dataset import Dataset, targets
from slmfit.errors import UnsafeError
from slmfit.evidence import statistic
from slmfit.evidence.clusters import clusters_of
from slmfit.evidence.statistic import Difference
from slmfit.records import Example, Input, Prediction, Score
from slmfit.runs.run import Run
from slmfit.text.figures import by_unit, told

MARGIN = 0.005  # of the metric: half a point
LEVEL = 0.90  # of an interval with two ends; a loss beyond its far end is then seen in 5 of 100
SAME = 1e-3  # that probabilities of the same model may differ by: other arithmetic, and six digits written down


class GateRefused(UnsafeError):
    """An export that is worse than the run, or brings nothing. `judged` has the figures."""

    def __init__(self, judged: Judged) -> None:
        self.judged = judged
        fix = "leave it; or --accept exports it all the same, and the record says so"
        super().__init__(f"{judged.candidate} is refused: {'; '.join(judged.reasons)}", fix=fix)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """How a candidate did at the gate; JSON by `to_plain`.

    own, value: the run's score on the rows and the candidate's. difference: own less value, so positive = worse, with
    the paired interval whose far end is not passed by in 95 of 100. agreement: the share of rows with the same answer.
    probability_gap: the largest difference between two probabilities of the same row and label; None without any.
    seconds, against: processor time a row, and that of what it stands in for; None = not compared.
    reasons: why it is refused; empty = it passes. accepted: refused, and exported because somebody said so.
    learnt: whether the run learnt from these rows, too, so that both scores are higher than they will be.
    """

    candidate: str
    rows: int
    metric: str
    own: float
    value: float
    difference: Score
    margin: float
    agreement: float
    probability_gap: float | None = None
    seconds: float | None = None
    against: float | None = None
    reasons: Sequence[str] = ()
    accepted: bool = False
    learnt: bool = False

    @property
    def passed(self) -> bool:
        return not self.reasons

    @property
    def sentence(self) -> str:
        """The figures in words."""
        said = (
            f"{self.candidate}: {told(self.metric)} {by_unit(self.metric, self.value)} on {self.rows:,} rows, "
            f"the run's own {by_unit(self.metric, self.own)}; the same answer to {100 * self.agreement:.1f} %"
        )
        if self.learnt:
            said += " (the run learnt from these rows, so they tell whether both answer alike, not how well)"
        if self.seconds is not None and self.against is not None:
            said += f"; {1000 * self.seconds:.2f} ms of a processor a row against {1000 * self.against:.2f}"
        return said


@dataclass(frozen=True)
class Gate:
    """The validation rows, and what the run itself answers to them."""

    run: Run
    examples: Sequence[Example]
    answers: Sequence[Prediction]

    @classmethod
    def of(cls, run: Run, data: Dataset) -> Gate:
        """What was answered when the run was scored; answered anew where that was another fit than the one saved."""
        if _learnt(run):
            return cls(run, data.validation, run.predict([e.input for e in data.validation]))
        examples = run.answered("validation", data.validation)
        return cls(run, examples, run.answers("validation", examples))

    @property
    def inputs(self) -> list[Input]:
        return [example.input for example in self.examples]

    def judge(
        self,
        candidate: str,
        answers: Sequence[Prediction],
        *,
        seconds: float | None = None,
        against: float | None = None,
        exact: bool = False,
        margin: float = MARGIN,
    ) -> Judged:
        """How a candidate did. answers: to `inputs`, in order.

        seconds, against: processor time a row, measured side by side; None = speed is not what it is for.
        exact: it is the same model, and its probabilities must be the same, too.
        """
        task, metric, truth = self.run.task, self.run.record.metric, targets(self.examples)
        own, theirs = (task.components(metric, truth, found) for found in (self.answers, answers))
        clusters = clusters_of(task.text(example.input) for example in self.examples)
        if own.paired_mean:
            gap = statistic.paired_accuracy(own.rows[:, 0], theirs.rows[:, 0], level=LEVEL, clusters=clusters)
        else:
            gap = statistic.paired_sums(own.rows, theirs.rows, own.combine, level=LEVEL, clusters=clusters)
        same = np.mean([a.target == b.target for a, b in zip(self.answers, answers, strict=True)])
        apart = probability_gap(self.answers, answers)
        judged = Judged(
            candidate=candidate,
            rows=len(self.examples),
            metric=metric,
            own=own.value,
            value=theirs.value,
            difference=Score(gap.value, gap.low, gap.high),
            margin=margin,
            agreement=float(same),
            probability_gap=apart,
            seconds=seconds,
            against=against,
            learnt=_learnt(self.run),
        )
        reasons = [*_worse(judged, gap), *_slower(judged), *(unlike(judged) if exact else ())]
        return replace(judged, reasons=reasons)


def _learnt(run: Run) -> bool:
    """Whether the model that was saved was fitted on the rows of validation, too."""
    return "validation" in run.record.rows_used.get("fitted", "")


def let_through(judged: Judged, accept: bool) -> Judged:
    """The same, marked where it is accepted though refused. Raises GateRefused where it is not."""
    if judged.passed:
        return judged
    if not accept:
        raise GateRefused(judged)
    return replace(judged, accepted=True)


def unlike(judged: Judged) -> list[str]:
    """Why it cannot be the same model as the run's."""
    found = []
    if judged.agreement < 1:
        found.append(
            f"it is to be the same model and answers {100 * (1 - judged.agreement):.1f} % of the rows otherwise"
        )
    if (judged.probability_gap or 0.0) > SAME:
        found.append(f"its probabilities are up to {judged.probability_gap:.3f} off the run's")
    return found


def probability_gap(one: Sequence[Prediction], other: Sequence[Prediction]) -> float | None:
    """The largest difference between two probabilities of the same row and label; None where no row has any."""
    gaps = [
        abs(share - b.probabilities.get(label, 0.0))
        for a, b in zip(one, other, strict=True)
        if a.probabilities and b.probabilities
        for label, share in a.probabilities.items()
    ]
    return max(gaps) if gaps else None


def _worse(judged: Judged, gap: Difference) -> list[str]:
    """Fewer rows can tell less: what is seen to be no worse passes, what is worse must be so by little for sure."""
    if gap.value <= 0 or gap.high <= judged.margin:
        return []
    points = f"by {100 * gap.value:.2f} points of {told(judged.metric)}, and at 95 % by up to {100 * gap.high:.2f}"
    return [f"it is worse {points}, on {judged.rows:,} validation rows; {100 * judged.margin:g} are allowed"]


def _slower(judged: Judged) -> list[str]:
    if judged.seconds is None or judged.against is None or judged.seconds < judged.against:
        return []
    times = f"{1000 * judged.seconds:.2f} ms of a processor a row, {1000 * judged.against:.2f} without it"
    return [f"it is no quicker: {times}"]
