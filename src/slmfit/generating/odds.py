"""Which entity types a template's texts hold, and how likely: so that a text can be written to order.

    odds = Odds(recipe)
    odds.of(template, "cancel", other="inquiry")     # {frozenset({"DATE"}): 0.7, frozenset(): 0.3}

A template is a small grammar, so the chance of each set of types is exact: a choice is the mean of its options, a
sequence the union of its parts. Drawing the parts by these chances, given the set that is wanted, leaves the texts as
they would be had all others been thrown away, and throws none away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from slmfit.errors import DataError
from slmfit.generating.phrases import Choice, Mark, Slot, Template
from slmfit.generating.recipe import Recipe

Types: TypeAlias = frozenset[str]
Chances: TypeAlias = Mapping[Types, float]
NONE: Types = frozenset()
MOST_WORK = 3_000_000  # pairs of sets, in all of a recipe
MOST_SETS = 4096  # of types that one template may write; beyond, working with all of them takes too long


class Odds:
    """The chances of a recipe's templates, each worked out once."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._known: dict[tuple[int, str, str], Chances] = {}
        self._work = 0  # pairs of sets looked at so far
        self._rests: dict[tuple[int, str, str], list[Chances]] = {}

    def of(self, template: Template, label: str, other: str) -> Chances:
        """Set of types -> how likely a text of this template holds just those."""
        return self.rests(template, label, other)[0]

    def of_all(self, templates: Sequence[Template], label: str, other: str) -> Chances:
        """The same for one of several templates, each as likely."""
        return mean([(1.0, self.of(template, label, other)) for template in templates])

    def rests(self, template: Template, label: str, other: str) -> list[Chances]:
        """For each part, the chances of it and all after it; at last those of nothing."""
        key = id(template), label, other  # templates are many, deep and live as long as their recipe
        if key not in self._rests:
            rests: list[Chances] = [{NONE: 1.0}]
            for part in reversed(template):
                own = self.of_part(part, label, other)
                self._work += len(own) * len(rests[-1])
                if self._work > MOST_WORK:
                    raise _too_many()
                rests.append(_union(own, rests[-1]))
            self._rests[key] = rests[::-1]
        return self._rests[key]

    def of_part(self, part: str | Slot | Choice | Mark, label: str, other: str) -> Chances:
        """The chances of one part."""
        if isinstance(part, str):
            return {NONE: 1.0}
        if isinstance(part, Mark):
            return {frozenset({part.label}): 1.0}
        if isinstance(part, Choice):
            return self.of_all(part.options, label, other)
        return self.of_slot(part, label, other)

    def of_slot(self, slot: Slot, label: str, other: str) -> Chances:
        """The chances of a slot. Raises DataError where a kept one would not hold the same types each time."""
        of = other if slot.other else label
        phrases = self._recipe.lists[of][slot.name]
        key = id(phrases), of, other
        if key not in self._known:
            self._known[key] = self.of_all(phrases, of, other)
            if slot.name in self._recipe.keep and len(self._known[key]) > 1:
                fix = "take it out of `keep`, or mark the slot instead of what is in its list"
                what = f"the kept slot {slot.name!r} marks an entity in some of its phrases only"
                raise DataError(what, where=f"recipe {self._recipe.name!r}", fix=fix)
        return self._known[key]


def mean(weighted: Iterable[tuple[float, Chances]]) -> Chances:
    """The chances when one of several is drawn, as likely as its weight."""
    weighted = list(weighted)
    total = sum(weight for weight, _ in weighted)
    mixed: dict[Types, float] = {}
    for weight, chances in weighted:
        for types, chance in chances.items():
            mixed[types] = mixed.get(types, 0.0) + weight / total * chance
    return mixed


def _union(one: Chances, two: Chances) -> Chances:
    """The chances of two independent parts together. Raises DataError when there are too many sets to work with."""
    if len(two) == 1 and NONE in two:
        return one
    if len(one) == 1 and NONE in one:
        return two
    both: dict[Types, float] = {}
    for a, p in one.items():
        for b, q in two.items():
            both[a | b] = both.get(a | b, 0.0) + p * q
    if len(both) > MOST_SETS:
        raise _too_many()
    return both


def _too_many() -> DataError:
    fix = "write several templates with fewer optional entities each"
    return DataError("a template has too many combinations of entities", fix=fix)
