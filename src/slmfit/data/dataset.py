"""A dataset: examples of one task in train, validation and test, and how they came to be so.

data = load_data("tickets.csv")
data.splits["test"][0].input
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from slmfit.data.groupings import Groupings
from slmfit.data.recipe import TextRecipe
from slmfit.errors import UsageError, Where
from slmfit.evidence.clusters import Clusters, clusters_of
from slmfit.records import SPLITS, Example, Source, Target, Tokens, from_plain
from slmfit.tasks.base import Task


@dataclass(frozen=True)
class Dataset:
    """See the module's docstring. Raises nothing: `load_data` has checked what it holds.

    name: of the file or folder, for people.
    source: JSON as it stands: files with their sha256, columns used, merge rules, how it was split.
    validation_given: the user's own validation split; else it was carved from train, and methods refit on both.
    groupings: columns by which rows may belong together, see there; for the audit, and not in the fingerprint.
    other_ids: where no column is called `id`, those that tell the test rows apart, and what they call them.
    held_groups: those of validation and test, where the split was asked to go by a column.
    groups: then, the group of each row of train and validation, by its id.
    held_times: the times of validation and test, and where they stand, where the split was asked to go by them.
    notes: what was guessed or done, one sentence each, to be said to the user.
    """

    name: str
    task: Task
    splits: Mapping[str, tuple[Example, ...]]
    recipe: TextRecipe = field(default_factory=TextRecipe)
    source: Mapping[str, Any] = field(default_factory=dict)
    validation_given: bool = True
    notes: tuple[str, ...] = ()
    groupings: Groupings = field(default_factory=dict, repr=False, compare=False)
    other_ids: Mapping[str, frozenset[str]] = field(default_factory=dict, repr=False, compare=False)
    held_groups: frozenset[str] = field(default=frozenset(), repr=False, compare=False)
    groups: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    held_times: Mapping[Any, Where] = field(default_factory=dict, repr=False, compare=False)

    def __repr__(self) -> str:
        rows = ", ".join(f"{len(self.splits[split]):,} {split}" for split in SPLITS)
        return f"<slmfit dataset {self.name!r}: {self.task.name}, {rows} rows>"

    @cached_property
    def origin(self) -> Source:
        """What code asks of the source."""
        return from_plain(Source, self.source)

    @property
    def train(self) -> tuple[Example, ...]:
        return self.splits["train"]

    @property
    def validation(self) -> tuple[Example, ...]:
        return self.splits["validation"]

    @property
    def test(self) -> tuple[Example, ...]:
        return self.splits["test"]

    @cached_property
    def hashes(self) -> dict[str, str]:
        """Split -> sha256 of its inputs and targets in order: runs are comparable when their test hashes agree."""
        return {split: _hash(self.task, self.splits[split]) for split in SPLITS}

    def sample(
        self, train: int | None = None, validation: int | None = None, test: int | None = None, seed: int = 0
    ) -> Dataset:
        """The same data with fewer rows, drawn at random: so many of each split; None = all of them.

        seed: of the drawing. Raises UsageError for a number that the split does not have.
        """
        splits, drawn, kept = dict(self.splits), [], dict[str, np.ndarray]()
        for split, rows in (("train", train), ("validation", validation), ("test", test)):
            if rows is None:
                continue
            every = self.splits[split]
            if not 0 < rows <= len(every):
                what = f"{rows:,} rows of {split} were asked for, and it has {len(every):,}"
                raise UsageError(what, fix=f"give a number from 1 to {len(every)}, or leave it out")
            chosen = np.sort(np.random.default_rng(seed).permutation(len(every))[:rows])
            splits[split], kept[split] = tuple(every[i] for i in chosen), chosen
            drawn.append(f"{split}: {rows:,} of {len(every):,} rows are used, drawn at random.")
        source = {**self.source, "split": " ".join([*filter(None, [self.source.get("split")]), *drawn])}
        beside = {
            column: {s: [names[i] for i in kept[s]] if s in kept else names for s, names in of.items()}
            for column, of in self.groupings.items()
        }
        return replace(self, splits=splits, source=source, notes=(*self.notes, *drawn), groupings=beside)

    def repeats(self, split: str) -> Clusters | None:
        """The rows of a split with the same input, which count as one in intervals and tests; None without any."""
        return clusters_of(self.task.text(example.input) for example in self.splits[split])

    @cached_property
    def fingerprint(self) -> str:
        """sha256 over task, labels, the three splits, and the tokens that texts came as."""
        parts = [self.task.name, *self.task.labels, *(self.hashes[s] for s in SPLITS)]
        if came := [e.input.offsets for split in SPLITS for e in self.splits[split] if isinstance(e.input, Tokens)]:
            parts.append(json.dumps(came))
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _hash(task: Task, examples: Sequence[Example]) -> str:
    digest = hashlib.sha256()
    for example in examples:
        row = {k: v for k, v in task.unparse(example).items() if k != "id"}
        digest.update(json.dumps(row, ensure_ascii=False, sort_keys=True).encode("utf-8", "surrogatepass"))
        digest.update(b"\n")
    return digest.hexdigest()


def targets(examples: Sequence[Example]) -> list[Target]:
    """The targets of labelled examples."""
    return [e.target for e in examples if e.target is not None]
