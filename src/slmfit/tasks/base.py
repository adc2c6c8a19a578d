"""What a task is: how a row is read, how an answer is written and read, how answers are scored.

A task is a frozen value: `task = by_name("text-classification").with_labels(["billing", "delivery"])`.
Methods that read and write text need nothing but its `form`, so a new task works with them at once; the referee needs
only `score` and `components`. Whatever else depends on the task is asked of it here, never by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

import numpy as np

from slmfit.errors import Where
from slmfit.records import Example, Input, Prediction, Score, Target
from slmfit.tasks.forms import Form

Row = Mapping[str, Any]
PAIR_ROLES = ("text", "text_pair")  # of two texts that are one input


@dataclass(frozen=True)
class Scores:
    """How predictions of one split did.

    values: score name -> value with its 95 % interval.
    details: what does not fit in one number and is JSON as it stands (per class, confusion, reliability, outcomes).
    """

    values: dict[str, Score]
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Components:
    """A metric taken apart, so that rows can be resampled and two methods compared on the same rows.

    rows: float64 [rows, parts], what each row adds.
    combine: summed parts [..., parts] -> metric [...]; the metric of a split is `combine(rows.sum(axis=0))`.
    paired_mean: the metric is the mean of one 0/1 part, so exact paired tests apply.
    """

    rows: np.ndarray
    combine: Callable[[np.ndarray], np.ndarray]
    paired_mean: bool = False

    @property
    def value(self) -> float:
        return float(self.combine(self.rows.sum(axis=0)))


class Task(Protocol):
    """See the module's docstring. `labels` are sorted and hold every label of train, validation and test."""

    @property
    def name(self) -> str: ...

    @property
    def labels(self) -> tuple[str, ...]: ...

    @property
    def metric(self) -> str:
        """The one that a verdict goes by unless another is asked for."""
        ...

    @property
    def metrics(self) -> tuple[str, ...]:
        """All that a verdict may go by; higher is better in each."""
        ...

    @property
    def roles(self) -> Mapping[str, tuple[str, ...]]:
        """What a row may hold -> the column names it goes by, best first."""
        ...

    @property
    def required(self) -> tuple[str, ...]:
        """The roles that a row must have."""
        ...

    def recognises(self, columns: Sequence[str]) -> bool:
        """Whether a file with these columns is surely of this task."""
        ...

    def shown_by(self, roles: Mapping[str, str], rows: Iterable[Row]) -> dict[str, str]:
        """All roles -> column, where the cells show that a file is of this task and its columns' names do not say so;
        else empty. roles: role -> column, as found by name.
        """
        ...

    def bare(self, roles: Mapping[str, str], rows: Iterable[Row]) -> bool:
        """Whether the columns of answers are there and hold none in any row."""
        ...

    def overlooked(self, columns: Sequence[str]) -> str:
        """How a file with these columns, which is not recognised, may still be read as of this task; else empty."""
        ...

    def spoken(self, role: str) -> str:
        """What a message calls a role: several, as those of options, may be one thing."""
        ...

    def parse(self, row: Row, where: Where, id: str) -> Example:
        """One row, keyed by role, as an example. Raises DataError naming file, line and column."""
        ...

    def unparse(self, example: Example) -> dict[str, Any]:
        """The row that `parse` reads back as the same example; JSON as it stands."""
        ...

    def with_labels(self, targets: Iterable[Target]) -> Self:
        """The same task with the labels that occur in these targets."""
        ...

    @property
    def texts(self) -> tuple[str, ...]:
        """The columns of two texts that are one input, which is a `Pair` then; empty where an input is none."""
        ...

    @property
    def noun(self) -> str:
        """What an input is: "text", "question"."""
        ...

    @property
    def classifies(self) -> bool:
        """Whether a target is one class of its text: then labels may be merged, texts stripped, labels suspected."""
        ...

    @property
    def marks(self) -> bool:
        """Whether answers are stretches of the text."""
        ...

    def given(self, value: Any) -> Input:
        """What a caller hands over to be answered. Raises UsageError for what is no input of the task."""
        ...

    def seen(self, row: Row, columns: Mapping[str, str], where: Where) -> tuple[Input, dict[str, Any]]:
        """What a method may see of any row of a file, and what of it the row lacks as a column.

        columns: role -> column where it is known. Raises DataError for a row that holds no input.
        """
        ...

    def columns(self, prediction: Prediction, input: Input) -> dict[str, Any]:
        """A prediction as columns of a row, JSON as they stand."""
        ...

    def offered(self, input: Input) -> Sequence[str] | None:
        """The answers that this input has of its own; None where every input has the same."""
        ...

    def floor(self, target: Target) -> Target:
        """As much of a target as can be answered without reading."""
        ...

    def class_of(self, target: Target) -> str | None:
        """The one class by which texts can be told apart; None where there is none."""
        ...

    def counted(self, target: Target) -> Iterable[tuple[str, str]]:
        """What a target counts as, each as (kind, name): ("label", "billing"), ("entity type", "CITY")."""
        ...

    def agreed(self, target: Target) -> str:
        """What two rows with the same input must agree in."""
        ...

    def text(self, input: Input) -> str:
        """What the audit and the bag-of-words methods read."""
        ...

    def label(self, target: Target) -> str:
        """The one label by which rows are stratified."""
        ...

    def form(self, name: str | None = None, grain: str = "words") -> Form:
        """How it is put to a model that reads and writes text. name: None = the one that any model can be told.

        grain: what words are, for forms that copy them. Raises UsageError for a name that the task does not have.
        """
        ...

    def score(
        self,
        targets: Sequence[Target],
        predictions: Sequence[Prediction],
        seed: int = 0,
        inputs: Sequence[Input] | None = None,
    ) -> Scores:
        """All scores with intervals. inputs: of the same rows, for details that depend on them."""
        ...

    def components(self, metric: str, targets: Sequence[Target], predictions: Sequence[Prediction]) -> Components: ...
