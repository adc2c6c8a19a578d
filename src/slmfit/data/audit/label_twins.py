"""Labels that are probably one label written twice.

    label_twins(["Cancel ", "cancel", "sports", "sport", "1", "2", "A", "А"])
    # [(["A", "А"], "look"), (["Cancel ", "cancel"], "spelling"), (["sport", "sports"], "letter")]

Better to miss a pair than to cry wolf: `1`/`2`, `class A`/`class B`, `typical`/`atypical` and
`comp.sys.ibm`/`comp.sys.mac` are no twins. What is left is still a suspicion: `desert` and `dessert` are reported.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Literal

from slmfit.text.looks import look

# characters that look alike · case, spaces, punctuation · one letter in one longer word
Likeness = Literal["look", "spelling", "letter"]
_SHORTEST = 5  # letters of the longer word; shorter words are one letter apart too often
_LONGEST = 80  # characters; what is longer is no name
_NUMBER = re.compile(r"([+-]?)(\d++)(?:\.(\d++))?(?:e([+-]?\d{1,9}+))?")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}+(?:,\d{3})++(?:\.\d++)?")
_SEPARATORS = re.compile(r"[\s\-_.,;:'\"’‘“”/\\|()\[\]!?]+")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})  # as German writes them without the dots
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")  # camelCase is two words


def label_twins(labels: Iterable[str]) -> list[tuple[list[str], Likeness]]:
    """Groups of two or more labels that look like one, each in order of code points. A label may be in two groups."""
    looks: dict[str, list[str]] = defaultdict(list)
    for label in sorted(set(labels)):
        looks[look(label)].append(label)
    groups: list[tuple[list[str], Likeness]] = [(group, "look") for group in looks.values() if len(group) > 1]
    spellings: dict[str, list[str]] = defaultdict(list)
    for drawn, group in looks.items():
        spellings[_spelling(drawn)].append(group[0])
    groups += [(group, "spelling") for group in spellings.values() if len(group) > 1]

    near: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for group in spellings.values():
        for key in _misspellings(_words(group[0])):
            near[key].append(group[0])
    pairs = {(one, other) for group in near.values() for one in group for other in group if one < other}
    groups += [([one, other], "letter") for one, other in sorted(pairs) if _one_letter(_words(one), _words(other))]
    return groups


def _spelling(label: str) -> str:
    """Equal for labels that differ in case, spaces and punctuation only. Numbers by value, so -1 and 1 stay apart."""
    plain = unicodedata.normalize("NFKC", label).casefold().strip().translate(_UMLAUTS)
    plain = re.sub(r"\d", lambda digit: str(unicodedata.digit(digit[0])), plain)  # ١ and १ are 1 too
    if value := _value(plain):
        return value
    # A separator between digits counts: 1.2.3 is not 12.3, and 3-5 is not 35.
    return re.sub(r"(?<!\d) | (?!\d)", "", " ".join(_SEPARATORS.sub(" ", plain).split())) or plain


def _value(plain: str) -> str | None:
    """A number by its value: 1, 01, 1.0, 1,0 and 1e0 are one, 1000 and 1,000 too; None for what is no number."""
    text = plain.replace(",", "") if _THOUSANDS.fullmatch(plain) else plain.replace(",", ".")
    if not (number := _NUMBER.fullmatch(text)):
        return None
    sign, whole, part, power = (group or "" for group in number.groups())
    digits = (whole + part).lstrip("0")
    if not digits:
        return "number 0"
    zeros = len(digits) - len(digits.rstrip("0"))
    return f"number {sign.strip('+')}{digits.rstrip('0')}e{int(power or 0) - len(part) + zeros}"


def _words(label: str) -> tuple[str, ...]:
    spaced = _HUMP.sub(" ", unicodedata.normalize("NFKC", label[: _LONGEST + 1]))
    return tuple(_SEPARATORS.sub(" ", spaced).casefold().split())


def _misspellings(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The label itself and every form with one letter (not a word's first) dropped: two labels that are one letter
    apart share a form (SymSpell, Garbe 2012)."""
    if sum(map(len, words)) > _LONGEST:
        return
    yield words
    for at, word in enumerate(words):
        if word.isalpha() and len(word) >= _SHORTEST - 1:
            for form in sorted({word[:k] + word[k + 1 :] for k in range(1, len(word))}):
                yield (*words[:at], form, *words[at + 1 :])


def _one_letter(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether exactly one word differs, by one letter changed, added, dropped or swapped after its first."""
    different = [(a, b) for a, b in zip(one, other, strict=False) if a != b]
    if len(one) != len(other) or len(different) != 1:
        return False
    short, long = sorted(different[0], key=len)
    if not (short.isalpha() and long.isalpha()) or len(long) < _SHORTEST or short[0] != long[0]:
        return False
    if len(short) < len(long):
        return any(long[:k] + long[k + 1 :] == short for k in range(1, len(long)))
    apart = [k for k in range(len(short)) if short[k] != long[k]]
    swapped = len(apart) == 2 and apart[1] == apart[0] + 1 and short[apart[0]] == long[apart[1]]
    return len(apart) == 1 or (swapped and short[apart[1]] == long[apart[0]])
