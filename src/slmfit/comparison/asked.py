"""What is asked of a comparison: the experiment, the methods, and with which rows each is fitted.

asked = Asked.of(data, "majority,linear", out="compared")
for experiment, spec in asked.work: ...
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slmfit.comparison.experiment import Experiment
from slmfit.comparison.planning import with_rows
from slmfit.data.added import Added, add_rows
from slmfit.data.dataset import Dataset
from slmfit.data.split import checked_seed
from slmfit.errors import UsageError, did_you_mean
from slmfit.events import Listener
from slmfit.methods.specs import Spec, parse_specs, with_floors, with_parts
from slmfit.runs.fitting import Terms
from slmfit.runs.trainings import checked_seeds

if TYPE_CHECKING:
    from slmfit.llm import Limits


@dataclass(frozen=True)
class Asked:
    """See the module's docstring. added: rows that every method which learns is fitted with once more."""

    experiment: Experiment
    specs: tuple[Spec, ...]
    added: Added | None = None

    @classmethod
    def of(
        cls,
        data: Dataset,
        asked: str | Sequence[str],
        *,
        settings: Mapping[str, Mapping[str, Any]] | None = None,
        augment: str | Path | None = None,
        metric: str | None = None,
        out: str | Path | None = None,
        seed: int = 0,
        seeds: int = 1,
        budget_seconds: float | None = None,
        limits: Limits | None = None,
        listen: Listener | None = None,
    ) -> Asked:
        """Arguments and errors are those of `compare`; nothing is written."""
        metric, seed = checked_metric(data, metric), checked_seed(seed)
        specs = with_floors(with_parts(parse_specs(asked, settings, data.task)), data.task)
        terms = Terms(seed, metric, checked_seeds(seeds, seed, specs), budget_seconds)
        added = None if augment is None else add_rows(data, augment)
        folder = default_folder(data) if out is None else Path(out)
        return cls(Experiment(folder, data, terms, listen).limited(specs, limits), tuple(specs), added)

    @property
    def work(self) -> list[tuple[Experiment, Spec]]:
        """Every method with the experiment that it is fitted in: on the data as they are, then with the added rows."""
        own = [(self.experiment, spec) for spec in self.specs]
        if self.added is None:
            return own
        more = replace(self.experiment, data=self.added.data)
        return own + [(more, spec) for spec in with_rows(self.specs, self.added)]

    def told_to(self, listen: Listener) -> Asked:
        """The same, which tells of all that happens."""
        return replace(self, experiment=replace(self.experiment, listen=listen))


def checked_metric(data: Dataset, metric: str | None) -> str:
    """The metric to go by. Raises UsageError for one the task does not have, and for data that are not loaded yet."""
    if not isinstance(data, Dataset):
        raise UsageError(f"a dataset is needed, not {type(data).__name__}", fix="slmfit.load_data(PATH) makes one")
    if metric is not None and metric not in data.task.metrics:
        fix = did_you_mean(metric, data.task.metrics)
        raise UsageError(f"{data.task.name} has no metric {metric!r} for a verdict", fix=fix)
    return metric or data.task.metric


def default_folder(data: Dataset) -> Path:
    """Where results go when the user names no place: the same data, the same folder."""
    name = re.sub(r"[/\\]+", "-", data.name)
    return Path("slmfit-out") / f"{name}-{data.fingerprint[:6]}"
