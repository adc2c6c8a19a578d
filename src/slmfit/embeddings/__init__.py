"""Text to vectors of length 1, so that the product of two of them is their cosine.

embedding = LSA.fit(train_texts)  # or pretrained("models/potion-base-4m-int8"), a folder or a name on the hub
embedding.embed(["my card was charged twice"])  # float32 [1, dimension]
ids, cosines = nearest(embedding.embed(queries), embedding.embed(rows), k=10)

A text in which nothing is known has the zero vector: similar to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from slmfit.embeddings.base import Embedding, Vectors, normalised
from slmfit.embeddings.lsa import LSA
from slmfit.embeddings.neighbours import Index, nearest, whole
from slmfit.embeddings.sentence import FITTING, Sentence, is_transformer
from slmfit.embeddings.sentence import check as check_sentence
from slmfit.embeddings.static import Static
from slmfit.environment import cache_folder
from slmfit.errors import UsageError
from slmfit.hub import snapshots

# The words of every setting that names one.
CHOICE = (
    "What makes vectors of texts: a folder or hub name of static embeddings in model2vec format, or of a sentence "
    "encoder (extra `train`). none: LSA, learnt from the train texts."
)

__all__ = [
    "LSA",
    "Embedding",
    "Index",
    "Sentence",
    "Static",
    "Vectors",
    "embed",
    "load",
    "nearest",
    "normalised",
    "pretrained",
    "whole",
]


def pretrained(base: str | Path, cache: Path | None = None) -> Embedding:
    """An embedding that was learnt elsewhere: a folder or hub name of static embeddings or of a sentence encoder.

    cache: where an encoder's vectors are kept by content; None = nowhere.
    Raises UsageError for a model of another kind, before any weight is fetched, DataError for one that is damaged,
    MissingPart where the hub, or the package it needs, is missing.
    """
    folder = snapshots.model_folder(str(base), lambda folder: _check(folder, str(base)))
    return Sentence(folder, cache) if is_transformer(folder) else Static(folder)


def embed(texts: Sequence[str], model: str | Path) -> Vectors:
    """Vectors of texts: float32 [texts, dimension], each of length 1, so that the product of two is their cosine.

    model: a folder or hub name of static embeddings in model2vec format, or of a sentence encoder (extra `train`). An
    encoder's vectors are kept in slmfit's cache, and not computed twice. Raises as `pretrained` does.
    """
    return pretrained(model, cache_folder()).embed(texts)


def load(folder: Path) -> Embedding:
    """The embedding that was saved in `folder`: LSA, model2vec format or a transformer, told apart by their files."""
    return LSA.load(folder) if (folder / LSA.FILE).is_file() else pretrained(folder)


def _check(folder: Path, base: str) -> None:
    """Raise unless the description in `folder` is that of an embedding; no weight is needed."""
    if is_transformer(folder):
        check_sentence(folder, base)
    elif not (folder / "config.json").is_file():
        fix = f"give static embeddings in model2vec format or a sentence encoder, for example {FITTING}"
        raise UsageError("has no config.json, so it cannot make vectors", where=base, fix=fix)
