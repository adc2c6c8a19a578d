"""The letter of an option.

form = Letters(("A", "B"))
form.read("(B)", Question("Ice is", {"A": "hot", "B": "cold"})).target      # "B"
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from string import ascii_uppercase
from typing import Any

from slmfit.records import Input, Prediction, Question, Target
from slmfit.tasks.forms.base import INVALID, Form, Offer
from slmfit.tasks.grammar import Grammar
from slmfit.tasks.replies import json_object, json_object_schema

_SAID = re.compile(r"^[ \t]*Answer:(.*)$", re.MULTILINE)
_NAMED = re.compile(r"([A-Z])[.)]\s*(.*)", re.DOTALL)
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


class Reasoned(Letters):
    """Reasoning, then a line with the answer: a letter, or what stands after it.

    form = Reasoned(("A", "B"))
    form.read("Ice melts.\nAnswer: B", Question("Ice is", {"A": "hot", "B": "cold"})).target      # "B", also for "cold"
    """

    name = "reasoned"

    def ask(self, input: Input) -> str:
        lines = "".join(f"{letter}. {text}\n" for letter, text in question_of(input).options.items())
        return f'{_asked(input)}{lines}Reason, then write a line "{self.cue}" with one letter.\n\n'

    def write(self, target: Target, input: Input) -> str:
        """There is no reasoning to learn from."""
        return f"{self.cue} {target}\n"

    def example(self) -> str:
        """What an answer looks like."""
        return f"…\n{self.cue} A"

    @cached_property
    def grammar(self) -> Grammar:
        """An answer without reasoning: that much room it needs at least."""
        return Grammar({self.write(letter, "").encode(): False for letter in self.letters}, {})

    def ended(self, said: str) -> bool:
        """Whether the line with the answer stands there whole."""
        whole = (line.lstrip(" \t") for line in said.split("\n")[:-1])
        return any(line.startswith(self.cue) and line.removeprefix(self.cue).strip() for line in whole)

    def read(self, said: str | Mapping[str, Any], input: Input) -> Prediction:
        """What all its lines with an answer name, or the whole does; `invalid` for several, none or another."""
        if not isinstance(said, str):
            return super().read(said, input)
        stated = [line.strip() for line in _SAID.findall(said)] or [said.strip()]
        found = {self._meant(line, question_of(input)) for line in stated}
        letter = found.pop() if len(found) == 1 else None
        return INVALID if letter is None else Prediction(letter)

    def _meant(self, line: str, question: Question) -> str | None:
        bare = _BARE.fullmatch(line)
        if bare and (letter := bare[1] or bare[2]) in question.options:
            return letter
        named = _NAMED.fullmatch(line)
        if named and question.options.get(named[1], "").strip() == named[2].strip():
            return named[1]
        texts = [letter for letter, text in question.options.items() if text.strip() == line]
        return texts[0] if len(texts) == 1 else None
