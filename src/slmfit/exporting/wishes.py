"""What may be asked of an export beside its form and place."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from slmfit.data.dataset import Dataset
from slmfit.events import Listener
from slmfit.timing.work import Work, counted, told_to


@dataclass(frozen=True)
class Wishes:
    """quantise: what the weights become; None = as they are. accept: what the gate refuses is written all the same.

    data: where the run's data are by now, or the dataset; None = where they were. listen: told how far it is.
    """

    quantise: str | None = None
    accept: bool = False
    data: str | Path | Dataset | None = None
    listen: Listener | None = None

    def checking(self, rows: int) -> AbstractContextManager[Work]:
        """Inside, how many validation rows are answered is told."""
        return counted(told_to(self.listen), "checking", rows)
