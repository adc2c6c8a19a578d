"""A method's trainings: fitted with each seed, or used again where the very same run is there already.

for folder, reused in fit_seeds(out, spec, data, terms, seeds=3):
    print(folder, reused)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from slmfit import methods, storage
from slmfit.data.dataset import Dataset
from slmfit.data.split import checked_seed
from slmfit.errors import SlmfitError, UsageError
from slmfit.events import named
from slmfit.methods import Spec
from slmfit.runs import fitting
from slmfit.runs.fitting import Terms
from slmfit.runs.run import Run, of_seed, read_run


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
            spec if seed == terms.seed else replace(spec, id=of_seed(spec.id, seed)),
            replace(terms, seed=seed, budget_seconds=budget),
        )
        for seed in range(terms.seed, terms.seed + count)
    ]


def fit_or_reuse(out: Path, spec: Spec, data: Dataset, terms: Terms, seconds: float | None = None) -> tuple[Path, bool]:
    """The run's folder, and whether it was there already. An older run of that name is kept beside it."""
    folder, kept = out / "runs" / spec.id, kept_run(out, spec, data, terms)
    if kept != folder and folder.is_dir():
        set_aside(folder)
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
    return next((place for place in places if reusable(place, key)), None)


def reusable(folder: Path, key: str) -> bool:
    """Whether the folder holds that very run, undamaged."""
    try:
        run = Run(folder)
        storage.verify_files(folder / "model", run.record.files)
        answers = sum(row.get("split") == "test" for row in run.predictions()) if run.record.key == key else 0
    except SlmfitError:
        return False
    return answers == run.record.split["test"]["rows"]


def set_aside(folder: Path) -> None:
    """Keep a run that another takes the name of: nothing fitted is lost, and it is found again by its key.

    What cannot be read is kept too: it may be the run of a newer slmfit.
    """
    try:
        mark = read_run(folder).key[:8]
    except SlmfitError:
        mark = "unreadable"
    aside = folder.with_name(f"{folder.name}@{mark}")
    storage.remove(aside)
    folder.rename(aside)
