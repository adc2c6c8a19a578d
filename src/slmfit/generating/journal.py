"""What has been written so far, round by round, so that the same command goes on where it was killed.

    with Journal(Path(".emails.jsonl.partial"), key) as journal:
        journal.rounds                       # those that were finished before
        journal.add({"kept": […], "rejected": […]})

One line a round, appended and flushed to disk; a line cut short by a kill is dropped, and its round written again.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from slmfit import storage
from slmfit.errors import SlmfitError, UsageError

FORMAT = "slmfit.generating/1"


class Journal:
    """A journal on disk, held by this process alone. key: sha256 of all that decides what is written."""

    def __init__(self, path: Path, key: str) -> None:
        self.path, self.key = path, key
        self.rounds: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        storage.make_folder(self.path.parent)
        self._file = self.path.open("a+b")
        try:
            storage.hold(self._file, str(self.path))
            self._read()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._close()
        if error is not None and not self.rounds:
            self.path.unlink(missing_ok=True)  # nothing was done yet

    def _close(self) -> None:
        with contextlib.suppress(OSError):  # a full disk refuses once more what it refused before
            self._file.close()

    def _read(self) -> None:
        """Take up the whole lines, and cut off the rest. Raises UsageError where they are of another command."""
        self._file.seek(0)
        whole, first = 0, _line({"format": FORMAT, "key": self.key})
        for number, line in enumerate(self._file):
            if number == 0 and not first.startswith(line):
                fix = "run that command again, delete the file, or choose another --output"
                what = "is the unfinished work of another recipe, writer, seed, number or version"
                raise UsageError(what, where=str(self.path), fix=fix)
            if not line.endswith(b"\n"):
                break
            if number:
                self.rounds.append(self._round(line, number + 1))
            whole += len(line)
        self._file.truncate(whole)
        if not whole:
            self._append({"format": FORMAT, "key": self.key})

    def _round(self, line: bytes, number: int) -> dict[str, Any]:
        """What a whole line holds. Raises SlmfitError for one that nobody here wrote."""
        try:
            round = json.loads(line)
            if all(type(round[part]) is list for part in ("kept", "rejected")):
                return dict(round)
        except (ValueError, KeyError, TypeError, RecursionError):
            pass
        fix = "delete the file, and all is written anew"
        raise SlmfitError(f"line {number} of this unfinished work is damaged", where=str(self.path), fix=fix)

    def add(self, round: dict[str, Any]) -> None:
        """A finished round."""
        self._append(round)
        self.rounds.append(round)

    def remove(self) -> None:
        """All is written. Raises SlmfitError when the disk refuses; the same command then writes it once more."""
        try:
            self.path.unlink()
        except OSError as error:
            fix = "run the same command again, or delete it: the examples are written"
            raise SlmfitError(f"could not be removed: {error.strerror}", where=str(self.path), fix=fix) from None

    def _append(self, entry: dict[str, Any]) -> None:
        try:
            self._file.write(_line(entry))
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            fix = "free some space; the same command then goes on from here"
            raise SlmfitError(f"could not be written: {error.strerror}", where=str(self.path), fix=fix) from None


def _line(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
