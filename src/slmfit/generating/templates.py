"""The template writer: labelled texts from a recipe's templates, offline and seeded.

    writer = TemplateWriter(read_recipe("emails"))
    writer.text(Random(0), "cancel", frozenset({"DATE"}))       # ("plain", Marked("Please cancel …", (Span(…),)))

Where the recipe has entities, a text is written to order: it holds exactly the types that are asked for.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random
from typing import Any, TypeAlias

from slmfit.errors import UsageError
from slmfit.generating.chance import draw, pick
from slmfit.generating.checks import Draft
from slmfit.generating.marked import Marked, join
from slmfit.generating.odds import NONE, Chances, Odds, Types, mean
from slmfit.generating.phrases import Choice, Mark, Slot, Template
from slmfit.generating.polish import roughen, tidy
from slmfit.generating.quotas import Order
from slmfit.generating.recipe import Recipe
from slmfit.generating.sizes import check_sizes
from slmfit.records import Span

Ways: TypeAlias = tuple[Sequence[Any], list[float]]  # candidates, and the running sum of their weights


@dataclass
class Text:
    """One text in the making: its random numbers, the other label, and what has to stay the same."""

    rng: Random
    label: str
    other: str
    kept: dict[tuple[str, str], Marked] = field(default_factory=dict)


class TemplateWriter:
    """Writes labelled texts from a recipe. Raises UsageError when the recipe has no templates, DataError when
    its texts could become longer than any needs to be.
    """

    name = "templates"
    model: str | None = None
    system_prompt: str | None = None
    server: Mapping[str, Any] | None = None

    def __init__(self, recipe: Recipe, seed: int = 0) -> None:
        self.recipe, self.seed = recipe, seed
        self._forms = {name: form for name, form in recipe.forms.items() if form.templates}
        if not self._forms:
            fix = "add templates = […] to a form, or use --writer llm"
            raise UsageError(f"the recipe {recipe.name!r} has no templates", fix=fix)
        check_sizes(recipe, f"recipe {recipe.name!r}")
        self._odds = Odds(recipe)
        self._ways: dict[Any, Ways] = {}

    def chances(self) -> dict[str, Chances]:
        """Label -> the sets of entity types that a text may hold, and how likely each is."""
        return {
            label: mean((1.0, self._chances(label, other)) for other in self._others(label))
            for label in self.recipe.labels
        }

    def write(self, orders: Sequence[Order], first: int) -> Iterator[Draft]:
        """A draft for each order. first: the number of the first; a draft depends on seed, number and order alone."""
        for number, order in enumerate(orders, first):
            form, text = self.text(Random(f"{self.seed}/{number}"), *order)
            yield Draft(order.label, text, form)

    def usage(self) -> None:
        """Templates cost nothing."""

    def text(self, rng: Random, label: str, types: Types = NONE) -> tuple[str, Marked]:
        """The form and the text of a new example."""
        if self.recipe.entities:
            other, form = self._drawn(rng, label, types)
        else:
            form = draw(rng, {name: form.share for name, form in self._forms.items()})
            other = pick(rng, self._others(label))
        text = Text(rng, label, other)
        template = self._one_of(self._forms[form].templates, label, text, types)
        return form, roughen(tidy(self._expand(template, label, text, types)), self.recipe.noise, rng)

    def _others(self, label: str) -> list[str]:
        return [name for name in self.recipe.labels if name != label] or [label]

    def _chances(self, label: str, other: str) -> Chances:
        return mean((form.share, self._odds.of_all(form.templates, label, other)) for form in self._forms.values())

    def _drawn(self, rng: Random, label: str, types: Types) -> tuple[str, str]:
        """The other label and the form, as likely as they are among the texts that hold just these types."""
        ways = self._known(("form", label, types), lambda: [
            ((other, name), form.share * self._odds.of_all(form.templates, label, other).get(types, 0.0))
            for other in self._others(label)
            for name, form in self._forms.items()
        ])  # fmt: skip
        found: tuple[str, str] = self._way(rng, ways)
        return found

    def _expand(self, template: Template, label: str, text: Text, types: Types) -> Marked:
        parts = []
        for part, own in zip(template, self._shared_out(template, label, text, types), strict=True):
            if isinstance(part, str):
                parts.append(Marked(part))
            elif isinstance(part, Choice):
                parts.append(self._expand(self._one_of(part.options, label, text, own), label, text, own))
            elif isinstance(part, Mark):
                words = self._expand(part.words, label, text, NONE).text
                parts.append(Marked(words, (Span(0, len(words), part.label),)))
            else:
                parts.append(self._fill(part, text.other if part.other else label, text, own))
        return join(parts)

    def _fill(self, slot: Slot, label: str, text: Text, types: Types) -> Marked:
        if (label, slot.name) in text.kept:
            return text.kept[label, slot.name]
        phrase = self._one_of(self.recipe.lists[label][slot.name], label, text, types)
        filled = self._expand(phrase, label, text, types)
        if slot.name in self.recipe.keep:
            text.kept[label, slot.name] = filled
        return filled

    def _one_of(self, options: Sequence[Template], label: str, text: Text, types: Types) -> Template:
        """One of the templates that can hold just these types, each as likely as it does."""
        if not self.recipe.entities:
            return pick(text.rng, options)
        ways = self._known(
            (id(options), label, text.other, types),
            lambda: [(option, self._odds.of(option, label, text.other).get(types, 0.0)) for option in options],
        )
        found: Template = self._way(text.rng, ways)
        return found

    def _shared_out(self, template: Template, label: str, text: Text, types: Types) -> list[Types]:
        """Which of the types each part has to hold, so that together they hold them all."""
        if not types:
            return [NONE] * len(template)
        rests = self._odds.rests(template, label, text.other)
        shares, done = [], NONE
        for at, part in enumerate(template):
            ways = self._known(
                (id(template), at, label, text.other, types, done),
                lambda at=at, part=part, done=done: [  # type: ignore[misc]
                    (own, chance * sum(c for rest, c in rests[at + 1].items() if done | own | rest == types))
                    for own, chance in self._odds.of_part(part, label, text.other).items()
                ],
            )
            shares.append(self._way(text.rng, ways))
            done |= shares[-1]
        return shares

    def _known(self, key: Any, weighted: Callable[[], list[tuple[Any, float]]]) -> Ways:
        """The candidates that can be and the running sum of their weights, worked out once per key."""
        if key not in self._ways:
            able = [(candidate, weight) for candidate, weight in weighted() if weight > 0]
            self._ways[key] = [candidate for candidate, _ in able], list(accumulate(weight for _, weight in able))
        return self._ways[key]

    @staticmethod
    def _way(rng: Random, ways: Ways) -> Any:
        candidates, bounds = ways
        if len(candidates) == 1:
            return candidates[0]
        return candidates[min(bisect(bounds, rng.random() * bounds[-1]), len(bounds) - 1)]
