"""Answers of other tasks, written out: a label under a grammar of all of them; reasoning that ends in an answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from slmfit.finetune.decode import Answer
from slmfit.methods.finetuned.head import Backbone
from slmfit.methods.finetuned.written import Ids, Written
from slmfit.records import Example, Input, Prediction, Question
from slmfit.tasks.base import Task
from slmfit.tasks.forms.labels import Named
from slmfit.tasks.forms.letters import Reasoned

LONGEST = 256  # tokens of an answer that nobody has shown the length of


class _Stated(Written):
    """What is written says one label or letter."""

    def __init__(self, backbone: Backbone, task: Task, grain: str | None = None, room: int | None = None) -> None:
        super().__init__(backbone, task, "words", room)  # nothing is copied, so there are no words

    def _set_grain(self, examples: Sequence[Example]) -> None:
        self._set_form()

    def _target(self, example: Example) -> Any:
        return example.target

    def _prediction(self, answer: Answer, text: Any) -> Prediction:
        return replace(self.form.read(answer.text, text), raw=answer.text)


class WrittenLabels(_Stated):
    """A label, under a grammar of all of them: for more labels than are scored one by one."""

    def _set_form(self) -> None:
        self.form = Named(self.task.labels, self.task.texts)

    @property
    def _what(self) -> str:
        return "one of the labels of a text"


class Reasons(_Stated):
    """Reasoning, freely, and then an answer that is read strictly."""

    def _set_form(self) -> None:
        self.form = Reasoned(self.task.labels)

    def _text(self, input: Input) -> Any:
        return input

    def _writing(self, text: Any) -> Callable[[str], bool]:
        return self.form.ended

    def _frame(self) -> int:
        return 1

    def _fitting(self, text: Any, prompt: Ids, most: int) -> tuple[Any, Ids]:
        """What stands last, the question and its options, is what counts."""
        return text, prompt[-most:]

    def _longest(self, size: int) -> int:
        return self.room or min(LONGEST, size // 2)

    def _prediction(self, answer: Answer, text: Any) -> Prediction:
        read = super()._prediction(answer, text)
        return read if answer.whole or read.outcome == "ok" else replace(read, outcome="truncated")

    _sample: ClassVar[Any] = Question("QUESTION", {"A": "ONE", "B": "OTHER"})

    @property
    def _what(self) -> str:
        return "reasoning, and the letter of the right option after it"
