"""What differs by task in a fine-tuned model: its head, what a row becomes, what its logits mean.

head = head_of(method, task)
material = head.material(train, cache)
job = head.job(material, head.material(validation, cache), max_length=128, metric="accuracy")
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

import numpy as np

from slmfit.errors import UsageError
from slmfit.finetune.state import Job
from slmfit.records import Example, Input, Prediction
from slmfit.tasks.base import Task

if TYPE_CHECKING:
    from slmfit.methods.finetuned.base import FineTuned

Arrays = dict[str, np.ndarray]


class Material(Protocol):
    """Examples as tokens. lengths: int64 [rows], uncut, special tokens included."""

    @property
    def lengths(self) -> np.ndarray: ...


class Head:
    """The part of a method that knows its task. It reads tokenizer, device and settings off the method."""

    made_for: ClassVar[str]  # the end of a transformers class's name
    pipeline: ClassVar[str]  # what the hub calls such a model
    adapters: ClassVar[str]  # what peft does
    cuts: ClassVar[bool]  # whether longer texts are cut, or read in several windows

    def __init__(self, method: FineTuned, task: Task) -> None:
        self.method, self.task = method, task

    def check(self, config: Any) -> None:
        """Raise UsageError for a base model that cannot be used as it is, when it shall not be tuned."""
        raise NotImplementedError

    def start(self, folder: str, config: Any, seed: int) -> tuple[Any, set[str]]:
        """The model to be tuned, and the names of the weights that its checkpoint did not have."""
        raise NotImplementedError

    def body(self, model: Any) -> Any:
        """The part of the model that is a model of transformers."""
        return model

    def with_body(self, model: Any, body: Any) -> Any:
        """The model with that part replaced."""
        return body

    def material(self, examples: Sequence[Example], cache: Path | None) -> Any:
        raise NotImplementedError

    def job(self, train: Any, validation: Any, max_length: int, metric: str) -> Job:
        raise NotImplementedError

    def packed(self, job: Any) -> tuple[dict[str, int], Arrays]:
        """What `unpacked` makes the training's part of the job of again, in another process."""
        raise NotImplementedError

    def unpacked(self, about: dict[str, int], arrays: Arrays) -> Job:
        raise NotImplementedError

    def answers(self, inputs: Sequence[Input]) -> list[Prediction]:
        raise NotImplementedError

    def save(self, folder: Path) -> None:
        """What is needed to predict beside the body."""

    @classmethod
    def load(cls, method: FineTuned, task: Task, folder: Path, config: Any) -> Self:
        """The head of a saved model, which is put into `method.model`."""
        raise NotImplementedError

    def card(self) -> tuple[str, str]:
        """What the model answers, and how to call it: two pieces of its card."""
        raise NotImplementedError


def refuse_untuned(method: FineTuned, own: Sequence[str], wanted: Sequence[str]) -> UsageError:
    """The error for a base model whose head is not for these labels."""
    what = f"has no head for the labels {', '.join(wanted[:6])} (its own: {', '.join(own[:6])})"
    return UsageError(what, where=method.settings.base_model, fix=f"leave {method.kind}.epochs open, so it is tuned")


def head_class(kind: str, task: Task) -> type[Head]:
    """The head of a kind of model for a task. Raises KeyError for a task that none is for."""
    from slmfit.methods.finetuned.classes import Classes
    from slmfit.methods.finetuned.entities import EntityTags
    from slmfit.methods.finetuned.written import Written

    return {
        ("encoder", "text-classification"): Classes,
        ("encoder", "token-classification"): EntityTags,
        ("causal", "text-classification"): Classes,
        ("causal", "token-classification"): Written,
    }[kind, task.name]
