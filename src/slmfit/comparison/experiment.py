"""An experiment: a folder, data and terms. It plans, fits one method asked for, makes its line, judges.

    experiment = Experiment(Path("out"), data, Terms(seed=0, metric="accuracy"))
    [spec] = parse_specs("linear", task=data.task)
    experiment.fit(spec)                        # Fitted(folder=Path("out/runs/linear"), reused=False)
    experiment.row(spec).scores["test"]["accuracy"]

Experiment, spec and what `fit` returns pickle, so another process may fit. What happens there is in the run's
events.jsonl; a listener stays where it is, and is given anew: `replace(experiment, listen=listen)`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slmfit import storage
from slmfit.comparison import judging, planning, rows
from slmfit.data.added import Added
from slmfit.data.dataset import Dataset
from slmfit.errors import SlmfitError, UsageError
from slmfit.events import Listener, named
from slmfit.evidence.verdict import Prefer
from slmfit.methods.specs import Spec
from slmfit.records import MethodRow, Prediction
from slmfit.runs import fitting
from slmfit.runs.fitting import Terms
from slmfit.runs.run import Run, by_validation, read_run
from slmfit.runs.trainings import clear, trainings
from slmfit.runs.trainings import kept as kept_run
from slmfit.tasks.answers import prediction_to_json
from slmfit.timing.budget import Budget

if TYPE_CHECKING:
    from slmfit.llm import Limits
    from slmfit.llm.limits import Allowance


@dataclass(frozen=True)
class Fitted:
    """A run, and whether it was there already."""

    folder: Path
    reused: bool


@dataclass(frozen=True)
class Experiment:
    """See the module's docstring.

    listen: called as `listen(kind, fields)` for everything that happens; `run` among the fields says whose it is.
    allowance: what servers may take, all methods together; None = no limit.
    """

    folder: Path
    data: Dataset
    terms: Terms
    listen: Listener | None = None
    allowance: Allowance | None = None

    def fit(self, spec: Spec, budget: Budget | None = None) -> Fitted:
        """Fit one method with the terms' seed, or find it as it was fitted; an older run of that name is kept beside.

        budget: this run's part of it. Raises what the method raises.
        """
        parts = [self._fitted(part, budget) for part in spec.parts]
        folder, found = self._place(spec), self.kept(spec)
        if found != folder:
            clear(folder)
        if found:
            if found != folder:
                found.rename(folder)
            if self.listen:
                self.listen("reuse", {"run": spec.id})
            return Fitted(folder, reused=True)
        share = self.allowance.of(spec.id) if self.allowance else None
        listen = named(self.listen, spec.id)
        fitting.fit_run(spec, self.data, folder, self.terms, budget=budget, allowance=share, parts=parts, listen=listen)
        return Fitted(folder, reused=False)

    def fit_seeds(self, spec: Spec, budget: Budget | None = None) -> Iterator[Fitted]:
        """Fit a method with one seed of the terms after the other, or once where it is not trained.

        All of them have the same part of the time, so that nothing but the seed tells them apart.
        """
        every, whole = self.trainings(spec), budget or Budget()
        each = whole.part(len(every)).seconds
        for experiment, own in every:
            yield experiment.fit(own, Budget.of(each, whole.clock))

    def trainings(self, spec: Spec) -> list[tuple[Experiment, Spec]]:
        """What there is to fit of one method, seed by seed; each may be fitted elsewhere."""
        if spec.parts:  # which are trained with all the seeds; it is made of those that did best
            return [(self, spec)]
        return [(replace(self, terms=terms), own) for own, terms in trainings(spec, self.terms)]

    def row(self, spec: Spec, budget: Budget | None = None) -> MethodRow:
        """The line of a method that is fitted, or found fitted; what stands in its way becomes the row's reason.

        Where a further training fails, the row is made of those before it, and says so.
        """
        if spec.reason:
            return rows.without_run(spec, spec.reason)
        done: list[Fitted] = []
        reason = None
        try:
            for fitted in self.fit_seeds(spec, budget):
                done.append(fitted)
        except Exception as error:  # whatever a method or a library raises, the other methods go on
            if not done:
                return rows.failed(spec, error)
            seeds, failed = self.terms.seeds, self.terms.seed + len(done)
            reason = f"{len(done)} of {seeds} trainings; seed {failed} failed: {rows.reason_of(error)}"
        return replace(self.joined_row(spec, done), reason=reason)

    def joined_row(self, spec: Spec, done: Sequence[Fitted]) -> MethodRow:
        """The line of a method's run, or of its trainings with several seeds."""
        runs = [Run(fitted.folder) for fitted in done]
        return rows.joined(spec, self.folder, self.data, runs, reused=all(fitted.reused for fitted in done))

    def given_row(self, name: str, answers: Sequence[Prediction]) -> MethodRow:
        """The line of answers the user already has, scored like any other."""
        folder = self.folder / "runs" / f"predictions-{storage.file_name(name)}"
        plain = [prediction_to_json(answer) for answer in answers]
        key = storage.hash_json([self.data.hashes["test"], plain, self.terms.seed, self.terms.metric])
        reused = kept_run(folder, key) == folder
        if not reused:
            clear(folder)
            fitting.given_run(name, answers, self.data, folder, key, self.terms)
        return MethodRow.of(read_run(folder), folder.relative_to(self.folder).as_posix(), reused)

    def plan(self, specs: Sequence[Spec]) -> list[planning.Step]:
        """What would be done for each method, and what the servers it asks would take; nothing is fitted or asked."""
        steps = []
        for spec in specs:
            missing = 0 if spec.reason else sum(one.kept(own) is None for one, own in self.trainings(spec))
            steps.append(planning.step(spec, self.data, self.terms, missing))
        return steps

    def limited(self, specs: Sequence[Spec], limits: Limits | None) -> Experiment:
        """The same, held to what servers may take; what the methods' answers have been charged so far counts.

        Raises UsageError where no method asks a server, and where one cannot be held to the limits.
        """
        if limits is None:
            return self
        from slmfit.llm.limits import Allowance

        remote = [spec for spec in specs if spec.remote]
        if not remote:
            fix = "leave --max-usd, --max-tokens and --max-minutes out; --budget limits the time of training"
            raise UsageError("there is a limit for asking servers, and no method here asks one", fix=fix)
        known = {
            spec.id: planning.charged_by(read_run(found))
            if not spec.parts and (found := self.kept(spec))
            else planning.charged(spec, self.data, self.terms, limits)
            for spec in remote
        }
        return replace(self, allowance=Allowance(limits, known))

    def on_common_rows(self, specs: Sequence[Spec], lines: Sequence[MethodRow]) -> tuple[Experiment, list[MethodRow]]:
        """The experiment on the rows that every method answered, and the lines with their scores on these.

        Where the budget left out some rows of a method, they count for none; one that answered too few of them is
        left out itself, see `rows.hindering`.
        """
        by_id = {spec.id: spec for spec in specs}
        rows_of = {
            line.id: min(Run(self.folder / path).record.rows_scored("test") for path in rows.runs_of(line))
            for line in lines
            if line.run and line.id in by_id and not line.floor
        }
        out = {id: rows.few_rows(rows_of[id], len(self.data.test)) for id in rows.hindering(rows_of)}
        lines = [rows.without_run(by_id[one.id], out[one.id], "stopped") if one.id in out else one for one in lines]
        runs = {line.id: [Run(self.folder / path) for path in rows.runs_of(line)] for line in lines if line.run}
        common = rows.in_common(self.data, [run for own in runs.values() for run in own])
        if common is self.data:
            return self, list(lines)
        found = []
        for line in lines:
            own = [rows.rescored(run, common) for run in runs.get(line.id, ())]
            if own and line.id in by_id:
                joined = rows.joined(by_id[line.id], self.folder, common, own, reused=line.reused)
                line = replace(joined, reason=line.reason)
            elif own:
                line = MethodRow.of(own[0].record, line.run, line.reused)
            found.append(line)
        return replace(self, data=common), found

    def fewer_than(self, whole: Experiment) -> dict[str, int]:
        """Split -> the rows here, where that is fewer than there."""
        here, there = self.data.splits, whole.data.splits
        return {split: len(rows) for split, rows in here.items() if len(rows) < len(there[split])}

    def judge(
        self, lines: Sequence[MethodRow], *, margin: float, prefer: Prefer, added: Added | None = None
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """The verdict and each method's paired difference to the best, both JSON as they stand.

        added: rows that were added to train; the verdict then says what they brought.
        """
        terms = self.terms
        verdict, paired = judging.judge(
            self.data, self.folder, lines, metric=terms.metric, margin=margin, prefer=prefer, seed=terms.seed
        )
        return (verdict if added is None else {**verdict, **self._gained(lines, added, verdict)}), paired

    def _gained(self, lines: Sequence[MethodRow], added: Added, verdict: Mapping[str, Any]) -> dict[str, Any]:
        by_id = {row.id: row for row in lines}
        pairs = [(by_id[more], by_id[id]) for id in by_id if (more := planning.id_with(id, added)) in by_id]
        terms = self.terms
        found = judging.gains(self.data, self.folder, pairs, added.record, metric=terms.metric, seed=terms.seed)
        sentences = [gain["sentence"] for gain in found]
        return {"added": {**added.record, "gains": found}, "caveats": [*sentences, *verdict["caveats"]]}

    def _fitted(self, part: Spec, budget: Budget | None) -> Run:
        """The run of a part, fitted if it is not yet; the one that predicts, of several trainings."""
        if part.run is None:
            list(self.fit_seeds(part, budget))
        found = self._found(part)
        assert found is not None
        return found

    def _found(self, part: Spec) -> Run | None:
        """The run of a part; None where it is not there, or not with every seed."""
        if part.run is not None:
            return Run(part.run)
        places = [one.kept(own) for one, own in self.trainings(part)]
        runs = [Run(place) for place in places if place]
        if len(runs) < len(places):
            return None
        return by_validation(runs) if len(runs) > 1 else runs[0]

    def _place(self, spec: Spec) -> Path:
        return self.folder / "runs" / spec.id

    def kept(self, spec: Spec) -> Path | None:
        """The folder of that very run, under its name or set aside; None where it is not there."""
        parts = [self._found(part) for part in spec.parts]
        if not all(parts):
            return None
        made_of = [run.record.key for run in parts if run]
        keys = [fitting.run_key(spec, self.data, self.terms, parts=made_of)]
        if not spec.trained and self.terms.budget_seconds is not None:  # without a budget there is only more of it
            keys.insert(0, fitting.run_key(spec, self.data, self.terms, budgeted=False, parts=made_of))
        return next((found for key in keys if (found := kept_run(self._place(spec), key))), None)

    def __getstate__(self) -> dict[str, Any]:
        if self.allowance is not None:  # two processes that count apart would spend it twice
            raise SlmfitError(
                "what servers may take is counted in one process",
                fix="fit methods that ask a server in the process that holds the limits",
            )
        return self.__dict__ | {"listen": None}
