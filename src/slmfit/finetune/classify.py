"""One label per text: what the loop must know of text-classification, and what its answers are.

job = Classify(rows, targets, validation, validation_targets, score=score, device=device, tokens=1024)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from slmfit.finetune import forward
from slmfit.finetune.device import Device
from slmfit.finetune.rows import Rows

Score = Callable[[np.ndarray], dict[str, float]]
# Where in a layer every token is on its own from, for models whose classifier reads the first one.
ALONE_FROM = {
    **dict.fromkeys(("bert", "roberta", "xlm-roberta", "camembert", "electra", "deberta-v2"), "attention.output"),
    "distilbert": "sa_layer_norm",
}


@dataclass
class Classify:
    """The job of a classifier.

    rows, validation: the texts. targets, validation_targets: int64 [rows], places in the label list.
    score: logits [rows, labels] of validation -> scores, higher is better. tokens: of a batch in validation.
    class_weights: float32 [labels], averaging 1 over the rows, or None.
    """

    rows: Rows
    targets: np.ndarray
    validation: Rows
    validation_targets: np.ndarray
    score: Score
    device: Device
    tokens: int
    class_weights: np.ndarray | None = None

    def __post_init__(self) -> None:
        self.lengths = self.rows.tokens.lengths
        self.strata: np.ndarray | None = self.targets
        self._targets = torch.from_numpy(self.targets).to(self.device.name)
        weights = self.class_weights
        self._weights = None if weights is None else torch.from_numpy(weights).to(self.device.name)

    def loss(self, model: torch.nn.Module, rows: np.ndarray) -> torch.Tensor:
        """Cross-entropy, summed over the rows."""
        logits = model(**forward.inputs(self.rows, rows)).logits.float()
        targets = self._targets[torch.from_numpy(rows).to(self.device.name)]
        return F.cross_entropy(logits, targets, weight=self._weights, reduction="sum")

    def rehearse(self, model: torch.nn.Module, rows: np.ndarray) -> None:
        """As much work as predicting these rows."""
        model(**forward.inputs(self.rows, rows))

    def validate(self, model: torch.nn.Module, check: Callable[[], None]) -> dict[str, float]:
        """Mean cross-entropy, unweighted, and the scores."""
        logits = forward.classes(model, self.validation, self.device, self.tokens, check)
        loss = F.cross_entropy(torch.from_numpy(logits), torch.from_numpy(self.validation_targets))
        return {"loss": float(loss), **self.score(logits)}


def balanced_weights(targets: np.ndarray, labels: int) -> np.ndarray:
    """Weights by which every label that occurs adds as much to the loss; they average 1 over the rows."""
    counts = np.bincount(targets, minlength=labels)
    weights = np.zeros(labels, np.float32)
    there = counts > 0
    weights[there] = len(targets) / (there.sum() * counts[there])
    return weights


def first_token_only(model: Any) -> None:
    """Let the last layer of a sequence classifier go on with the first token alone, in the kinds of models above.

    There the other tokens matter as keys and values alone. What follows its attention is worked out token by token, so
    it is left out for all but the first: three quarters of a layer, an eighth of the work of six layers, in training
    and in prediction. Logits and gradients are the same but for rounding.
    """
    place = ALONE_FROM.get(model.config.model_type)
    found = [module for name, module in model.named_modules() if place and name.endswith(f".{place}")]
    if found:
        found[-1].register_forward_pre_hook(_first)


def _first(module: torch.nn.Module, given: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    return tuple(hidden[:, :1] for hidden in given)
