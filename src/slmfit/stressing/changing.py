"""A row with its input changed and its answer moved along: the same answer, to a text that is written otherwise.

changed(Example("1", "where is my parcel", "delivery"), "one typo", task, key="0 1")     # None where nothing changes
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

from slmfit.generating.marked import Marked
from slmfit.records import Example, Pair, Span, Tokens
from slmfit.stressing.kinds import KINDS, POLITE, TOKEN, Change, Known
from slmfit.tasks import names_of
from slmfit.tasks.answers import entities_of
from slmfit.tasks.base import Task
from slmfit.tasks.forms.letters import question_of
from slmfit.text.figures import listed

TRIES = 20  # orders of options that are dealt until one differs
_OTHERS = re.compile(
    r"\b(all|none|both|neither|either|any|two|some) of (the|these|those)\b|\b(above|below|preceding|following)\b"
    r"|\b(?-i:[A-E]) (and|or|&) (?-i:[A-E])\b|\b(both|neither|either|only) (?-i:[A-E])\b",
    re.IGNORECASE,
)
_PIECE = re.compile(r"\w+|[^\w\s]")


def left_out(task: Task, kind: str) -> str | None:
    """Why a kind is left out for a task; None where it is not.

    Politeness changes no label but where a label is politeness: then "Hello" decides.
    """
    if KINDS[kind].change is None and not hasattr(task, "reordered"):
        return "inputs have no options"
    if kind == "politeness":
        names = [name for every in names_of(task).values() for name in every]
        polite = [name for name in names if POLITE.search(name.lower().replace("_", " "))]
        if polite and (task.classifies or task.marks):
            return f"a label of these data is politeness itself: {listed(polite, 3)}"
    return None


def changed(example: Example, kind: str, task: Task, key: str, known: Known | None = None) -> Example | None:
    """The row after a change of that kind; None where it has nothing to change.

    key: of the draw; the same key, kind and row make the same change, whatever method is asked.
    """
    change, rng = KINDS[kind].change, Random(f"{key} {kind} {example.id}")
    after = _dealt(example, task, key) if change is None else _rewritten(example, task, change, rng, known or Known())
    return None if task.text(after.input) == task.text(example.input) else after


def _rewritten(example: Example, task: Task, change: Change, rng: Random, known: Known) -> Example:
    input = example.input

    def plain(text: str) -> str:
        return change(Marked(text), rng, known).text

    if hasattr(task, "reordered"):
        question = question_of(input)
        return replace(example, input=replace(question, question=plain(question.question)))
    if isinstance(input, Pair):
        return replace(example, input=Pair(plain(input.first), plain(input.second)))
    entities = entities_of(example.target)
    tokens = input.offsets if isinstance(input, Tokens) else ()
    marked = change(Marked(str(input), (*entities.spans, *(Span(*place, TOKEN) for place in tokens))), rng, known)
    text: str = marked.text
    if isinstance(input, Tokens):
        text = Tokens(text, _tokens(text, [(s.start, s.end) for s in marked.spans if s.label == TOKEN]))
    if not task.marks:
        return replace(example, input=text)
    spans = tuple(span for span in marked.spans if span.label != TOKEN)
    return replace(example, input=text, target=replace(entities, spans=spans))


def _tokens(text: str, moved: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The tokens where they stand now, and what came in between cut into tokens too."""
    return sorted([*moved, *_between(text, moved)])


def _between(text: str, moved: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    at = 0
    for start, end in [*moved, (len(text), len(text))]:
        yield from ((found.start(), found.end()) for found in _PIECE.finditer(text, at, start))
        at = max(at, end)


def _dealt(example: Example, task: Any, key: str) -> Example:
    """The question with its options in another order; as it is where an option speaks of the others."""
    if not hasattr(task, "reordered"):
        return example
    question = question_of(example.input)
    if any(_OTHERS.search(option) for option in question.options.values()):
        return example
    for attempt in range(TRIES):
        other, was = task.reordered(question, f"{key} {attempt}")
        if any(new != old for new, old in was.items()):
            target = next((new for new, old in was.items() if old == example.target), example.target)
            return replace(example, input=other, target=target)
    return example
