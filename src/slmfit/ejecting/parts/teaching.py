"""The training of a language model that writes its answers: the loss is on the answers alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from slmfit.ejecting.parts.asking import answered
from slmfit.ejecting.parts.loading import base
from slmfit.ejecting.parts.tuning import configured, tuned


# [trained]
def taught(tokenizer: Any, texts: Sequence[str], replies: Sequence[str]) -> Any:
    """The model, trained from the base model on to reply so to these texts; one at a time, which is slow and plain."""
    model = base(AutoModelForCausalLM, configured(tokenizer))

    def loss_of(rows: Sequence[tuple[str, str]]) -> torch.Tensor:
        loss = torch.zeros(())
        for text, reply in rows:
            prompt, answer = answered(tokenizer, text, reply)
            logits = model(torch.tensor([prompt + answer])).logits[0, len(prompt) - 1 : -1]
            loss = loss + torch.nn.functional.cross_entropy(logits, torch.tensor(answer))
        return loss / len(rows)

    return tuned(model, list(zip(texts, replies, strict=True)), loss_of)


# [/trained]
