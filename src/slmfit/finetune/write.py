"""Answers that a language model writes: what the loop must know of them.

    job = Write(train, validation, score, device=device, pad=0)

A row is a prompt and its answer, end to end; the loss is on the answer alone. A causal model reads both in one: rows
are filled up on the right, where no token that counts can see it, so no mask is needed and attention takes its quickest
way. An encoder-decoder has the prompt in its encoder and foretells the answer in its decoder.
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
from slmfit.finetune.rows import Rows
from slmfit.finetune.steps import begun, has_halves, steps_of
from slmfit.finetune.tokens import Tokens

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
        many = int(self.train.answers[rows].mean())
        if has_halves(model):
            made, _ = apart(self.rows, self.train.answers, rows)
        else:
            ids = self.rows.batch(rows)["input_ids"][:, :-many]
            made = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        steps = steps_of(model)(model, made)
        steps.logits()
        for _ in range(many):
            steps.go_on([0] * len(rows))
            steps.logits()

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


def packed(job: Write) -> tuple[dict[str, int], dict[str, np.ndarray]]:
    """What `unpacked` makes the training's part of the job of again, in another process."""
    tokens = job.train.tokens
    arrays = {"ids": tokens.ids, "starts": tokens.starts, "answers": job.train.answers}
    return {"limit": tokens.limit}, arrays | {"strata": np.asarray(job.strata)}


def unpacked(about: dict[str, int], arrays: dict[str, np.ndarray], device: Device, pad: int) -> Write:
    train = Pairs(Tokens(arrays["ids"], arrays["starts"], 0, about["limit"]), arrays["answers"])
    return Write(train, train, lambda model, check: {}, device, pad, arrays["strata"])


def answer_loss(model: Any, made: Rows, answers: np.ndarray, rows: np.ndarray) -> torch.Tensor:
    """Cross-entropy, summed over the tokens of the answers. answers: int64, of every row of `made`, as in `Pairs`."""
    return _replied(model, made, answers, rows) if has_halves(model) else _gone_on(model, made, answers, rows)


def apart(made: Rows, answers: np.ndarray, rows: np.ndarray) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """Prompts as an encoder reads them, and the tokens of their answers, int64 [rows, longest], NONE behind them."""
    ids, step = made.batch(rows)["input_ids"], made.step
    begins = made.tokens.lengths[rows] - answers[rows]
    edges = torch.from_numpy(np.stack([begins, answers[rows]])).to(ids.device).unsqueeze(-1)
    longest, most = (-(-int(n.max()) // step) * step for n in (begins, answers[rows]))
    place = torch.arange(max(longest, most), device=ids.device)
    mask = place[:longest] < edges[0]
    prompts = {"input_ids": torch.where(mask, ids[:, :longest], made.pad), "attention_mask": mask.long()}
    there = ids.gather(1, (edges[0] + place[:most]).clamp(max=ids.shape[1] - 1))
    return prompts, torch.where(place[:most] < edges[1], there, NONE)


def _replied(model: Any, made: Rows, answers: np.ndarray, rows: np.ndarray) -> torch.Tensor:
    prompts, wanted = apart(made, answers, rows)
    before = torch.cat([begun(model, len(rows), wanted.device), wanted[:, :-1].clamp(min=0)], dim=1)
    logits = model(**prompts, decoder_input_ids=before, use_cache=False).logits
    return _entropy(logits, wanted)


def _gone_on(model: Any, made: Rows, answers: np.ndarray, rows: np.ndarray) -> torch.Tensor:
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
    return _entropy(logits, wanted)


def _entropy(logits: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(logits.float().flatten(0, 1), wanted.flatten(), ignore_index=NONE, reduction="sum")
