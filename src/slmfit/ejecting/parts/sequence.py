"""The classifier: a transformer reads the text, a head on it gives each label a number, the softmax of which are the
probabilities.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from slmfit.ejecting.parts.loading import base, loaded
from slmfit.ejecting.parts.run import MODEL
from slmfit.ejecting.parts.tuning import configured, tuned

BATCH = 32  # texts


class Classifier:
    """The model and tokenizer in a folder of transformers."""

    def __init__(self, folder: Path) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = loaded(AutoModelForSequenceClassification)
        self.labels = [self.model.config.id2label[i] for i in range(self.model.config.num_labels)]

    def predict(self, texts: Sequence[str]) -> list[tuple[str, dict[str, float]]]:
        """The label of each text, and the probability of every label."""
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))  # texts of like length need little padding
        found: list[tuple[str, dict[str, float]]] = [("", {})] * len(texts)
        for begin in range(0, len(order), BATCH):
            batch = order[begin : begin + BATCH]
            with torch.inference_mode():
                logits = self.model(**inputs_of(self.tokenizer, [texts[i] for i in batch])).logits
            for i, shares in zip(batch, logits.double().softmax(-1), strict=True):
                label = self.labels[int(shares.argmax())]
                found[i] = label, dict(zip(self.labels, shares.tolist(), strict=True))
        return found


def inputs_of(tokenizer: Any, texts: Sequence[str]) -> dict[str, torch.Tensor]:
    """Texts as the model reads them: cut to its length, and padded to the longest."""
    ids = tokenizer(list(texts), truncation=True)["input_ids"]
    # [causal]
    pad, known = tokenizer.pad_token_id, (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id)
    nothing = next((token for token in known if token not in (None, pad)), int(pad == 0))
    ids = [row or [nothing] for row in ids]  # a text without tokens
    # [/causal]
    padded = tokenizer.pad({"input_ids": ids}, return_tensors="pt")
    return {"input_ids": padded["input_ids"], "attention_mask": padded["attention_mask"]}


# [trained]
def train(texts: Sequence[str], labels: Sequence[str]) -> Callable[[Sequence[str]], list[str]]:
    """What answers texts with labels, learnt anew from these rows, from the base model on."""
    names = sorted(set(labels))
    tokenizer = AutoTokenizer.from_pretrained(MODEL)
    model = base(AutoModelForSequenceClassification, configured(tokenizer, names))

    def logits(some: Sequence[str]) -> torch.Tensor:
        return model(**inputs_of(tokenizer, some)).logits

    def loss_of(rows: Sequence[tuple[str, str]]) -> torch.Tensor:
        right = torch.tensor([names.index(label) for _, label in rows])
        return torch.nn.functional.cross_entropy(logits([text for text, _ in rows]), right)

    model = tuned(model, list(zip(texts, labels, strict=True)), loss_of)
    return lambda others: [names[i] for i in logits(others).argmax(-1).tolist()]


# [/trained]
