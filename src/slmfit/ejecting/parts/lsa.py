"""Vectors of texts by latent semantic analysis (LSA): TF-IDF of words, projected on the directions in which the rows of
training differ most.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from slmfit.ejecting.parts.run import SEED
from slmfit.ejecting.parts.words import words_of

SHORTEST = 2  # characters of a word
DIMENSION = 384  # directions, at most


class Embedding:
    """The words and directions in lsa.safetensors."""

    def __init__(self, folder: Path) -> None:
        tensors = load_file(folder / "lsa.safetensors")
        words = tensors["words"].tobytes().decode("utf-8").split("\n")
        self.row = {word: i for i, word in enumerate(words)}
        self.idf, self.table = tensors["idf"], tensors["projection"] * tensors["scale"][:, None]

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """A vector of length 1 for each text, of zeros where no word of it is known."""
        found = np.zeros((len(texts), self.table.shape[1]), np.float32)
        for i, text in enumerate(texts):
            counts = Counter(self.row[word] for word in words_of(text, SHORTEST) if word in self.row)
            if counts:
                rows = np.array(sorted(counts))
                values = (1 + np.log([counts[row] for row in rows])).astype(np.float32) * self.idf[rows]
                values /= np.sqrt((values.astype(float) ** 2).sum())
                found[i] = values @ self.table[rows]
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        return found / np.where(lengths > 0, lengths, 1)


def learn(texts: Sequence[str]) -> Callable[[Sequence[str]], np.ndarray]:
    """What makes vectors of texts, learnt anew from these; needs scikit-learn."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize

    counted = TfidfVectorizer(analyzer=lambda text: words_of(text, SHORTEST), sublinear_tf=True, min_df=2)
    features = counted.fit_transform(texts)
    directions = TruncatedSVD(min(DIMENSION, *(n - 1 for n in features.shape)), random_state=SEED).fit(features)
    # The few strongest directions would drown the rest: each is divided by the root of how strong it is.
    roots = np.sqrt(directions.singular_values_)
    return lambda others: normalize(directions.transform(counted.transform(others)) / roots)
