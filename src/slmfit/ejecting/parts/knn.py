"""The classifier: the nearest rows of training vote for their labels, the nearer the more. Nothing is trained."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from slmfit.ejecting.parts.lsa import Embedding, learn

K = 10  # neighbours that vote
TEMPERATURE: float | None = 0.1  # a vote weighs exp((cosine - 1) / TEMPERATURE); None: one
AT_ONCE = 256  # texts


class Classifier:
    """The rows in rows.safetensors with their labels, and what validation chose in knn.json."""

    def __init__(self, folder: Path) -> None:
        self.chosen = json.loads((folder / "knn.json").read_text(encoding="utf-8"))
        tensors = load_file(folder / "rows.safetensors")
        self.labels, self.codes = self.chosen["labels"], tensors["labels"]
        self.rows = tensors["rows"].astype(np.float32)
        self.vectors = Embedding(folder / "embedding")
        self.usual = np.bincount(self.codes, minlength=len(self.labels)) + 1.0  # where no row is near at all
        self.usual /= self.usual.sum()

    def predict(self, texts: Sequence[str]) -> list[tuple[str, dict[str, float]]]:
        """The label of each text, and the probability of every label."""
        found = []
        for begin in range(0, len(texts), AT_ONCE):
            queries = whole(self.vectors.embed(texts[begin : begin + AT_ONCE])).astype(np.float32)
            products = queries @ self.rows.T * inverse_lengths(self.rows)
            nearest = np.argsort(-products, axis=1, kind="stable")[:, :K]
            cosines = np.take_along_axis(products, nearest, axis=1) * inverse_lengths(queries)[:, None]
            found += [
                self._voted(self.codes[ids], near) for ids, near in zip(nearest, cosines.astype(float), strict=True)
            ]
        return found

    def _voted(self, codes: np.ndarray, cosines: np.ndarray) -> tuple[str, dict[str, float]]:
        """What the neighbours of one text say. Those that share nothing with it have no vote."""
        codes, cosines = codes[cosines > 0], cosines[cosines > 0]
        weights = np.ones_like(cosines) if TEMPERATURE is None else np.exp((cosines - 1) / TEMPERATURE)
        votes = np.bincount(codes, weights, len(self.labels))
        if not votes.any():
            return self._answer(int(self.usual.argmax()), self.usual)
        closeness = np.bincount(codes, cosines, len(self.labels))
        best = np.where(votes == votes.max(), closeness, -np.inf).argmax()  # of equal votes the closer ones
        # Doubt is a vote for all labels alike; sharpness makes shares bolder, or more timid.
        shares = votes + self.chosen["doubt"] / len(self.labels)
        shares = (shares / shares.max()) ** self.chosen["sharpness"]
        return self._answer(int(best), shares / shares.sum())

    def _answer(self, code: int, shares: np.ndarray) -> tuple[str, dict[str, float]]:
        return self.labels[code], dict(zip(self.labels, shares.tolist(), strict=True))


def whole(vectors: np.ndarray) -> np.ndarray:
    """Vectors of the same directions in whole numbers, as the rows are kept: a quarter of the bytes, exact products."""
    largest = np.abs(vectors).max(axis=1, initial=0, keepdims=True)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    with np.errstate(divide="ignore"):
        factors = np.where(largest > 0, np.minimum(127 / largest, 4000 / lengths), 0)
    return np.rint(vectors * factors).astype(np.int8)


def inverse_lengths(vectors: np.ndarray) -> np.ndarray:
    """1 / length of each row, 0 where it is 0."""
    lengths = np.linalg.norm(vectors, axis=1)
    return np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > 0)


def train(texts: Sequence[str], labels: Sequence[str]) -> Callable[[Sequence[str]], list[str]]:
    """What answers texts with labels, learnt anew from these rows with the values above; needs scikit-learn.

    slmfit also chooses k and the weighting on rows held out, and how votes become probabilities.
    """
    from sklearn.neighbors import KNeighborsClassifier

    def weights(distances: np.ndarray) -> np.ndarray:
        return np.ones_like(distances) if TEMPERATURE is None else np.exp(-distances / TEMPERATURE)

    embed = learn(texts)
    votes = KNeighborsClassifier(min(K, len(texts)), weights=weights, metric="cosine", algorithm="brute")
    votes.fit(embed(texts), labels)
    return lambda others: votes.predict(embed(others)).tolist()
