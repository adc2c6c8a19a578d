"""Vectors of texts by a sentence encoder: a transformer reads a text, and its tokens become one vector."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

from slmfit.ejecting.parts.run import MODEL

POOLING = "mean"  # of all tokens; cls: the first one; max: the largest of each number; lasttoken
LONGEST = 256  # tokens of a text that are read
PROMPT = ""  # stands before every text
LOWER = False
BATCH = 32


class Embedding:
    """The transformer in a folder."""

    def __init__(self, folder: Path) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.tokenizer.padding_side = "right"
        self.model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """A vector of length 1 for each text."""
        read = [PROMPT + (text.lower() if LOWER else text) for text in texts]
        order = sorted(range(len(read)), key=lambda i: len(read[i]))  # texts of like length need little padding
        found = np.zeros((len(texts), self.model.config.hidden_size), np.float32)
        for begin in range(0, len(order), BATCH):
            batch = order[begin : begin + BATCH]
            inputs = self.tokenizer(
                [read[i] for i in batch], truncation=True, max_length=LONGEST, padding=True, return_tensors="pt"
            )
            with torch.inference_mode():
                hidden = self.model(inputs["input_ids"], inputs["attention_mask"]).last_hidden_state
            found[batch] = _pooled(hidden, inputs["attention_mask"]).numpy()
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        return found / np.where(lengths > 0, lengths, 1)


def _pooled(hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """[texts, tokens, width] to [texts, width]; padding, where mask is 0, has no say."""
    if POOLING == "cls":
        return hidden[:, 0]
    if POOLING == "lasttoken":
        return hidden[torch.arange(len(hidden)), mask.sum(1) - 1]
    if POOLING == "max":
        return hidden.masked_fill(mask.unsqueeze(2) == 0, -torch.inf).amax(1)
    return (hidden * mask.unsqueeze(2)).sum(1) / mask.sum(1, keepdim=True)


def learn(texts: Sequence[str]) -> Callable[[Sequence[str]], np.ndarray]:
    """What makes vectors of texts: it was learnt elsewhere, and is taken as it is."""
    return Embedding(MODEL / "embedding").embed
