"""Options and answers of a question as a row holds them: to letters, in the order shown.

labelled(["cold", "hot"], where)                          # [("", "cold"), ("", "hot")]
letter_meant(1, {}, {"A": "cold", "B": "hot"}, where)     # "B": a position, counted from 0
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from string import ascii_uppercase
from typing import Any

from slmfit.errors import DataError, Where
from slmfit.text.figures import listed
from slmfit.text.looks import look_alike, told_apart
from slmfit.text.visible import written

AT = re.compile("[0-9]{1,2}")
POINTED = re.compile(r"([0-9]{1,2})(?:\.0)?")
MARKS = "labels"  # of options, in their order: 1 is right, 0 is not
_OWN = re.compile(r"\s*\(?([a-z])[.):]\s*\S", re.IGNORECASE)
_OPTION = re.compile(r"(?:(?:option|choice)[ _-]?)?\(?([a-z])[.)]?", re.IGNORECASE)


def flat(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """A row whose question is an object that holds its stem and choices, as ARC's own JSON has it, laid out flat."""
    inner = next((row[name] for name in ("question", "question_stem") if isinstance(row.get(name), Mapping)), None)
    if inner is None:
        return row
    return {**row, "question": inner.get("stem"), **({"choices": inner["choices"]} if "choices" in inner else {})}


def labelled(cell: Any, where: Where) -> list[tuple[str, str]]:
    """Options as (label as given or "", text), in the order shown, from any of the forms."""
    if isinstance(cell, Mapping) and cell.keys() == {"text", "label"} and not isinstance(cell["text"], str):
        pairs = list(zip(cell["label"], cell["text"], strict=False))
        if len(cell["label"]) != len(cell["text"]):
            what = f"there are {len(cell['label'])} labels for {len(cell['text'])} options"
            raise DataError(what, where=where, fix="give one label per option")
    elif isinstance(cell, Mapping):  # a table may fill letters that this row does not have with nulls
        pairs = [(label, text) for label, text in cell.items() if text is not None]
    elif isinstance(cell, Iterable) and not isinstance(cell, str | bytes):
        pairs = [_of_object(one) for one in cell]
    else:
        raise DataError(f"the options are {cell!r}", where=where, fix='write {"A": "…", "B": "…"} or a list of texts')
    if not 2 <= len(pairs) <= 26:
        what = f"the number of options is {len(pairs)}"
        raise DataError(what, where=where, fix="a question needs 2 to 26 options; correct it or drop the row")
    for i, (_, text) in enumerate(pairs):
        if not isinstance(text, str) or not text.strip():
            what = f"option {i + 1} is {'empty' if text in (None, '') else repr(text)}"
            raise DataError(what, where=where, fix="every option must be text, and not empty")
    return [(str(label).strip(), text) for label, text in pairs]


def _of_object(option: Any) -> tuple[Any, Any]:
    """Label and text of an option in a list, which may be {"label": "A", "text": "cold"}."""
    if isinstance(option, Mapping) and option.keys() == {"text", "label"}:
        return option["label"], option["text"]
    return "", option


def lettered(labels: Sequence[str], where: Where) -> list[str]:
    """The labels as capital letters, or A, B, C … where they are anything else."""
    if any(labels) and len(set(labels)) < len(labels):
        raise DataError(f"two options have the same label: {', '.join(labels)}", where=where, fix="label each once")
    capitals = [label.upper() for label in labels]
    if len(set(capitals)) == len(capitals) and set(capitals) <= set(ascii_uppercase):
        return capitals
    return list(ascii_uppercase[: len(labels)])


def whole(answer: Any, options: Mapping[str, str]) -> Any:
    """2 for 2.0, as pandas writes a column in which one is missing, also as text that is no option's; else as it is."""
    if isinstance(answer, float) and answer.is_integer():
        return int(answer)
    pointed = isinstance(answer, str) and POINTED.fullmatch(answer.strip())
    return pointed[1] if pointed and answer not in options.values() else answer


def _claiming(letter: str, options: Mapping[str, str]) -> set[str]:
    """The options whose texts are this letter, or begin with it where all begin with a letter of their own."""
    own = [_OWN.match(text) for text in options.values()]
    begun = [match[1].upper() if match else "" for match in own]
    if "" in begun or len(set(begun)) < len(begun):
        begun = [""] * len(begun)
    claims = zip(options.items(), begun, strict=True)
    return {place for (place, text), first in claims if letter in (first, text.strip().upper())}


def letter_numbered(answer: Any, letter_of: Mapping[str, str], options: Mapping[str, str], where: Where) -> str | None:
    """The letter that a position counted from 1 means; of anything else what `letter_meant` finds."""
    word = str(whole(answer, options)).strip()
    if not AT.fullmatch(word):
        return None if not word else letter_meant(answer, letter_of, options, where)
    if not 1 <= int(word) <= len(options):
        what = f"the answer {answer!r} is no number from 1 to {len(options)}"
        raise DataError(what, where=where, fix="count the options from 1, or name the column as answer: from 0")
    return list(options)[int(word) - 1]


def _marked(marks: Sequence[Any], options: Mapping[str, str], where: Where) -> str:
    """The letter of the one option that is marked 1."""
    right = [letter for letter, mark in zip(options, marks, strict=False) if mark in (1, "1")]
    if len(marks) != len(options) or any(mark not in (0, 1, "0", "1") for mark in marks) or len(right) != 1:
        marked = len(marks) == len(options) and all(mark in (0, 1, "0", "1") for mark in marks)
        what = f"marks {len(right)} of {len(options)} options as right" if marked else "is several answers"
        what = f"the answer {written(marks, 60)} {what}"
        raise DataError(what, where=where, fix="give the letter of the one option that is right, or drop the row")
    return right[0]


def letter_meant(answer: Any, letter_of: Mapping[str, str], options: Mapping[str, str], where: Where) -> str | None:
    """The letter that the answer means, as the module says; None when there is no answer."""
    if answer is None or answer == -1:
        return None
    if isinstance(answer, list | tuple) and len(answer) == 1:
        (answer,) = answer
    elif isinstance(answer, list | tuple):
        return _marked(answer, options, where)
    answer = whole(answer, options)
    word = str(answer).strip()
    if word in letter_of:
        return letter_of[word]
    named = _OPTION.fullmatch(word)
    if (letter := (named[1] if named else word).upper()) in options:
        if others := _claiming(letter, options) - {letter}:
            what = f"could mean option {letter} by its place, and {min(others)} by its text"
            fix = 'say which letter is whose: {"A": "…", "B": "…"}, without letters in the texts'
            raise DataError(f"the answer {answer!r} {what}", where=where, fix=fix)
        return letter
    found = {letter for letter, text in options.items() if text == answer}
    numbered = any(label.isdecimal() for label in letter_of)  # then a number was meant as a label
    if not numbered and AT.fullmatch(word) and int(word) < len(options):
        found.add(list(options)[int(word)])
    if len(found) == 1:
        return found.pop()
    if not found and word == "-1":
        return None
    if not found and (twin := look_alike(word, options)) is not None:
        what = f"is not among the options: {listed(told_apart([word, twin]), quoted=False)}"
        raise DataError(f"the answer {answer!r} {what}", where=where, fix=f"write {twin}, a Latin capital letter")
    what = "could mean more than one option" if found else "is not among the options"
    fix = f"give the letter, one of {', '.join(options)}, or a position counted from 0"
    raise DataError(f"the answer {answer!r} {what}", where=where, fix=fix)
