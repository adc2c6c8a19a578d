"""Clusters: in which groups of like meaning a word and its neighbours stand, told by static vectors of words."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from safetensors.numpy import load_file

from slmfit.ejecting.parts.run import MODEL
from slmfit.ejecting.parts.static import Embedding

GRID = 2.0**20


@cache
def learnt_clusters() -> tuple[Embedding, list[np.ndarray]]:
    """What makes vectors of words, and the centres of the clusters: 64, 256 and 1,024, or fewer for few words."""
    centres = load_file(MODEL / "clusters.safetensors")
    return Embedding(MODEL / "word_vectors"), [centres[name] for name in sorted(centres)]


@cache
def clusters_of(word: str) -> tuple[str, ...]:
    """The nearest centre of each; none for a word without a vector."""
    vectors, centres = learnt_clusters()
    vector = np.rint(vectors.embed([word])[0] * GRID) / GRID
    return tuple(f"{len(some)}~ {(some @ vector).argmax()}" for some in centres) if vector.any() else ()


def clusters_around(words: Sequence[str]) -> list[list[str]]:
    """Of each word its clusters, and those of the words beside it."""
    own = [(), *map(clusters_of, words), ()]
    return [
        [*own[i], *(f"-1 {name}" for name in own[i - 1]), *(f"+1 {name}" for name in own[i + 1])]
        for i in range(1, len(own) - 1)
    ]
