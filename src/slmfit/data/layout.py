"""A path to the rows of each split: one file, a folder of files named by split, or a folder of folders named by label.

    DATA.csv                          DATA/train.jsonl               20news-bydate/20news-bydate-train/sci.space/60174
                                      DATA/validation.jsonl          20news-bydate/20news-bydate-test/sci.space/62317
    DATA/train/seq.in, seq.out        DATA/test.jsonl                reviews/good/1.txt    reviews/bad/2.txt
    DATA/data/train-00000-of-00001.parquet and all else that a clone from the hub may have: see tables.py

    read_parts("20news-bydate", None, None, notes)     # {"train": Part(…), "test": Part(…)}

A path `hub:…` is a data set on Hugging Face's hub: see hub.py.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path

from slmfit.data.hub import is_hub, is_saved, read_hub, read_saved
from slmfit.data.in_memory import Held, is_held, read_held
from slmfit.data.readers.packed import LITTER
from slmfit.data.readers.rows import Part, ending, read_rows, reading
from slmfit.data.readers.slots_reader import has_slots, read_slots
from slmfit.data.readers.split_names import SPLIT_NAMES
from slmfit.data.readers.text_files import read_texts
from slmfit.data.readers.unknown import missing
from slmfit.data.tables import joined, tables_below, tables_in
from slmfit.errors import DataError, UsageError
from slmfit.records import SPLITS
from slmfit.storage import check_links, named
from slmfit.text.figures import listed, number_of

# What other programs call a column that says which rows are for what.
_SPLITTING = re.compile("(is[_ ]?(train|test|valid|val|validation|dev)|(sub)?set|partition|k?fold)", re.IGNORECASE)
_HELD_OUT = {"eval", "evaluation", "holdout"}  # beside what names a split: words that hardly mean anything else
_MOST_SPLITS = 20
_ABOUT = "dataset_infos.json"  # what older clones have beside their data
_WORD = re.compile("[A-Z]*[a-z]+|[A-Z]+")
_SPLIT_SUFFIX = re.compile(r"(?:^|[-_.])(" + "|".join(SPLIT_NAMES) + r")$", re.IGNORECASE)


def read_parts(
    path: str | Path | Held, test: str | Path | Held | None, validation: str | Path | Held | None, notes: list[str]
) -> dict[str, Part]:
    """Split -> its rows as the data bring them; `train` alone where nothing is split yet.

    test, validation: files besides. Raises DataError for a path that is missing, unreadable or holds no data,
    UsageError for a split that is given twice.
    """
    if is_held(path):
        parts = _by_split_column(read_held(path, notes), notes)
    else:
        parts = read_hub(str(path), notes) if is_hub(path) else _read_path(named(path), notes)
    for split, file in (("validation", validation), ("test", test)):
        if file is not None:
            if split in parts:
                raise UsageError(
                    f"{'the data' if is_held(path) else path} holds {split} rows already", fix=f"leave --{split} out"
                )
            part = read_held(file, notes, split) if is_held(file) else read_file(Path(file), notes)
            parts[split] = of_split(part, split, notes)
    return {split: parts[split] for split in SPLITS if split in parts}


def _read_path(path: Path, notes: list[str]) -> dict[str, Part]:
    with reading(str(path)):
        if not path.exists():
            raise missing(path)
        if not path.is_dir():
            return _by_split_column(read_file(path, notes), notes)
        if is_saved(path):
            return read_saved(path, notes)
        check_links(path, path)
        entries = sorted(e for e in path.iterdir() if not e.name.startswith(".") and e.name not in LITTER)
        files = tables_in(path)
        # A comparison that was written in here is not a label of the data it was made from.
        folders = [entry for entry in entries if entry.is_dir() and not (entry / "comparison.json").is_file()]
        others = [entry.name for entry in entries if ending(entry) and entry.name != _ABOUT]
        if not files and not others and (inner := tables_below(path, folders)) is not None:
            return _read_path(inner, notes)
        if files:
            named_so = {
                split: listed([file.relative_to(path).as_posix() for file in own], quoted=False)
                for split, own in files.items()
            }
            read = ", ".join(f"{names} as {split}" for split, names in named_so.items())
            taken = {file for own in files.values() for file in own}
            others = [entry.name for entry in entries if ending(entry) and entry not in taken]
            notes.append(f"{path}: read {read}{f'; not {listed(others)}' if others else ''}.")
            return {split: joined([read_file(file, notes) for file in own]) for split, own in files.items()}
        if any(ending(entry) for entry in entries):
            names = ", ".join(entry.name for entry in entries if ending(entry))
            raise DataError(
                f"no file here is named train (found: {names})",
                where=str(path),
                fix="give one of the files, or name them train, validation and test",
            )
        if has_slots(path):
            return {"train": read_slots(path)}
        if not folders:
            fix = "give a file, a folder with files named train and test, or one with a folder per label"
            if any(entry.suffix.lower() == ".txt" for entry in entries):
                fix = "put the texts of each label into a folder of its name, a file each; or all rows into one table"
            raise DataError("this folder holds no data", where=str(path), fix=fix)
        return _read_folders(path, folders, notes)


def read_file(path: Path, notes: list[str]) -> Part:
    """All rows of one file, or of a folder with JointBERT's three. Raises DataError."""
    if has_slots(path):
        return read_slots(path)
    if path.is_dir() and is_saved(path):
        parts = read_saved(path, notes)
        if len(parts) == 1:
            return next(iter(parts.values()))
        raise DataError("holds several splits, and one is needed here", where=str(path), fix="give the folder of one")
    if path.is_dir():
        raise DataError("is a folder, and a file is needed here", where=str(path), fix="give the file itself")
    rows = list(read_rows(path, notes))
    with reading(str(path)), path.open("rb") as handle:
        return Part(str(path), hashlib.file_digest(handle, "sha256").hexdigest(), rows, range(1, len(rows) + 1))


def _by_split_column(part: Part, notes: list[str]) -> dict[str, Part]:
    """The part taken apart by a column `split`, if it has one that says so."""
    column = _split_column(part)
    if column is None:
        notes += _unused(part)
        return {"train": part}
    named = [SPLIT_NAMES.get(str(cells.get(column)).strip().lower()) for _, cells in part.rows]
    if not any(named):
        notes.append(f"{part.file}: the column {column!r} names no splits, so it is not used.")
        return {"train": part}
    if None in named:
        where = part.rows[named.index(None)][0]
        raise DataError("this is no split", where=where.at(column), fix="write train, validation or test")
    if "train" not in named:
        raise DataError(f"no row is in train by the column {column!r}", where=part.file, fix="write train in some rows")
    numbers = {split: [n for n, name in enumerate(named, 1) if name == split] for split in SPLITS if split in named}
    if len(numbers) > 1:
        notes.append(f"{part.file}: the splits are those of the column {column!r}.")
    return {split: Part(part.file, part.sha256, [part.rows[n - 1] for n in ns], ns) for split, ns in numbers.items()}


def _unused(part: Part) -> list[str]:
    """That a column may say which rows are for what, and is not called so."""
    found = [c for c in part.rows[0][1] if _SPLITTING.fullmatch(c) or _names_splits(part, c)]
    say = "to split by it, call it 'split', with train, validation and test in its cells"
    return [f"{part.file}: the column {column!r} is not used; {say}." for column in found[:1]]


def _split_column(part: Part) -> str | None:
    return next((c for _, cells in part.rows for c in cells if c.lower() == "split"), None)


def _names_splits(part: Part, column: str) -> bool:
    """Whether every cell of the column names a split, as `PublicTest` and `train_2` do, and not all of them train."""
    cells: set[str] = set()
    for _, row in part.rows:
        if not isinstance(cell := row.get(column), str) or len(cells) > _MOST_SPLITS:
            return False
        cells.add(cell)
    words = [{word.lower() for word in _WORD.findall(cell)} for cell in cells]
    named = [found & {*SPLIT_NAMES, *_HELD_OUT} for found in words]
    learnt = [not found.isdisjoint(("train", "training")) for found in named]
    return all(named) and any(learnt) and not all(learnt)


def of_split(part: Part, wanted: str, notes: list[str]) -> Part:
    """The rows that a column `split` says are of that split, where it says so of some and of train of others.

    Rows of another file are scored, or added to train, and a split that was made of it before holds. What is left out
    is counted in `notes`. Raises DataError where only some rows say of what they are.
    """
    column = _split_column(part)
    notes += _unused(part) if column is None else []
    named = [SPLIT_NAMES.get(str(cells.get(column)).strip().lower()) for _, cells in part.rows] if column else []
    if any(named) and None in named:
        where = part.rows[named.index(None)][0]
        raise DataError("this is no split", where=where.at(str(column)), fix="write train, validation or test")
    kept = [i for i, name in enumerate(named) if name == wanted]
    if not kept or len(kept) == len(named):
        return part
    left = number_of(len(named) - len(kept), "row", "are")
    notes.append(f"{part.file}: {left} not {wanted} by the column {column!r}, and left out.")
    return replace(part, rows=[part.rows[i] for i in kept], numbers=[part.numbers[i] for i in kept])


# --- folders of texts -------------------------------------------------------------------------------------------------


def _read_folders(root: Path, folders: list[Path], notes: list[str]) -> dict[str, Part]:
    by_split: dict[str, Path] = {}
    for folder in folders:
        named = _SPLIT_SUFFIX.search(folder.name)
        if named and (split := SPLIT_NAMES[named[1].lower()]) not in by_split:
            by_split[split] = folder
    if slots := {s: by_split[s] for s in SPLITS if s in by_split and has_slots(by_split[s])}:
        if "train" not in slots:
            found = ", ".join(folder.name for folder in slots.values())
            fix = "rename the folder to train on to 'train', or give one of the folders"
            raise DataError(f"no folder here is named train (found: {found})", where=str(root), fix=fix)
        names = ", ".join(f"{folder.name} as {split}" for split, folder in slots.items())
        notes.append(f"{root}: read seq.in, seq.out and label of {names}.")
        return {split: read_slots(folder) for split, folder in slots.items()}
    if "train" not in by_split:
        notes.append(f"{root}: each folder in it is taken as a label and each file in those as a text.")
        return {"train": read_texts(root, folders, notes)}
    names = ", ".join(f"{folder.name} as {split}" for split, folder in by_split.items())
    notes.append(f"{root}: read {names}; each folder in those is taken as a label and each file as a text.")
    return {
        split: read_texts(folder, sorted(f for f in folder.iterdir() if f.is_dir() and f.name not in LITTER), notes)
        for split, folder in by_split.items()
    }
