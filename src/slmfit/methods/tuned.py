"""The settings that `slmfit tune` kept, by the folder that it left: `--methods encoder@tuned=FOLDER`.

if is_tuned("tuned-linear"):
    base_model, settings = kept("tuned-linear", "linear")         # (None, {"C": 0.83})
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from slmfit import storage
from slmfit.errors import UsageError

FORMAT = "slmfit.tuning/1"
RECORD, TRIALS = "tuning.json", "trials.jsonl"


def is_tuned(name: str) -> bool:
    """Whether what stands for a base model is a folder that was left by tuning."""
    return bool(name.strip()) and any(os.path.isfile(Path(name, file)) for file in (RECORD, TRIALS))  # noqa: PTH113


def kept(name: str, method: str) -> tuple[str | None, dict[str, Any]]:
    """The base model and the settings that were kept for a method.

    Raises UsageError for a tuning that is not over or of another method, SlmfitError for a damaged record.
    """
    path = Path(name) / RECORD
    if not path.is_file():
        raise UsageError(
            "holds a tuning that is not over", where=name, fix="run its command again; it goes on from there"
        )
    record = storage.read_json(path, "format", "method", "base_model", "settings")
    storage.check_format(record, FORMAT, path)
    if record["method"] != method:
        fix = f"write {record['method']}@tuned={name}"
        raise UsageError(f"holds settings of {record['method']!r}, not of {method!r}", where=name, fix=fix)
    with storage.undamaged(path):
        base_model = record["base_model"]
        return None if base_model is None else str(base_model), {str(k): v for k, v in record["settings"].items()}
