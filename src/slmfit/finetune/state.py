"""What a training is made of: the job it is given, how far it is, and the tensors that say so.

tensors = gathered(weights, best, optimizer)          # name -> tensor, for a checkpoint
best = scattered(tensors, weights, optimizer)         # and back into place
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch

Weights = Mapping[str, torch.Tensor]
MOMENTS = ("step", "exp_avg", "exp_avg_sq")  # what AdamW remembers of a weight


class Job(Protocol):
    """What the loop must know of the rows and of the answer.

    lengths: int64 [rows], tokens of each training row. strata: int [rows] that batches are balanced over, or None.
    """

    lengths: np.ndarray
    strata: np.ndarray | None

    def loss(self, model: torch.nn.Module, rows: np.ndarray) -> torch.Tensor:
        """The loss of these training rows, summed over them."""
        ...

    def rehearse(self, model: torch.nn.Module, rows: np.ndarray) -> None:
        """As much work as predicting these training rows, to be timed."""
        ...

    def validate(self, model: torch.nn.Module, check: Callable[[], None]) -> dict[str, float]:
        """`loss` and scores (higher is better) on validation. `check` raises when told to stop."""
        ...


@dataclass
class Progress:
    """Where a training is; JSON as it stands, and in every checkpoint.

    seen: rows, in all. epoch, position: the next batch. seconds: of training so far.
    best: the best validation score, best_step its step. stale: evaluations since then. stopped: why, when early.
    """

    step: int = 0
    seen: int = 0
    epoch: int = 0
    position: int = 0
    evaluations: int = 0
    best: float | None = None
    best_loss: float | None = None
    best_step: int | None = None
    stale: int = 0
    seconds: float = 0.0
    finished: bool = False
    stopped: str | None = None
    scores: dict[str, float] = field(default_factory=dict)  # of the best


def optimizer(weights: Weights, weight_decay: float) -> torch.optim.AdamW:
    """AdamW (Loshchilov and Hutter, 2019), one kernel for all; norms and biases do not decay."""
    groups = [
        {"params": [w for w in weights.values() if w.ndim >= 2], "weight_decay": weight_decay},
        {"params": [w for w in weights.values() if w.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([g for g in groups if g["params"]], lr=0.0, fused=True)


def gathered(weights: Weights, best: Weights, adamw: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """All that a training goes on from."""
    tensors = {f"weights/{n}": w for n, w in weights.items()}
    tensors |= {f"best/{n}": w for n, w in best.items()}
    for name, weight in weights.items():
        tensors |= {f"{part}/{name}": t for part, t in adamw.state.get(weight, {}).items()}
    return tensors


def scattered(tensors: Weights, weights: Weights, adamw: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """Put weights and moments in place; returns the best weights."""
    put(_part(tensors, "weights"), weights)
    for part in MOMENTS:
        for name, tensor in _part(tensors, part).items():
            adamw.state[weights[name]][part] = tensor.to(weights[name].device, copy=True)
    return {n: t.to(weights[n].device, copy=True) for n, t in _part(tensors, "best").items()}


def put(values: Weights, weights: Weights) -> None:
    """Copy values into weights."""
    with torch.no_grad():
        for name, value in values.items():
            weights[name].copy_(value)


def finite(values: Mapping[str, float]) -> dict[str, float]:
    """The values that JSON can hold."""
    return {k: v for k, v in values.items() if math.isfinite(v)}


def _part(tensors: Weights, part: str) -> dict[str, torch.Tensor]:
    return {n.partition("/")[2]: t for n, t in tensors.items() if n.partition("/")[0] == part}
