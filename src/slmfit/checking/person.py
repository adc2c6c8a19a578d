"""One person's answers, a line each, on disk before the next row is shown.

    with answers_of(given, "me") as mine:
        mine.answer("17", "billing")
        mine.skip("18")
        mine.undo("18")
    everybody(given)["me"].labels["17"]          # "billing"

A killed process loses nothing that was answered. Two persons may check at the same time, each in a file of their own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from slmfit import storage
from slmfit.checking.given import Given
from slmfit.errors import UsageError
from slmfit.events import Journal, Others
from slmfit.reporting.disk import read_lines

FORMAT = "slmfit.checked/1"
OTHERS = Others(
    "holds answers to rows that were drawn otherwise",
    "check under another name with --as, or delete the file with its answers",
)


class Answers:
    """What one person said. labels: row id -> label, None where none is right. skipped: row ids."""

    def __init__(self) -> None:
        self.labels: dict[str, str | None] = {}
        self.skipped: set[str] = set()

    def has(self, id: str) -> bool:
        """Whether the row was shown and left, answered or skipped."""
        return id in self.labels or id in self.skipped

    def take(self, entry: Mapping[str, Any]) -> None:
        """One more line of theirs."""
        id = entry["id"]
        self.labels.pop(id, None)
        self.skipped.discard(id)
        if entry.get("skipped"):
            self.skipped.add(id)
        elif not entry.get("undone"):
            self.labels[id] = entry["label"]


class Person(Answers):
    """Who is answering now."""

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self._journal = journal
        for entry in journal.done:
            self.take(entry)

    def answer(self, id: str, label: str | None) -> None:
        """None = none of the labels is right."""
        self._add({"id": id, "label": label})

    def skip(self, id: str) -> None:
        self._add({"id": id, "skipped": True})

    def undo(self, id: str) -> None:
        """As if the row had never been shown."""
        self._add({"id": id, "undone": True})

    def _add(self, entry: dict[str, Any]) -> None:
        self._journal.add(entry)
        self.take(entry)


@contextlib.contextmanager
def answers_of(given: Given, name: str) -> Iterator[Person]:
    """A person's answers, to read and to add to.

    Raises UsageError for a name that cannot name a file, and while another process adds to them.
    """
    if storage.file_name(name) != name:
        raise UsageError(f"--as cannot be {name!r}", fix="use letters, digits and - alone: it names a file")
    with Journal(storage.inside(given.place, f"{name}.jsonl"), FORMAT, given.key, OTHERS, _proper) as journal:
        yield Person(journal)


def everybody(given: Given) -> dict[str, Answers]:
    """Name -> what every person has answered so far; one who is answering now is not disturbed.

    Raises UsageError for answers to rows that were drawn otherwise.
    """
    place = given.place
    return {path.stem: _read(storage.inside(place, path.name), given.key) for path in sorted(place.glob("*.jsonl"))}


def _read(path: Path, key: str) -> Answers:
    found = Answers()
    with storage.undamaged(path):
        for number, entry in enumerate(read_lines(path)):
            if number == 0 and entry != {"format": FORMAT, "key": key}:
                raise UsageError(OTHERS.what, where=str(path), fix=OTHERS.fix)
            if number and _proper(entry):
                found.take(entry)
    return found


def _proper(entry: Mapping[str, Any]) -> bool:
    if not isinstance(entry["id"], str):
        return False
    return entry.get("skipped") is True or entry.get("undone") is True or isinstance(entry["label"], str | None)
