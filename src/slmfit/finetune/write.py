"""Answers that a language model writes: what the loop must know of them.

    job = Write(train, validation, score, device=device, pad=0)

A row is a prompt and its answer, end to end; the loss is on the answer alone. Rows are filled up on the right, where
no token that counts can see it, so no mask is needed and attention takes its quickest way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from slmfit.finetune import batches, forward
from slmfit.finetune.device import Device
from slmfit.finetune.tokens import Rows, Tokens

NONE = -100  # a token that nothing is learnt from

Score = Callable[[Any, Callable[[], None]], dict[str, float]]


@dataclass
class Pairs:
    """Prompts with their answers. tokens: both, a row each. answers: int64 [rows], how many of its last are one."""

    tokens: Tokens
    answers: np.ndarray


class Write:
    """The job of a writer. `score` has the model answer validation and gives scores, higher is better."""

    def __init__(
        self,
        train: Pairs,
        validation: Pairs,
        score: Score,
        device: Device,
        pad: int,
        strata: np.ndarray | None = None,
    ) -> None:
        """pad: the id that fills up rows. strata: int64 [rows] that batches are balanced over."""
        self.train, self.validation, self.score = train, validation, score
        self.device, self.strata = device, strata
        self.rows = Rows(train.tokens, device.name, pad, step=device.length_step)
        self.lengths = train.tokens.lengths
        self._held = Rows(validation.tokens, device.name, pad, step=device.length_step)
        self._mean = max(1.0, float(train.answers.mean())) if len(train.answers) else 1.0

    def loss(self, model: torch.nn.Module, rows: np.ndarray) -> torch.Tensor:
        """Cross-entropy of the answers' tokens, as much of it as of an average row; summed over the rows."""
        return answer_loss(model, self.rows, self.train.answers, rows) / self._mean

    def rehearse(self, model: torch.nn.Module, rows: np.ndarray) -> None:
        """As much work as answering these rows: their prompts, then a token at a time."""
        ids = self.rows.batch(rows)["input_ids"]
        first = ids.shape[1] - int(self.train.answers[rows].mean())
        last = {"logits_to_keep": 1} if "logits_to_keep" in forward.takes_of(model) else {}
        made = model(input_ids=ids[:, :first], use_cache=True, **last)
        for at in range(first, ids.shape[1]):
            made = model(input_ids=ids[:, at : at + 1], past_key_values=made.past_key_values, use_cache=True)

    def validate(self, model: torch.nn.Module, check: Callable[[], None]) -> dict[str, float]:
        """Mean cross-entropy by token of the answers, and the scores of what the model writes itself."""
        model = getattr(model, "_orig_mod", model)  # compiled, every length of the cache would be compiled anew
        held, total = self.validation, 0.0
        with torch.inference_mode(), self.device.autocast():
            for batch in batches.by_length(held.tokens.lengths, forward.batch_tokens(self.device), self._held.step):
                check()
                for _, loss in forward.in_pieces(
                    lambda part: answer_loss(model, self._held, held.answers, part), batch, self.device
                ):
                    total += float(loss)
        return {"loss": total / max(1, int(held.answers.sum())), **self.score(model, check)}


def answer_loss(model: Any, made: Rows, answers: np.ndarray, rows: np.ndarray) -> torch.Tensor:
    """Cross-entropy, summed over the tokens of the answers. answers: int64, of every row of `made`, as in `Pairs`."""
    ids = made.batch(rows)["input_ids"]
    lengths = made.tokens.lengths[rows]
    begins = lengths - answers[rows]
    first = max(1, int(begins.min()))
    place = torch.arange(first, ids.shape[1], device=ids.device)
    if "logits_to_keep" in forward.takes_of(model):
        logits = model(input_ids=ids, use_cache=False, logits_to_keep=place - 1).logits
    else:
        logits = model(input_ids=ids, use_cache=False).logits[:, first - 1 : -1]
    edges = torch.from_numpy(np.stack([begins, lengths])).to(ids.device).unsqueeze(-1)
    wanted = torch.where((place >= edges[0]) & (place < edges[1]), ids[:, first:], NONE)
    return F.cross_entropy(logits.float().flatten(0, 1), wanted.flatten(), ignore_index=NONE, reduction="sum")
