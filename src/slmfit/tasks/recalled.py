"""What of an answer could be known by remembering alone: the words that are marked, or the options of a question."""

from __future__ import annotations

from collections.abc import Iterator

from slmfit.records import Example, Input, Question
from slmfit.tasks.answers import entities_of

Recalled = tuple[tuple[str, ...], tuple[str, ...]]


def recalled(example: Example) -> Iterator[Recalled]:
    """Texts, and what each is: a mention and its type; the options of a question, each right or wrong."""
    if isinstance(question := example.input, Question):
        if example.target in question.options:
            told = tuple("right" if letter == example.target else "wrong" for letter in question.options)
            yield tuple(text.strip().casefold() for text in question.options.values()), told
        return
    for span in entities_of(example.target).spans:
        yield (str(example.input)[span.start : span.end].casefold(),), (span.label,)


def read_of(input: Input) -> str:
    """What is read first of an input: its text, or the question without its options."""
    return input.question if isinstance(input, Question) else str(input)
