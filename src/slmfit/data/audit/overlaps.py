"""Texts that were cut from one: the end of one is the start of another, or one stands whole inside the other.

    twins = find_duplicates(["one two … nine ten", "seven eight nine ten … twenty"])
    Runs(twins.words).overlapping(known, asked)    # (asked,) the first known text that each overlaps; -1 for none

Windows that slide over a document, chunks that repeat the last words of the one before, a conversation so far. The run
of words that both have is too long for chance: each word counts for how unlikely it is behind the one before it, which
is learnt from these texts. There a pair of words that few have counts once for each pair of words around it, so that
copies of a passage do not make it likely; what many have is likely, so that templates need long runs.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from slmfit.data.audit.edits import Integers, SameRun, Words
from slmfit.data.audit.near import WORDS_PER_EDIT
from slmfit.text.ngrams import scramble

SHARED = 0.1  # of the shorter text's words, in a run
_START = 5  # words of a text's start that are looked for in others
_SLACK = 1  # words at an edge that may be cut in the middle
_MARGIN = 5.0  # times e: how much rarer than once among all places a run must be
_CROWD = 20  # texts that have it; what more of them have is how one writes there
_PAIRS = 1_000_000  # of a start and a place that has it; with more, the commonest starts are left out
_FACTOR = np.uint64(0xD1342543DE82EF95)
_BITS = 22  # of the table that says which starts there are


class Runs:
    """Texts as runs of words; read once, to be asked for several parts."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._same = SameRun(words.ids)
        self._text = np.repeat(np.arange(len(words.length)), words.length)
        ids = words.ids.astype(np.uint64)
        mixed = np.zeros(max(len(ids) - _START + 1, 0), np.uint64)
        for k in range(_START):
            mixed *= _FACTOR
            mixed += ids[k : k + len(mixed)]
        self._hash = scramble(mixed)
        self._unlikely: NDArray[np.float64] | None = None

    def overlapping(self, known: Integers, asked: Integers, enough: float = 0.0) -> Integers:
        """(asked,) the place in `known` of the first text that each overlaps; -1 for none.

        enough: where no more than this many asked texts may be found, none is, which spares the proof.
        """
        found = np.full(len(asked), len(known))
        place = np.full(len(self._words.length), -1)
        place[known], of_asked = np.arange(len(known)), np.full(len(place), -1)
        of_asked[asked] = np.arange(len(asked))
        pairs = [self._met(asked, known), self._met(known, asked)]
        met = np.concatenate([self._text[pairs[0][0]], self._text[pairs[1][1]]])
        if len(np.unique(met)) <= enough:
            return np.full(len(asked), -1)
        places = int(self._words.length[known].sum()) * max(len(asked), 1)
        for (start, at, run), asked_starts in zip(pairs, (True, False), strict=True):
            rare = self._surprise(start, run) >= math.log(max(places, 1)) + _MARGIN
            one, other = self._text[start[rare]], self._text[at[rare]]
            asks, knows = (one, other) if asked_starts else (other, one)
            np.minimum.at(found, of_asked[asks], place[knows])
        return np.where(found < len(known), found, -1)

    def _met(self, starting: Integers, having: Integers) -> tuple[Integers, Integers, Integers]:
        """Where texts start, where others have these words, and how many go on alike, to the end of one of them."""
        words = self._words
        head = (words.start[starting][:, None] + np.arange(_SLACK + 1)).ravel()
        end = np.repeat((words.start + words.length)[starting], _SLACK + 1)
        head = head[head + _START <= end]
        inside = np.zeros(len(words.length), bool)
        inside[having] = True
        table = np.zeros(1 << _BITS, bool)
        table[self._hash[head] >> np.uint64(64 - _BITS)] = True
        at = np.flatnonzero(table[self._hash >> np.uint64(64 - _BITS)])
        at = at[inside[self._text[at]] & (self._text[at] == self._text[at + _START - 1])]
        start, at = _joined(head, self._hash[head], at, self._hash[at])
        left, right = ((words.start + words.length)[self._text[k]] - k for k in (start, at))
        run = self._same.length(np.minimum(start, at), np.maximum(start, at), np.minimum(left, right))
        one, other = words.length[self._text[start]], words.length[self._text[at]]
        good = (run >= _START) & (run >= np.minimum(left, right) - _SLACK) & (run >= SHARED * np.minimum(one, other))
        longer = np.maximum(one, other)
        # With hardly a word more they are twins, or nearly; of texts of fewer than ten words nothing else says so.
        good &= (run < longer - 2 * _SLACK) | (longer < WORDS_PER_EDIT)
        return start[good], at[good], run[good]

    def _surprise(self, start: Integers, run: Integers) -> NDArray[np.float64]:
        if self._unlikely is None:
            self._unlikely = np.concatenate([[0.0], np.cumsum(_unlikely(self._words, self._text))])
        return np.asarray(self._unlikely[start + run] - self._unlikely[start])


def _joined(
    one: Integers, keys: NDArray[np.uint64], other: Integers, others: NDArray[np.uint64]
) -> tuple[Integers, Integers]:
    """All pairs of a place under `one` and a place under `other` with the same key, but of the commonest keys."""
    order = np.argsort(others, kind="stable")
    other, others = other[order], others[order]
    first = np.searchsorted(others, keys)
    times = np.searchsorted(others, keys, side="right") - first
    times[times > _CROWD] = 0
    rarest = np.argsort(times, kind="stable")
    kept = rarest[: int(np.searchsorted(np.cumsum(times[rarest]), _PAIRS, side="right"))]
    times, first = times[kept], first[kept]
    left = np.repeat(one[kept], times)
    right = other[np.repeat(first - (np.cumsum(times) - times), times) + np.arange(int(times.sum()))]
    return left, right


def _unlikely(words: Words, text: Integers) -> NDArray[np.float64]:
    """(words,) -log of each word's chance behind the word before it, as other places have them."""
    ids = words.ids
    n = len(ids)
    none = int(ids.max(initial=0)) + 1
    begins = np.ones(n, bool)
    begins[1:] = text[1:] != text[:-1]
    before = np.where(begins, none, np.roll(ids, 1))
    ends = np.roll(begins, -1)
    after = np.where(ends, none, np.roll(ids, -1))
    two_before = np.roll(before, 1)
    two_before[begins] = none
    size = none + 1
    pair = before * size + ids
    around = scramble(scramble(pair.astype(np.uint64)) + (two_before * size + after).astype(np.uint64))
    first = np.unique(around, return_index=True)[1]  # each pair of words once for each pair around it
    kinds, number, times = np.unique(pair, return_inverse=True, return_counts=True)
    times = np.where(times > _CROWD, times, np.bincount(number[first], minlength=len(kinds)))
    every = np.bincount(ids, minlength=size)
    of_word = np.where(every > _CROWD, every, np.bincount(ids[first], minlength=size))
    of_before = np.bincount(kinds // size, weights=times, minlength=size)
    followers = np.bincount(kinds // size, minlength=size)
    alone = np.maximum(of_word[ids] - 1.0, 0.5) / max(float(of_word.sum()), 1.0)
    chance = (times[number] - 1.0 + followers[before] * alone) / np.maximum(of_before[before], 1)
    return np.asarray(-np.log(np.minimum(chance, 1.0)))
