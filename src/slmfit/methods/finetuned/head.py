"""What differs by task in a fine-tuned model: its head, what a row becomes, what its logits mean.

    head = Classes(Backbone("encoder", settings, tokenizer, device, limit=512), task)
    model, fresh = head.start(folder, config, seed=0)
    job = head.job(head.material(train, cache), head.material(validation, cache), max_length=128, metric="accuracy")
    head.answers(model, ["my card was charged twice"], max_length=128)

A head holds no model: the method owns it, and lends it where one is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import numpy as np

from slmfit.finetune import quantised
from slmfit.finetune.device import Device
from slmfit.finetune.state import Job
from slmfit.methods.base import Context
from slmfit.methods.finetuned.settings import TuningSettings
from slmfit.records import Example, Input, Prediction
from slmfit.tasks.base import Task

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Backbone:
    """What a head stands on. kind: of the method. limit: tokens that the model reads at most."""

    kind: str
    settings: TuningSettings
    tokenizer: Any
    device: Device
    limit: int

    @property
    def packed(self) -> dict[str, Any]:
        """What loading a model takes, so that its weights are quantised; nothing where they are not to be."""
        return quantised.options(self.settings.bits, self.device.name)

    @property
    def pad(self) -> int:
        """The id that fills up rows."""
        return int(self.tokenizer.pad_token_id)


class Material(Protocol):
    """Examples as tokens. lengths: int64 [rows], uncut, special tokens included."""

    @property
    def lengths(self) -> np.ndarray: ...


class Head:
    """The part of a method that knows its task."""

    made_for: ClassVar[str]  # the end of a transformers class's name
    pipeline: ClassVar[str]  # what the hub calls such a model
    adapters: ClassVar[str]  # what peft does
    cuts: ClassVar[bool]  # whether longer texts are cut, or read in several windows
    shows: ClassVar[bool] = False  # whether examples can be shown before a text
    file: ClassVar[str | None] = None  # that a folder of such a model has and others have not

    def __init__(self, backbone: Backbone, task: Task) -> None:
        self.backbone, self.task = backbone, task

    @classmethod
    def fits(cls, task: Task) -> bool:
        """Whether it is a good way to answer the task; it may still be asked for."""
        return True

    @classmethod
    def unfit(cls, task: Task, config: Any) -> str | None:
        """Why a base model cannot do the task untuned; None where it can."""
        raise NotImplementedError

    def start(self, folder: str, config: Any, seed: int) -> tuple[Any, set[str]]:
        """The model to be tuned, and the names of the weights that its checkpoint did not have."""
        raise NotImplementedError

    def show(self, train: Sequence[Example], shots: int, seed: int) -> int:
        """Show so many examples of train before every text from now on; how many tokens that takes."""
        raise NotImplementedError

    def body(self, model: Any) -> Any:
        """The part of the model that is a model of transformers."""
        return model

    def with_body(self, model: Any, body: Any) -> Any:
        """The model with that part replaced."""
        return body

    def material(self, examples: Sequence[Example], cache: Path | None) -> Any:
        raise NotImplementedError

    def texts_per_row(self, material: Any) -> float:
        """How many texts the model reads for one row, on average."""
        return 1.0

    def job(self, train: Any, validation: Any, max_length: int, metric: str) -> Job:
        raise NotImplementedError

    def packed(self, job: Any) -> tuple[dict[str, int], Arrays]:
        """What `unpacked` makes the training's part of the job of again, in another process."""
        raise NotImplementedError

    def unpacked(self, about: dict[str, int], arrays: Arrays) -> Job:
        raise NotImplementedError

    def settle(
        self, model: Any, examples: Sequence[Example], max_length: int, context: Context
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """What is chosen on validation with the model as it is, and every candidate tried, as a method has them."""
        return {}, []

    def answers(self, model: Any, inputs: Sequence[Input], max_length: int) -> list[Prediction]:
        """One prediction per input. max_length: tokens of one text."""
        raise NotImplementedError

    def cuts_off(self, inputs: Sequence[Input], max_length: int) -> list[bool] | None:
        """As `Method.cuts_off`."""
        return None

    def save(self, model: Any, folder: Path) -> None:
        """What is needed to predict beside the body."""

    @classmethod
    def load(cls, backbone: Backbone, task: Any, folder: Path, config: Any) -> tuple[Self, Any]:
        """The head of a saved model, and the model."""
        raise NotImplementedError

    def card(self, max_length: int) -> tuple[str, str]:
        """What the model answers, and how to call it: two pieces of its card."""
        raise NotImplementedError


def other_labels(own: Sequence[str], wanted: Sequence[str]) -> str:
    """What is said of a base model whose head is not for these labels."""
    return f"has no head for the labels {', '.join(wanted[:6])} (its own: {', '.join(own[:6])})"
