"""Many rows through a model, sorted by length and batched by tokens.

logits = classes(model, tokens, device, pad=0, batch_tokens=4096)      # float32 [rows, labels], in order
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from slmfit.finetune import batches
from slmfit.finetune.device import Device, is_out_of_memory
from slmfit.finetune.tokens import Rows


def batch_tokens(device: Device) -> int:
    """Tokens that go through the model at once: on a CPU what its caches hold, on a GPU what keeps it busy."""
    return 1024 if device.name == "cpu" else 32768


def classes(
    model: torch.nn.Module, rows: Rows, device: Device, tokens: int, check: Callable[[], None] = lambda: None
) -> np.ndarray:
    """The logits of every row, float32 [rows, labels], in the order of the rows.

    tokens: of one batch. check: called before every batch; what it raises ends the work.
    """
    answers: list[torch.Tensor] = []
    order = batches.by_length(rows.tokens.lengths, tokens, rows.step)
    with torch.inference_mode(), device.autocast():
        for batch in order:
            check()
            answers.append(_logits(model, rows, batch, device))
    if not order:
        return np.zeros((0, 0), np.float32)
    logits = torch.cat(answers).float().cpu().numpy()
    placed = np.empty_like(logits)
    placed[np.concatenate(order)] = logits
    return placed


def _logits(model: torch.nn.Module, rows: Rows, batch: np.ndarray, device: Device) -> torch.Tensor:
    """One batch, in halves when it does not fit into memory."""
    try:
        return model(**inputs(rows, batch)).logits
    except Exception as error:
        if not is_out_of_memory(error) or len(batch) == 1:
            raise
    device.free()
    half = len(batch) // 2
    return torch.cat([_logits(model, rows, part, device) for part in (batch[:half], batch[half:])])


def inputs(rows: Rows, batch: np.ndarray) -> dict[str, torch.Tensor]:
    """What the model is called with. A mask that hides nothing is left out: attention is quicker without."""
    made = rows.batch(batch)
    if rows.device == "cpu" and rows.tokens.lengths[batch].min() == made["input_ids"].shape[1]:
        del made["attention_mask"]
    return made
