"""A method's line in a comparison: fitted, or found as it was fitted before; what stands in its way is the reason.

A method that is trained may be so with several seeds: a run each, one line, whose scores are the means.

row = fit_row(out, Spec("linear", "linear"), data, Terms(0, "accuracy"))
row.status, row.scores["test"]["accuracy"]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from slmfit import fitting, methods, runs, spread, storage
from slmfit.data.dataset import Dataset
from slmfit.data.split import checked_seed
from slmfit.errors import BudgetReached, MissingPart, SlmfitError, UsageError
from slmfit.fitting import Terms, named
from slmfit.methods import Spec
from slmfit.records import MethodRow, Prediction, RunRecord, Score, SeedRun
from slmfit.runs import Run
from slmfit.wording import PLAIN


def seeded(spec: Spec) -> bool:
    """Whether the method is trained, so that another seed makes another model."""
    row = methods.TABLE[spec.name]
    if not row.trained or methods.unavailable(spec.name):
        return row.trained
    return methods.create(spec.name, spec.given, spec.base_model).seeded


def checked_seeds(seeds: int, seed: int, specs: Sequence[Spec]) -> int:
    """How many seeds methods are trained with. Raises UsageError for less than one, and where nothing is trained."""
    if seeds < 1:
        raise UsageError(f"--seeds cannot be {seeds}", fix="give how often to train: --seeds 3")
    checked_seed(seed + seeds - 1)
    if seeds > 1 and not any(seeded(spec) for spec in specs):
        fix = "leave it out, or add a method that is trained, such as encoder"
        raise UsageError("--seeds trains again with another seed, and nothing here is trained", fix=fix)
    return seeds


def fit_row(
    out: Path, spec: Spec, data: Dataset, terms: Terms, seconds: float | None = None, seeds: int = 1
) -> MethodRow:
    """Fit or reuse one method; what stands in its way becomes the row's reason.

    seeds: how often it is trained, if it is, sharing `seconds`. Where a further training fails, the row is made of
    those before it, and says so.
    """
    reason = methods.unavailable(spec.name, data.task.name)
    if reason:
        return MethodRow(id=spec.id, name=spec.name, status="skipped", reason=reason)
    done = []
    try:
        for folder, reused in fit_seeds(out, spec, data, terms, seconds, seeds):
            done.append((Run(folder), reused))
    except Exception as error:  # whatever a method or a library raises, the other methods go on
        known = isinstance(error, SlmfitError)
        reason = str(error) if known else f"{type(error).__name__}: {error}"
        if not done:
            return MethodRow(id=spec.id, name=spec.name, status=_status(error), reason=reason)
        reason = f"{len(done)} of {seeds} trainings; seed {terms.seed + len(done)} failed: {reason}"
    return replace(joined_row(out, spec, data, *zip(*done, strict=True)), reason=reason)


def _status(error: Exception) -> Literal["skipped", "failed", "stopped"]:
    """What became of a method that raised this."""
    if isinstance(error, MissingPart):
        return "skipped"
    return "stopped" if isinstance(error, BudgetReached) else "failed"


def fit_seeds(
    out: Path, spec: Spec, data: Dataset, terms: Terms, seconds: float | None = None, seeds: int = 1
) -> Iterator[tuple[Path, bool]]:
    """Train a method with one seed after the other; each one's folder, and whether it was there already.

    All of them have the same part of the time, so that nothing but the seed tells them apart.
    """
    all_of_them = trainings(spec, terms, seeds)
    seconds = None if seconds is None else seconds / len(all_of_them)
    for own_spec, own_terms in all_of_them:
        folder, reused = fit_or_reuse(out, own_spec, data, own_terms, seconds)
        if terms.listen and reused:
            terms.listen("reuse", {"run": own_spec.id})
        yield folder, reused


def trainings(spec: Spec, terms: Terms, seeds: int) -> list[tuple[Spec, Terms]]:
    """How a method is trained: with each seed under a name of its own, in the same part of the budget."""
    count = seeds if seeded(spec) else 1
    budget = None if terms.budget_seconds is None else terms.budget_seconds / count
    return [
        (
            spec if seed == terms.seed else replace(spec, id=runs.of_seed(spec.id, seed)),
            replace(terms, seed=seed, budget_seconds=budget),
        )
        for seed in range(terms.seed, terms.seed + count)
    ]


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
    folder, kept = out / "runs" / spec.id, kept_run(out, spec, data, terms)
    if kept != folder and folder.is_dir():
        _set_aside(folder)
    if kept:
        if kept != folder:
            kept.rename(folder)
        return folder, True
    heard = replace(terms, listen=named(terms.listen, spec.id))
    fitting.fit_run(spec, data, folder, heard, seconds)
    return folder, False


def kept_run(out: Path, spec: Spec, data: Dataset, terms: Terms) -> Path | None:
    """The folder of that very run, under its name or set aside; None where it is not there."""
    key = fitting.run_key(spec, data, terms)
    folder = out / "runs" / spec.id
    places = (folder, folder.with_name(f"{spec.id}@{key[:8]}"))
    return next((place for place in places if _reusable(place, key)), None)


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
        outcomes=record.details["test"].get("outcomes"),
    )


def joined_row(out: Path, spec: Spec, data: Dataset, trained: Sequence[Run], reused: Sequence[bool]) -> MethodRow:
    """The line of a method's run, or of its trainings with several seeds."""
    best = runs.by_validation(trained) if len(trained) > 1 else trained[0]
    row = method_row(best.record, best.folder.relative_to(out), all(reused))
    if not seeded(spec):
        return row
    seeds = [
        SeedRun(seed=run.record.seed, run=run.folder.relative_to(out).as_posix(), scores=run.record.scores)
        for run in trained
    ]
    return replace(row, id=spec.id, seeds=seeds, scores=_mean_scores(data, trained))


def _mean_scores(data: Dataset, trained: Sequence[Run]) -> dict[str, dict[str, Score]]:
    """Split -> name -> the mean over the trainings, with their spread in the interval (see `spread`)."""
    records = [run.record for run in trained]
    means: dict[str, dict[str, Score]] = {}
    for split, first in records[0].scores.items():
        of_rows = _over_rows(data, trained, split) if len(trained) > 1 else {}
        means[split] = {}
        for name in first:
            every, most = [record.scores[split][name] for record in records], None if name.startswith(PLAIN) else 1.0
            means[split][name] = spread.mean_score(every, of_rows.get(name), most=most)
    return means


def _over_rows(data: Dataset, trained: Sequence[Run], split: str) -> dict[str, Score]:
    """Name -> the mean over the trainings with its interval over rows; none for train, whose answers are not kept."""
    if split == "train":
        return {}
    truth = fitting.targets(data.splits[split])
    answers = [run.answers(split, data.splits[split]) for run in trained]
    found = {}
    for name in trained[0].record.scores[split]:
        if name in data.task.metrics:
            parts = [data.task.components(name, truth, given) for given in answers]
            tables, seed = [part.rows for part in parts], trained[0].record.seed
            found[name] = spread.rows_alone(tables, parts[0].combine, seed=seed)
    return found


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
