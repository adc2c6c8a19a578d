"""What a task is: how a row is read, how an answer is written and read, how answers are scored.

A task is a frozen value: `task = by_name("text-classification").with_labels(["billing", "delivery"])`.
Methods that read and write text need nothing but `prompt`, `write`, `read` and `schema`, so a new task
works with them at once; the referee needs only `score` and `components`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

import numpy as np

from slmfit.errors import Where
from slmfit.records import Entities, Example, Input, Outcome, Prediction, Score, Target

Row = Mapping[str, Any]


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

    def parse(self, row: Row, where: Where, id: str) -> Example:
        """One row, keyed by role, as an example. Raises DataError naming file, line and column."""
        ...

    def unparse(self, example: Example) -> dict[str, Any]:
        """The row that `parse` reads back as the same example; JSON as it stands."""
        ...

    def with_labels(self, targets: Iterable[Target]) -> Self:
        """The same task with the labels that occur in these targets."""
        ...

    def text(self, input: Input) -> str:
        """What the audit and the bag-of-words methods read."""
        ...

    def label(self, target: Target) -> str:
        """The one label by which rows are stratified."""
        ...

    def prompt(self, input: Input) -> str: ...

    def write(self, target: Target, input: Input) -> str: ...

    def read(self, text: str, input: Input) -> Target | Outcome:
        """The target that a reply states, or the outcome that says why it states none."""
        ...

    def schema(self) -> dict[str, Any]:
        """JSON schema of an answer."""
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


class EntityCodec(Protocol):
    """What a form needs of a task whose answers name entities by their words."""

    @property
    def labels(self) -> tuple[str, ...]: ...

    @property
    def intents(self) -> tuple[str, ...]: ...

    def write(self, target: Target, input: Input) -> str: ...

    def read(self, text: str, input: Input) -> Target | Outcome: ...

    def placed(self, pairs: Sequence[tuple[str, str]], intent: str | None, text: str) -> Entities | Outcome:
        """The answer that names these (words, type) in the order of the text."""
        ...
