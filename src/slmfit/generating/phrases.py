"""The templates that a recipe's texts are written from, and how one is read.

    parse_phrase("(Call|Ring) {who} at [TIME|{hour}]", "forms.plain")
    # (Choice(…), " ", Slot("who"), " at ", Mark("TIME", (Slot("hour"),)))

A template is text with four kinds of parts, filled anew for every row:

    {slot}          a phrase from the list of that name: the label's own list, else one of the recipe's [slots]
    {other.slot}    the same from another label's lists; which other label is drawn once per text
    (a|b|)          one of these; the last here is nothing. Brackets without a bar are text.
    [TIME|…]        an entity of that type, as it stands in the text; marks do not nest
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from slmfit.errors import DataError
from slmfit.generating.marked import LABEL

SLOT = re.compile(r"\{[a-z0-9_.]+\}")
MARK = re.compile(rf"\[{LABEL}\|")


@dataclass(frozen=True, slots=True)
class Slot:
    """A hole for a phrase of list `name`; `other` takes it from another label's lists."""

    name: str
    other: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """A hole for one of several templates."""

    options: tuple[Template, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """An entity of type `label` whose words the template writes."""

    label: str
    words: Template


Template: TypeAlias = tuple["str | Slot | Choice | Mark", ...]
Lists: TypeAlias = Mapping[str, tuple[Template, ...]]


def parse_list(where: str, phrases: Sequence[str]) -> tuple[Template, ...]:
    """The templates that a list of phrases writes out. Raises DataError when it is empty or brackets do not match."""
    if not phrases:
        raise DataError("the list is empty", where=where, fix="give it at least one phrase")
    return tuple(parse_phrase(phrase, where) for phrase in phrases)


def parse_phrase(phrase: str, where: str) -> Template:
    """The template that a phrase writes out. Raises DataError when its brackets do not match."""
    tokens = iter(re.split(rf"([()|\]]|{SLOT.pattern}|{MARK.pattern})", phrase))
    try:
        options = _options(tokens, closing=None)
        if len(options) > 1 or re.search(r"[{}]", SLOT.sub("", phrase)):
            raise ValueError
    except ValueError:
        fix = "write {slot}, (one|other) and [TYPE|words]"
        raise DataError(f"the brackets of {phrase!r} do not match", where=where, fix=fix) from None
    return options[0]


def _options(tokens: Iterator[str], closing: str | None) -> list[Template]:
    """The options up to the closing bracket, or the end of the tokens. Raises ValueError where they do not match."""
    options: list[list[str | Slot | Choice | Mark]] = [[]]
    for token in tokens:
        if token == closing:
            return [tuple(option) for option in options]
        if token == "|":
            options.append([])
        elif token == "(":
            inner = _options(tokens, closing=")")
            options[-1].extend([Choice(tuple(inner))] if len(inner) > 1 else ["(", *inner[0], ")"])
        elif token == ")":
            raise ValueError(token)
        elif MARK.fullmatch(token):
            (words,) = _options(tokens, closing="]")  # a bar in it belongs into (…|…)
            options[-1].append(Mark(token[1:-1], words))
        elif SLOT.fullmatch(token):
            options[-1].append(Slot(token[1:-1].removeprefix("other."), other=token.startswith("{other.")))
        elif token:
            options[-1].append(token)
    if closing:
        raise ValueError(closing)
    return [tuple(option) for option in options]
