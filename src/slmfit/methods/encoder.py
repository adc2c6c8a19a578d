"""`encoder`: a pretrained encoder (BERT, DistilBERT, MiniLM, ModernBERT …) with a head for the task, fine-tuned.

slmfit train encoder=distilbert-base-uncased tickets.csv
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from slmfit.methods.base import setting
from slmfit.methods.finetuned import FineTuned, TuningSettings
from slmfit.methods.finetuned.classes import Classes
from slmfit.methods.finetuned.entities import EntityTags
from slmfit.methods.finetuned.options import Options


@dataclass(frozen=True)
class Settings(TuningSettings):
    """See `TuningSettings`."""

    base_model: str = setting(
        "sentence-transformers/all-MiniLM-L6-v2", "The pretrained encoder to start from: a hub name or a folder."
    )


class Encoder(FineTuned):
    """The head reads the first token, or the mean of all, as the model's own classifier does (Devlin et al., 2019)."""

    Settings: ClassVar[type] = Settings
    kind = "encoder"
    heads = {"text-classification": Classes, "token-classification": EntityTags, "multiple-choice": Options}
