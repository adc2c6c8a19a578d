from types import SimpleNamespace

import numpy as np
import pytest
import torch

from slmfit.finetune import forward
from slmfit.finetune.device import Device
from slmfit.finetune.rows import Rows
from slmfit.finetune.tokens import Tokens

LENGTHS = np.array([5, 1, 9, 3, 3, 7, 2, 9, 1, 4, 6])
STARTS = np.concatenate([[0], np.cumsum(LENGTHS)])
ROWS = Rows(Tokens(np.arange(1, STARTS[-1] + 1, dtype=np.int32), STARTS, tail=0, limit=20), "cpu", pad=0)


def first_and_sum(input_ids, attention_mask=None):
    """A model that answers with the first token of a row and the sum of its tokens."""
    found = np.stack([input_ids[:, 0].numpy(), input_ids.sum(1).numpy()], axis=1).astype(np.float32)
    return SimpleNamespace(logits=torch.from_numpy(found))


@pytest.mark.parametrize("placed", [1, 2, 3, 256])
@pytest.mark.parametrize("tokens", [1, 10, 1000])
def test_answers_come_in_the_order_of_the_rows(placed, tokens, monkeypatch):
    monkeypatch.setattr(forward, "PLACED", placed)
    found = forward.classes(first_and_sum, ROWS, Device("cpu", "fp32"), tokens)
    ids = np.split(ROWS.tokens.ids, STARTS[1:-1])
    assert found.dtype == np.float32
    assert found.tolist() == [[row[0], row.sum()] for row in ids]


def test_a_batch_too_large_for_memory_is_halved():
    asked = []

    def small(input_ids, attention_mask=None):
        asked.append(len(input_ids))
        if len(input_ids) > 2:
            raise MemoryError
        return first_and_sum(input_ids)

    found = forward.classes(small, ROWS, Device("cpu", "fp32"), 1000)
    assert np.array_equal(found, forward.classes(first_and_sum, ROWS, Device("cpu", "fp32"), 1000))
    assert max(asked) == len(LENGTHS)


def test_what_is_checked_ends_the_work():
    def check():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        forward.classes(first_and_sum, ROWS, Device("cpu", "fp32"), 10, check)


def test_no_rows():
    none = Rows(Tokens(np.empty(0, np.int32), np.zeros(1, np.int64), 0, 20), "cpu", pad=0)
    assert forward.classes(first_and_sum, none, Device("cpu", "fp32"), 10).shape == (0, 0)
