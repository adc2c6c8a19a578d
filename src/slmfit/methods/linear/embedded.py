"""Vectors of texts as the features of a linear machine, alone or beside what is counted.

    vectors = Embedded.learn(train_texts, "models/potion-base-4m-int8", seed=0)
    vectors.transform(["my card was charged twice"])                     # float64 [1, dimension]
    Beside(tfidf, vectors).transform(["my card was charged twice"])      # CSR float64 [1, terms + dimension]

Values are rounded to multiples of 2 ** -20. Products with float16 weights then add up exactly in float64, in whatever
order, while a machine's weights are shorter than 2 ** 9: one text and a batch give the same bits wherever their vectors
do, as those of LSA and static embeddings.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from slmfit import embeddings
from slmfit.embeddings import Embedding
from slmfit.methods.linear.solver import Floats
from slmfit.text.ngrams import Ints
from slmfit.text.tfidf import Tfidf, side_by_side

GRID = 2.0**20
VECTOR = "(vector)"  # what a text's vector is called among its words


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

    @property
    def whole(self) -> bool:
        """Whether the vector of a text is the same to the last bit whatever texts it comes with."""
        return not isinstance(self.embedding, embeddings.Sentence)

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


class Beside:
    """What is counted, and behind it a vector of the length of a text's words."""

    def __init__(self, counted: Tfidf, vectors: Embedded) -> None:
        self.counted, self.vectors = counted, vectors

    def transform(self, texts: Sequence[str]) -> Any:
        """CSR float64 [texts, terms + dimension]."""
        return beside(self.counted.transform(texts), self.vectors.transform(texts))

    def transform_one(self, text: str) -> tuple[Ints, Floats]:
        """One text: its columns and their values."""
        (columns, values), vector = self.counted.transform_one(text), self.vectors.transform([text])[0]
        return np.concatenate((columns, self.counted.size + np.arange(len(vector)))), np.concatenate((values, vector))

    def parts(self, text: str) -> list[tuple[str, int, float]]:
        """As `Tfidf.parts`; all of the vector is VECTOR's."""
        vector = enumerate(self.vectors.transform([text])[0].tolist(), self.counted.size)
        return [*self.counted.parts(text), *((VECTOR, column, value) for column, value in vector)]

    def save(self, folder: Path) -> None:
        self.counted.save(folder)
        self.vectors.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """As it was saved."""
        return cls(Tfidf.load(folder), Embedded.load(folder))


def beside(counts: Any, vectors: Floats) -> Any:
    """The two side by side: CSR [texts, columns of both]."""
    from scipy.sparse import csr_matrix

    return side_by_side((counts, csr_matrix(vectors)))
