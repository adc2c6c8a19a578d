import numpy as np
import pytest
import torch

import tiny
from slmfit.finetune.classify import Classify, balanced_weights
from slmfit.finetune.device import Device
from slmfit.finetune.logits import probabilities
from slmfit.finetune.rows import Rows
from slmfit.finetune.tokens import tokenise

TARGETS = np.array([0, 0, 0, 2], np.int64)


class Fixed(torch.nn.Module):
    """Answers the same logits to every row."""

    def forward(self, input_ids, attention_mask=None):
        logits = torch.tensor([[2.0, 0.0, -1.0]]).expand(len(input_ids), 3)
        return type("Output", (), {"logits": logits})


def job(weights=None):
    tokens = tokenise(tiny.word_tokenizer(), ["invoice", "a parcel", "late late late", "door"], 20)
    rows, cpu = Rows(tokens, "cpu", pad=0), Device("cpu", "fp32")
    right = {"accuracy": 1.0}
    return Classify(rows, TARGETS, rows, TARGETS, lambda logits: right, cpu, 64, weights)


def test_every_label_that_occurs_weighs_the_same():
    weights = balanced_weights(TARGETS, 3)
    assert weights.tolist() == pytest.approx([2 / 3, 0, 2])
    assert weights[TARGETS].mean() == pytest.approx(1)
    sums = [weights[TARGETS[label == TARGETS]].sum() for label in (0, 2)]
    assert sums[0] == pytest.approx(sums[1])


def test_loss_is_summed_over_rows():
    shares = probabilities(np.array([[2.0, 0.0, -1.0]]))[0]
    assert shares.sum() == pytest.approx(1)
    expected = -np.log(shares[TARGETS])
    every = np.arange(4)
    assert float(job().loss(Fixed(), every)) == pytest.approx(expected.sum(), rel=1e-5)
    weights = balanced_weights(TARGETS, 3)
    assert float(job(weights).loss(Fixed(), every)) == pytest.approx((expected * weights[TARGETS]).sum(), rel=1e-5)
    scores = job(weights).validate(Fixed(), lambda: None)
    assert scores == {"loss": pytest.approx(expected.mean(), rel=1e-5), "accuracy": 1.0}
