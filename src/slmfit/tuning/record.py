"""`tuning.json`: what was tried, whether the gain can be told from luck, and the settings that were kept.

record = read_tuning(Path("tuned-linear"))
record.kept, record.settings              # "defaults", {}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from slmfit import storage
from slmfit.methods.ranges import Range
from slmfit.methods.tuned import FORMAT, RECORD
from slmfit.records import Split, from_plain, to_plain
from slmfit.tuning.trials import Tried


@dataclass(frozen=True, kw_only=True)
class TuningRecord:
    """What `tuning.json` holds. docs/format.md explains every field."""

    method: str
    base_model: str | None
    dataset: Mapping[str, Any]
    split: Mapping[str, Split]
    metric: str
    seed: int
    seeds: int
    sampler: str
    key: str
    fixed: Mapping[str, Any]
    ranges: Mapping[str, Range]
    trials: Sequence[Tried]
    budget_seconds: float | None
    ended: Literal["trials", "budget"]
    best: int
    comparisons: int
    gain: Mapping[str, float] | None
    p_value: float | None
    smallest_gain: float | None
    kept: Literal["best", "defaults"]
    settings: Mapping[str, Any]
    importance: Mapping[str, float | None]
    sentence: str
    caveats: Sequence[str]
    environment: Mapping[str, Any]
    created: str


def write_tuning(folder: Path, record: TuningRecord) -> None:
    """Write tuning.json, last of the files of a tuning but its page."""
    storage.write_json(folder / RECORD, {"format": FORMAT, **to_plain(record)})


def read_tuning(folder: Path) -> TuningRecord:
    """The record of a tuning. Raises SlmfitError when it is missing or damaged, UnsafeError for another format."""
    path = folder / RECORD
    plain = storage.read_json(path, "format")
    storage.check_format(plain, FORMAT, path)
    with storage.undamaged(path):
        return from_plain(TuningRecord, plain)
