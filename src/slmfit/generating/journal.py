"""What has been written so far, round by round, so that the same command goes on where it was killed.

with journal_at(Path(".emails.jsonl.partial"), key) as journal:
    journal.add({"kept": […], "rejected": […]})
"""

from __future__ import annotations

from pathlib import Path

from slmfit.events import Journal, Others

FORMAT = "slmfit.generating/1"
OTHERS = Others(
    "is the unfinished work of another recipe, writer, seed, number or version",
    "run that command again, delete the file, or choose another --output",
)


def journal_at(path: Path, key: str) -> Journal:
    """A journal of rounds. key: sha256 of all that decides what is written."""
    return Journal(path, FORMAT, key, OTHERS, lambda round: all(type(round[p]) is list for p in ("kept", "rejected")))
