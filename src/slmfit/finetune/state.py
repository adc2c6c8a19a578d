"""What a training is made of: the job it is given, how far it is, and the tensors that say so.

tensors = gathered(weights, best, optimizer)          # name -> tensor, for a checkpoint
best = scattered(tensors, weights, optimizer)         # and back into place
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch

from slmfit.finetune.plan import MOST_COUNTED

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
    apart: seconds of validating and of writing checkpoints.
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
    apart: float = 0.0
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


def progress_of(plain: Any) -> Progress | None:
    """The progress that a checkpoint tells; None for what is none."""
    try:
        progress = Progress(**plain)
    except TypeError:
        return None
    counts = [getattr(progress, name) for name in ("step", "seen", "epoch", "position", "evaluations", "stale")]
    counts += [] if progress.best_step is None else [progress.best_step]
    figures = [x for x in (progress.seconds, progress.apart, progress.best, progress.best_loss) if x is not None]
    proper = (
        all(type(count) is int and 0 <= count < MOST_COUNTED for count in counts)
        and all(isinstance(x, int | float) and math.isfinite(x) for x in figures)
        and min(progress.seconds, progress.apart) >= 0
        and isinstance(progress.finished, bool)
        and isinstance(progress.stopped, str | None)
        and isinstance(progress.scores, dict)
    )
    return progress if proper else None


def fit(tensors: Weights, weights: Weights) -> bool:
    """Whether these are all that such weights go on from: their names, shapes and types, every number finite."""
    for name, tensor in tensors.items():
        part, _, of = name.partition("/")
        alike = of in weights and (tensor.shape == weights[of].shape or (part == "step" and tensor.ndim == 0))
        if part not in ("weights", "best", *MOMENTS) or not alike or not tensor.isfinite().all():
            return False
    known = [_part(tensors, part).keys() for part in ("weights", "best")]
    moments = [_part(tensors, part).keys() for part in MOMENTS]
    return known[0] == weights.keys() and known[1] in (weights.keys(), set()) and moments.count(moments[0]) == 3


def sound(weights: Weights) -> bool:
    """Whether every number is finite."""
    return all(bool(weight.isfinite().all()) for weight in weights.values())


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
