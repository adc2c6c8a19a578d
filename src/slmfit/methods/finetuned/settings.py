"""The settings of a fine-tuned model; docs/settings.md and `slmfit explain` show what stands here."""

from __future__ import annotations

from dataclasses import dataclass

from slmfit.errors import UsageError
from slmfit.finetune.device import DEVICES, PRECISIONS
from slmfit.finetune.quantised import WIDTHS
from slmfit.finetune.readings import READINGS
from slmfit.methods.base import setting

LORA = ("lora_rank", "lora_alpha", "lora_dropout")  # mean something where adapters are trained
SEEN = "AG News, MiniLM, 5,000 rows, validation accuracy (2,221 rows, give or take 0.6 points): "


@dataclass(frozen=True)
class TuningSettings:
    """None of them needs a value: what is left open is derived from the model, the data and the machine."""

    base_model: str = setting("", "The pretrained checkpoint to start from: a hub name or a folder.")
    epochs: int | None = setting(
        None,
        "Passes over the training rows; 0 = use the base model as it is.",
        low=0,
        search=(1, 12, "log"),
        when="the curve of validation still rises at the end (more), or falls long before it (fewer).",
        measured=f"{SEEN}1 epoch 90.7 % in 103 s, 2 epochs 91.4 % in 208 s, 4 epochs 90.9 % in 400 s.",
    )
    learning_rate: float | None = setting(
        None,
        "The highest learning rate, reached after warming up.",
        low=0,
        search=(1e-5, 1e-3, "log"),
        when="the loss jumps or is no longer a number (lower), or hardly falls (higher).",
        measured=f"{SEEN}2e-5 89.3 %, 5e-5 91.2 %, 1e-4 90.7 %, 2e-4 90.7 %, 4e-4 89.9 %.",
    )
    batch_tokens: int | None = setting(
        None,
        "Tokens of one update, padding included.",
        low=16,
        search=(256, 8192, "log"),
        when="memory is short or rows are few (smaller: more updates, and slower), or a GPU idles (larger).",
        measured=f"{SEEN}416 91.3 % in 176 s, 1,664 90.7 % in 103 s, 6,656 90.0 % in 94 s.",
    )
    max_length: int | None = setting(
        None,
        "Tokens of one text, special tokens included; longer texts are cut.",
        low=8,
        when="what tells the label stands at the beginning (shorter is faster), or far into long texts (longer).",
        measured=f"{SEEN}32 88.7 % in 52 s, 64 90.4 % in 94 s, 128 90.7 % in 103 s.",
    )
    lora: bool = setting(False, "Train low-rank adapters on every linear layer, not the whole model.")
    lora_rank: int = setting(
        64,
        "Rank of the adapters; more can learn more and takes more memory.",
        low=1,
        search=(4, 128, "log"),
        when="adapters must be small, or rows are few (lower).",
        measured=f"{SEEN}at a learning rate of 1e-3, rank 4 90.6 % and rank 16 89.9 %, 190 s each.",
    )
    lora_alpha: float = setting(
        16, "Strength of the adapters, divided by the root of the rank.", low=0, search=(4, 64, "log")
    )
    lora_dropout: float = setting(0.05, "Share of the adapters' inputs that is dropped in training.", low=0)
    keep: str = setting(
        "adapters",
        "With lora, what a run keeps: the adapters and the base model's name and hash, or the whole model.",
        choices=("adapters", "whole"),
        when="the run goes where the base model is not; `slmfit export` makes it whole at any time.",
    )
    dropout: float | None = setting(
        0.0, "Share dropped in training wherever the model drops any; none = its own.", low=0, search=(0, 0.3)
    )
    class_weights: bool = setting(False, "Let every label add as much to the loss, however few rows it has.")
    warmup: float = setting(0.1, "Share of the training in which the learning rate rises.", low=0)
    weight_decay: float = setting(
        0.01, "How strongly weights are pulled towards zero.", low=0, search=(0.001, 0.3, "log")
    )
    patience: int = setting(3, "Evaluations without gain after which training stops.", low=1)
    device: str = setting("auto", "Where to compute.", choices=DEVICES)
    precision: str = setting("auto", "Of matrix products; weights stay fp32.", choices=PRECISIONS)

    @property
    def bits(self) -> str | None:
        """What the base model's weights are quantised to, if they are."""
        return getattr(self, "quantise", None)


@dataclass(frozen=True)
class WritingSettings(TuningSettings):
    """Of models that write. Raises UsageError for quantised weights that were to be trained or kept."""

    scoring: str = setting(
        "auto",
        "How a scored answer is read: by its log-likelihood after the question (text), by token (mean), by character "
        "(characters), less what it has without a question (pmi), or by its letter; auto: what is best on validation.",
        choices=("auto", *READINGS),
        when="the model was trained to answer with letters (letter), or validation is too small to choose by.",
    )
    quantise: str | None = setting(
        None,
        "Keep the base model's weights in 8 or 4 bits (extra `quantise`); with lora, adapters are trained beside them.",
        choices=WIDTHS,
        when="the base model is large and memory short; it takes no less time.",
    )

    def __post_init__(self) -> None:
        if self.quantise is None:
            return
        if self.keep == "whole":
            what = f"with quantise={self.quantise} there is no whole model to keep"
            raise UsageError(what, fix="leave keep out; `slmfit export` adds the adapters to the base model's weights")
        if not self.lora and self.epochs != 0:
            what = f"weights of {self.quantise} are not trained, only adapters beside them are"
            raise UsageError(what, fix="set lora=true, or epochs=0")
