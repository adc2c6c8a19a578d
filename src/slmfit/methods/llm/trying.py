"""One token, or the answer written out: which of the two a model does better with, by a few rows of validation.

    rows = drawn(validation, asked_later=300, seed=0)
    whole_is_better([True, True, False], [True, False, False])       # False: one row more may be chance

One token is the cheaper by far, and has probabilities; what is dearer has to be better for certain.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import comb
from random import Random

from slmfit.records import Example

_MOST, _LEAST, _SHARE = 32, 16, 0.1  # rows that are tried: of those that are asked later this share
_CHANCE = 0.05


def drawn(validation: Sequence[Example], asked_later: int, seed: int) -> list[Example]:
    """The rows to try."""
    rows = [example for example in validation if example.target is not None]
    count = min(len(rows), _MOST, max(_LEAST, round(_SHARE * asked_later)))
    return Random(seed).sample(rows, count)


def whole_is_better(whole: Sequence[bool], short: Sequence[bool]) -> bool:
    """Whether the answer written out is right more often, and not by chance (sign test)."""
    gained = sum(a and not b for a, b in zip(whole, short, strict=True))
    lost = sum(b and not a for a, b in zip(whole, short, strict=True))
    tried = gained + lost
    return sum(comb(tried, k) for k in range(gained, tried + 1)) < _CHANCE * 2**tried
