"""`causal`: a small causal language model, tuned with LoRA: a classifier of texts, or a writer of their entities.

slmfit train causal=HuggingFaceTB/SmolLM2-135M-Instruct tickets.csv

No chat template is needed: the text is read as it is. Labels are not written but told by a head on the last real
token; entities and intent are written after the text, under a grammar.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from slmfit.methods.base import setting
from slmfit.methods.finetuned import FineTuned, WritingSettings
from slmfit.methods.finetuned.choices import Choices
from slmfit.methods.finetuned.classes import Classes
from slmfit.methods.finetuned.stated import Reasons, WrittenLabels
from slmfit.methods.finetuned.written import Written
from slmfit.tasks.forms.entities import FORMS


@dataclass(frozen=True)
class Settings(WritingSettings):
    """See `TuningSettings`."""

    base_model: str = setting(
        "HuggingFaceTB/SmolLM2-135M-Instruct", "The causal model to start from: a hub name, a folder, or a GGUF file."
    )
    answers: str = setting(
        "auto",
        "How labels and questions are answered. head: by a classification head (labels only); scored: whatever may be "
        "answered is scored; written: a label under a grammar, or reasoning and then the answer to a question. auto: "
        "labels by a head where the model has or is to learn one, else up to 50 are scored; questions are scored.",
        choices=("auto", "head", "scored", "written"),
        when="labels are words that say what they mean, and rows are few.",
    )
    form: str = setting(
        "lines",
        "How entities and intent are written: a line for each, or JSON; other tasks do not need it.",
        choices=tuple(FORMS),
        when="the answers are read by something that takes JSON; lines are shorter, so quicker and easier to learn.",
    )
    shots: int = setting(
        0,
        "With epochs=0, how many examples from train are shown before each row, where answers are written or scored. "
        "The model's folder then holds their texts.",
        low=0,
        when="you want to see what the base model can do without being tuned.",
    )
    lora: bool = setting(True, "Train low-rank adapters on every linear layer, not the whole model.")


class Causal(FineTuned):
    """The last token has read all others, so a classifier's head reads it, and what is written goes on from it."""

    Settings: ClassVar[type] = Settings
    kind = "causal"
    heads = {"text-classification": Classes, "token-classification": Written, "multiple-choice": Choices}
    ways = {
        "text-classification": {"head": Classes, "scored": Choices, "written": WrittenLabels},
        "multiple-choice": {"scored": Choices, "written": Reasons},
    }
