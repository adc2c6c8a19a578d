"""What is odd about a method's answers and may be their form, not the method: said beside the verdict.

list(remarks("gpt", task, answers, inputs))
# ["gpt: 12 answers are invalid, such as 'Billing.'; between 9 of them and a label stand only case or a full stop."]
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from slmfit.data.audit.entities import offset_notes
from slmfit.data.dataset import Dataset
from slmfit.records import Input, Prediction
from slmfit.tasks import names_of
from slmfit.tasks.answers import entities_of
from slmfit.tasks.base import Task
from slmfit.tasks.common import options_of
from slmfit.tasks.replies import unfenced
from slmfit.text.figures import listed, number_of, percent, verb_of
from slmfit.text.garbled import unescaped
from slmfit.text.looks import beside, look, look_alike, points
from slmfit.text.visible import excerpt

_NAMELESS = "LABEL_"  # as transformers calls a class without a name
_SHARE = re.compile(r"0?\.\d+|[01](?:\.0*)?")
_NUMBER = re.compile(rf"(?:{_NAMELESS})?\d+(?:\.0*)?")
_QUOTES = "\"'`“”„‘’«»"
_SHOWN = 60  # characters of an answer
_MANY_CUT = 0.05  # texts of which only a part is read, as a share


def remarks(id: str, task: Task, answers: Sequence[Prediction], inputs: Sequence[Input]) -> Iterator[str]:
    """Sentences about the answers of the method `id`; none where nothing is odd."""
    invalid = [(one.raw, given) for one, given in zip(answers, inputs, strict=True) if one.outcome == "invalid"]
    if written := [(raw, given) for raw, given in invalid if raw]:
        found = f"{id}: {number_of(len(invalid), 'answer', 'are')} invalid, such as '{excerpt(written[0][0], _SHOWN)}'"
        found += _points(task, *written[0])
        between = [
            ways for raw, given in written if (ways := _between(raw, _names(task, given)) or _around(raw, given))
        ]
        if between:
            all_ways = [way for way in (*_WAYS, *_OTHER_WAYS) if any(way in ways for ways in between)]
            stand = verb_of(len(all_ways), "stand")
            found += f"; between {len(between):,} of them and a label {stand} only {_or(all_ways)}"
        elif all(_NUMBER.fullmatch(raw.strip()) for raw, _ in written):
            found += _of_numbers(task, [float(raw.strip().removeprefix(_NAMELESS)) for raw, _ in written])
        elif all(task.offered(given) and raw.strip() in task.text(given).split("\n") for raw, given in written):
            found += ": they are the texts of options, and an answer is a letter"
        elif task.classifies and all(_SHARE.fullmatch(raw.strip()) for raw, _ in written):
            found += ": they may be probabilities, and an answer is a label"
        yield f"{found}."
    given = [one for one in answers if one.outcome == "ok"]
    intents = names_of(task).get("intents", ())
    if intents and given and not any(entities_of(one.target).intent for one in given):
        yield f"{id}: no answer names an intent, so none is right; it is looked for in the column 'intent'."
    if others := Counter(i for one in given if (i := entities_of(one.target).intent) and intents and i not in intents):
        names, times = sorted(others, key=lambda name: (-others[name], name)), number_of(others.total(), "time")
        yield (
            f"{id}: its answers name intents that the data do not have, and that count as wrong: "
            f"{listed(beside(names, intents), quoted=False)} ({times}); the data have {listed(intents)}."
        )
    if task.marks and (strange := _strange_types(task, answers)):
        names, times = sorted(strange, key=lambda name: (-strange[name], name)), number_of(strange.total(), "time")
        yield (
            f"{id}: its answers name entity types that the data do not have, and that count as wrong: "
            f"{listed(beside(names, task.labels), quoted=False)} ({times}); the data have {listed(task.labels)}."
        )


def _points(task: Task, raw: str, given: Input) -> str:
    """The code points in which an answer differs from a label that looks like it."""
    twin = look_alike(raw, _names(task, given))
    return "" if twin is None else points(raw, twin)


def _of_numbers(task: Task, numbers: Sequence[float]) -> str:
    """What may be meant by numbers where names are needed; nothing where they number no names."""
    names = task.labels
    if not names or task.marks or any(map(_NUMBER.fullmatch, names)):
        return ""
    if not task.classifies:
        return ": they are positions, and an answer is a letter, where A is the first option"
    if not all(number.is_integer() and 0 <= number < len(names) for number in numbers):
        return ""
    order = ", ".join(f"{number} is {name!r}" for number, name in enumerate(names[:3]))
    return (
        ": if they number the labels, write the names in their place, in the order in which they were numbered; "
        f"sorted, as LabelEncoder and pandas number them, {order}{' …' if len(names) > 3 else ''}"
    )


def like_the_truth(given: Mapping[str, Sequence[Prediction]], data: Dataset) -> Iterator[str]:
    """That given answers are right in every row, which the truth itself is, too."""
    for name, answers in given.items():
        if len(answers) > 1 and all(a.target == e.target for a, e in zip(answers, data.test, strict=True)):
            yield f"{name}: every answer equals the truth: is it the truth itself?"


def odd_offsets(given: Mapping[str, Sequence[Prediction]], data: Dataset) -> Iterator[str]:
    """That entities which were given look as if their offsets counted something else than characters."""
    for name, answers in given.items():
        pairs = zip(data.test, answers, strict=True)
        yield from offset_notes(name, [replace(row, target=answer.target) for row, answer in pairs if answer.target])


def fewer_rows(data: Dataset, scored: Dataset) -> Iterator[str]:
    """That only a part of the test rows is compared, where that is so. scored: the data with that part."""
    rows, of = len(scored.test), len(data.test)
    if rows < of:
        yield (
            f"Scored on {rows:,} of {of:,} test rows, drawn at random and the same for every method: the budget left "
            "no time for more."
        )


def time_taken(seconds: float, spent: Mapping[str, float]) -> str:
    """What took the time of a budget, in order: what has a name here is a method, or what comes before them all."""
    parts = [f"{what} {took:.0f} s" for what, took in spent.items() if took >= 1]
    return f"Of the budget of {seconds:.0f} s went: {', '.join(parts)}." if parts else ""


def shortened(id: str, chosen: Mapping[str, Any]) -> Iterator[str]:
    """What kept a method from its best: the budget, or the length that texts were cut at. chosen: as its run has it."""
    if chosen.get("cut_short") is True:
        yield f"{id}: the budget ended its training while it was still improving; a larger one may raise it."
    if isinstance(rows := chosen.get("rows_fitted"), int):
        yield f"{id} was fitted on {rows:,} rows, drawn at random: the budget left no time to embed more."
    if chosen.get("search_ended") is not None:
        yield f"{id}: the budget ended the search for its settings; a larger one may find better ones."
    share, length = chosen.get("texts_cut"), chosen.get("max_length")
    if isinstance(share, float) and share >= _MANY_CUT and isinstance(length, int):
        yield f"{id} read only the beginning of {percent(share)} of the texts, which are longer than {length:,} tokens."


def always(answers: Sequence[Prediction]) -> str:
    """The one answer to all rows, in words; empty where they differ."""
    first = answers[0].target if answers else None
    if first is None or any(answer.target != first for answer in answers):
        return ""
    if isinstance(first, str):
        return f"'{excerpt(first, _SHOWN)}'"
    intent = f"'{excerpt(first.intent, _SHOWN)}' and " if first.intent else ""
    return f"{intent}{number_of(len(first.spans), 'entity')}" if first.spans else f"{intent}no entities"


def _names(task: Task, given: Input) -> Collection[str]:
    """What an answer to this row may be; nothing where it is more than a name."""
    return task.form().candidates(given) or ()


_THOUGHT = re.compile(r"\A\s*<(think|thinking|reasoning)>.*?</\1>\s*", re.DOTALL)
_BOXED = re.compile(r"\A\$*\\boxed\{(?:\\text\{)?([^{}]*)\}?\}\$*\Z")
# What may stand between a reply and a label -> the reply without it.
_WAYS: dict[str, Callable[[str], str]] = {
    "what it thought": lambda text: _THOUGHT.sub("", text),
    "a code fence": unfenced,
    "asterisks": lambda text: text.strip("*_"),
    "\\boxed": lambda text: _BOXED.sub(r"\1", text),
    "quotation marks": lambda text: text.strip(_QUOTES),
    "a full stop": lambda text: text.removesuffix("."),
    "HTML's entities": unescaped,
    "brackets": lambda text: text.strip("()[]"),
    "case": str.casefold,
}
_FIRST = (
    "what it thought",
    "a code fence",
    "asterisks",
    "\\boxed",
    "HTML's entities",
    "quotation marks",
    "a full stop",
)
_LETTERS = "characters that look alike"
_ZEROS = "leading zeros"
_BEFORE, _BEHIND = "words before the letter", "the option's text behind the letter"
_OTHER_WAYS = (_ZEROS, _LETTERS, _BEFORE, _BEHIND)
_LONGEST = 500  # characters of a reply that is one letter but for this
_LEAD = re.compile(r"(?i:[^\n]*?\b(?:answer|option|choice)\b(?:\s+is)?\s*:?\s*)(?=\W{0,3}[A-Z]\b)")
_EDGES = " \t\r\n.*()[]:\"'"


def _between(raw: str, names: Collection[str]) -> tuple[str, ...]:
    """What must go for the reply to be one of the names; empty where that is not enough."""
    text, ways = _inner(raw.strip()), []
    known = {name.casefold() for name in names}
    for way in (*_FIRST, "quotation marks", "brackets"):
        shorter = _inner(_WAYS[way](text).strip())
        if shorter != text and text not in names and text.casefold() not in known:
            text = shorter
            ways.append(way)
    if text not in names and text.isdecimal() and len(numbers := _without_zeros(text, names)) == 1:
        text = numbers[0]
        ways.append(_ZEROS)
    if text not in names and text.casefold() in known:
        text = next(name for name in names if name.casefold() == text.casefold())
        ways.append("case")
    drawn = look(text).casefold()
    if text not in names and (twin := next((name for name in names if look(name).casefold() == drawn), None)):
        ways += [_LETTERS] if look(twin) == look(text) else ["case", _LETTERS]
        text = twin
    return tuple(dict.fromkeys(ways)) if text in names else ()


def _without_zeros(text: str, names: Collection[str]) -> list[str]:
    """The names that are the same number with other zeros before it, as a spreadsheet takes them off."""
    return [name for name in names if name.isdecimal() and name.lstrip("0") == text.lstrip("0") != ""]


def _around(raw: str, given: Input) -> tuple[str, ...]:
    """What a reply says beside the letter of an option: `The answer is B`, `C) the option's text`; else empty."""
    text, options = _inner(raw.strip()), options_of(given)
    if not options or len(text) > _LONGEST:
        return ()
    before = _LEAD.match(text)
    rest = (text[before.end() :] if before else text).strip(_EDGES)
    option, behind = options.get(rest[:1]), rest[1:].strip(_EDGES)
    if option is None or rest[1:2].isalnum() or (behind and behind.casefold() != option.strip(_EDGES).casefold()):
        return ()
    return tuple(way for way, there in ((_BEFORE, before), (_BEHIND, behind)) if there)


def _inner(text: str) -> str:
    """The one string that a JSON object holds; any other text as it is."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    cells = list(value.values()) if isinstance(value, dict) else []
    return cells[0] if len(cells) == 1 and isinstance(cells[0], str) else text


def _or(ways: Sequence[str]) -> str:
    return ways[0] if len(ways) == 1 else f"{', '.join(ways[:-1])} or {ways[-1]}"


def _strange_types(task: Task, answers: Sequence[Prediction]) -> Counter[str]:
    """Entity types that no row of the data has -> how often they were named, in answers that are invalid by it too."""
    named: Counter[str] = Counter()
    for answer in answers:
        target = entities_of(answer.target)
        named.update(span.label for span in target.spans)
        named.update(label for _, label in target.unplaced)
        if answer.outcome == "invalid" and answer.raw:
            named.update(_types_in(answer.raw))
    return Counter({name: count for name, count in named.items() if name not in task.labels})


def _types_in(raw: str) -> Iterator[str]:
    """The types that a reply names which is JSON as asked for, types aside."""
    try:
        entities = json.loads(unfenced(raw.strip()))["entities"]
        yield from (str(entity["label"]) for entity in entities)
    except (ValueError, RecursionError, KeyError, TypeError):
        return
