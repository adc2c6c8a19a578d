"""What the defaults and the best trial answered to validation, kept until another trial is better.

write(folder, 7, data, answers)                # answers/0007-0.jsonl, one file for each seed
parts(folder, 7, data, terms)                  # the metric's parts, row by row
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

from slmfit import storage
from slmfit.data.dataset import Dataset
from slmfit.runs.fitting import Terms
from slmfit.tasks.answers import prediction_from_json, prediction_to_json
from slmfit.tasks.base import Components
from slmfit.tuning.trials import Answers, components


def write(folder: Path, number: int, data: Dataset, answers: Answers) -> None:
    """One file for each training."""
    storage.make_folder(folder / "answers")
    for place, own in enumerate(answers):
        rows = [{"id": e.id, **prediction_to_json(a)} for e, a in zip(data.validation, own, strict=True)]
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        storage.write_text(folder / "answers" / f"{number:04}-{place}.jsonl", text)


def parts(folder: Path, number: int, data: Dataset, terms: Terms) -> list[Components]:
    """Of each training. Raises SlmfitError where answers are missing or damaged."""
    found = []
    for path in sorted((folder / "answers").glob(f"{number:04}-*.jsonl")):
        with storage.undamaged(path):
            rows = {row["id"]: prediction_from_json(row) for row in storage.read_jsonl(path)}
            found.append(components(data, terms.metric, [rows[example.id] for example in data.validation]))
    if not found:
        storage.read_json(folder / "answers" / f"{number:04}-0.jsonl")  # which says that it is missing
    return found


def sweep(folder: Path, needed: Collection[int]) -> None:
    """Remove the answers of trials that another has beaten."""
    for path in (folder / "answers").glob("*.jsonl"):
        if path.name.partition("-")[0] not in {f"{number:04}" for number in needed}:
            path.unlink(missing_ok=True)
