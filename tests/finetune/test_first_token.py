"""A last layer that works for one token changes no logit and no gradient."""

import pytest
import torch
from transformers import AutoConfig, AutoModelForSequenceClassification

from slmfit.finetune.classify import ALONE_FROM, first_token_only
from slmfit.finetune.pretrained import dropouts


def model_of(kind):
    shape = {"vocab_size": 99, "num_labels": 3, "pad_token_id": 0}
    if kind == "distilbert":
        shape |= {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64}
    else:
        shape |= {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    config = AutoConfig.for_model(kind, **shape)
    config.update(dict.fromkeys(dropouts(config), 0.0))
    torch.manual_seed(0)
    return AutoModelForSequenceClassification.from_config(config)


def found(model, batch):
    """Logits, and every gradient."""
    model.zero_grad()
    logits = model(**batch).logits
    logits.sin().sum().backward()
    return [logits.detach(), *(p.grad.clone() for p in model.parameters() if p.grad is not None)]


@pytest.mark.parametrize("kind", ALONE_FROM)
def test_the_same_logits_and_gradients(kind):
    model = model_of(kind)
    ids, mask = torch.randint(3, 99, (4, 9)), torch.ones(4, 9, dtype=torch.long)
    ids[1, 5:] = mask[1, 5:] = 0
    batch = {"input_ids": ids, "attention_mask": mask}
    whole, read = found(model, batch), []
    first_token_only(model)
    layer = next(m for m in reversed(list(model.modules())) if m._forward_pre_hooks)
    layer.register_forward_hook(lambda module, given, made: read.append(made.shape[1]))
    for before, after in zip(whole, found(model, batch), strict=True):
        torch.testing.assert_close(after, before, rtol=1e-5, atol=1e-7)
    assert read == [1]


def test_other_kinds_stay_as_they_are():
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    model = AutoModelForSequenceClassification.from_config(AutoConfig.for_model("llama", vocab_size=99, **shape))
    first_token_only(model)
    assert not any(m._forward_pre_hooks for m in model.modules())
