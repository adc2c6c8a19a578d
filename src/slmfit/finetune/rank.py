"""One option per question: what the loop must know of multiple-choice, and what its answers are.

    job = Rank(questions, validation, score=score, device=device, pad=0, tokens=1024)
    scores(model, questions.pairs, device, pad=0, tokens=1024)          # float32 [pairs], one for each option

Each option is read with its question and gets one number; the softmax goes over the options of a question. Pairs lie
end to end and offsets tell whose they are, so questions with different numbers of options share a batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from slmfit.finetune import forward
from slmfit.finetune.device import Device
from slmfit.finetune.rows import Rows
from slmfit.finetune.tokens import Tokens

Score = Callable[[np.ndarray], dict[str, float]]
NOTHING = float("-inf")  # where a question has fewer options than another of its batch


@dataclass(frozen=True)
class Questions:
    """Questions as pairs.

    pairs: question and option, one row each. offsets: int64 [questions + 1]; question i has the pairs from offsets[i]
    up to, not including, offsets[i + 1]. right: int64 [questions], the place of the right one among them.
    """

    pairs: Tokens
    offsets: np.ndarray
    right: np.ndarray

    @property
    def counts(self) -> np.ndarray:
        """int64 [questions], how many options each has."""
        return np.diff(self.offsets)

    @property
    def lengths(self) -> np.ndarray:
        """int64 [questions], tokens of the longest pair of each."""
        return np.maximum.reduceat(self.pairs.lengths, self.offsets[:-1]) if len(self.right) else self.right


class Rank:
    """The job of a model that scores options. `score` gets the scores of all pairs of validation."""

    def __init__(
        self, train: Questions, validation: Questions, score: Score, device: Device, pad: int, tokens: int
    ) -> None:
        """pad: the id that fills up rows. tokens: of a batch in validation."""
        self.train, self.validation, self.score = train, validation, score
        self.device, self.pad, self.tokens = device, pad, tokens
        self.lengths = train.lengths * train.counts
        self.strata: np.ndarray | None = None
        self._rows = Rows(train.pairs, device.name, pad, step=device.length_step)

    def loss(self, model: torch.nn.Module, rows: np.ndarray) -> torch.Tensor:
        """Cross-entropy over the options of each question, summed over the questions."""
        begins, counts = self.train.offsets[rows], self.train.counts[rows]
        pairs = np.repeat(begins, counts) + _places(counts)
        flat = numbered(model)(**forward.inputs(self._rows, pairs)).logits.float().flatten()
        return cross_entropy(flat, counts, self.train.right[rows])

    def rehearse(self, model: torch.nn.Module, rows: np.ndarray) -> None:
        """As much work as predicting these rows."""
        self.loss(model, rows)

    def validate(self, model: torch.nn.Module, check: Callable[[], None]) -> dict[str, float]:
        """Mean cross-entropy, and the scores."""
        held = self.validation
        found = scores(model, held.pairs, self.device, self.pad, self.tokens, check)
        loss = cross_entropy(torch.from_numpy(found), held.counts, held.right) / max(1, len(held.right))
        return {"loss": float(loss), **self.score(found)}


def scores(
    model: torch.nn.Module,
    pairs: Tokens,
    device: Device,
    pad: int,
    tokens: int,
    check: Callable[[], None] = lambda: None,
) -> np.ndarray:
    """One number for every pair, float32 [pairs], in order. tokens: of one batch. Raises NotFinite."""
    rows = Rows(pairs, device.name, pad, step=device.length_step)
    return forward.classes(numbered(model), rows, device, tokens, check).ravel()


def cross_entropy(flat: torch.Tensor, counts: np.ndarray, right: np.ndarray) -> torch.Tensor:
    """Of each question's options, summed over the questions.

    flat: one score for each option. counts, right: int64 [questions], how many options each has, and which is right.
    """
    questions = torch.from_numpy(np.repeat(np.arange(len(counts)), counts)).to(flat.device)
    places = torch.from_numpy(_places(counts)).to(flat.device)
    table = flat.new_full((len(counts), int(counts.max(initial=1))), NOTHING).index_put((questions, places), flat)
    return F.cross_entropy(table, torch.from_numpy(right).to(flat.device), reduction="sum")


def numbered(model: Any) -> Any:
    """The model, called with pairs as if they were classified, [pairs, length], and giving logits [pairs, 1].

    transformers' own classes want [questions, options, length]: all pairs go in as the options of one question.
    """

    def call(**inputs: torch.Tensor) -> SimpleNamespace:
        made = model(**{name: tensor.unsqueeze(0) for name, tensor in inputs.items()})
        return SimpleNamespace(logits=made.logits.view(-1, 1))

    return call


def _places(counts: np.ndarray) -> np.ndarray:
    """0, 1, … for the options of each question, one after the other."""
    return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
