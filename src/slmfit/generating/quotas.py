"""How many examples of what: labels in their shares, and each entity type in its share of the texts.

    quotas = Quotas(recipe, 50)
    quotas.plan(rng)                          # 50 orders: (label, types to write)
    quotas.takes("cancel", {"DATE"})          # whether there is room for such a text
    quotas.add("cancel", {"DATE"})

An order says exactly what to write. What comes may differ: a label is taken up to its count; of a type, one row in ten
of its count may be missing or too many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from random import Random
from typing import NamedTuple

from slmfit.errors import DataError
from slmfit.generating.chance import allot, shuffled
from slmfit.generating.odds import NONE, Chances, Types
from slmfit.generating.recipe import Recipe

SLACK = 0.1  # of a type's rows
_ROUNDS = 500  # of raking; it converges in ten or so wherever it can


class Order(NamedTuple):
    """One example to be written."""

    label: str
    types: Types


class Quotas:
    """What is wanted of n examples, and what there is already."""

    def __init__(self, recipe: Recipe, n: int) -> None:
        self.n = n
        self.labels = Counter(allot(n, recipe.shares))
        self.types = {label: round(n * kind.share) for label, kind in recipe.entities.items()}
        self.rows = 0
        self.by_label: Counter[str] = Counter()
        self.by_type: Counter[str] = Counter()

    @property
    def missing(self) -> int:
        return self.n - self.rows

    def takes(self, label: str, types: Collection[str]) -> bool:
        """Whether one more example of this label with these types fits."""
        if self.by_label[label] >= self.labels[label]:
            return False
        for name, wanted in self.types.items():
            slack = max(1, int(SLACK * wanted))
            without = self.rows - self.by_type[name]
            if name in types and self.by_type[name] >= min(wanted + slack, self.n):
                return False
            if name not in types and without >= self.n - max(wanted - slack, 0):
                return False
        return True

    def add(self, label: str, types: Collection[str]) -> None:
        self.rows += 1
        self.by_label[label] += 1
        self.by_type.update(set(types))

    def rest(self) -> tuple[dict[str, int], dict[str, int]]:
        """Label -> rows still missing; type -> how many of the missing rows should have it."""
        labels = {label: count - self.by_label[label] for label, count in self.labels.items()}
        types = {name: min(max(count - self.by_type[name], 0), self.missing) for name, count in self.types.items()}
        return {label: count for label, count in labels.items() if count}, types

    def plan(self, rng: Random, chances: Mapping[str, Chances] | None = None) -> list[Order]:
        """An order for every missing example, in random order.

        chances: label -> which sets of types can be written and how likely each is; None = any, independently.
        Raises DataError at the start where the chances cannot give the shares.
        """
        labels, types = self.rest()
        if chances is None:
            return self._independent(rng, labels, types)
        cells = rake({label: chances[label] for label in labels}, labels, types)
        if not self.rows:
            self._check(cells)
        orders = [Order(*cell) for cell in allot(self.missing, cells)]
        return shuffled(rng, orders)

    def _independent(self, rng: Random, labels: Mapping[str, int], types: Mapping[str, int]) -> list[Order]:
        column = shuffled(rng, [label for label, count in labels.items() for _ in range(count)])
        chosen = {name: set(shuffled(rng, range(self.missing))[:count]) for name, count in types.items()}
        return [Order(label, frozenset(t for t in types if row in chosen[t])) for row, label in enumerate(column)]

    def _check(self, cells: Mapping[tuple[str, Types], float]) -> None:
        for name, wanted in self.types.items():
            planned = sum(rows for (_, types), rows in cells.items() if name in types)
            if abs(planned - wanted) > max(1, SLACK * wanted):
                what = f"the templates cannot put {name!r} into {wanted} of {self.n} texts, only into {round(planned)}"
                fix = f"change its share, or write templates {'with' if planned < wanted else 'without'} it"
                raise DataError(what, where=f"[entities.{name}]", fix=fix)


def rake(
    chances: Mapping[str, Chances], labels: Mapping[str, int], types: Mapping[str, int]
) -> dict[tuple[str, Types], float]:
    """(label, types) -> rows, as near as can be to the chances with labels and types in the given numbers.

    Iterative proportional fitting (Deming & Stephan 1940).
    """
    n = sum(labels.values())
    cells = {(label, s): labels[label] * p for label, sets in chances.items() for s, p in sets.items() if p > 0}
    for _ in range(_ROUNDS):
        worst = 0.0
        for name, wanted in types.items():
            having = sum(rows for (_, s), rows in cells.items() if name in s)
            worst = max(worst, abs(having - wanted))
            grow = wanted / having if having else 1.0
            shrink = (n - wanted) / (n - having) if n > having else 1.0
            cells = {cell: rows * (grow if name in cell[1] else shrink) for cell, rows in cells.items()}
        for label, wanted in labels.items():
            having = sum(rows for (of, _), rows in cells.items() if of == label)
            worst = max(worst, abs(having - wanted))
            change = wanted / having if having else 1.0
            cells = {cell: rows * (change if cell[0] == label else 1.0) for cell, rows in cells.items()}
        if worst < 1e-3 * max(n, 1):
            break
    return {cell: rows for cell, rows in cells.items() if rows > 0} or {(label, NONE): 1.0 for label in labels}
