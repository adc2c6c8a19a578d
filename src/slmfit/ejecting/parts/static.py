"""Vectors of texts by static embeddings in model2vec's format: each token has one, a text's is their mean."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from slmfit.ejecting.parts.run import MODEL


class Embedding:
    """The tokens and vectors in tokenizer.json and model.safetensors."""

    def __init__(self, folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        model = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        unknown = model.get("unk_token")
        self.unknown = model.get("unk_id") if unknown is None else self.tokenizer.token_to_id(unknown)
        self.most_characters = None  # of a text that are looked at
        if longest := config.get("max_length", 512):
            self.tokenizer.enable_truncation(longest)
            self.most_characters = longest * int(median(map(len, self.tokenizer.get_vocab())))
        tensors = load_file(folder / "model.safetensors")
        self.table = tensors["embeddings"].astype(np.float32)
        # Tokens may share a row of the table, and weigh more or less in the mean.
        self.row = tensors.get("mapping", np.arange(len(self.table)))
        self.weight = tensors.get("weights", np.ones(len(self.row))).astype(np.float32)

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """A vector of length 1 for each text, of zeros where no token of it is known."""
        found = np.zeros((len(texts), self.table.shape[1]), np.float32)
        read = [text[: self.most_characters] for text in texts]
        for i, encoding in enumerate(self.tokenizer.encode_batch(read, add_special_tokens=False)):
            tokens = [token for token in encoding.ids if token != self.unknown]
            if tokens:
                found[i] = (self.weight[tokens, None] * self.table[self.row[tokens]]).sum(axis=0) / len(tokens)
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        return found / np.where(lengths > 0, lengths, 1)


def learn(texts: Sequence[str]) -> Callable[[Sequence[str]], np.ndarray]:
    """What makes vectors of texts: it was learnt elsewhere, and is taken as it is."""
    return Embedding(MODEL / "embedding").embed
