"""What may be asked of an export beside its form and place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from slmfit.data.dataset import Dataset


@dataclass(frozen=True)
class Wishes:
    """quantise: what the weights become; None = as they are. accept: what the gate refuses is written all the same.

    data: where the run's data are by now, or the dataset; None = where they were.
    """

    quantise: str | None = None
    accept: bool = False
    data: str | Path | Dataset | None = None
