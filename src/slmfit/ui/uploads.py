"""A file that is dropped on the page: it comes in pieces, and appears below `data/` whole or not at all.

    uploads.add({"key": "0f…", "name": "tickets.csv", "at": 0, "data": "dGV4dCxs…", "last": True})
    # "data/tickets.csv"

What it holds is not looked at here: reading it is `slmfit explore`'s, in a process of its own.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slmfit import storage
from slmfit.data.readers.rows import READERS, is_read
from slmfit.errors import DataError, SlmfitError, UsageError
from slmfit.ui.workspace import DATA, Workspace

LARGEST = 4 << 30  # bytes of a file
OLD = 24 * 3600.0  # seconds after which the pieces of a file that never came whole are removed
_KEY = re.compile(r"[0-9a-f]{16,64}")


class Uploads:
    """See the module."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def add(self, fields: Mapping[str, Any]) -> str | None:
        """Take a piece; with the last one the file's name in the workspace, None before.

        Raises UsageError for a piece that is out of place, DataError for a kind of file that is not read.
        """
        key, at, data, last = (fields.get(name) for name in ("key", "at", "data", "last"))
        name = safe_name(fields.get("name"))
        if not isinstance(key, str) or not _KEY.fullmatch(key) or not isinstance(at, int) or not isinstance(data, str):
            raise UsageError("is no piece of a file", where=name, fix="reload the page and drop it again")
        if at == 0:
            self._sweep()
        part = self._folder / f"{key}.part"
        with storage.refusals(part):
            size = part.stat().st_size if part.is_file() else 0
            if size != at or size > LARGEST:
                raise UsageError("a piece of it is missing", where=name, fix="drop it again")
            with part.open("ab") as file:
                file.write(_decoded(data, name))
        return self._placed(part, name) if last is True else None

    @property
    def _folder(self) -> Path:
        folder = self.workspace.own / "uploads"
        storage.make_folder(folder)
        return folder

    def _placed(self, part: Path, name: str) -> str:
        """Give the file its name: that of the same file where it is there already, one with a number beside another."""
        self.workspace.path(DATA).mkdir(exist_ok=True)
        stem, dot, rest = name.partition(".")
        hashed = storage.hash_file(part)
        for number in range(1, 10_000):
            place = self.workspace.path(f"{DATA}/{stem}{f'-{number}' if number > 1 else ''}{dot}{rest}")
            if place.is_file() and storage.hash_file(place) == hashed:
                part.unlink()
                return self.workspace.name(place)
            if not place.exists():
                with storage.refusals(place):
                    os.link(part, place)  # fails where a name was taken meanwhile; a rename would overwrite it
                part.unlink()
                return self.workspace.name(place)
        raise SlmfitError("there are too many files of that name", where=name, fix="rename it")

    def _sweep(self) -> None:
        for path in self._folder.iterdir():
            if time.time() - path.stat().st_mtime > OLD:
                path.unlink(missing_ok=True)


def safe_name(given: Any) -> str:
    """A name for the file here. Raises DataError for a kind that is not read."""
    if not isinstance(given, str) or not is_read(Path(given)):
        kinds = ", ".join(f".{kind}" for kind in (*READERS, "txt"))
        fix = f"give one of {kinds}, also .gz, or a .zip of one"
        raise DataError("this kind of file is not read", where=str(given)[:80], fix=fix)
    zipped = ".gz" if given.lower().endswith(".gz") else ""
    stem, _, kind = given.removesuffix(given[len(given) - len(zipped) :] if zipped else "").rpartition(".")
    return f"{storage.file_name(stem).replace('.', '-')}.{kind.lower()}{zipped}"


def _decoded(data: str, name: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise UsageError("a piece of it is no base64", where=name, fix="drop it again") from None
