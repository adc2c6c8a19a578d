"""What a recipe is, and how one is read: a TOML file of word lists and templates in `recipes/`.

    recipe = read_recipe("tickets")
    recipe.lists["delivery"]["problem"]       # the templates that {problem} stands for in a text about delivery

A template is text with three kinds of holes, filled anew for every row:

    {slot}          a phrase from the list of that name: the label's own list, else one of the recipe's [slots]
    {other.slot}    the same from another label's lists; which other label is drawn once per text
    (a|b|)          one of these; the last here is nothing. Brackets without a bar are text.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import TypeAlias

from slmfit.errors import DataError, UsageError, did_you_mean

SLOT = re.compile(r"\{[a-z0-9_.]+\}")


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
