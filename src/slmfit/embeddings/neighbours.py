"""Exact nearest neighbours among L2-normalised vectors: every similarity is computed, few are sorted.

    ids, similarities = nearest(queries, rows, k=10)    # [queries, 10] each, best first

A block of queries meets a chunk of rows in one matrix product, which is where the time should go. What comes after
must not cost as much again, so the similarities are first reduced to the best of every 16 rows; the k-th best of
those is a floor that at least k rows reach and hardly more, and only the rows that reach it are sorted.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Self

import numpy as np
from numpy.typing import NDArray

from slmfit.embeddings.base import Vectors
from slmfit.embeddings.threads import blas_threads, one_blas_thread

BLOCK = 512  # queries at a time: a matrix product needs that many to run at full speed
CHUNK = 4_096  # rows at a time: their products with a block, 8 MB, are sifted while they are still in the cache
GROUP = 16  # rows that are represented by the best of them
ID_BITS = 23
MOST_ROWS = 1 << ID_BITS


def nearest(queries: Vectors, rows: Vectors, k: int, scale: Vectors | None = None) -> tuple[NDArray[np.int64], Vectors]:
    """The k rows with the largest product with each query, best first; equal ones in the order of their ids.

    queries [q, d] and rows [n, d] are float32 and C-contiguous; where both are of length 1 the product is the cosine.
    scale [n]: what the products with each row are multiplied by. With `whole` vectors and `scale` one over the rows'
    lengths, similarities have the same bits in any batch; else they may differ in the last bits between batches.
    Returns ids and products, both [q, min(k, n)]. Same input, same bits, on however many threads.
    Raises ValueError for more than 8,388,607 rows.
    """
    if len(rows) >= MOST_ROWS:
        raise ValueError(f"{len(rows):,} rows; at most {MOST_ROWS - 1:,} can be searched")
    k = min(k, len(rows))
    ids = np.empty((len(queries), k), np.int64)
    similarities = np.empty((len(queries), k), np.float32)
    starts = iter(range(0, len(queries), BLOCK))

    def work() -> None:
        buffer = np.empty((min(CHUNK, len(rows)) + GROUP) * min(BLOCK, len(queries)), np.float32)
        for start in starts:  # shared: each thread takes the next block that is left
            block = slice(start, start + BLOCK)
            ids[block], similarities[block] = _search(queries[block], rows, k, scale, buffer)

    with one_blas_thread():
        _in_threads(work, min(blas_threads(), -(-len(queries) // BLOCK)))
    return ids, similarities


def whole(vectors: Vectors) -> NDArray[np.int8]:
    """Vectors of the same directions [n, d] in whole numbers: a quarter of the bytes, and products without rounding.

    A row's largest number becomes 127, or its length 4,000 where that is less. No partial sum of a product then
    exceeds 4,096 * 4,096 = 2 ** 24 (Cauchy and Schwarz, up to d = 36,000), and float32 holds every whole number up
    to there: in whatever order BLAS adds, the sum is exact.
    """
    largest = np.abs(vectors).max(axis=1, initial=0, keepdims=True)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    with np.errstate(divide="ignore"):
        factors = np.where(largest > 0, np.minimum(127 / largest, 4000 / lengths), 0)
    return np.rint(vectors * factors).astype(np.int8)


class Index:
    """Rows to be searched again and again, by cosine; kept as `whole` numbers, so that any batch finds the same.

    index = Index.of(embedding.embed(texts))
    ids, cosines = index.search(embedding.embed(queries), k=10)     # [queries, 10] each, best first
    """

    def __init__(self, rows: NDArray[np.int8]) -> None:
        """rows: [n, d], as `whole` makes them."""
        self.rows, self._matrix = rows, rows.astype(np.float32)
        self._inverse = _inverse_lengths(self._matrix)

    @classmethod
    def of(cls, vectors: Vectors) -> Self:
        return cls(whole(vectors))

    def search(self, vectors: Vectors, k: int) -> tuple[NDArray[np.int64], Vectors]:
        """The k rows nearest to each of `vectors` [q, d]: their numbers and cosines, both [q, min(k, n)]."""
        queries = whole(vectors).astype(np.float32)
        ids, products = nearest(queries, self._matrix, k, self._inverse)
        return ids, products * _inverse_lengths(queries)[:, None]


def _inverse_lengths(vectors: Vectors) -> Vectors:
    """1 / length of each row, 0 where it is 0."""
    lengths = np.linalg.norm(vectors, axis=1)
    return np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > 0)


def _in_threads(work: Callable[[], None], threads: int) -> None:
    """Run `work` once in each of so many threads: so the sorting is shared out, and not only the products."""
    if threads <= 1:  # a pool would cost a single text more than the search
        work()
        return
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(work) for _ in range(threads)]:
            done.result()


def _search(
    queries: Vectors, rows: Vectors, k: int, scale: Vectors | None, buffer: Vectors
) -> tuple[NDArray[np.int64], Vectors]:
    """`nearest` for one block of queries; `buffer` has room for the products of one chunk of rows."""
    floor = np.full(len(queries), np.finfo(np.float32).min)  # no row below it can be among the k best
    keys = np.empty(0, np.uint64)
    for start in range(0, len(rows), CHUNK):
        factors = None if scale is None else scale[start : start + CHUNK]
        products = _products(queries, rows[start : start + CHUNK], factors, buffer)
        best = products.max(axis=0)
        if len(best) > k:
            np.maximum(floor, np.partition(best.T, len(best) - k, axis=1)[:, len(best) - k], out=floor)
        group, query = np.divmod(np.flatnonzero(best >= floor), len(queries))
        members = products[:, group, query]
        place, hit = np.nonzero(members >= floor[query])
        row = place * len(best) + group[hit] + start
        keys = np.concatenate([keys, _keys(query[hit], members[place, hit], row)])
        if len(keys) > 4 * k * len(queries):
            keys = _cut(keys, k)
    return _unpack(_cut(keys, k).reshape(len(queries), k))


def _products(queries: Vectors, rows: Vectors, scale: Vectors | None, buffer: Vectors) -> Vectors:
    """Products [GROUP, groups, queries]: that of row i is at [i // groups, i % groups]; past the last row, -inf."""
    groups = -(-len(rows) // GROUP)
    products = buffer[: GROUP * groups * len(queries)].reshape(-1, len(queries))
    np.matmul(rows, queries.T, out=products[: len(rows)])
    if scale is not None:
        products[: len(rows)] *= scale[:, None]
    products[len(rows) :] = -np.inf
    return products.reshape(GROUP, groups, len(queries))


def _keys(query: NDArray[np.int64], similarity: Vectors, row: NDArray[np.int64]) -> NDArray[np.uint64]:
    """One integer per pair that sorts by query, then falling similarity, then row: sorting integers is fast.

    The bits of a float32 compare like an integer once the sign bit is flipped, and all bits of negative numbers.
    """
    bits = (similarity + np.float32(0)).view(np.uint32)  # -0.0 + 0.0 is 0.0, so that the two are equal
    rising = np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31))
    keys = np.left_shift(query, 32 + ID_BITS, dtype=np.uint64, casting="unsafe")
    keys |= np.left_shift(~rising, ID_BITS, dtype=np.uint64)
    keys |= row.astype(np.uint64)
    return keys


def _unpack(keys: NDArray[np.uint64]) -> tuple[NDArray[np.int64], Vectors]:
    """Rows and similarities of keys."""
    rising = ~(keys >> ID_BITS).astype(np.uint32)
    bits = np.where(rising >> 31, rising & np.uint32(0x7FFFFFFF), ~rising)
    return (keys & np.uint64(MOST_ROWS - 1)).astype(np.int64), bits.view(np.float32)


def _cut(keys: NDArray[np.uint64], k: int) -> NDArray[np.uint64]:
    """The first k keys of each query, sorted."""
    keys = np.sort(keys)
    query = (keys >> (32 + ID_BITS)).astype(np.int64)
    rank = np.arange(len(keys)) - np.searchsorted(query, np.arange(BLOCK))[query]
    return keys[rank < k]
