"""The loss of a writer: on the answers alone, whatever else is in their batch."""

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

import tiny
from slmfit.finetune.device import Device
from slmfit.finetune.tokens import joined
from slmfit.finetune.write import Pairs, Write, answer_loss

CPU = Device("cpu", "fp32")
ROWS = [([5, 6, 7], [8, 9, 0]), ([5], [11, 0]), ([20, 21, 22, 23, 24, 25], [0]), ([30, 31], [9, 8, 7, 6, 5, 0])]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tiny.causal(tmp_path_factory.mktemp("base"), initializer_range=0.3)
    return AutoModelForCausalLM.from_pretrained(folder).eval()


def pairs(rows=ROWS):
    tokens = joined([[*prompt, *answer] for prompt, answer in rows], 64)
    return Pairs(tokens, np.array([len(answer) for _, answer in rows], np.int64))


def job(made, score=lambda model, check: {}):
    return Write(made, made, score, CPU, pad=0)


def by_hand(model, prompt, answer):
    """Token by token, each alone."""
    total = 0.0
    for i, token in enumerate(answer):
        logits = model(torch.tensor([[*prompt, *answer[:i]]])).logits[0, -1]
        total -= float(torch.log_softmax(logits, -1)[token])
    return total


def test_it_is_the_one_computed_by_hand(model):
    with torch.inference_mode():
        expected = [by_hand(model, *row) for row in ROWS]
        made = job(pairs())
        for rows in ([0], [1], [0, 1, 2, 3], [3, 1]):
            found = float(made.loss(model, np.array(rows)))
            assert found == pytest.approx(sum(expected[i] for i in rows) / np.mean([3, 2, 1, 6]), rel=1e-4)
        assert made.validate(model, lambda: None)["loss"] == pytest.approx(sum(expected) / 12, rel=1e-4)


def test_a_model_that_cannot_leave_logits_out_has_the_same_loss(model):
    class Plain(torch.nn.Module):
        def forward(self, input_ids, use_cache):
            return model(input_ids=input_ids, use_cache=use_cache)

    made = job(pairs())
    with torch.inference_mode():
        found = answer_loss(Plain(), made.rows, made.train.answers, np.arange(4))
        assert float(found) == pytest.approx(float(answer_loss(model, made.rows, made.train.answers, np.arange(4))))


def test_nothing_is_learnt_from_prompts(model):
    """The gradient at the logits is 0 wherever a prompt's token is foretold."""
    seen = []

    class Watched(torch.nn.Module):
        def forward(self, input_ids, use_cache):
            made = model(input_ids=input_ids, use_cache=use_cache)
            made.logits.retain_grad()
            seen.append(made.logits)
            return made

    made = job(pairs())
    made.loss(Watched(), np.arange(4)).backward()
    model.zero_grad()
    touched = seen[0].grad.abs().sum(-1) > 0
    for row, (prompt, answer) in enumerate(ROWS):
        place = torch.arange(touched.shape[1])
        foretells = (place >= len(prompt) - 1) & (place < len(prompt) + len(answer) - 1)
        assert torch.equal(touched[row], foretells)


def test_validation_scores_what_the_model_writes_and_stops_when_told(model):
    made = job(pairs(), lambda model, check: {"entity_f1": 0.5})
    assert made.validate(model, lambda: None)["entity_f1"] == 0.5

    def check():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made.validate(model, check)


def test_rehearsing_asks_as_much_as_answering(model):
    asked = []

    class Counting(torch.nn.Module):
        def forward(self, input_ids, **more):
            asked.append(tuple(input_ids.shape))
            return model(input_ids=input_ids, **more)

    with torch.inference_mode():
        job(pairs()).rehearse(Counting(), np.array([0, 3]))
    assert asked == [(2, 4), *[(2, 1)] * 4]


def test_rehearsing_works_out_no_logits_that_answering_leaves_out(model):
    given = []

    class Keeping(torch.nn.Module):
        def forward(self, input_ids, logits_to_keep=0, **more):
            made = model(input_ids=input_ids, logits_to_keep=logits_to_keep, **more)
            given.append(made.logits.shape[1])
            return made

    with torch.inference_mode():
        job(pairs()).rehearse(Keeping(), np.array([0, 3]))
    assert given == [1] * 5
