"""A method's line in a comparison: made of its runs, or of what stood in their way.

    joined(spec, out, data, [Run(out / "runs" / "linear")], reused=False).scores["test"]["accuracy"]

A method that is trained may be so with several seeds: a run each, one line, whose scores are the means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from slmfit.data.dataset import Dataset, targets
from slmfit.errors import BudgetReached, MissingPart, SlmfitError
from slmfit.evidence import spread
from slmfit.methods.specs import Spec
from slmfit.records import MethodRow, Score, SeedRun
from slmfit.runs.answering import Answered
from slmfit.runs.run import Run, by_validation
from slmfit.text.figures import PLAIN

Without = Literal["skipped", "failed", "stopped"]
FEWEST = 500  # test rows, of which an interval of a difference spans about 2.5 points either way


def without_run(spec: Spec, reason: str, status: Without = "skipped") -> MethodRow:
    """The line of a method that has no run."""
    return MethodRow(id=spec.id, name=spec.name, status=status, reason=reason)


def without_part(spec: Spec, part: MethodRow) -> MethodRow:
    """The line of a method that is made of one that has no run, or not all that was asked for."""
    return replace(
        without_run(spec, f"{part.id}: {part.reason}"), status="failed" if part.status == "ok" else part.status
    )


def failed(spec: Spec, error: Exception) -> MethodRow:
    """The line of a method that raised this when it was fitted."""
    status: Without = "stopped" if isinstance(error, BudgetReached) else "failed"
    return without_run(spec, reason_of(error), "skipped" if isinstance(error, MissingPart) else status)


def reason_of(error: Exception) -> str:
    """What is said of an error; one that is not ours is named too."""
    return str(error) if isinstance(error, SlmfitError) else f"{type(error).__name__}: {error}"


def joined(spec: Spec, out: Path, data: Dataset, trained: Sequence[Run], *, reused: bool) -> MethodRow:
    """The line of a method's run, or of its trainings with several seeds; the runs are below `out`."""
    best = by_validation(trained) if len(trained) > 1 else trained[0]
    row = MethodRow.of(best.record, best.folder.relative_to(out).as_posix(), reused)
    if not spec.seeded:
        return row
    seeds = [
        SeedRun(seed=run.record.seed, run=run.folder.relative_to(out).as_posix(), scores=run.record.scores)
        for run in trained
    ]
    return replace(row, id=spec.id, seeds=seeds, scores=_mean_scores(data, trained))


def runs_of(line: MethodRow) -> list[str]:
    """The runs that the line's scores are of."""
    return [one.run for one in line.seeds] or [str(line.run)]


def hindering(rows: Mapping[str, int]) -> list[str]:
    """The methods, of those with so many test rows each, without which the others are compared on far more rows.

    The one with the fewest goes, while it has fewer than FEWEST and less than half of the next one's, and two remain:
    of so few rows no difference is read that matters, while between the others it may be.
    """
    order, out = sorted(rows, key=lambda id: rows[id]), 0
    while len(order) - out > 2 and rows[order[out]] < min(FEWEST, rows[order[out + 1]] / 2):
        out += 1
    return order[:out]


def few_rows(answered: int, rows: int) -> str:
    """Why a method is left out of a comparison."""
    return (
        f"it answered only {answered:,} of {rows:,} test rows in its time, too few to be compared on\n"
        "  fix: give a larger budget, or leave slower methods out"
    )


def in_common(data: Dataset, runs: Sequence[Run]) -> Dataset:
    """The data with those rows of validation and test that every run answered; the same object where that is all."""
    splits = dict(data.splits)
    for split in ("validation", "test"):
        for run in runs:
            if run.record.rows_scored(split) < len(data.splits[split]):
                splits[split] = run.answered(split, splits[split])
    return data if splits == dict(data.splits) else replace(data, splits=splits)


def rescored(run: Run, data: Dataset) -> Run:
    """The run with the scores of these rows of validation and test alone; nothing is written."""
    record, again = run.record, Run(run.folder)
    found = {
        split: Answered.of(rows, run.answers(split, rows), data, record.seed)
        for split, rows in data.splits.items()
        if split != "train" and split in record.scores and len(rows) < record.rows_scored(split)
    }
    again.record = replace(
        record,
        scores={**record.scores, **{split: one.scores.values for split, one in found.items()}},
        details={**record.details, **{split: one.scores.details for split, one in found.items()}},
        scored={**record.scored, **{split: len(one.examples) for split, one in found.items()}},
    )
    return again


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
