"""Copies that word order or length hides from the search for twins: words that changed places, a sentence moved, a
greeting added, a text that is contained in another.

    twins = find_duplicates(["a text of many words …", "Hello, … words many of text a"])
    copies_of(twins.words, 1)       # [0]: the text that each from the second on is a copy of, or overlaps

The shorter of two texts has nearly all of its words in the longer one, by weight: a word counts for how rare it is. And
that is no chance: so many words as rare as these would not meet once among all pairs if each stood where it stands by
itself. Templated texts of few words, as of assistants, share no more than that by nature.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slmfit.data.audit.edits import Integers, Words
from slmfit.data.audit.near import ascending
from slmfit.data.audit.overlaps import Runs

MANY_COPIES = 0.1  # of a split's rows: of people's own short texts some are as alike by chance
SHARED = 0.9  # of the shorter text's words, by weight
_MARGIN = 5.0  # times e: how much rarer than once among all pairs the shared words must be
_RARE = 0.25  # of a text's words, by weight: what they share decides whether two texts are looked at
_MEETINGS = 20_000_000  # of a rare word with a text, in each direction; with more, only every so many-th text
_STEP = 1_000_000  # at once
_CHECKED = 1_000_000  # pairs, in each direction; where more are so alike, the first of them are found
_BATCH = 10_000  # of these pairs at once


def copies_of(words: Words, count: int) -> Integers:
    """(n - count,) the first of the first `count` texts that each later one, alone, is a copy of, or that is one of
    it, or that it overlaps; -1 where there is none.
    """
    every = np.arange(len(words.length))
    known, asked = every[:count], every[count:]
    found, _ = Bags(words).copies(known, asked, alone=True)
    return np.where(found >= 0, found, Runs(words).overlapping(known, asked))


class Bags:
    """Texts as sets of words, each weighed by how few of them it is in; read once, to be asked for several parts."""

    def __init__(self, words: Words) -> None:
        from scipy.sparse import csr_array

        n, size = len(words.length), int(words.ids.max(initial=0)) + 1
        cells = ascending(np.repeat(np.arange(n), words.length) * size + words.ids)
        text, word = cells // size, cells % size
        times = np.bincount(word, minlength=size)
        self._weight = np.log(max(n, 1) / np.maximum(times, 1))
        self._total = _sums(text, self._weight[word], n)
        distinct = np.bincount(text, minlength=n)
        self._longer = np.log(np.maximum(distinct / max(float(distinct.mean()) if n else 1.0, 1.0), 1.0))
        met = times[word] > 1  # a word of one text alone is never shared
        spare = (1 - SHARED) * self._total - _sums(text[~met], self._weight[word[~met]], n)
        text, word = text[met], word[met]
        self._every = csr_array((np.ones(len(word), np.float32), (text, word)), shape=(n, size))
        rare = _rarest(text, word, self._weight, self._total) & (spare[text] >= 0)
        self._rarest = csr_array((self._weight[word[rare]].astype(np.float32), (text[rare], word[rare])), (n, size))
        self._least = self._rarest @ np.ones(size) - spare  # what of its rare words a text's copy has at least

    def copies(self, known: Integers, asked: Integers, alone: bool = False) -> tuple[Integers, float]:
        """(asked,) the place in `known` of the first text that each is a copy of, or that is one of it; -1 for none.
        And the share of the texts that were looked at, of which there may be too many.

        alone: chance is that of each asked text, not of all: more are found, where one too many does no harm.
        """
        found = np.full(len(asked), len(known))
        needed = math.log(max(len(known) * (1 if alone else len(asked)), 1)) + _MARGIN * (2 if alone else 1)
        share = 1.0
        for asked_is_shorter in (True, False):
            shorter, longer = (asked, known) if asked_is_shorter else (known, asked)
            able = np.flatnonzero(self._total[shorter] >= needed)
            shorter = shorter[able]
            rarest, every = self._rarest[shorter], self._every[longer]
            work = _meetings(rarest, every)
            step = max(1, math.ceil(float(work.sum()) / _MEETINGS))
            share = min(share, 1 / step)
            for one, other in _pairs(rarest, every, self._least[shorter], work, step):
                hit = self._alike(shorter[one], longer[other], needed)
                asks, knows = (able[one[hit]], other[hit]) if asked_is_shorter else (other[hit], able[one[hit]])
                np.minimum.at(found, asks, knows)
        return np.where(found < len(known), found, -1), share

    def _alike(self, shorter: Integers, longer: Integers, needed: float) -> NDArray[np.bool_]:
        """(pairs,) whether the longer text has nearly all of the shorter's words, and these are rare enough."""
        both = (self._every[shorter] * self._every[longer]).tocsr()
        shared, number = both @ self._weight, both @ np.ones(len(self._weight))
        enough = shared - number * self._longer[longer] >= needed  # in a longer text every word is likelier
        return np.asarray(enough & (shared >= SHARED * self._total[shorter]))


def _sums(text: Integers, weight: NDArray[np.float64], texts: int) -> NDArray[np.float64]:
    return np.asarray(np.bincount(text, weights=weight, minlength=texts), np.float64)


def _rarest(text: Integers, word: Integers, weight: NDArray[np.float64], total: NDArray[np.float64]) -> Any:
    """(cells,) whether a word is of the rarest of its text, which are looked at first."""
    if not len(text):
        return np.zeros(0, bool)
    order = np.lexsort((-weight[word], text))
    heaviest = weight[word][order]
    before = np.cumsum(heaviest) - heaviest
    start = np.searchsorted(text[order], np.arange(len(total)))
    before -= before[np.minimum(start, max(len(before) - 1, 0))][text[order]]
    rare = np.zeros(len(text), bool)
    rare[order] = before <= _RARE * total[text[order]] + 1e-9
    return rare


def _meetings(rarest: Any, every: Any) -> NDArray[np.float64]:
    """(shorter,) how often the rare words of each meet a longer text."""
    if not rarest.nnz:
        return np.zeros(rarest.shape[0])
    return np.asarray((rarest > 0) @ np.bincount(every.indices, minlength=every.shape[1]).astype(np.float64))


def _pairs(
    rarest: Any, every: Any, least: NDArray[np.float64], work: NDArray[np.float64], step: int
) -> Iterator[tuple[Integers, Integers]]:
    """(shorter, longer) where the longer text has enough of the shorter's rare words, a part at a time."""
    rows = np.flatnonzero(work)[::step]
    parts = np.cumsum(work[rows]) // _STEP
    checked, columns = 0, every.T.tocsr()
    for part in np.unique(parts):
        some = rows[parts == part]
        met = (rarest[some] @ columns).tocoo()
        enough = met.data >= least[some[met.row]] - 1e-3
        one, other = some[met.row[enough]], met.col[enough].astype(np.int64)
        for begin in range(0, len(one), _BATCH):
            yield one[begin : begin + _BATCH], other[begin : begin + _BATCH]
        checked += len(one)
        if checked > _CHECKED:
            return
