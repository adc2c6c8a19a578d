"""The template writer: labelled texts from a recipe, offline and seeded.

writer = TemplateWriter(read_recipe("tickets"))
writer.write(3000, seed=0)[0]
# {"id": "tickets-0001", "text": "Hi, where is my parcel?", "label": "delivery", "true_label": "delivery", ...}
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random
from typing import TypedDict, TypeVar

from slmfit.errors import UsageError
from slmfit.generate.recipe import Choice, Noise, Recipe, Slot, Template

T = TypeVar("T")
KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
NEIGHBOURS = {row[at]: row[max(at - 1, 0) : at] + row[at + 1 : at + 2] for row in KEYBOARD for at in range(len(row))}


class Row(TypedDict):
    """One written text. `label` differs from `true_label` where the recipe plants a wrong label."""

    id: str
    text: str
    label: str
    true_label: str
    form: str


@dataclass
class Draft:
    """One text in the making: its random numbers, the other label, and what has to stay the same."""

    rng: Random
    other: str
    kept: dict[tuple[str, str], str] = field(default_factory=dict)


class TemplateWriter:
    """Writes labelled texts from a recipe."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe

    def write(self, n: int, seed: int = 0) -> list[Row]:
        """n rows in random order; labels come in exactly their shares before wrong ones are planted.

        No two texts are the same, nor do any two differ only in numbers, case or punctuation.
        Raises UsageError when n < 1 or the recipe cannot write so many different texts.
        """
        if n < 1:
            raise UsageError(f"cannot write {n} rows", fix="ask for at least 1")
        rng = Random(seed)
        seen: set[str] = set()
        rows: list[Row] = []
        for number, label in enumerate(shuffled(rng, allot(n, self.recipe.shares)), start=1):
            form, text = self._new_text(label, rng, seen)
            row_id = f"{self.recipe.name}-{number:04}"
            rows.append({"id": row_id, "text": text, "label": label, "true_label": label, "form": form})
        self._plant_wrong_labels(rows, rng)
        return rows

    def _new_text(self, label: str, rng: Random, seen: set[str]) -> tuple[str, str]:
        for _ in range(200):
            form = draw(rng, self.recipe.forms)
            draft = Draft(rng, other=pick(rng, [name for name in self.recipe.shares if name != label]))
            text = tidy(self._expand(pick(rng, self.recipe.forms[form][1]), label, draft))
            text = roughen(text, self.recipe.noise, rng)
            key = re.sub(r"[\W\d_]+", " ", text.lower())
            if key not in seen:
                seen.add(key)
                return form, text
        raise UsageError(
            f"the recipe {self.recipe.name!r} ran out of different texts for {label!r} after {len(seen)} rows",
            fix="ask for fewer rows or give the recipe more phrases",
        )

    def _expand(self, template: Template, label: str, draft: Draft) -> str:
        parts = []
        for part in template:
            if isinstance(part, str):
                parts.append(part)
            elif isinstance(part, Choice):
                parts.append(self._expand(pick(draft.rng, part.options), label, draft))
            else:
                parts.append(self._fill(part, draft.other if part.other else label, draft))
        return "".join(parts)

    def _fill(self, slot: Slot, label: str, draft: Draft) -> str:
        if (label, slot.name) in draft.kept:
            return draft.kept[label, slot.name]
        phrase = self._expand(pick(draft.rng, self.recipe.lists[label][slot.name]), label, draft)
        if slot.name in self.recipe.keep:
            draft.kept[label, slot.name] = phrase
        return phrase

    def _plant_wrong_labels(self, rows: list[Row], rng: Random) -> None:
        for row in shuffled(rng, rows)[: round(self.recipe.wrong_label * len(rows))]:
            row["label"] = pick(rng, [name for name in self.recipe.shares if name != row["true_label"]])


# Chance is drawn from Random.random() alone: its sequence is the only one Python promises to keep.


def pick(rng: Random, choices: Sequence[T]) -> T:
    """One of the choices, each as likely."""
    return choices[int(rng.random() * len(choices))]


def draw(rng: Random, forms: Mapping[str, tuple[float, tuple[Template, ...]]]) -> str:
    """The name of a form, as likely as its share."""
    point = rng.random() * sum(share for share, _ in forms.values())
    bounds = accumulate(share for share, _ in forms.values())
    return next((name for name, bound in zip(forms, bounds, strict=True) if point < bound), next(iter(forms)))


def shuffled(rng: Random, items: Sequence[T]) -> list[T]:
    """The items in random order (Fisher and Yates)."""
    items = list(items)
    for last in range(len(items) - 1, 0, -1):
        other = int(rng.random() * (last + 1))
        items[last], items[other] = items[other], items[last]
    return items


def allot(n: int, shares: Mapping[str, float]) -> list[str]:
    """n labels in their shares; what rounding leaves over goes to the largest remainders."""
    total = sum(shares.values())
    exact = {label: n * share / total for label, share in shares.items()}
    counts = {label: int(value) for label, value in exact.items()}
    by_remainder = sorted(shares, key=lambda label: counts[label] - exact[label])
    for label in by_remainder[: n - sum(counts.values())]:
        counts[label] += 1
    return [label for label, count in counts.items() for _ in range(count)]


def tidy(text: str) -> str:
    """The text with single spaces, none before punctuation or at line ends, and capitals where sentences start."""
    text = re.sub(r"[ \t]+", " ", text)
    text = re.sub(r" ?\n ?", "\n", text)
    text = re.sub(r" (?=[.,;!?])", "", text).strip()
    return re.sub(r"(?:^|(?<=[.!?] )|(?<=[.!?]\" )|(?<=\n)|(?<= \"))['(]?[a-z]", lambda start: start[0].upper(), text)


def roughen(text: str, noise: Noise, rng: Random) -> str:
    """The text as a person in a hurry would have typed it, or unchanged when this text is not a hasty one."""
    if rng.random() >= noise.hasty:
        return text
    words = re.split(r"(?<![\w'])([A-Za-z]{4,})(?![\w'])", text)
    for place in range(1, len(words), 2):
        if rng.random() < noise.typos:
            words[place] = mistype(words[place], rng)
    text = "".join(words)
    if rng.random() < noise.lowercase:
        text = text.lower()
    if rng.random() < noise.bare:
        text = text.replace("'", "").removesuffix(".")
    return text


def mistype(word: str, rng: Random) -> str:
    """The word with two letters swapped, or one dropped, doubled or hit beside its key; the first letter stays."""
    at = 1 + int(rng.random() * (len(word) - 2))
    before, letter, after = word[:at], word[at], word[at + 1 :]
    swapped = before + after[0] + letter + after[1:]
    beside = before + pick(rng, NEIGHBOURS[letter.lower()]) + after
    return pick(rng, [swapped, before + after, before + letter + letter + after, beside])
