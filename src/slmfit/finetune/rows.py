"""Tokens on a device, and batches of them made there.

rows = Rows(tokens, device="cuda", pad=0)
rows.batch(np.array([3, 5]))["input_ids"]          # int64 [2, length]
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from slmfit.finetune.tokens import PlainRows, Tokens


class Rows(PlainRows):
    """See `PlainRows`."""

    library = torch

    def __init__(self, tokens: Tokens, device: str, pad: int, *, step: int = 1, left: bool = False) -> None:
        self.device = device
        super().__init__(tokens, pad, step=step, left=left)

    def _put(self, array: np.ndarray) -> Any:
        return torch.from_numpy(array).to(self.device)

    def _counted(self, many: int) -> Any:
        return torch.arange(many, device=self.device)

    def _whole(self, array: Any) -> Any:
        return array.long()
