"""The template writer: labelled texts from a recipe's word lists, offline and seeded.

    writer = TemplateWriter(read_recipe("tickets"))
    writer.write(3000, seed=0)[0]
    # {"id": "tickets-0001", "text": "Hi, where is my parcel?", "label": "delivery", "true_label": "delivery", ...}

A template is text with three kinds of holes, filled anew for every row:

    {slot}          a phrase from the list of that name: the label's own list, else one of the recipe's [slots]
    {other.slot}    the same from another label's lists; which other label is drawn once per text
    (a|b|)          one of these; the last here is nothing. Brackets without a bar are text.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from itertools import accumulate
from random import Random
from typing import TypeAlias, TypedDict, TypeVar

from slmfit.errors import DataError, UsageError, did_you_mean

T = TypeVar("T")
SLOT = re.compile(r"\{[a-z0-9_.]+\}")
KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
NEIGHBOURS = {row[at]: row[max(at - 1, 0) : at] + row[at + 1 : at + 2] for row in KEYBOARD for at in range(len(row))}


class Row(TypedDict):
    """One written text. `label` differs from `true_label` where the recipe plants a wrong label."""

    id: str
    text: str
    label: str
    true_label: str
    form: str


@dataclass(frozen=True, slots=True)
class Slot:
    """A hole for a phrase of list `name`; `other` takes it from another label's lists."""

    name: str
    other: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """A hole for one of several templates."""

    options: tuple[Template, ...]


Template: TypeAlias = tuple["str | Slot | Choice", ...]
Lists: TypeAlias = Mapping[str, tuple[Template, ...]]


@dataclass(frozen=True, slots=True)
class Noise:
    """How texts are roughened. A hasty text has typos, and may lack capitals or apostrophes and the last full stop."""

    hasty: float  # share of texts typed in haste
    typos: float  # share of a hasty text's words of four letters and more
    lowercase: float  # share of hasty texts
    bare: float  # share of hasty texts


@dataclass(frozen=True)
class Recipe:
    """What to write: shares of labels and forms, their templates, and how rough the typing is."""

    name: str
    shares: Mapping[str, float]  # label -> share of rows
    lists: Mapping[str, Lists]  # label -> slot -> phrases, the shared ones included
    forms: Mapping[str, tuple[float, tuple[Template, ...]]]  # form -> share of texts, templates
    keep: frozenset[str]  # slots that stay the same all through a text
    wrong_label: float  # share of rows that get a wrong label
    noise: Noise


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


# --- reading a recipe --------------------------------------------------------------------------------------------


def read_recipe(name: str) -> Recipe:
    """The built-in recipe of that name.

    Raises UsageError for an unknown name and DataError for a recipe that cannot be used.
    """
    folder = resources.files("slmfit.generate") / "recipes"
    files = {file.name.removesuffix(".toml"): file for file in folder.iterdir()}
    if name not in files:
        raise UsageError(f"there is no recipe {name!r}", fix=did_you_mean(name, sorted(files)))
    return parse_recipe(tomllib.loads(files[name].read_text(encoding="utf-8")))


def parse_recipe(table: Mapping) -> Recipe:
    """The recipe that a TOML table describes, with every slot of every template checked.

    Raises DataError for fewer than two labels, a slot without a list, a list that contains itself and brackets that do
    not match.
    """
    if len(table["labels"]) < 2:
        raise DataError("a recipe needs two labels at least", where=table["name"], fix="add a table [labels.NAME]")
    shared = {slot: parse_list(slot, phrases) for slot, phrases in table["slots"].items()}
    lists = {}
    for label, own in table["labels"].items():
        parsed = {slot: parse_list(f"{label}.{slot}", phrases) for slot, phrases in own.items() if slot != "share"}
        lists[label] = shared | parsed
    noise = dict(table["noise"])
    recipe = Recipe(
        name=table["name"],
        shares={label: own["share"] for label, own in table["labels"].items()},
        lists=lists,
        forms={form: (own["share"], parse_list(form, own["templates"])) for form, own in table["forms"].items()},
        keep=frozenset(table["keep"]),
        wrong_label=noise.pop("wrong_label"),
        noise=Noise(**noise),
    )
    checked: set[tuple[str, str]] = set()
    for label in recipe.shares:
        for form, (_, templates) in recipe.forms.items():
            for template in templates:
                check_slots(recipe, template, label, (f"form {form}",), checked)
    return recipe


def parse_list(where: str, phrases: Sequence[str]) -> tuple[Template, ...]:
    """The templates that a list of phrases writes out. Raises DataError when it is empty or brackets do not match."""
    if not phrases:
        raise DataError("the list is empty", where=where, fix="give it at least one phrase")
    return tuple(parse_template(phrase, where) for phrase in phrases)


def parse_template(phrase: str, where: str) -> Template:
    """The template that a phrase writes out. Raises DataError when its brackets do not match."""
    tokens = iter(re.split(rf"([()|]|{SLOT.pattern})", phrase))
    options = parse_options(tokens)
    unread = next(tokens, None) is not None  # a bracket closed what none had opened
    if unread or len(options) > 1 or phrase.count("(") != phrase.count(")") or re.search(r"[{}]", SLOT.sub("", phrase)):
        raise DataError(f"the brackets of {phrase!r} do not match", where=where, fix="write {slot} and (one|other)")
    return options[0]


def parse_options(tokens: Iterator[str]) -> list[Template]:
    """The options up to the closing bracket or the end of the tokens."""
    options: list[list[str | Slot | Choice]] = [[]]
    for token in tokens:
        if token == ")":
            break
        if token == "|":
            options.append([])
        elif token == "(":
            inner = parse_options(tokens)
            options[-1].extend([Choice(tuple(inner))] if len(inner) > 1 else ["(", *inner[0], ")"])
        elif token.startswith("{"):
            options[-1].append(Slot(token[1:-1].removeprefix("other."), other=token.startswith("{other.")))
        elif token:
            options[-1].append(token)
    return [tuple(option) for option in options]


def check_slots(
    recipe: Recipe, template: Template, label: str, path: tuple[str, ...], checked: set[tuple[str, str]]
) -> None:
    """Follows every slot of a template; `checked` holds the (label, slot) already followed.

    Raises DataError where a slot has no list or leads back to itself.
    """
    where = f"recipe {recipe.name!r}, label {label!r}, {' > '.join(path)}"
    for part in template:
        if isinstance(part, Choice):
            for option in part.options:
                check_slots(recipe, option, label, path, checked)
        elif isinstance(part, Slot):
            if part.name in path:
                raise DataError(f"the list {part.name!r} contains itself", where=where, fix="take that slot out")
            for name in recipe.shares if part.other else [label]:
                if part.name not in recipe.lists[name]:
                    fix = did_you_mean(part.name, sorted(recipe.lists[name]))
                    raise DataError(f"label {name!r} has no list {part.name!r}", where=where, fix=fix)
                if (name, part.name) not in checked:
                    for phrase in recipe.lists[name][part.name]:
                        check_slots(recipe, phrase, name, (*path, part.name), checked)
                    checked.add((name, part.name))
