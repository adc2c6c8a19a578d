"""Features: how often each known term is in a text, weighed by how rare it is (TF-IDF).

Terms are words, pairs of neighbouring words, and runs of characters inside words. The value of a term is
(1 + log count) * idf, where idf was learnt from the rows of training; each block of a text has a length of its own.
"""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from slmfit.ejecting.parts.words import words_of

LENGTHS = (2, 4)  # of runs of characters
BORDER = "\n"  # stands before and behind a word
MOST_COUNTED = 1000
GRID = 2.0**16  # values are multiples of 1 / GRID, so that sums do not depend on their order


def terms_of(text: str) -> dict[str, list[str]]:
    """What is counted of a text, block by block."""
    words = words_of(text)
    found = {"words": words}
    # [pairs]
    found["pairs"] = [f"{one} {other}" for one, other in pairwise(words)]
    # [/pairs]
    # [characters]
    framed = [f"{BORDER}{word}{BORDER}" for word in words]
    found["characters"] = [word[i : i + n] for word in framed for n in LENGTHS for i in range(len(word) - n + 1)]
    # [/characters]
    return found


class Tfidf:
    """The terms and weights in vocabulary.json and features.safetensors."""

    def __init__(self, folder: Path) -> None:
        about = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
        tensors = load_file(folder / "features.safetensors")
        words = about["words"]
        terms = {"words": words}
        # [pairs]
        # A pair is kept as one number: the first word's, times how many words there are, plus the second word's.
        pairs = [divmod(key, len(words)) for key in tensors["pairs"].tolist()]
        terms["pairs"] = [f"{words[one]} {words[other]}" for one, other in pairs]
        # [/pairs]
        # [characters]
        # A run of characters likewise: 1 is the border of a word, from 2 on come the characters of the alphabet.
        terms["characters"] = [_spelled(key, f"?{BORDER}{about['alphabet']}") for key in tensors["grams"].tolist()]
        # [/characters]
        self.shares = about["shares"]
        self.idf = {block: tensors[f"idf.{block}"] for block in about["blocks"]}
        self.column = {block: {term: i for i, term in enumerate(terms[block])} for block in about["blocks"]}

    def weigh(self, text: str) -> tuple[np.ndarray, np.ndarray]:
        """The columns of a text's terms, and their values."""
        columns, values, begin = [np.zeros(0, int)], [np.zeros(0)], 0
        for block, terms in terms_of(text).items():
            known = self.column[block]
            counts = Counter(known[term] for term in terms if term in known)
            if counts:
                own = np.array(list(counts))
                value = (1 + np.log(np.minimum(list(counts.values()), MOST_COUNTED))) * self.idf[block][own]
                value *= self.shares[block] / np.sqrt((value**2).sum())
                columns.append(begin + own)
                values.append(np.rint(value * GRID) / GRID)
            begin += len(known)
        return np.concatenate(columns), np.concatenate(values)


def _spelled(key: int, characters: str) -> str:
    """A run of characters, out of the number that stands for it."""
    run = ""
    while key:
        key, last = divmod(key, len(characters))
        run = characters[last] + run
    return run
