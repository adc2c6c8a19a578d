"""Many rows through a model, sorted by length and batched by tokens.

logits = classes(model, tokens, device, pad=0, batch_tokens=4096)      # float32 [rows, labels], in order
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Set
from typing import Any, TypeVar

import numpy as np
import torch

from slmfit.finetune import batches
from slmfit.finetune.device import Device, is_out_of_memory
from slmfit.finetune.logits import finite
from slmfit.finetune.rows import Rows
from slmfit.timing.work import advance

# Batches whose answers are put in place together: fewer would make a GPU wait, more leave small tensors all over the
# memory that the batches use in between, which then grows by 1 kB a row.
PLACED = 256
Made = TypeVar("Made")


def batch_tokens(device: Device) -> int:
    """Tokens that go through the model at once: on a CPU what its caches hold, on a GPU what keeps it busy."""
    return batches.ON_A_CPU if device.name == "cpu" else 32768


def classes(
    model: torch.nn.Module, rows: Rows, device: Device, tokens: int, check: Callable[[], None] = lambda: None
) -> np.ndarray:
    """The logits of every row, float32 [rows, labels], in the order of the rows. Raises NotFinite.

    tokens: of one batch. check: called before every batch; what it raises ends the work.
    """
    placed = np.zeros((0, 0), np.float32)
    answers: list[torch.Tensor] = []
    order: list[np.ndarray] = []

    def place() -> None:
        placed[np.concatenate(order)] = torch.cat(answers).float().cpu().numpy()
        answers.clear()
        order.clear()

    for batch, output in outputs(model, rows, device, tokens, check):
        if not len(placed):
            placed = np.empty((len(rows.tokens), output.logits.shape[1]), np.float32)
        answers.append(output.logits)
        order.append(batch)
        if len(order) == PLACED:
            place()
    if order:
        place()
    return finite(placed)


def outputs(
    model: torch.nn.Module, rows: Rows, device: Device, tokens: int, check: Callable[[], None] = lambda: None
) -> Iterator[tuple[np.ndarray, Any]]:
    """What the model returns for every batch of rows, with the rows of it; all of them, longest first."""
    lengths = rows.tokens.lengths
    each = len(lengths) / max(1, int(lengths.sum()))  # of a token: the longest rows come first, and take the longest
    with torch.inference_mode(), device.autocast():
        for batch in batches.by_length(lengths, tokens, rows.step):
            check()
            yield from in_pieces(lambda part: model(**inputs(rows, part)), batch, device)
            advance(each * int(lengths[batch].sum()))


def in_pieces(
    work: Callable[[np.ndarray], Made], batch: np.ndarray, device: Device
) -> Iterator[tuple[np.ndarray, Made]]:
    """What is made of one batch of rows; of halves of it when it does not fit into memory."""
    try:
        made = work(batch)
    except Exception as error:
        if not is_out_of_memory(error) or len(batch) == 1:
            raise
    else:
        yield batch, made
        return
    device.free()
    for part in np.array_split(batch, 2):
        yield from in_pieces(work, part, device)


def inputs(rows: Rows, batch: np.ndarray) -> dict[str, torch.Tensor]:
    """What the model is called with. A mask that hides nothing is left out: attention is quicker without."""
    made = rows.batch(batch)
    if rows.device == "cpu" and rows.tokens.lengths[batch].min() == made["input_ids"].shape[1]:
        del made["attention_mask"]
    return made


def takes_of(model: Any) -> Set[str]:
    """The names of what a model can be called with, beneath compilation and adapters."""
    return inspect.signature(body_of(model).forward).parameters.keys()


def body_of(model: Any) -> Any:
    """A model of transformers, out of what compiled it and from under its adapters, which stay at work."""
    body = getattr(model, "_orig_mod", model)
    return body.get_base_model() if hasattr(body, "get_base_model") else body
