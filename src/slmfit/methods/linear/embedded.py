"""Vectors of texts as the features of a linear machine.

    features = Embedded.learn(train_texts, "models/potion-base-4m-int8", seed=0)
    features.transform(["my card was charged twice"])    # float64 [1, dimension]

Values are rounded to multiples of 2 ** -20. Products with float16 weights then add up exactly in float64, in whatever
order, while a machine's weights are shorter than 2 ** 9: one text and a batch give the same bits wherever their vectors
do, as those of LSA and static embeddings.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np

from slmfit import embeddings
from slmfit.embeddings import Embedding
from slmfit.methods.linear.solver import Floats

GRID = 2.0**20


class Embedded:
    """What an embedding makes of texts."""

    def __init__(self, embedding: Embedding) -> None:
        self.embedding = embedding

    @classmethod
    def learn(cls, texts: Sequence[str], base: str | None, seed: int, cache: Path | None = None) -> Self:
        """The embedding that `base` names, its vectors kept in `cache`; None: LSA, learnt from these texts."""
        if base is None:
            return cls(embeddings.LSA.fit(texts, seed=seed))
        return cls(embeddings.pretrained(base, cache))

    def transform(self, texts: Sequence[str]) -> Floats:
        """[texts, dimension], each of length 1, or 0 where nothing of the text is known."""
        return np.rint(self.embedding.embed(texts) * np.float64(GRID)) / GRID

    def save(self, folder: Path) -> None:
        (folder / "embedding").mkdir()
        self.embedding.save(folder / "embedding")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """As it was saved."""
        return cls(embeddings.load(folder / "embedding"))
