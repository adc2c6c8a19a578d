"""Answers that a language model chooses: what the loop must know of them.

    job = Choose(train, validation, score, device, pad, reader)

A row is a prompt and its options. The model learns to find the right one the likeliest of them: the loss is the
cross-entropy over the options' scores.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from slmfit.finetune.device import Device
from slmfit.finetune.score import Asked, Reader, likelihoods, prompt_rows, scores

Score = Callable[[Sequence[np.ndarray]], dict[str, float]]


@dataclass(frozen=True)
class Choosing:
    """Prompts and options, and which option is right.

    right: int64 [rows]. per: float64 [options] of each row, what log-likelihoods are divided by; None = by nothing.
    """

    asked: Asked
    right: np.ndarray
    per: Sequence[np.ndarray] | None = None


class Choose:
    """The job of a model that chooses. `score` is given the options' scores on validation; higher is better."""

    def __init__(
        self, train: Choosing, validation: Choosing, score: Score, device: Device, pad: int, reader: Reader
    ) -> None:
        """pad: the id that fills up rows."""
        self.train, self.validation, self.score = train, validation, score
        self.device, self.pad, self.reader = device, pad, reader
        self.lengths = train.asked.lengths
        self.strata: np.ndarray | None = train.right
        self._rows = prompt_rows(reader, train.asked, device, pad)

    def loss(self, model: torch.nn.Module, rows: np.ndarray) -> torch.Tensor:
        """Cross-entropy over the options, summed over the rows."""
        found = scores(self.reader, model, self._rows, self.train.asked, rows)
        if self.train.per is not None:
            found = [one / torch.from_numpy(self.train.per[i]).to(one) for one, i in zip(found, rows, strict=True)]
        losses = [one.logsumexp(0) - one[self.train.right[i]] for one, i in zip(found, rows, strict=True)]
        return torch.stack(losses).sum().float()

    def rehearse(self, model: torch.nn.Module, rows: np.ndarray) -> None:
        """As much work as answering these rows."""
        scores(self.reader, model, self._rows, self.train.asked, rows)

    def validate(self, model: torch.nn.Module, check: Callable[[], None]) -> dict[str, float]:
        """Mean cross-entropy over the options, and the scores."""
        held, plain = self.validation, getattr(model, "_orig_mod", model)
        found = likelihoods(plain, held.asked, self.device, self.pad, check, reader=self.reader, stands_for=0)
        if held.per is not None:
            found = [one / per for one, per in zip(found, held.per, strict=True)]
        losses = [float(np.logaddexp.reduce(one) - one[i]) for one, i in zip(found, held.right, strict=True)]
        return {"loss": float(np.mean(losses)) if losses else 0.0, **self.score(found)}
