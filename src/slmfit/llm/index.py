"""Where a key stands in a file: 16 bytes a key, so that a hundred thousand calls do not fill the memory.

    index = Index()
    index.add(key, offset)
    index.find(key)          # the offset; None for a key never added

Only the first 16 hex digits are kept: whoever reads the place found checks that it is of the same key. One thread may
add while another finds.
"""

from __future__ import annotations

import numpy as np

_LOOSE = 4096


class Index:
    """Key (hex) -> offset: a sorted table, and a few loose ones that are sorted in now and then."""

    def __init__(self) -> None:
        self._table = np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.uint64)
        self._loose: dict[int, int] = {}

    def add(self, key: str, offset: int) -> None:
        self._loose[int(key[:16], 16)] = offset
        if len(self._loose) >= _LOOSE:
            self._sort_in()

    def find(self, key: str) -> int | None:
        short = int(key[:16], 16)
        if (offset := self._loose.get(short)) is not None:
            return offset
        keys, offsets = self._table
        at = int(np.searchsorted(keys, np.uint64(short)))
        return int(offsets[at]) if at < len(keys) and int(keys[at]) == short else None

    def _sort_in(self) -> None:
        keys = np.concatenate([self._table[0], np.array(list(self._loose), dtype=np.uint64)])
        offsets = np.concatenate([self._table[1], np.array(list(self._loose.values()), dtype=np.uint64)])
        order = np.argsort(keys, kind="stable")
        self._table = keys[order], offsets[order]
        self._loose = {}  # after the table, so that whoever finds meanwhile meets each key in one of them
