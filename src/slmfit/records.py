"""The nouns: what is read, what is answered, what is written down. Standard library only.

Example("7", "my card was charged twice", "billing")
Prediction("billing", probabilities={"billing": 0.93, "delivery": 0.07})
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Outcome: TypeAlias = Literal["ok", "refused", "invalid", "truncated", "filtered", "timeout", "error"]
OUTCOMES: tuple[Outcome, ...] = ("ok", "refused", "invalid", "truncated", "filtered", "timeout", "error")
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Span:
    """A labelled stretch of a text: code points from `start` up to, not including, `end`."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class Entities:
    """The target of token-classification: spans in reading order and optionally one intent."""

    spans: tuple[Span, ...] = ()
    intent: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """The input of multiple-choice: `options` maps a letter to its text, in the order shown."""

    question: str
    options: Mapping[str, str]
    context: str | None = None


Input: TypeAlias = str | Question
Target: TypeAlias = str | Entities


@dataclass(frozen=True, slots=True)
class Example:
    """One row. `input` is what a method may see, `target` the answer it must give (None if unknown)."""

    id: str
    input: Input
    target: Target | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What one answer took. None means unknown, never zero."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    seconds: float | None = None
    usd: float | None = None


@dataclass(frozen=True, slots=True)
class Prediction:
    """A method's answer for one input. Every outcome but `ok` scores as wrong.

    probabilities: label (or option letter) -> probability, summing to 1, when the method has them.
    raw: the text a generative method wrote.
    """

    target: Target | None
    outcome: Outcome = "ok"
    probabilities: Mapping[str, float] | None = None
    raw: str | None = None
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """A measured value with its 95 % interval; `low` and `high` are None where none is defined."""

    value: float
    low: float | None = None
    high: float | None = None
