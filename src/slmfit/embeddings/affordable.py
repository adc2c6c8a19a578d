"""How many texts there is time to embed.

    rows = affordable(embedding, texts, budget, later=9_000)       # numbers of texts, in their order
    embedding.embed([texts[i] for i in rows])                      # at once: the vectors are there

Only a sentence encoder is slow enough to ask. What it embeds so it remembers, so that nothing is embedded twice.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from slmfit.embeddings.base import Embedding
from slmfit.embeddings.sentence import Sentence
from slmfit.timing.budget import Budget, Pieces, random_order

LATER = 0.4  # of the time is kept for texts that come afterwards, at most


def affordable(embedding: Embedding, texts: Sequence[str], budget: Budget, later: int = 0) -> NDArray[np.int64]:
    """The numbers of the texts whose vectors there is time for, in order: all, or those first in a random order.

    later: how many more texts will be embedded out of the same time.
    """
    if not isinstance(embedding, Sentence) or not len(texts):
        return np.arange(len(texts))
    order = random_order(len(texts))
    pieces = Pieces(len(texts), budget.left(), later=later, most=LATER, clock=budget.clock)
    return np.sort(order[: embedding.embed_within([texts[i] for i in order], pieces)])


def known(embedding: Embedding, texts: Sequence[str]) -> NDArray[np.int64]:
    """The numbers of the texts whose vectors are at hand: all, but for a sentence encoder's."""
    if not isinstance(embedding, Sentence):
        return np.arange(len(texts))
    return np.flatnonzero([embedding.knows(text) for text in texts])
