"""Methods side by side on one frozen split, and which is the smallest that is not worse.

    comparison = compare(load_data("tickets.csv"), "majority,linear,knn")
    print(comparison.record.verdict["sentence"])

A run that is there already, with the same key, is used again; so the same command goes on where it was killed.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from slmfit import fitting, methods, runs, storage, summary
from slmfit.data.audit import audit_dataset
from slmfit.data.dataset import Dataset
from slmfit.data.split import checked_seed
from slmfit.diagnostics import diagnose
from slmfit.environment import code_version, environment, now
from slmfit.errors import MissingPart, SlmfitError, UsageError, did_you_mean
from slmfit.fitting import Listener, Terms
from slmfit.judging import checked_margin, checked_preference, judge
from slmfit.methods import Spec
from slmfit.records import SPLITS, ComparisonRecord, MethodRow, Prediction, RunRecord
from slmfit.report import write_report
from slmfit.runs import Run

DEFAULT_METHODS = ("majority", "linear", "knn")


class Comparison:
    """A comparison on disk. `record` is what comparison.json says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.record = runs.read_comparison(folder)

    def __repr__(self) -> str:
        return f"<slmfit comparison at {self.folder}: {self.record.verdict['sentence']}>"

    def _repr_html_(self) -> str:
        return summary.comparison_html(self.record)

    @property
    def runs(self) -> dict[str, Run]:
        """Method id -> its run."""
        return {row.id: Run(self.folder / row.run) for row in self.record.methods if row.run}

    @property
    def best(self) -> Run:
        """The run of the method that the verdict picked. Raises UsageError when it picked none."""
        return runs.load(self.folder)


def compare(
    data: Dataset,
    asked: str | Sequence[str] = DEFAULT_METHODS,
    *,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    given: Mapping[str, Sequence[Prediction]] | None = None,
    metric: str | None = None,
    margin: float = 0.02,
    prefer: str = "size",
    out: str | Path | None = None,
    seed: int = 0,
    budget_seconds: float | None = None,
    texts: bool = True,
    command: str = "",
    listen: Listener | None = None,
) -> Comparison:
    """Fit what is not fitted yet, then compare. Everything is written below `out`.

    given: name -> answers the user already has for the test rows, each scored as one more row.
    metric: what the verdict goes by; None = the task's own. margin: in the metric's unit (0.02 = 2 points).
    prefer: what "smallest" means: size, latency, memory or cost.
    out: None = `slmfit-out/NAME-FINGERPRINT`, so that the same data always go to the same place.
    budget_seconds: for the whole of it. Methods that need seconds take them; those that are trained share what is left.
    texts: whether the user's texts are kept beside the runs and shown in the report.

    Raises UsageError for an unknown method, setting, metric or preference, and for a margin or seed out of range,
    before anything is written; what a method raises is kept as the reason why its row failed, and the others go on.
    """
    metric = checked_metric(data, metric)
    preference = checked_preference(prefer)
    margin, seed = checked_margin(margin), checked_seed(seed)
    specs = methods.parse_specs(asked, settings)
    for spec in specs:
        if methods.unavailable(spec.name, data.task.name) is None:
            methods.create(spec.name, spec.given, spec.base_model)
    out = default_folder(data) if out is None else Path(out)
    terms, began = Terms(seed, metric, listen, budget_seconds), time.monotonic()
    with storage.locked(out):
        _claim(out, data)
        findings = _write_data(out, data, texts)
        quick = [spec for spec in specs if not methods.TABLE[spec.name].trained]
        fitted = {spec.id: _row(out, spec, data, terms) for spec in quick}
        _write_diagnostics(out, data, _runs(out, fitted.values()), terms, texts)
        trained = [spec for spec in specs if spec not in quick]
        for n, spec in enumerate(trained):
            left = None if budget_seconds is None else budget_seconds - (time.monotonic() - began)
            fitted[spec.id] = _row(out, spec, data, terms, left and max(left, 0.0) / (len(trained) - n))
        rows = [fitted[spec.id] for spec in specs]
        rows += [_given_row(out, name, answers, data, terms) for name, answers in (given or {}).items()]
        ok = _runs(out, rows)
        verdict, paired = judge(data, ok, metric=metric, margin=margin, prefer=preference, seed=seed)
        record = ComparisonRecord(
            dataset=fitting.dataset_record(data),
            split=fitting.split_record(data),
            methods=rows,
            verdict=verdict,
            paired=paired,
            warnings=[f["message"] for f in findings if f["severity"] == "warning"],
            command=command,
            seed=seed,
            environment=environment(),
            created=now(),
        )
        runs.write_comparison(out, record)
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
    budget_seconds: float | None = None,
    listen: Listener | None = None,
) -> Run:
    """One method, fitted and scored as in a comparison, without a verdict. Raises what the method raises."""
    metric, seed = checked_metric(data, metric), checked_seed(seed)
    spec, *more = methods.parse_specs(asked, settings)
    if more:
        raise UsageError("train fits one method", where=asked, fix="compare fits several")
    reason = methods.unavailable(spec.name, data.task.name)
    if reason:
        raise MissingPart(f"the method {spec.name!r} cannot run here", fix=reason)
    methods.create(spec.name, spec.given, spec.base_model)
    out = default_folder(data) if out is None else Path(out)
    with storage.locked(out):
        _claim(out, data)
        if not (out / "data" / "split.json").is_file():
            _write_data(out, data, texts=True)
        terms = Terms(seed, metric, listen, budget_seconds)
        folder, _ = fit_or_reuse(out, spec, data, terms, budget_seconds)
    return Run(folder)


def checked_metric(data: Dataset, metric: str | None) -> str:
    """The metric to go by. Raises UsageError for one the task does not have, and for data that are not loaded yet."""
    if not isinstance(data, Dataset):
        raise UsageError(f"a dataset is needed, not {type(data).__name__}", fix="slmfit.load_data(PATH) makes one")
    if metric is not None and metric not in data.task.metrics:
        fix = did_you_mean(metric, data.task.metrics)
        raise UsageError(f"{data.task.name} has no metric {metric!r} for a verdict", fix=fix)
    return metric or data.task.metric


def default_folder(data: Dataset) -> Path:
    """Where results go when the user names no place: the same data, the same folder."""
    return Path("slmfit-out") / f"{data.name}-{data.fingerprint[:6]}"


def fit_or_reuse(out: Path, spec: Spec, data: Dataset, terms: Terms, seconds: float | None = None) -> tuple[Path, bool]:
    """The run's folder, and whether it was there already. An older run of that name is kept beside it."""
    key = fitting.run_key(spec, data, terms)
    folder = out / "runs" / spec.id
    if _reusable(folder, key):
        return folder, True
    aside = folder.with_name(f"{spec.id}@{key[:8]}")
    again = _reusable(aside, key)
    if folder.is_dir():
        _set_aside(folder)
    if again:
        aside.rename(folder)
        return folder, True
    heard = replace(terms, listen=_named(terms.listen, spec.id))
    fitting.fit_run(spec, data, folder, heard, seconds)
    return folder, False


def _row(out: Path, spec: Spec, data: Dataset, terms: Terms, seconds: float | None = None) -> MethodRow:
    """Fit or reuse one method; what stands in its way becomes the row's reason."""
    reason = methods.unavailable(spec.name, data.task.name)
    if reason:
        return MethodRow(id=spec.id, name=spec.name, status="skipped", reason=reason)
    try:
        folder, reused = fit_or_reuse(out, spec, data, terms, seconds)
    except Exception as error:  # whatever a method or a library raises, the other methods go on
        known = isinstance(error, SlmfitError)
        reason = str(error) if known else f"{type(error).__name__}: {error}"
        return MethodRow(id=spec.id, name=spec.name, status="failed", reason=reason)
    if terms.listen and reused:
        terms.listen("reuse", {"run": spec.id})
    return method_row(runs.read_run(folder), folder.relative_to(out), reused)


def _given_row(out: Path, name: str, answers: Sequence[Prediction], data: Dataset, terms: Terms) -> MethodRow:
    """Score answers the user already has."""
    id = methods.run_id("predictions", name)
    folder = out / "runs" / id
    plain = [runs.prediction_to_json(answer) for answer in answers]
    key = storage.hash_json([data.hashes["test"], plain, terms.seed, terms.metric])
    reused = _reusable(folder, key)
    if not reused:
        if folder.is_dir():
            _set_aside(folder)
        fitting.given_run(name, answers, data, folder, key, terms)
    return method_row(runs.read_run(folder), folder.relative_to(out), reused)


def method_row(record: RunRecord, run: Path, reused: bool) -> MethodRow:
    """A run's line in the table."""
    usd, rows = record.usage.get("usd"), record.split["test"]["rows"]
    return MethodRow(
        id=record.id,
        name=record.method,
        status="ok",
        run=run.as_posix(),
        reused=reused,
        scores=record.scores,
        fit_seconds=record.fit_seconds,
        search_seconds=record.search_seconds,
        latency_ms=record.latency_ms,
        rows_per_second=record.rows_per_second,
        size_bytes=record.size_bytes,
        peak_memory_bytes=record.peak_memory_bytes,
        usd_per_1000_rows=None if usd is None else 1000 * usd / rows,
    )


def _claim(out: Path, data: Dataset) -> None:
    """Refuse a folder that holds something else, or other data."""
    split = out / "data" / "split.json"
    mine = {"comparison.json", "report.html", "data", "runs"}
    strange = [p.name for p in out.iterdir() if p.name not in mine and not p.name.startswith(".")]
    if strange and not split.is_file():
        fix = "choose another folder with --out, or an empty one"
        raise UsageError(f"holds other files ({', '.join(sorted(strange)[:3])})", where=str(out), fix=fix)
    if split.is_file() and storage.read_json(split, "fingerprint")["fingerprint"] != data.fingerprint:
        fix = "choose another folder with --out, or delete this one"
        raise UsageError("holds a comparison on other data, or another split of them", where=str(out), fix=fix)


def _write_data(out: Path, data: Dataset, texts: bool) -> list[dict[str, Any]]:
    """The audit, the test rows and the split's hashes; anew where texts were kept and shall not be, or the other way.

    Returns the audit's findings.
    """
    folder = out / "data"
    test = folder / "test.jsonl"
    if not (folder / "split.json").is_file() or test.is_file() != texts:
        folder.mkdir(exist_ok=True)
        audit = audit_dataset(data)
        storage.write_json(folder / "audit.json", audit if texts else _without_texts(audit))
        if texts:
            rows = (json.dumps(data.task.unparse(e), ensure_ascii=False) for e in data.test)
            storage.write_text(test, "".join(row + "\n" for row in rows))
        else:
            test.unlink(missing_ok=True)
        split = {"fingerprint": data.fingerprint, **{s: data.hashes[s] for s in SPLITS}}
        storage.write_json(folder / "split.json", split)
    return storage.read_json(folder / "audit.json", "findings")["findings"]


def _runs(out: Path, rows: Iterable[MethodRow]) -> dict[str, Run]:
    """Method id -> its run, for the methods that have one."""
    return {row.id: Run(out / row.run) for row in rows if row.run}


def _write_diagnostics(out: Path, data: Dataset, ok: Mapping[str, Run], terms: Terms, texts: bool) -> None:
    """The learning curve and the suspected label errors, computed once for the same data, metric, seed and code."""
    path = out / "data" / "diagnostics.json"
    key = storage.hash_json([data.fingerprint, terms.metric, terms.seed, texts, code_version()])
    with contextlib.suppress(SlmfitError):  # missing or damaged: they are computed again
        if storage.read_json(path, "key")["key"] == key:
            return
    known = {id: run.record for id, run in ok.items()}
    listen = _named(terms.listen, "diagnostics")
    found = diagnose(data, metric=terms.metric, seed=terms.seed, known=known, listen=listen)
    storage.write_json(path, {**(found if texts else _without_texts(found)), "key": key})


def _without_texts(value: Any) -> Any:
    """The same JSON without the excerpts of the user's texts."""
    if isinstance(value, dict):
        return {k: _without_texts(v) for k, v in value.items() if k != "text"}
    return [_without_texts(v) for v in value] if isinstance(value, list) else value


def _reusable(folder: Path, key: str) -> bool:
    """Whether the folder holds that very run, undamaged."""
    try:
        run = Run(folder)
        storage.verify_files(folder / "model", run.record.files)
        answers = sum(row.get("split") == "test" for row in run.predictions()) if run.record.key == key else 0
    except SlmfitError:
        return False
    return answers == run.record.split["test"]["rows"]


def _set_aside(folder: Path) -> None:
    """Keep a run that another takes the name of: nothing fitted is lost, and it is found again by its key.

    What cannot be read is kept too: it may be the run of a newer slmfit.
    """
    try:
        mark = runs.read_run(folder).key[:8]
    except SlmfitError:
        mark = "unreadable"
    aside = folder.with_name(f"{folder.name}@{mark}")
    storage.remove(aside)
    folder.rename(aside)


def _named(listen: Listener | None, id: str) -> Listener | None:
    return (lambda kind, fields: listen(kind, {"run": id, **fields})) if listen else None
