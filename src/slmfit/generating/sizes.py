"""How long the texts of a recipe can become, worked out before the first is written.

    check_sizes(recipe, "emails.toml")        # DataError for templates whose slots double again and again

Each list may name the next one twice: thirty short lines then stand for a text of a billion parts. So the most parts
and characters are counted, not written.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from slmfit.errors import DataError
from slmfit.generating.phrases import Choice, Mark, Slot, Template
from slmfit.generating.recipe import Recipe

MOST_PARTS = 5_000
MOST_CHARACTERS = 50_000


class Size(NamedTuple):
    """The most that can be written."""

    parts: int
    characters: int


def check_sizes(recipe: Recipe, place: str) -> None:
    """Raise DataError where a text could have more parts or characters than any text needs."""
    sizes = _Sizes(recipe)
    for label in recipe.labels:
        for name, form in recipe.forms.items():
            for template in form.templates:
                size = sizes.of(template, label)
                if size.parts > MOST_PARTS or size.characters > MOST_CHARACTERS:
                    what = f"a text could have more than {MOST_PARTS:,} parts, or {MOST_CHARACTERS:,} characters"
                    where, fix = f"{place}, form {name}, label {label!r}", "write shorter lists and templates"
                    raise DataError(what, where=where, fix=fix)


class _Sizes:
    """The sizes of a recipe's templates, which hold no circle; each list is looked at once."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._known: dict[tuple[str | None, str], Size] = {}

    def of(self, template: Template, label: str) -> Size:
        sizes = [self._of_part(part, label) for part in template]
        return Size(1 + sum(size.parts for size in sizes), sum(size.characters for size in sizes))

    def _of_part(self, part: str | Slot | Choice | Mark, label: str) -> Size:
        if isinstance(part, str):
            return Size(1, len(part))
        if isinstance(part, Choice):
            return _greatest(self.of(option, label) for option in part.options)
        if isinstance(part, Mark):
            return self.of(part.words, label)
        return self._of_list(None if part.other else label, part.name)

    def _of_list(self, label: str | None, name: str) -> Size:
        """label: None = of any label."""
        if (label, name) not in self._known:
            lists = self._recipe.lists
            if label is None:
                found = _greatest(self._of_list(one, name) for one in lists if name in lists[one])
            else:
                found = _greatest(self.of(phrase, label) for phrase in lists[label][name])
            self._known[label, name] = found
        return self._known[label, name]


def _greatest(sizes: Iterable[Size]) -> Size:
    known = list(sizes)
    return Size(max(size.parts for size in known), max(size.characters for size in known))
