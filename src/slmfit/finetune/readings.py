"""Five ways to read which option a language model finds right, none of them best everywhere. Needs no torch.

read("mean", Seen(text=log_likelihoods, tokens=counts))

text        the option's log-likelihood after the question: long options have less of it
mean        the same by token
characters  by character, as lm-evaluation-harness' acc_norm
pmi         less what the option has where nothing is asked (Holtzman et al., 2021): usual words are no answer
letter      the log-likelihood of its letter, the options shown
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

READINGS = ("text", "mean", "characters", "pmi", "letter")  # of equals the first is taken


@dataclass(frozen=True)
class Seen:
    """What was computed of one input's options, float64 or int64 [options] each; None where it was not.

    text, bare, letter: log-likelihoods after the question, after nothing, and of its letter. tokens, characters: of it.
    """

    tokens: np.ndarray
    characters: np.ndarray
    text: np.ndarray | None = None
    bare: np.ndarray | None = None
    letter: np.ndarray | None = None


def read(reading: str, seen: Seen) -> np.ndarray:
    """The score of each option, float64 [options]; higher is better."""
    if reading == "letter":
        assert seen.letter is not None
        return seen.letter
    assert seen.text is not None
    if reading == "pmi":
        assert seen.bare is not None
        return seen.text - seen.bare
    return seen.text / per(reading, seen.tokens, seen.characters)


def per(reading: str, tokens: np.ndarray, characters: np.ndarray) -> np.ndarray:
    """What log-likelihoods are divided by."""
    return {"mean": tokens, "characters": characters}.get(reading, np.ones_like(tokens)).astype(np.float64)
