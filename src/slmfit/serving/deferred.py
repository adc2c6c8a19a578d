"""What the small part of a cascade left to the large one, kept as rows that the next small one can learn from.

    deferred = Deferred.of(run, "deferred.jsonl")
    deferred.keep([("where is my parcel", answer)])      # a line each, where the large part answered

The label of a row is what the large part said, and nobody has checked it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from slmfit.errors import UsageError
from slmfit.methods.cascade import LARGE
from slmfit.records import Example, Input, Prediction
from slmfit.runs.run import Run
from slmfit.tasks.base import Task


class Deferred:
    """A file of the user's, to which rows are added. It holds texts: nobody else may read it."""

    def __init__(self, task: Task, path: str) -> None:
        self.task = task
        _check_rows(Path(path))
        try:
            self._out = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        except (OSError, ValueError) as error:
            said = getattr(error, "strerror", None) or str(error)
            raise UsageError(f"cannot be written: {said}", where=str(path), fix="name a file that can be") from None

    @classmethod
    def of(cls, run: Run, path: str | None) -> Self | None:
        """None where nothing is to be kept, and for a run that is no cascade. Raises UsageError for no proper place."""
        return cls(run.task, path) if path and run.record.method == "cascade" else None

    def keep(self, asked: Iterable[tuple[Input, Prediction]]) -> None:
        """Add those that the large part answered, whole lines at once."""
        rows = [
            self.task.unparse(Example("", input, answer.target))
            for input, answer in asked
            if answer.by == LARGE and answer.outcome == "ok"
        ]
        lines = [json.dumps({key: value for key, value in row.items() if key != "id"}) + "\n" for row in rows]
        left = memoryview("".join(lines).encode())
        while left:
            left = left[os.write(self._out, left) :]


def _check_rows(path: Path) -> None:
    """Raise UsageError for what is there and is no file of rows: a table would be spoiled, a pipe be waited for."""
    try:
        if not path.exists():
            return
        if not path.is_file():
            raise UsageError("is no file", where=str(path), fix="name a file that can be")
        with path.open("rb") as file:
            first, size = file.read(1), path.stat().st_size
            file.seek(max(size - 1, 0))
            last = file.read(1)
    except (OSError, ValueError):
        return  # which opening it says better
    if size and (first, last) != (b"{", b"\n"):
        raise UsageError("holds something else than rows as JSON lines", where=str(path), fix="name a new file")


def check_one_cascade(methods: Iterable[str]) -> None:
    """Raise UsageError unless one of the runs is a cascade: rows of two would not fit in one file."""
    many = sum(method == "cascade" for method in methods)
    if many != 1:
        what = f"{many} of the runs are cascades, and what one of them defers goes into the file"
        raise UsageError(what, where="--keep-deferred", fix="serve one cascade, or leave it out")
