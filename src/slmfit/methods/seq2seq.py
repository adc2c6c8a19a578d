"""`seq2seq`: a model that turns one text into another (T5, flan-T5, mT5, UMT5), tuned to turn a text into its answer.

slmfit train seq2seq=google/flan-t5-base tickets.csv

Its encoder reads the whole of a text before the decoder writes. Labels and options are scored as answers, up to 50
labels; more of them, and entities, are written under a grammar.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from slmfit.methods.base import setting
from slmfit.methods.finetuned import FineTuned, WritingSettings
from slmfit.methods.finetuned.halves import Entities, Labels, Options, Scored
from slmfit.tasks.forms.entities import FORMS


@dataclass(frozen=True)
class Settings(WritingSettings):
    """See `TuningSettings`."""

    base_model: str = setting("google/flan-t5-base", "The T5 to start from: a hub name or a folder.")
    answers: str = setting(
        "auto",
        "How labels and options are answered. scored: each is scored as an answer; written: one is written, token by "
        "token, without probabilities; auto: scored, where there are no more than 50 labels.",
        choices=("auto", "scored", "written"),
        when="there are so many labels that scoring each takes too long (written).",
    )
    form: str = setting(
        "bars",
        "How entities and intent are written: on one line with bars, a line for each, or JSON.",
        choices=tuple(FORMS),
        when="the tokenizer has line breaks and braces, which T5's lacks.",
    )


class Seq2seq(FineTuned):
    """bf16 or fp32, never fp16, in which T5 overflows."""

    Settings: ClassVar[type] = Settings
    kind = "seq2seq"
    heads = {"text-classification": Scored, "token-classification": Entities, "multiple-choice": Scored}
    ways = {
        "text-classification": {"scored": Scored, "written": Labels},
        "multiple-choice": {"scored": Scored, "written": Options},
    }
    usual_rate = 3e-4  # with AdamW; Adafactor, by which T5 was made, takes more
