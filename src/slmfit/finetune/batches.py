"""Which rows go through the model together: as many tokens in every batch, and hardly any of them padding.

    for rows in epoch(lengths, tokens=1024, seed=0, epoch=0, strata=labels):
        ...                                         # rows: int64 [batch]

Rows of a like length share a batch, so a batch of short texts has many rows and one of long texts few. Order is a
function of seed and epoch alone, so a training that goes on elsewhere sees the same batches.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

ON_A_CPU = 1024  # tokens of a batch that its caches hold
POOL = 100  # batches that are sorted by length together: more saves padding, fewer keeps batches random


def epoch(
    lengths: np.ndarray, tokens: int, seed: int, epoch: int, *, strata: np.ndarray | None = None, step: int = 1
) -> list[np.ndarray]:
    """The batches of one epoch, every row once, in random order.

    lengths: int [rows], tokens of each row. tokens: of one batch, padding included.
    strata: int [rows]; every stretch of the epoch then holds them in their shares, so that a training which sees
    only a part of its rows sees a stratified one. step: lengths are padded up to a multiple of it.
    """
    random = np.random.default_rng([seed, epoch])
    order = _shuffled(len(lengths), strata, random)
    padded = padded_lengths(lengths, step)
    pool = max(1, int(POOL * tokens / max(1.0, float(padded.mean()))))
    batches: list[np.ndarray] = []
    for begin in range(0, len(order), pool):
        rows = order[begin : begin + pool]
        cut = list(cuts(padded, rows[np.argsort(padded[rows], kind="stable")], tokens))
        batches += [cut[i] for i in random.permutation(len(cut))]
    return batches


def by_length(lengths: np.ndarray, tokens: int, step: int = 1) -> list[np.ndarray]:
    """Batches for prediction, longest first, so that what does not fit into memory shows at once."""
    padded = padded_lengths(lengths, step)
    return list(cuts(padded, np.argsort(padded, kind="stable"), tokens))[::-1]


def cuts(lengths: np.ndarray, rows: np.ndarray, tokens: int) -> Iterator[np.ndarray]:
    """Cut rows, shortest first, into batches of at most `tokens` with padding; a longer row goes alone."""
    begin = 0
    ordered = lengths[rows].tolist()
    for i, length in enumerate(ordered):
        if i > begin and length * (i + 1 - begin) > tokens:
            yield rows[begin:i]
            begin = i
    if len(rows):
        yield rows[begin:]


def padded_lengths(lengths: np.ndarray, step: int) -> np.ndarray:
    """Lengths up to the next multiple of `step`."""
    return -(-lengths // step) * step


def _shuffled(count: int, strata: np.ndarray | None, random: np.random.Generator) -> np.ndarray:
    order = random.permutation(count)
    if strata is None:
        return order
    # The j-th of a stratum's n rows goes to about j/n of the way.
    place = np.empty(count)
    shuffled = strata[order]
    for stratum in np.unique(shuffled):
        where = np.flatnonzero(shuffled == stratum)
        place[where] = (np.arange(len(where)) + random.random(len(where))) / len(where)
    return order[np.argsort(place, kind="stable")]
