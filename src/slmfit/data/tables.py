"""Which files of a folder are tables of which split, as people name them and as the hub does.

DATA/train.csv, DATA/train.txt      DATA/data/train-00000-of-00002.parquet      a clone of a data set
DATA/test.csv                       DATA/data/train-00001-of-00002.parquet
                                    DATA/CONFIGURATION/train/0000.parquet       the hub's own Parquet files
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from slmfit.data.readers.packed import LITTER
from slmfit.data.readers.rows import Part, ending, is_plain
from slmfit.data.readers.split_names import SPLIT_NAMES
from slmfit.errors import DataError
from slmfit.records import SPLITS
from slmfit.text.figures import listed

# As the hub cuts large files, some with a fingerprint.
_SHARD = re.compile(r"(?P<of>[a-z]+)-(?P<number>\d{5})-of-(?P<count>\d{5})(-[0-9a-f]{8,64})?")

Files = dict[str, list[Path]]


def tables_in(folder: Path) -> Files:
    """Split -> its files: tables of that name, its shards, or all in a folder of that name if they are tables; empty
    where none is of train. Raises DataError for two files of a split, and where a shard is missing.
    """
    entries = _entries(folder)
    files = [entry for entry in entries if entry.is_file()]
    named = _by_name([file for file in files if ending(file)], folder) or _by_folder(entries)
    # As CoNLL-2003 has it. Beside folders, which may be of texts, such a file may be a list of them.
    return named or (_by_name([file for file in files if is_plain(file)], folder) if files == entries else {})


def tables_below(root: Path, folders: Sequence[Path]) -> Path | None:
    """The one of the folders that holds such tables, as a clone's `data` does; None where none does.

    Raises DataError where several do, which are a data set's configurations.
    """
    found = [folder for folder in folders if tables_in(folder)]
    if len(found) > 1:
        names = listed([folder.name for folder in found], quoted=False)
        raise DataError(f"holds several data sets: {names}", where=str(root), fix=f"give one: {found[0]}")
    return found[0] if found else None


def joined(parts: Sequence[Part]) -> Part:
    """The rows of several files as those of one; of one, as it is."""
    if len(parts) == 1:
        return parts[0]
    rows = [row for part in parts for row in part.rows]
    digest = hashlib.sha256("\n".join(part.sha256 for part in parts).encode()).hexdigest()
    return Part(f"{parts[0].file} …", digest, rows, range(1, len(rows) + 1))


def _entries(folder: Path) -> list[Path]:
    return sorted(e for e in folder.iterdir() if not e.name.startswith(".") and e.name not in LITTER)


def _by_folder(entries: Sequence[Path]) -> Files:
    found: Files = {}
    for folder in entries:
        split = SPLIT_NAMES.get(folder.name.lower()) if folder.is_dir() else None
        own = _entries(folder) if split and split not in found else []
        if own and all(ending(file) and file.is_file() for file in own):
            found[str(split)] = own
    return {split: found[split] for split in SPLITS if split in found} if "train" in found else {}


def _by_name(files: Sequence[Path], folder: Path) -> Files:
    found: dict[str, list[tuple[Path, re.Match[str] | None]]] = {}
    for file in files:
        stem = file.name.lower().removesuffix(".gz").rpartition(".")[0]
        shard = _SHARD.fullmatch(stem)
        if split := SPLIT_NAMES.get(shard["of"] if shard else stem):
            found.setdefault(split, []).append((file, shard))
    for split, own in found.items():
        numbers = [int(shard["number"]) if shard else None for _, shard in own]
        if None in numbers and len(own) > 1:
            what = f"two files are {split}: {own[0][0].name} and {own[1][0].name}"
            raise DataError(what, where=str(folder), fix="remove or rename one of them")
        count = int(own[0][1]["count"]) if own[0][1] else len(own)
        if None not in numbers and numbers != list(range(count)):
            what = f"of the {count} shards of {split} these are here: {listed([file.name for file, _ in own])}"
            raise DataError(what, where=str(folder), fix="put all of them here, and nothing else by such a name")
    return {split: [file for file, _ in found[split]] for split in SPLITS if split in found} if "train" in found else {}
