"""A method's trainings, and the runs of before that are used again where the very same run is there already.

for own, terms in trainings(spec, Terms(0, "accuracy", seeds=3)):
    kept(out / "runs" / own.id, run_key(own, data, terms))     # the folder to use again, or None
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from slmfit import storage
from slmfit.data.split import checked_seed
from slmfit.errors import SlmfitError, UsageError
from slmfit.methods.specs import Spec
from slmfit.runs.fitting import Terms
from slmfit.runs.run import Run, of_seed, read_run, unchanged

ASIDE = ","  # ID,KEY is a run set aside; no method's id has a comma
ASIDE_BEFORE = "@"  # what stood there until ids could have it


def checked_seeds(seeds: int, seed: int, specs: Sequence[Spec]) -> int:
    """How many seeds methods are trained with. Raises UsageError for less than one, and where nothing is trained."""
    if seeds < 1:
        raise UsageError(f"--seeds cannot be {seeds}", fix="give a number of 1 or more, such as --seeds 3")
    checked_seed(seed + seeds - 1)
    if seeds > 1 and not any(spec.seeded for spec in specs):
        fix = "leave it out, or add a method that is trained, such as encoder"
        raise UsageError("--seeds trains again with another seed, and nothing here is trained", fix=fix)
    return seeds


def trainings(spec: Spec, terms: Terms) -> list[tuple[Spec, Terms]]:
    """How a method is trained: with each seed under a name of its own, in the same part of the budget."""
    count = terms.seeds if spec.seeded else 1
    budget = None if terms.budget_seconds is None else terms.budget_seconds / count
    return [
        (
            spec if seed == terms.seed else replace(spec, id=of_seed(spec.id, seed)),
            replace(terms, seed=seed, seeds=1, budget_seconds=budget),
        )
        for seed in range(terms.seed, terms.seed + count)
    ]


def kept(folder: Path, key: str) -> Path | None:
    """The folder of that very run, under its name or set aside; None where it is not there."""
    places = (folder, *(_aside(folder, key, mark) for mark in (ASIDE, ASIDE_BEFORE)))
    return next((place for place in places if _reusable(place, folder.name, key)), None)


def clear(folder: Path) -> None:
    """Set aside what stands in the place of a new run: nothing fitted is lost, and it is found again by its key.

    What cannot be read is kept too: it may be the run of a newer slmfit.
    """
    if not folder.is_dir():
        return
    try:
        key = read_run(folder).key
    except SlmfitError:
        key = "unreadable"
    aside = _aside(folder, key, ASIDE)
    storage.remove(aside)
    folder.rename(aside)


def _aside(folder: Path, key: str, mark: str) -> Path:
    return folder.with_name(f"{folder.name}{mark}{key if key == 'unreadable' else key[:8]}")


def _reusable(folder: Path, id: str, key: str) -> bool:
    """Whether the folder holds that very run, undamaged."""
    try:
        run = Run(folder)
        if (run.record.id, run.record.key) != (id, key):
            return False
        storage.verify_files(folder / "model", run.record.files)
        answers = sum(row.get("split") == "test" for row in run.predictions())
        return answers == run.record.rows_scored("test") and unchanged(folder)
    except SlmfitError:
        return False
