"""A comparison fitted in parts, by any queue: the runs one a line, a share of them, and all of them in one folder.

    asked = Asked.of(data, "linear,encoder", seeds=3, out="compared")
    runs_of(asked)                     # ["majority", "linear", "encoder", "encoder~seed1", "encoder~seed2"]
    fit_part(asked, Part.of("2/4"))    # compared/parts/2-of-4
    merge(Path("compared"))            # the same command then finds the runs, measures them again, and judges

Nothing here schedules anything. Each part is a folder of its own, so parts meet nobody on a shared disk, and may come
from machines that share none.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from slmfit import storage
from slmfit.comparison.asked import Asked
from slmfit.comparison.experiment import Experiment, Fitted
from slmfit.comparison.folder import DATA, claim, held, write_data
from slmfit.data.dataset import Dataset
from slmfit.environment import environment
from slmfit.errors import UnsafeError, UsageError
from slmfit.events import Listener
from slmfit.methods.specs import Spec
from slmfit.records import SPLITS, RunRecord
from slmfit.runs import measuring
from slmfit.runs.run import Run, unchanged, write_run
from slmfit.runs.trainings import ASIDE, clear

PARTS, MERGED = "parts", "merged.json"
RUN_FILES = ("run.json", "predictions.jsonl", "events.jsonl")  # beside `model`
_PART = re.compile(r"([1-9]\d*)/([1-9]\d*)")
_MACHINE = ("platform", "processor", "cores")
# What a run's key is made of, as its record tells it.
_DECIDES = ("method", "base_model", "settings", "metric", "seed")


@dataclass(frozen=True)
class Part:
    """One share of so many, counted from 1."""

    number: int
    count: int

    @classmethod
    def of(cls, written: str) -> Self:
        """Part 2 of 4 from "2/4". Raises UsageError for anything else."""
        found = _PART.fullmatch(written.strip())
        if not found or int(found[1]) > int(found[2]):
            raise UsageError(f"--part cannot be {written!r}", fix="write which part of how many: --part 2/4")
        return cls(int(found[1]), int(found[2]))

    @property
    def folder(self) -> str:
        return f"{self.number}-of-{self.count}"


def runs_of(asked: Asked) -> list[str]:
    """The ids of the runs there are to fit: of every method, with each seed, with and without added rows.

    What is skipped is not among them, nor what is made of other runs (a cascade), which the last command fits.
    """
    return [spec.id for _, spec in every(asked)]


def every(asked: Asked) -> Iterator[tuple[Experiment, Spec]]:
    """The same with what each is fitted in."""
    for experiment, spec in asked.work:
        if not spec.reason and not spec.parts:
            yield from experiment.trainings(spec)


def fit_part(asked: Asked, part: Part, texts: bool = True) -> list[Fitted]:
    """Fit this part's runs, every n-th of all, into `parts/2-of-4` below the comparison's folder; those that are there
    already, there or in the comparison, are used again. texts: whether the user's texts are kept beside them.

    Raises UsageError for a budget and for limits of servers, which one process has to hold for all runs; what a method
    raises, when the part's other runs are done.
    """
    if asked.experiment.terms.budget_seconds is not None:
        fix = "leave --budget out; what a method may take is a setting, such as encoder.epochs"
        raise UsageError("a budget is for all runs together, and parts do not know of each other", fix=fix)
    if asked.experiment.allowance is not None:
        fix = "leave the limits out, or fit the methods that ask a server in the last command"
        raise UsageError("what servers may take is counted in one process", fix=fix)
    whole, folder = asked.experiment, asked.experiment.folder / PARTS / part.folder
    claim(whole.folder, whole.data)
    mine = list(every(asked))[part.number - 1 :: part.count]
    done, failed = list[Fitted](), list[Exception]()
    with held(folder, whole.data):
        write_data(replace(whole, folder=folder), texts)
        for experiment, spec in mine:
            if (there := experiment.kept(spec)) is not None:
                done.append(Fitted(there, reused=True))
                continue
            try:
                done.append(replace(experiment, folder=folder).fit(spec))
            except Exception as error:  # the others are worth having
                failed.append(error)
    if failed:
        raise failed[0]
    return done


def merge(out: Path, parts: Sequence[Path] = ()) -> list[str]:
    """Copy the runs of parts into the comparison's folder, which appears where it is not there; returns their ids.

    parts: folders of parts; none = those in `parts` below `out`. What is there already with the same key stays.
    Raises UsageError, before anything is copied, for no parts, and for parts of other data, settings or code, with the
    difference; UnsafeError for what leads out of a part, or names another place than its own.
    """
    folders = list(parts) or sorted(path for path in (out / PARTS).glob("*-of-*") if path.is_dir())
    if not folders:
        raise UsageError(
            "there are no parts", where=str(out / PARTS), fix="fit them first: the command with --part 1/4"
        )
    _same_data([*([out] if (out / "data" / "split.json").is_file() else []), *folders])
    there = {run.record.id: run for run in runs_in(out)}
    found: dict[str, Run] = {}
    for run in (run for folder in folders for run in runs_in(folder)):
        known = there.get(run.record.id) or found.get(run.record.id)
        if known is None:
            found[run.record.id] = run
        elif known.record.key != run.record.key:
            _refuse(known, run)
    _same_code([*there.values(), *found.values()])
    with storage.locked(out):
        if not (out / "data" / "split.json").is_file():
            storage.make_folder(out / "data")
            _copy(folders[0] / "data", out / "data", sorted(DATA, key=lambda name: name == "split.json"))
        for run in found.values():
            adopt(out, run)
    return list(found)


def adopt(out: Path, run: Run) -> None:
    """Copy a run that was fitted elsewhere, and checked by `runs_in`, into the comparison's folder, which is held."""
    place = out / "runs" / run.record.id
    machines = _merged(out) | {run.record.id: {name: run.record.environment.get(name) for name in _MACHINE}}
    storage.write_json(out / MERGED, machines)  # first: a run that is there is measured again in any case
    clear(place)
    storage.remove(storage.partial(place))
    storage.make_folder(storage.partial(place))
    _copy(run.folder, storage.partial(place), RUN_FILES)
    if (run.folder / "model").is_dir():
        shutil.copytree(run.folder / "model", storage.partial(place) / "model")
    storage.publish(place)


def _copy(source: Path, target: Path, names: Iterable[str]) -> None:
    """Those of these files that are there."""
    for name in names:
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)


def measure_again(out: Path, data: Dataset, listen: Listener | None) -> list[str]:
    """Measure what came by `merge` once more, here and one after the other; returns the ids.

    Times and memory from busy or different machines cannot be compared. The record says where they are from.
    """
    machines, done = _merged(out), []
    for id in list(machines):
        run = Run(storage.inside(out, f"runs/{id}"))
        if (run.folder / "model").is_dir() and not run.record.remote:
            if listen:
                listen("measure", {"run": id})
            inputs = [example.input for example in data.validation]
            cost = measuring.measure(run.folder / "model", data.task, inputs, named=[run.record.method])
            here = environment()
            measured = {**cost.measured, "on": {name: here[name] for name in _MACHINE}}
            write_run(run.folder, replace(run.record, **{**vars(cost), "measured": measured}))
            done.append(id)
        del machines[id]
        if machines:
            storage.write_json(out / MERGED, machines)
        else:
            (out / MERGED).unlink()
    return done


def _merged(out: Path) -> dict[str, Any]:
    """Run -> the machine that it was fitted and measured on; of those that were not measured here yet."""
    return storage.read_json(out / MERGED) if (out / MERGED).is_file() else {}


def runs_in(folder: Path) -> list[Run]:
    """The runs of a folder, each checked to be as it was written, and where it says."""
    found = []
    if folder.is_dir():
        storage.check_links(folder, folder)
    for path in sorted((folder / "runs").glob("*/run.json")):
        run = Run(path.parent)
        if path.parent.name.startswith(".") or ASIDE in path.parent.name:
            continue
        if run.record.id != path.parent.name:
            what = f"calls itself {run.record.id!r}, and its folder has another name"
            raise UnsafeError(what, where=str(path.parent), fix="fit that part again")
        storage.verify_files(path.parent / "model", run.record.files)
        if not unchanged(path.parent):
            raise UsageError("was changed after it was fitted", where=str(path.parent), fix="fit that part again")
        found.append(run)
    return found


def _same_data(folders: Sequence[Path]) -> None:
    first, *others = folders
    split = storage.read_json(first / "data" / "split.json", "fingerprint")
    for other in others:
        theirs = storage.read_json(other / "data" / "split.json", "fingerprint")
        if theirs["fingerprint"] != split["fingerprint"]:
            differ = [s for s in SPLITS if theirs.get(s) != split.get(s)]
            said = f"their rows of {', '.join(differ)} differ" if differ else "they are read or cleaned otherwise"
            fix = "fit all parts from the same file with the same options"
            raise UsageError(f"other data than in {first}: {said}", where=str(other), fix=fix)


def _same_code(runs: Sequence[Run]) -> None:
    versions: Mapping[str, Run] = {str(run.record.environment.get("slmfit")): run for run in runs}
    if len(versions) > 1:
        said = " and ".join(f"{run.record.id} by slmfit {version}" for version, run in versions.items())
        raise UsageError(
            f"parts of different code: {said}", fix="install the same slmfit everywhere, and fit them again"
        )


def _refuse(one: Run, other: Run) -> None:
    """Say in what two runs of one name differ."""
    differ = list(_differences(one.record, other.record)) or ["the contents of a model or file that they name"]
    what = f"{other.record.id} is not the run of that name in {one.folder.parents[1]}: {'; '.join(differ)}"
    raise UsageError(what, where=str(other.folder), fix="fit all parts with the same options")


def _differences(one: RunRecord, other: RunRecord) -> Iterator[str]:
    for name in _DECIDES:
        here, there = getattr(one, name), getattr(other, name)
        if here != there and isinstance(here, Mapping):
            names = sorted(key for key in {*here, *there} if here.get(key) != there.get(key))
            yield from (f"{key} {here.get(key)!r} there and {there.get(key)!r} here" for key in names)
        elif here != there:
            yield f"{name} {here!r} there and {there!r} here"
    if one.environment.get("slmfit") != other.environment.get("slmfit"):
        yield f"slmfit {one.environment.get('slmfit')} there and {other.environment.get('slmfit')} here"
