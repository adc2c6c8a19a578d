"""A method's line in a comparison: fitted, or found as it was fitted before; what stands in its way is the reason.

row = fit_row(out, Spec("linear", "linear"), data, Terms(0, "accuracy"))
row.status, row.scores["test"]["accuracy"]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from slmfit import fitting, methods, runs, storage
from slmfit.data.dataset import Dataset
from slmfit.errors import SlmfitError
from slmfit.fitting import Terms, named
from slmfit.methods import Spec
from slmfit.records import MethodRow, Prediction, RunRecord
from slmfit.runs import Run


def fit_row(out: Path, spec: Spec, data: Dataset, terms: Terms, seconds: float | None = None) -> MethodRow:
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


def given_row(out: Path, name: str, answers: Sequence[Prediction], data: Dataset, terms: Terms) -> MethodRow:
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
    heard = replace(terms, listen=named(terms.listen, spec.id))
    fitting.fit_run(spec, data, folder, heard, seconds)
    return folder, False


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
