"""Methods side by side on one frozen split, and which is the smallest that is not worse.

    comparison = compare(load_data("tickets.csv"), "majority,linear,knn")
    print(comparison.record.verdict["sentence"])

A run that is there already, with the same key, is used again; so the same command goes on where it was killed.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slmfit import methods, storage
from slmfit.comparison import planning
from slmfit.comparison.folder import claim, write_data, write_diagnostics
from slmfit.comparison.judging import checked_margin, checked_preference, gains, judge
from slmfit.comparison.planning import id_with, with_rows
from slmfit.comparison.rows import fit_row, given_row, joined_row
from slmfit.data.added import Added, add_rows
from slmfit.data.dataset import Dataset
from slmfit.data.split import checked_seed
from slmfit.environment import environment, now
from slmfit.errors import MissingPart, UsageError, did_you_mean
from slmfit.events import Listener
from slmfit.methods import Spec
from slmfit.records import ComparisonRecord, MethodRow, Prediction
from slmfit.reporting import write_report
from slmfit.runs import fitting
from slmfit.runs.brief import comparison_html
from slmfit.runs.fitting import Terms
from slmfit.runs.run import Run, load, read_comparison, write_comparison
from slmfit.runs.trainings import checked_seeds, fit_seeds

if TYPE_CHECKING:
    from slmfit.llm import Limits

DEFAULT_METHODS = ("majority", "linear", "knn")


class Comparison:
    """A comparison on disk. `record` is what comparison.json says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.record = read_comparison(folder)

    def __repr__(self) -> str:
        return f"<slmfit comparison at {self.folder}: {self.record.verdict['sentence']}>"

    def _repr_html_(self) -> str:
        return comparison_html(self.record)

    @property
    def runs(self) -> dict[str, Run]:
        """Method id -> its run."""
        return {row.id: Run(storage.inside(self.folder, row.run)) for row in self.record.methods if row.run}

    @property
    def best(self) -> Run:
        """The run of the method that the verdict picked. Raises UsageError when it picked none."""
        return load(self.folder)


class Trained(Run):
    """The run that predicts, of one method's trainings. `row`: its line in a table, with the means over the seeds."""

    def __init__(self, out: Path, row: MethodRow) -> None:
        super().__init__(out / str(row.run))
        self.row = row


def compare(
    data: Dataset,
    asked: str | Sequence[str] = DEFAULT_METHODS,
    *,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    given: Mapping[str, Sequence[Prediction]] | None = None,
    augment: str | Path | None = None,
    metric: str | None = None,
    margin: float = 0.02,
    prefer: str = "size",
    out: str | Path | None = None,
    seed: int = 0,
    seeds: int = 1,
    budget_seconds: float | None = None,
    limits: Limits | None = None,
    texts: bool = True,
    command: str = "",
    listen: Listener | None = None,
) -> Comparison:
    """Fit what is not fitted yet, then compare. Everything is written below `out`.

    given: name -> answers the user already has for the test rows, each scored as one more row.
    augment: a file of rows that are added to train, and to nothing else: every method that learns is fitted once more,
    with them, as "ID+FILE", and the verdict says what they brought.
    metric: what the verdict goes by; None = the task's own. margin: in the metric's unit (0.02 = 2 points).
    prefer: what "smallest" means: size, latency, memory or cost.
    out: None = `slmfit-out/NAME-FINGERPRINT`, so that the same data always go to the same place.
    seeds: how often methods that are trained are, with seed, seed + 1, …: their scores are means, with the spread in
    the intervals, and the run that did best on validation is the one that predicts.
    budget_seconds: for the whole of it. Methods that need seconds take them; all trainings share what is left.
    limits: what servers that are asked may take, all methods together and earlier runs of the same comparison
    included; a method that reaches them is `stopped`, and goes on when the same call has larger ones.
    texts: whether the user's texts are kept beside the runs and shown in the report.

    Raises UsageError for an unknown method, setting, metric or preference, and for a margin, seed or number of seeds
    out of range, before anything is written; what a method raises is kept as the reason why its row failed, and the
    others go on.
    """
    metric = checked_metric(data, metric)
    preference = checked_preference(prefer)
    margin, seed = checked_margin(margin), checked_seed(seed)
    specs = methods.parse_specs(asked, settings)
    for spec in specs:
        if methods.unavailable(spec.name, data.task.name) is None:
            methods.create(spec.name, spec.given, spec.base_model)
    seeds = checked_seeds(seeds, seed, specs)
    added = None if augment is None else add_rows(data, augment)
    again = with_rows(specs, added)
    out = default_folder(data) if out is None else Path(out)
    terms, began = _terms(out, specs, data, Terms(seed, metric, listen, budget_seconds), limits), time.monotonic()
    with storage.locked(out):
        claim(out, data)
        findings = write_data(out, data, texts)
        quick = [spec for spec in specs if methods.TABLE[spec.name].quick]
        fitted = {spec.id: fit_row(out, spec, data, terms) for spec in quick}
        write_diagnostics(out, data, _runs(out, fitted.values()), terms, texts)
        fitted |= {spec.id: fit_row(out, spec, more, terms) for spec, more in again if methods.TABLE[spec.name].quick}
        slow = [pair for pair in [*((spec, data) for spec in specs), *again] if pair[0].id not in fitted]
        slow.sort(key=lambda pair: methods.TABLE[pair[0].name].remote)
        for n, (spec, own) in enumerate(slow):
            left = None if budget_seconds is None else budget_seconds - (time.monotonic() - began)
            fitted[spec.id] = fit_row(out, spec, own, terms, left and max(left, 0.0) / (len(slow) - n), seeds)
        rows = [fitted[spec.id] for spec in (*specs, *(spec for spec, _ in again))]
        rows += [given_row(out, name, answers, data, terms) for name, answers in (given or {}).items()]
        verdict, paired = judge(data, out, rows, metric=metric, margin=margin, prefer=preference, seed=seed)
        if added is not None:
            verdict |= _added(data, out, rows, added, verdict, seed)
        record = ComparisonRecord(
            dataset=fitting.dataset_record(data),
            split=fitting.split_record(data),
            methods=rows,
            verdict=verdict,
            paired=paired,
            warnings=[
                *(f["message"] for f in findings if f["severity"] == "warning"),
                *([added.warning] if added is not None and added.warning else []),
            ],
            command=command,
            seed=seed,
            environment=environment(),
            created=now(),
        )
        write_comparison(out, record)
        write_report(out, texts=texts)
    return Comparison(out)


def train(
    data: Dataset,
    asked: str,
    *,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    metric: str | None = None,
    out: str | Path | None = None,
    seed: int = 0,
    seeds: int = 1,
    budget_seconds: float | None = None,
    limits: Limits | None = None,
    listen: Listener | None = None,
) -> Trained:
    """One method, fitted and scored as in a comparison, without a verdict. Raises what the method raises."""
    metric, seed = checked_metric(data, metric), checked_seed(seed)
    spec, *more = methods.parse_specs(asked, settings)
    if more:
        raise UsageError("train fits one method", where=asked, fix="compare fits several")
    reason = methods.unavailable(spec.name, data.task.name)
    if reason and data.task.name not in methods.TABLE[spec.name].tasks:
        able = [name for name, row in methods.TABLE.items() if row.place and data.task.name in row.tasks]
        raise UsageError(f"{spec.name} {reason}", fix=f"use one of {', '.join(able)}")
    if reason:
        raise MissingPart(f"the method {spec.name!r} cannot run here", fix=reason)
    methods.create(spec.name, spec.given, spec.base_model)
    seeds = checked_seeds(seeds, seed, [spec])
    out = default_folder(data) if out is None else Path(out)
    with storage.locked(out):
        claim(out, data)
        if not (out / "data" / "split.json").is_file():
            write_data(out, data, texts=True)
        terms = _terms(out, [spec], data, Terms(seed, metric, listen, budget_seconds), limits)
        trained, reused = zip(*fit_seeds(out, spec, data, terms, budget_seconds, seeds), strict=True)
    return Trained(out, joined_row(out, spec, data, [Run(folder) for folder in trained], reused))


def plan(
    data: Dataset,
    asked: str | Sequence[str],
    *,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    metric: str | None = None,
    out: str | Path | None = None,
    seed: int = 0,
    seeds: int = 1,
    augment: str | Path | None = None,
    budget_seconds: float | None = None,
) -> list[planning.Step]:
    """What `compare` or `train` would do for each method, and what the servers it asks would take.

    Nothing is written, fitted or sent. Arguments and errors are those of `compare`.
    """
    specs = methods.parse_specs(asked, settings)
    terms = Terms(checked_seed(seed), checked_metric(data, metric), budget_seconds=budget_seconds)
    seeds = checked_seeds(seeds, seed, specs)
    out = default_folder(data) if out is None else Path(out)
    steps = planning.plan(out, specs, data, terms, seeds)
    for spec, more in with_rows(specs, None if augment is None else add_rows(data, augment)):
        steps += planning.plan(out, [spec], more, terms, seeds)
    return steps


def checked_metric(data: Dataset, metric: str | None) -> str:
    """The metric to go by. Raises UsageError for one the task does not have, and for data that are not loaded yet."""
    if not isinstance(data, Dataset):
        raise UsageError(f"a dataset is needed, not {type(data).__name__}", fix="slmfit.load_data(PATH) makes one")
    if metric is not None and metric not in data.task.metrics:
        fix = did_you_mean(metric, data.task.metrics)
        raise UsageError(f"{data.task.name} has no metric {metric!r} for a verdict", fix=fix)
    return metric or data.task.metric


def _terms(out: Path, specs: Sequence[Spec], data: Dataset, terms: Terms, limits: Limits | None) -> Terms:
    """The terms with what servers may take."""
    return terms if limits is None else replace(terms, allowance=planning.allowance(out, specs, data, terms, limits))


def default_folder(data: Dataset) -> Path:
    """Where results go when the user names no place: the same data, the same folder."""
    return Path("slmfit-out") / f"{data.name}-{data.fingerprint[:6]}"


def _added(
    data: Dataset, out: Path, rows: Sequence[MethodRow], added: Added, verdict: Mapping[str, Any], seed: int
) -> dict[str, Any]:
    """What the verdict says of the rows added to train."""
    by_id = {row.id: row for row in rows}
    pairs = [(by_id[with_them], by_id[id]) for id in by_id if (with_them := id_with(id, added)) in by_id]
    found = gains(data, out, pairs, added.record, metric=verdict["metric"], seed=seed)
    sentences = [gain["sentence"] for gain in found]
    return {"added": {**added.record, "gains": found}, "caveats": [*sentences, *verdict["caveats"]]}


def _runs(out: Path, rows: Iterable[MethodRow]) -> dict[str, Run]:
    """Method id -> its run, for the methods that have one."""
    return {row.id: Run(out / row.run) for row in rows if row.run}
