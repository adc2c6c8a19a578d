"""The words that tell a class from the others.

found = telling_words(["refund my card", "card refused", "where is my parcel"], ["billing", "billing", "delivery"])
found["classes"][0]["words"]    # [{"word": "card", "z": 0.9, "texts": 2, "elsewhere": 0}, …]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slmfit.text.ngrams import split_words

MOST = 12  # words of a class
SURE = 1.96  # words below are as likely to be chance

Floats = NDArray[np.float64]


def telling_words(texts: Sequence[str], classes: Sequence[str | None]) -> dict[str, Any]:
    """Per class the words whose odds in its texts are most surely above their odds in all others.

    Log-odds ratio with an informative Dirichlet prior, as a z-score (Monroe, Colaresi & Quinn 2008, "Fightin' Words",
    eqs. 16, 20 and 22). The prior of a word is its count in all texts: heavy, so that a word needs to be frequent in
    the class and not only absent elsewhere. A word counts once per text, so that one text that repeats a word a
    hundred times does not make it the word of its class.

    texts [n]; classes [n], None for rows that have none: they are left out.
    Returns {"rows": n, "classes": [{"name", "words": [{"word", "z", "texts": of the class that have it, "elsewhere":
    other texts that do}]}]}, at most 12 words with z > 1.96 each; no classes where there are fewer than two.
    """
    known = [(text, name) for text, name in zip(texts, classes, strict=True) if name is not None]
    names = sorted({name for _, name in known})
    if len(names) < 2:
        return {"rows": len(known), "classes": []}
    tokens = split_words([text for text, _ in known])
    size = len(tokens.vocabulary)
    row = np.repeat(np.arange(len(known)), np.diff(tokens.offsets))
    row, word = np.divmod(np.unique(row * max(size, 1) + tokens.ids), max(size, 1))
    code = {name: i for i, name in enumerate(names)}
    label = np.array([code[name] for _, name in known])[row]
    order = np.argsort(label, kind="stable")
    word, label = word[order], label[order]
    starts = np.searchsorted(label, np.arange(len(names) + 1))
    everywhere = np.bincount(word, minlength=size)
    found = []
    for i, name in enumerate(names):
        here = np.bincount(word[starts[i] : starts[i + 1]], minlength=size)
        z = log_odds_z(here, everywhere - here)
        best = np.lexsort((np.arange(size), -z))[:MOST]
        words = [
            {
                "word": tokens.vocabulary[w],
                "z": round(float(z[w]), 2),
                "texts": int(here[w]),
                "elsewhere": int(everywhere[w] - here[w]),
            }
            for w in best.tolist()
            if z[w] > SURE
        ]
        found.append({"name": name, "words": words})
    return {"rows": len(known), "classes": found}


def log_odds_z(here: NDArray[np.int64], elsewhere: NDArray[np.int64]) -> Floats:
    """The z-score [V] of each word's log-odds ratio between two corpora of word counts [V]."""
    prior = (here + elsewhere).astype(float)
    weight = prior.sum()

    def log_odds(counts: NDArray[np.int64]) -> Floats:
        held = counts + prior
        return np.log(held / (counts.sum() + weight - held))

    with np.errstate(divide="ignore", invalid="ignore"):  # a corpus of one word has no odds
        delta = log_odds(here) - log_odds(elsewhere)
        z = delta / np.sqrt(1 / (here + prior) + 1 / (elsewhere + prior))
    return np.where(np.isfinite(z), z, 0.0)
