"""Copies that word order or length hides from the search for twins: words that changed places, a sentence moved, a
greeting added, a text that is contained in another.

    copies_of(["a text of many words …"], ["Hello, … words many of text a"])     # [0]: the text that each is a copy of

The shorter of two texts has nearly all of its words in the longer one, by weight: a word counts for how rare it is. And
that is no chance: so many words as rare as these would not meet once among all pairs if each stood where it stands by
itself. Templated texts of few words, as of assistants, share no more than that by nature.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slmfit.data.audit.edits import Integers
from slmfit.data.audit.near import words_of_each

SHARED = 0.9  # of the shorter text's words, by weight
_MARGIN = 5.0  # times e: how much rarer than once among all pairs the shared words must be
_PAIRS = 4_000_000  # looked at in each direction; with more, only every so many-th asked text
_STEP = 200_000  # at once


def copies_of(known: Sequence[str], asked: Sequence[str]) -> Integers:
    """(asked,) the position of the first known text that each is a copy of, or that is one of it; -1 for none."""
    from scipy.sparse import csr_array

    found = np.full(len(asked), -1)
    if not len(known) or not len(asked):
        return found
    words = words_of_each([*known, *asked])
    size = int(words.ids.max(initial=0)) + 1
    cells = np.unique(np.repeat(np.arange(len(words.length)), words.length) * size + words.ids)
    text, word = cells // size, cells % size
    weight = np.log(len(words.length) / np.maximum(np.bincount(word, minlength=size), 1))
    total = np.bincount(text, weights=weight[word], minlength=len(words.length))
    distinct = np.bincount(text, minlength=len(words.length))
    longer = np.log(np.maximum(distinct / max(float(distinct.mean()), 1.0), 1.0))
    needed = math.log(len(known) * len(asked)) + _MARGIN
    shape = (len(words.length), size)
    every = csr_array((np.ones(len(word), np.float32), (text, word)), shape=shape)
    rare = _rarest(text, word, weight, total) & (total[text] >= needed)
    rarest = csr_array((np.ones(int(rare.sum()), np.float32), (text[rare], word[rare])), shape=shape)
    first, second = slice(0, len(known)), slice(len(known), None)
    for asks, knows, short, long in (
        *((a, k, len(known) + a, k) for a, k in _pairs(rarest[second], every[first])),
        *((a, k, k, len(known) + a) for a, k in _pairs(every[second], rarest[first])),
    ):
        both = (every[short] * every[long]).tocsr()
        shared, number = both @ weight, both @ np.ones(size)
        hit = (shared >= SHARED * total[short]) & (shared - number * longer[long] >= needed)
        asks, knows = asks[hit], knows[hit]
        better = (found[asks] < 0) | (found[asks] > knows)
        found[asks[better][::-1]] = knows[better][::-1]
    return found


def _rarest(text: Integers, word: Integers, weight: NDArray[np.float64], total: NDArray[np.float64]) -> Any:
    """(cells,) whether a word is of the rarest of its text, one of which is in every text that shares enough."""
    order = np.lexsort((-weight[word], text))
    heaviest = weight[word][order]
    before = np.cumsum(heaviest) - heaviest
    start = np.searchsorted(text[order], np.arange(len(total)))
    before -= before[np.minimum(start, max(len(before) - 1, 0))][text[order]]
    rare = np.zeros(len(text), bool)
    rare[order] = before <= (1 - SHARED) * total[text[order]] + 1e-9
    return rare


def _pairs(asked: Any, known: Any) -> Iterator[tuple[Integers, Integers]]:
    """(asked, known) that have a word in common, a part at a time."""
    times = np.bincount(known.indices, minlength=known.shape[1])
    work = asked @ times.astype(np.float64)
    rows = np.flatnonzero(work)[:: max(1, math.ceil(float(work.sum()) / _PAIRS))]
    parts = np.cumsum(work[rows]) // _STEP
    for part in np.unique(parts):
        some = rows[parts == part]
        asks, knows = (asked[some] @ known.T).nonzero()
        yield some[asks], knows.astype(np.int64)
