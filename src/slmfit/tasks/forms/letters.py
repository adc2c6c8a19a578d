"""The letter of an option.

form = Letters(("A", "B"))
form.read("(B)", Question("Ice is", {"A": "hot", "B": "cold"})).target      # "B"
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Any

from slmfit.records import Input, Prediction, Question, Target
from slmfit.tasks.forms.base import INVALID, Form, Offer
from slmfit.tasks.replies import json_object, json_object_schema

_BARE = re.compile(r"([A-Z])[.)]?|\(([A-Z])\)")


def question_of(input: Input) -> Question:
    """The input as the question it must be."""
    assert isinstance(input, Question)
    return input


def _asked(input: Input) -> str:
    question = question_of(input)
    context = f"{question.context}\n\n" if question.context else ""
    return f"{context}Question: {question.question}\n"


class Letters(Form):
    """labels: the letters that are right somewhere."""

    name = "letter"
    prompt = "letters.txt"
    kind = "question"

    def __init__(self, labels: Sequence[str]) -> None:
        # Up to the last that is right somewhere: one before it that never is must still be possible to answer.
        self.letters = ascii_uppercase[: ascii_uppercase.index(max(labels, default="Z")) + 1]

    def words(self, input: Input) -> str:
        """Context, question and options, a line each; no letters."""
        q = question_of(input)
        return "\n".join([*filter(None, [q.context]), q.question, *q.options.values()])

    def ask(self, input: Input) -> str:
        lines = "".join(f"{letter}. {text}\n" for letter, text in question_of(input).options.items())
        return f"{_asked(input)}{lines}{self.cue} "

    def offer(self, input: Input) -> Offer:
        options = {letter: f" {text}" for letter, text in question_of(input).options.items()}
        return Offer(f"{_asked(input)}{self.cue}", options)

    def lettered(self, input: Input) -> Offer:
        options = {letter: f" {letter}" for letter in question_of(input).options}
        return Offer(self.ask(input).rstrip(), options)

    def write(self, target: Target, input: Input) -> str:
        return str(target)

    def read(self, said: str | Mapping[str, Any], input: Input) -> Prediction:
        """`B`, `(B)`, `B.`, `B)`, or {"answer": "B"}."""
        letter: Any = None
        if isinstance(said, str):
            bare = _BARE.fullmatch(said.strip())
            letter = bare and (bare[1] or bare[2])
            said = {} if bare else json_object(said) or {}
        if said.keys() == {"answer"}:
            letter = said["answer"]
        return Prediction(letter) if isinstance(letter, str) and letter in question_of(input).options else INVALID

    def candidates(self, input: Input) -> tuple[str, ...]:
        """A letter that this question does not offer is no answer to it."""
        return tuple(letter for letter in self.letters if letter in question_of(input).options)

    def schema(self, input: Input) -> dict[str, Any]:
        return json_object_schema({"answer": {"type": "string", "enum": list(self.candidates(input))}})
