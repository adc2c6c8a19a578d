"""The texts that a run learnt from, to be held against rows that it is asked about.

learnt = {plain_text(text) for text in learnt_texts(run)}
plain_text("My card was charged TWICE!") in learnt
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from slmfit.data.examples import ids_of
from slmfit.data.layout import read_file
from slmfit.data.texts import in_any_order
from slmfit.errors import DataError
from slmfit.runs.run import Run
from slmfit.storage import hash_file


def learnt_texts(run: Run) -> list[str]:
    """The texts that a run learnt from, of those of its files that are still where they were, and unchanged."""
    if "test" in run.record.scored:
        return []  # which rows were for testing is not known
    files = [Path(file["file"]) for file in learnt_files(run) if is_there(file)]
    if not files or not (run.folder / "predictions.jsonl").is_file():
        return []
    tested = {row["id"] for row in run.predictions() if row["split"] == "test"}
    texts: dict[str, None] = {}
    for path in files:
        with suppress(DataError):
            part = read_file(path, [])
            [ids] = ids_of({"train": part})[0].values()
            for (where, cells), id in zip(part.rows, ids, strict=True):
                if tested.isdisjoint((id, f"test:{id}")):
                    input, _ = run.task.seen(cells, run.record.origin.columns, where)
                    texts[in_any_order(run.task, input)] = None
    return list(texts)


def learnt_files(run: Run) -> list[Mapping[str, Any]]:
    """The files of the run's data that it learnt from."""
    return [file for file in run.record.origin.files if file["used_as"] != "test"]


def is_there(file: Mapping[str, Any]) -> bool:
    """Whether a file of the run's data is where it was, and unchanged: no other is opened as rows."""
    path = Path(file["file"])
    try:
        return path.is_file() and hash_file(path) == file["sha256"]
    except OSError:
        return False


def plain_text(text: str) -> str:
    """A text but for case, spaces and punctuation."""
    return " ".join(re.findall(r"\w+", text.casefold())) or text
