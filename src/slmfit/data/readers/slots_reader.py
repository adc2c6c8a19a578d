"""JointBERT's three files to rows: `seq.in` (words), `seq.out` (their tags) and `label` (the intent), line by line.

    read_slots(Path("atis/train"))      # Part whose rows are {"tokens": [...], "tags": [...], "intent": "atis_flight"}

`label` may lack: then there are no intents.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

from slmfit.data.readers.lines import lines_of
from slmfit.data.readers.rows import Part, Placed, reading
from slmfit.errors import DataError, Where

_SPACES = re.compile("[ \t]+")  # not every white space: a no-break space may be part of a word


def has_slots(folder: Path) -> bool:
    """Whether the folder holds such files."""
    return (folder / "seq.in").is_file() and (folder / "seq.out").is_file()


def read_slots(folder: Path) -> Part:
    """All rows of a folder. Raises DataError where the files do not go together, with file and line."""
    digest = hashlib.sha256()
    columns = {name: _lines(folder / name, digest) for name in ("seq.in", "seq.out", "label") if _has(folder, name)}
    words, tags = columns["seq.in"], columns["seq.out"]
    for name, lines in columns.items():
        if len(lines) != len(words):
            what = f"has {len(lines):,} lines, and seq.in has {len(words):,}"
            raise DataError(what, where=str(folder / name), fix="give every line of seq.in its line there")
    rows: list[Placed] = []
    for i, (tokens, names) in enumerate(zip(map(_cut, words), map(_cut, tags), strict=True)):
        where = Where(str(folder / "seq.out"), i + 1)
        if len(tokens) != len(names):
            what = f"there are {len(names)} tags for {len(tokens)} words of seq.in"
            raise DataError(what, where=where, fix="give one tag per word, with single spaces between")
        row: dict[str, Any] = {"tokens": tokens, "tags": names}
        if "label" in columns:
            row["intent"] = columns["label"][i].strip()
            if not row["intent"]:
                place = Where(str(folder / "label"), i + 1)
                raise DataError("the intent is empty", where=place, fix="give every line its intent")
        rows.append((where, row))
    if not rows:
        raise DataError("holds no rows", where=str(folder / "seq.in"), fix="give a file with at least one line")
    return Part(str(folder), digest.hexdigest(), rows, range(1, len(rows) + 1))


def _has(folder: Path, name: str) -> bool:
    return (folder / name).is_file()


def _lines(path: Path, digest: hashlib._Hash) -> list[str]:
    with reading(str(path)), path.open("rb") as handle:
        lines = list(lines_of(handle, str(path)))
    digest.update("".join(lines).encode() + b"\0")
    return lines


def _cut(line: str) -> list[str]:
    return [word for word in _SPACES.split(line.strip(" \t\r\n")) if word]
