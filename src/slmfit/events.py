"""What happens: told to whoever listens, and written into events.jsonl; what is done, so that it is not done twice.

with recorded(run / "events.jsonl", named(listen, "knn")) as event:
    event("fit", rows=2000)

with Journal(out / "trials.jsonl", "slmfit.trials/1", key, OTHERS, proper) as journal:
    journal.done                         # what was finished before
    journal.add({"number": 3, "score": 0.91})
"""

from __future__ import annotations

import contextlib
import json
import os
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from slmfit import storage
from slmfit.environment import now
from slmfit.errors import SlmfitError, UsageError

Listener = Callable[[str, dict[str, Any]], None]
KEPT = "SLMFIT_EVENTS"  # the variable that names a file in which all that a command tells is kept, too


def named(listen: Listener | None, id: str) -> Listener | None:
    """The listener, told with everything that happens whose it is."""
    return (lambda kind, fields: listen(kind, {"run": id, **fields})) if listen else None


@contextmanager
def recorded(path: Path, listen: Listener | None) -> Iterator[Callable[..., None]]:
    """Append what happens to events.jsonl, and tell the listener; an error is kept there with its traceback."""
    with path.open("a", encoding="utf-8") as file:

        def event(kind: str, **fields: Any) -> None:
            line = {"time": now(), "event": kind, **fields}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            file.flush()
            if listen:
                listen(kind, fields)

        try:
            yield event
        except Exception as error:
            event("failed", reason=str(error), traceback=traceback.format_exc())
            raise


@contextmanager
def kept_too(listen: Listener) -> Iterator[Listener]:
    """The listener; where a file is asked for, all that it is told is written there as well."""
    path = os.environ.pop(KEPT, None)  # this process's alone, not that of those it starts
    if path is None:
        yield listen
        return
    with recorded(Path(path), listen) as event:
        yield lambda kind, fields: event(kind, **fields)


@dataclass(frozen=True)
class Others:
    """What a journal that does not go on here is said to be, and what to do about it."""

    what: str
    fix: str


class Journal:
    """What is done, a line each, appended and flushed to disk; held by this process alone.

    A line cut short by a kill is dropped, and what it was for is done again.
    format, key: of the first line; key is the sha256 of all that decides what the lines hold. others: said where there
    are other ones. proper: whether a line is one of ours.
    """

    def __init__(
        self, path: Path, format: str, key: str, others: Others, proper: Callable[[dict[str, Any]], bool]
    ) -> None:
        self.path, self.key, self.others, self.proper = path, key, others, proper
        self.head = {"format": format, "key": key}
        self.done: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        """Raises UsageError where another process writes, or what stands there is of another command."""
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
        if error is not None and not self.done:
            self.path.unlink(missing_ok=True)  # nothing was done yet

    def _close(self) -> None:
        with contextlib.suppress(OSError):  # a full disk refuses once more what it refused before
            self._file.close()

    def _read(self) -> None:
        """Take up the whole lines, and cut off the rest."""
        self._file.seek(0)
        whole, first = 0, _line(self.head)
        for number, line in enumerate(self._file):
            if number == 0 and not first.startswith(line):
                raise UsageError(self.others.what, where=str(self.path), fix=self.others.fix)
            if not line.endswith(b"\n"):
                break
            if number:
                self.done.append(self._entry(line, number + 1))
            whole += len(line)
        self._file.truncate(whole)
        if not whole:
            self._append(self.head)

    def _entry(self, line: bytes, number: int) -> dict[str, Any]:
        """What a whole line holds. Raises SlmfitError for one that nobody here wrote."""
        try:
            entry = json.loads(line)
            if type(entry) is dict and self.proper(entry):
                return entry
        except (ValueError, KeyError, TypeError, RecursionError):
            pass
        fix = "delete the file, and all is written anew"
        raise SlmfitError(f"line {number} of this unfinished work is damaged", where=str(self.path), fix=fix)

    def add(self, entry: dict[str, Any]) -> None:
        """One more is done."""
        self._append(entry)
        self.done.append(entry)

    def remove(self) -> None:
        """All is written. Raises SlmfitError when the disk refuses; the same command then writes it once more."""
        try:
            self.path.unlink()
        except OSError as error:
            fix = "run the same command again, or delete it: the results are written"
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


def curves_of(losses: Iterable[Mapping[str, Any]], metric: str) -> dict[str, dict[float, float]]:
    """What `loss` events tell: "loss, train, running" and the like -> epoch -> value."""
    found: dict[str, dict[float, float]] = {}
    for event in losses:
        how = f"{event.get('split', 'train')}, {event.get('measured', 'evaluated')}"
        for what in ("loss", metric):
            if what in event:
                found.setdefault(f"{what}, {how}", {})[float(event.get("epoch") or 0)] = float(event[what])
    return found
