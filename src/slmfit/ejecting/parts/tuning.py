"""How it was trained, as a plain loop to adapt.

slmfit also looks how good the model is on validation whenever an epoch is over, keeps the best, and stops when it gets
no better; and it fills batches by tokens, texts of a like length together.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import AutoConfig

from slmfit.ejecting.parts.run import MODEL, SEED

EPOCHS = 3
LEARNING_RATE = 5e-5  # the highest; it rises to there, then falls to 0 in a line
WARMUP = 0.1  # the share of the steps in which it rises
WEIGHT_DECAY = 0.01  # of all weights but norms and biases
ROWS = 32  # of a batch
RANK = 64  # of the adapters
ALPHA = 16.0
LORA_DROPOUT = 0.05
DROPOUT = 0.0  # share that is dropped in training wherever the model drops any


def tuned(model: Any, rows: Sequence[Any], loss_of: Callable[[Sequence[Any]], torch.Tensor]) -> Any:
    """The model, trained on rows. loss_of: what its answers to some of them miss by."""
    # [lora]
    model = with_adapters(model)
    # [/lora]
    torch.manual_seed(SEED)
    shuffled, steps = random.Random(SEED), max(1, EPOCHS * -(-len(rows) // ROWS))
    learnt = [weight for weight in model.parameters() if weight.requires_grad]
    decaying: dict[str, Any] = {"params": [weight for weight in learnt if weight.ndim > 1]}
    others: dict[str, Any] = {"params": [weight for weight in learnt if weight.ndim < 2], "weight_decay": 0.0}
    optimizer = torch.optim.AdamW([decaying, others], lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    warm = max(1, round(WARMUP * steps))
    rates = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warm, (steps - step) / max(1, steps - warm))
    )
    model.train()
    for _ in range(EPOCHS):
        order = shuffled.sample(list(rows), len(rows))
        for begin in range(0, len(order), ROWS):
            loss_of(order[begin : begin + ROWS]).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            rates.step()
            optimizer.zero_grad()
    # [lora]
    model = model.merge_and_unload()
    # [/lora]
    return model.eval()


def with_adapters(model: Any) -> Any:
    """The model with adapters on every linear layer, the only weights that are trained beside a head; needs peft."""
    from peft import LoraConfig, get_peft_model

    heads = [name for name, _ in model.named_children() if name in ("score", "classifier", "pre_classifier", "pooler")]
    config = LoraConfig(
        r=RANK,
        lora_alpha=ALPHA,  # type: ignore[arg-type]
        lora_dropout=LORA_DROPOUT,
        use_rslora=True,  # the product of the two matrices times alpha / sqrt(rank)
        target_modules="all-linear",
        exclude_modules=heads or None,
        modules_to_save=heads or None,
    )
    return get_peft_model(model, config)


def configured(tokenizer: Any, names: Sequence[str] = ()) -> Any:
    """The base model's configuration, for a head that tells these apart, where there are some."""
    config = AutoConfig.from_pretrained(MODEL)
    config.pad_token_id = tokenizer.pad_token_id
    if names:
        config.id2label, config.label2id = dict(enumerate(names)), {name: i for i, name in enumerate(names)}
    # [dropout]
    shares = {name: DROPOUT for name, value in config.to_dict().items() if "drop" in name and isinstance(value, float)}
    config.update(shares)
    # [/dropout]
    return config
