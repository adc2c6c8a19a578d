"""One trial: some settings, fitted with every seed and scored on validation; the test split is never opened.

    bench = Bench(spec, data, Terms(0, "accuracy"))
    tried = bench.run(0, {})                    # the defaults: Tried(number=0, state="ok", score=0.87, …)
    bench.run(1, {"C": 0.5}, hopeless=asked.hopeless, budget=Budget.of(60))

What its answers were is handed over beside it, so that two trials can be compared row by row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Any, Literal

from slmfit.data.dataset import Dataset, targets
from slmfit.environment import cache_folder
from slmfit.errors import BudgetReached, MissingPart, SlmfitError, UsageError
from slmfit.events import Listener
from slmfit.methods.base import Context
from slmfit.methods.specs import Spec
from slmfit.records import Prediction, from_plain
from slmfit.runs.fitting import Terms, trial
from slmfit.runs.trainings import trainings
from slmfit.tasks.base import Components
from slmfit.timing.budget import Budget, monotonic

State = Literal["ok", "pruned", "failed"]
OK: State = "ok"
PRUNED: State = "pruned"
FAILED: State = "failed"
Answers = Sequence[Sequence[Prediction]]  # to validation, in its order, of one training after the other


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A trial that is over, as a line of trials.jsonl.

    settings: those that were tried; empty for the defaults. known: what settings came to be, those that were left open
    and then derived or chosen included. state: `ok`, `pruned` after an epoch without promise, or `failed` for a
    `reason`. score: on validation, the mean over the seeds; None where it did not come so far. epochs: the score after
    each epoch of the first training. seconds: that all of it took.
    """

    number: int
    settings: Mapping[str, Any]
    known: Mapping[str, Any] = field(default_factory=dict)
    state: State
    score: float | None = None
    epochs: Mapping[str, float] = field(default_factory=dict)
    seconds: float
    reason: str | None = None

    @property
    def looked_at(self) -> bool:
        """Whether its score on validation had a part in what was tried next and what was kept."""
        return self.state != FAILED

    @classmethod
    def of(cls, plain: Mapping[str, Any], number: int) -> Tried:
        """A line of ours. Raises KeyError, TypeError or ValueError for any other."""
        found = from_plain(cls, plain)
        scored = isinstance(found.score, int | float) and not isinstance(found.score, bool)
        if found.number != number or found.state not in (OK, PRUNED, FAILED) or scored != (found.state == OK):
            raise ValueError("no such trial")
        _ = [(int(epoch), score + 0.0) for epoch, score in found.epochs.items()]
        return found


class _Pruned(Exception):
    """The trial is not worth going on with."""


class OutOfTime(Exception):
    """The budget ended in the middle of a trial, which then counts for nothing."""


@dataclass(frozen=True)
class Bench:
    """Where settings are tried. spec: with what is fixed. terms: seed, seeds and metric. clock: that budgets go by."""

    spec: Spec
    data: Dataset
    terms: Terms
    listen: Listener | None = None

    def meant(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The settings without those that mean nothing beside the ones before them, which stay open: what a run of
        characters weighs, say, where only words are counted."""
        kept: dict[str, Any] = {}
        for name, value in settings.items():
            try:
                replace(self.spec.settings, **kept, **{name: value})
            except UsageError:
                continue
            kept[name] = value
        return kept

    def run(
        self,
        number: int,
        settings: Mapping[str, Any],
        *,
        searched: Sequence[str] = (),
        hopeless: Callable[[int, float], bool] = lambda epoch, score: False,
        budget: Budget | None = None,
    ) -> tuple[Tried, Answers]:
        """Fit and score. searched: the settings of which it is told what they came to be.

        hopeless: asked at the end of every epoch of the first training. Raises OutOfTime where the budget ends first,
        and of the defaults whatever they raise; of other settings that is kept as the reason why they failed.
        """
        budget, epochs = budget or Budget(), _Epochs(self.terms.metric, hopeless)
        begin = monotonic()
        spec = replace(self.spec, settings=replace(self.spec.settings, **settings))
        answers: list[Sequence[Prediction]] = []
        scores: list[float] = []
        known = dict(settings)

        def event(kind: str, **fields: Any) -> None:
            if self.listen:
                self.listen(kind, {"run": f"trial {number}", **fields})
            if not budget.left():
                raise OutOfTime
            if not answers:
                epochs.heard(kind, fields)

        def over(state: State, score: float | None = None, reason: str | None = None) -> Tried:
            return Tried(
                number=number,
                settings=dict(settings),
                known=known,
                state=state,
                score=score,
                epochs=epochs.scores,
                seconds=round(monotonic() - begin, 3),
                reason=reason,
            )

        try:
            for own, terms in trainings(spec, self.terms):
                context = Context(
                    seed=terms.seed,
                    metric=terms.metric,
                    cache=cache_folder(),
                    event=event,
                    rows_to_predict=len(self.data.validation),
                    groups=self.data.groups,
                )
                done = trial(own, self.data, context)
                assert done.validation is not None  # only a server gives no answers to it
                answers.append(done.validation.answers)
                scores.append(components(self.data, self.terms.metric, answers[-1]).value)
                came = {name: done.method.chosen.get(name, getattr(spec.settings, name)) for name in searched}
                known |= {name: value for name, value in came.items() if value is not None}
        except _Pruned:
            return over(PRUNED), ()
        except (OutOfTime, MissingPart, BudgetReached):
            raise
        except Exception as error:
            if number == 0:
                raise
            reason = str(error) if isinstance(error, SlmfitError) else f"{type(error).__name__}: {error}"
            return over(FAILED, reason=reason.partition("\n")[0]), ()
        return over(OK, score=fmean(scores)), answers


def components(data: Dataset, metric: str, answers: Sequence[Prediction]) -> Components:
    """The metric's parts, row by row of validation."""
    return data.task.components(metric, targets(data.validation), answers)


class _Epochs:
    """What validation said after each epoch. Raises _Pruned where one is not worth going on with."""

    def __init__(self, metric: str, hopeless: Callable[[int, float], bool]) -> None:
        self.metric, self.hopeless = metric, hopeless
        self.scores: dict[str, float] = {}

    def heard(self, kind: str, fields: Mapping[str, Any]) -> None:
        if kind != "loss" or fields.get("split") != "validation" or self.metric not in fields:
            return
        epoch = int(fields["epoch"] + 1e-6)
        if epoch < 1 or str(epoch) in self.scores:
            return
        self.scores[str(epoch)] = fields[self.metric]
        if self.hopeless(epoch, fields[self.metric]):
            raise _Pruned
