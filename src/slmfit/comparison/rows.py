"""A method's line in a comparison: fitted, or found as it was fitted before; what stands in its way is the reason.

A method that is trained may be so with several seeds: a run each, one line, whose scores are the means.

row = fit_row(out, Spec("linear", "linear"), data, Terms(0, "accuracy"))
row.status, row.scores["test"]["accuracy"]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from slmfit import methods, storage
from slmfit.data.dataset import Dataset, targets
from slmfit.errors import BudgetReached, MissingPart, SlmfitError
from slmfit.evidence import spread
from slmfit.methods import Spec
from slmfit.records import MethodRow, Prediction, Score, SeedRun
from slmfit.runs import fitting
from slmfit.runs.fitting import Terms
from slmfit.runs.run import Run, by_validation, read_run
from slmfit.runs.trainings import fit_seeds, reusable, seeded, set_aside
from slmfit.tasks.answers import prediction_to_json
from slmfit.text.figures import PLAIN


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


def given_row(out: Path, name: str, answers: Sequence[Prediction], data: Dataset, terms: Terms) -> MethodRow:
    """Score answers the user already has."""
    id = f"predictions-{storage.file_name(name)}"
    folder = out / "runs" / id
    plain = [prediction_to_json(answer) for answer in answers]
    key = storage.hash_json([data.hashes["test"], plain, terms.seed, terms.metric])
    reused = reusable(folder, key)
    if not reused:
        if folder.is_dir():
            set_aside(folder)
        fitting.given_run(name, answers, data, folder, key, terms)
    return MethodRow.of(read_run(folder), folder.relative_to(out).as_posix(), reused)


def joined_row(out: Path, spec: Spec, data: Dataset, trained: Sequence[Run], reused: Sequence[bool]) -> MethodRow:
    """The line of a method's run, or of its trainings with several seeds."""
    best = by_validation(trained) if len(trained) > 1 else trained[0]
    row = MethodRow.of(best.record, best.folder.relative_to(out).as_posix(), all(reused))
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
    truth, repeats = targets(data.splits[split]), data.repeats(split)
    answers = [run.answers(split, data.splits[split]) for run in trained]
    found = {}
    for name in trained[0].record.scores[split]:
        if name in data.task.metrics:
            parts = [data.task.components(name, truth, given) for given in answers]
            tables, seed = [part.rows for part in parts], trained[0].record.seed
            found[name] = spread.rows_alone(tables, parts[0].combine, seed=seed, clusters=repeats)
    return found
