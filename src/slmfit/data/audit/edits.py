"""How many words must change to turn one text into another, for many pairs at once.

    words = Words(np.array([0, 1, 2, 0, 9, 2]), start=np.array([0, 3]), length=np.array([3, 3]))
    word_edits(words, np.array([[0, 1]]), limit=np.array([1]))    # ([1], True): one word changed

Landau & Vishkin (1989): with e edits, how far into the first text can one get on each diagonal? All pairs take a step
together; how long two places stay equal is answered by hashes of prefixes and bisection. A pair costs its edits
squared, whatever its length.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slmfit.text.ngrams import scramble

Integers = NDArray[np.int64]

CELLS = 1_000_000  # numbers held at once
_WORK = 50_000_000  # edits squared, summed over pairs: some seconds


@dataclass(frozen=True, slots=True)
class Words:
    """Texts as word ids: text k is ids[start[k] : start[k] + length[k]], one behind the other."""

    ids: Integers
    start: Integers
    length: Integers

    def only(self, rows: Integers) -> Words:
        """The texts at `rows`, in that order; one that is named twice is there twice."""
        length = self.length[rows]
        start = np.cumsum(length) - length
        at = np.arange(length.sum()) + np.repeat(self.start[rows] - start, length)
        return Words(self.ids[at], start, length)


def word_edits(words: Words, pairs: Integers, limit: Integers) -> tuple[Integers, bool]:
    """(m,) words to change, add or drop between the texts of each pair; limit + 1 where it is more.

    pairs: (m, 2) positions of texts, the lower first. limit: (m,) the most edits of interest.
    False beside it when the work ran out: the pairs not reached, last in order, count as more than their limit.
    Two unequal runs pass for equal with a chance of about 2**-64 each.
    """
    edits = limit + 1
    same = SameRun(words.ids)
    done = work = 0
    while done < len(pairs) and work < _WORK:
        width = np.maximum.accumulate(2 * limit[done : done + CELLS // 16] + 3)
        batch = slice(done, done + max(int((np.arange(1, len(width) + 1) * width <= CELLS).sum()), 1))
        edits[batch] = _batch_edits(words, same, pairs[batch], limit[batch])
        work += int((edits[batch] ** 2).sum())
        done = min(batch.stop, len(pairs))
    return edits, done >= len(pairs)


def _batch_edits(words: Words, same: SameRun, pairs: Integers, limit: Integers) -> Integers:
    """reach[p, d] is how far into its first text pair p gets on diagonal d with e edits."""
    start_a, start_b = words.start[pairs].T
    size_a, size_b = words.length[pairs].T
    most = int(limit.max())
    edits = limit + 1
    reach = np.full((len(pairs), 2 * most + 3), -2, np.int64)  # one column to spare on each side
    reach[:, most + 1] = -1
    live = np.arange(len(pairs))
    for e in range(most + 1):
        low, high = most + 1 - e, most + 2 + e
        diagonal = np.arange(-e, e + 1)
        changed, added, dropped = reach[:, low:high] + 1, reach[:, low - 1 : high - 1], reach[:, low + 1 : high + 1] + 1
        i = np.maximum(np.maximum(changed, added), dropped)
        i = np.minimum(i, np.minimum(size_a[live, None], size_b[live, None] - diagonal))
        goal = (size_b - size_a)[live]
        within_reach = abs(diagonal - goal[:, None]) <= (limit[live] - e)[:, None]
        valid = within_reach & (i >= 0) & (i + diagonal >= 0)
        pair, column = np.nonzero(valid)
        a, b = i[valid], i[valid] + diagonal[column]
        room = np.minimum(size_a[live[pair]] - a, size_b[live[pair]] - b)
        i[valid] = a + same.length(start_a[live[pair]] + a, start_b[live[pair]] + b, room)
        i[~valid] = -2
        reach[:, low:high] = i
        column = most + 1 + np.clip(goal, -most - 1, most + 1)
        there = reach[np.arange(len(live)), column] >= size_a[live]
        edits[live[there]] = e
        going = ~there & (limit[live] > e)
        live, reach = live[going], reach[going]
        if not len(live):
            break
    return edits


class SameRun:
    """How many words two places of one array have in common, by hashes of prefixes and bisection."""

    def __init__(self, ids: Integers) -> None:
        self._ids = ids
        self._power = np.cumprod(np.full(len(ids) + 1, 0xD1342543DE82EF95, np.uint64))
        value = scramble(ids.astype(np.uint64))
        self._prefix = np.concatenate([np.zeros(1, np.uint64), np.cumsum(value * self._power[: len(ids)])])

    def length(self, i: Integers, j: Integers, room: Integers) -> Integers:
        """Equal words from `i` and from `j` > `i` on, at most `room`."""
        run = np.zeros(len(i), np.int64)
        live = np.flatnonzero(room > 0)
        live = live[self._ids[i[live]] == self._ids[j[live]]]
        if not len(live):
            return run
        i, j, room = i[live], j[live], room[live]
        shift = self._power[j - i - 1]
        got = np.ones(len(live), np.int64)
        step = 1 << int(room.max()).bit_length() - 1
        while step:
            trial = np.minimum(got + step, room)
            left, right = self._prefix[i + trial] - self._prefix[i], self._prefix[j + trial] - self._prefix[j]
            got = np.where(left * shift == right, trial, got)
            step >>= 1
        run[live] = got
        return run
