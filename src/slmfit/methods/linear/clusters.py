"""Words of like meaning as attributes of a CRF: in which clusters of static vectors a word and its neighbours stand.

    clusters = Clusters.learn(["Rome", "Oslo", …], Static("models/potion-base-4m-int8"), seed=0)
    clusters.told(["to", "Lima"])[1]        # ["64~ 12", "256~ 41", "1024~ 7", "-1 64~ 3", …]

A word that no row of train has still stands in a cluster with others (Turian, Ratinov and Bengio, "Word
representations", ACL 2010); vectors are cut into clusters by k-means on the words of train, once for each of SIZES.
Validation rows of WNUT-17, F1: 21.5 without, 28.1 with those of the word, 28.7 with its neighbours' as well; the
vectors' numbers as they are 28.8, in five times the time; 256 clusters alone 24.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from slmfit.embeddings import Static
from slmfit.methods.linear.crf import Floats
from slmfit.methods.linear.words import MOST_REMEMBERED

SIZES = (64, 256, 1024)  # clusters
MEMBERS = 4  # words that a cluster has on average, at least: with fewer words there are fewer clusters
ROUNDS = 20  # of k-means
GRID = 2.0**20  # vectors and centres are multiples of 1 / GRID: their products add up exactly, in whatever order
FOLDER, FILE = "word_vectors", "clusters.safetensors"


@dataclass(frozen=True)
class Clusters:
    """centres: [clusters, dimension] of each size, of length 1."""

    vectors: Static
    centres: tuple[Floats, ...]
    _known: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def learn(cls, words: Sequence[str], vectors: Static, seed: int) -> Self:
        """Of these words, each of which counts once."""
        known = _on_grid(vectors.embed(sorted(set(words))))
        known = known[known.any(axis=1)]
        sizes = dict.fromkeys(min(size, max(1, len(known) // MEMBERS)) for size in SIZES)
        return cls(vectors, tuple(_centres(known, size, seed) for size in sizes) if len(known) else ())

    def told(self, words: Sequence[str]) -> list[list[str]]:
        """Of each word its clusters, and those of the words beside it."""
        names = self._names(words)
        own = [names[word] for word in words]
        before, after = [(), *own][:-1], [*own, ()][1:]
        return [
            [*here, *(f"-1 {name}" for name in left), *(f"+1 {name}" for name in right)]
            for left, here, right in zip(before, own, after, strict=True)
        ]

    def save(self, folder: Path) -> None:
        from safetensors.numpy import save_file

        (folder / FOLDER).mkdir()
        self.vectors.save(folder / FOLDER)
        save_file({str(i): centres for i, centres in enumerate(self.centres)}, folder / FILE)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """As they were saved. Raises ValueError where vectors and centres are of different lengths."""
        from safetensors.numpy import load_file

        vectors, centres = Static(folder / FOLDER), load_file(folder / FILE)
        if any(c.ndim != 2 or c.shape[1] != vectors.dimension or not np.isfinite(c).all() for c in centres.values()):
            raise ValueError("clusters of other vectors")
        return cls(vectors, tuple(centres[str(i)].astype(np.float64) for i in range(len(centres))))

    def _names(self, words: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Word -> the names of its clusters, remembered; empty where its vector is."""
        found = {word: names for word in words if (names := self._known.get(word)) is not None}
        if new := [word for word in dict.fromkeys(words) if word not in found]:
            vectors = _on_grid(self.vectors.embed(new))
            nearest = [(len(centres), (vectors @ centres.T).argmax(axis=1)) for centres in self.centres]
            for i, (word, vector) in enumerate(zip(new, vectors, strict=True)):
                found[word] = tuple(f"{size}~ {own[i]}" for size, own in nearest) if vector.any() else ()
            if len(self._known) > MOST_REMEMBERED:
                self._known.clear()
            self._known.update(found)
        return found


def _centres(vectors: Floats, count: int, seed: int) -> Floats:
    """k-means by cosine, begun at vectors drawn by chance; an empty cluster stays where it was."""
    found = vectors[np.random.default_rng(seed).choice(len(vectors), count, replace=False)]
    for _ in range(ROUNDS):
        own = (vectors @ found.T).argmax(axis=1)
        sums = np.zeros_like(found)
        np.add.at(sums, own, vectors)
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        found = _on_grid(np.where(lengths > 0, sums / np.where(lengths > 0, lengths, 1.0), found))
    return found


def _on_grid(vectors: NDArray[np.floating]) -> Floats:
    return np.asarray(np.rint(vectors * np.float64(GRID)) / GRID, np.float64)
