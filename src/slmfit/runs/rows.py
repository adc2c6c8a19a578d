"""The rows that a run was chosen and scored on, read again where they are: a run keeps answers, not texts.

data = rows_of(run)                          # the files that run.json names, if they are as they were
data = rows_of(run, "moved/tickets.csv")     # or wherever they are now
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from slmfit.data.dataset import Dataset
from slmfit.data.load import load_data
from slmfit.errors import DataError, SlmfitError
from slmfit.runs.run import Run
from slmfit.storage import hash_file

SEED = re.compile(r"\(seed (\d+)\)")
FIX = "give them: --data FILE, or the folder that they are in; in Python data=DATASET"


def rows_of(run: Run, given: str | Path | Dataset | None = None) -> Dataset:
    """The dataset of a run, split as it was then.

    given: where its files are by now, one of them or a folder; or the dataset itself. None = where they were.
    Raises DataError where they are not there or are others by now: what is judged on other rows is not judged.
    """
    data = given if isinstance(given, Dataset) else _loaded(run, None if given is None else Path(given))
    for split, part in run.record.split.items():
        if split != "train" and data.hashes[split] != part.hash:
            what = f"the {split} rows are not those that the run {run.record.id} was scored on"
            raise DataError(what, where=data.name, fix="give the very data that it was fitted on")
    return data


def _loaded(run: Run, place: Path | None) -> Dataset:
    about = run.record.dataset
    source: Mapping[str, Any] = about.get("source", {})
    files = {str(file["used_as"]): _found(file, place, run) for file in run.record.origin.files}
    if "train" not in files:
        raise DataError("says nothing of the files it was made from", where=str(run.folder), fix=FIX)
    seed = SEED.search(str(source.get("split", "")))
    others = {split: path for split, path in files.items() if path != files["train"]}
    try:
        return load_data(
            files["train"],
            test=others.get("test"),
            validation=others.get("validation"),
            task=run.record.task["name"],
            columns=run.record.origin.columns,
            group=source.get("group"),
            time=source.get("time"),
            merge=source.get("merge", ()),
            merge_prefix=source.get("merge_prefix"),
            strip=about.get("strip", ()),
            seed=int(seed[1]) if seed else 0,
            name=about["name"],
        )
    except SlmfitError as error:
        raise DataError(f"can no longer be read: {error.what}", where=str(files["train"]), fix=FIX) from error


def _found(file: Mapping[str, Any], place: Path | None, run: Run) -> Path:
    """The file with the hash that the run names: at `place`, else where it was."""
    for path in _places(Path(str(file["file"])), place):
        if path.is_file() and hash_file(path) == file["sha256"]:
            return path
    what = f"the rows of {file['file']}, which the run {run.record.id} was made from, are not there as they were"
    raise DataError(what, where=None if place is None else str(place), fix=FIX)


def _places(known: Path, place: Path | None) -> Iterator[Path]:
    if place is None:
        yield known
    elif place.is_dir():
        yield place / known.name
        yield from sorted(place.iterdir())
    else:
        yield place
        yield known
