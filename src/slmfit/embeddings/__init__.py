"""Text to vectors of length 1, so that the product of two of them is their cosine.

embedding = LSA.fit(train_texts)  # or Static("models/potion-base-4m-int8")
embedding.embed(["my card was charged twice"])  # float32 [1, dimension]
ids, cosines = nearest(embedding.embed(queries), embedding.embed(rows), k=10)

A text in which nothing is known has the zero vector: similar to nothing.
"""

from __future__ import annotations

from pathlib import Path

from slmfit.embeddings.base import Embedding, Vectors, normalised
from slmfit.embeddings.lsa import LSA
from slmfit.embeddings.neighbours import nearest, whole
from slmfit.embeddings.static import Static

__all__ = ["LSA", "Embedding", "Static", "Vectors", "load", "nearest", "normalised", "whole"]


def load(folder: Path) -> Embedding:
    """The embedding that was saved in `folder`: LSA or model2vec format, told apart by their files."""
    return LSA.load(folder) if (folder / LSA.FILE).is_file() else Static(folder)
