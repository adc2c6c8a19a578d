"""BLAS on one thread for a while, so that we share the work out ourselves, or not at all.

with one_blas_thread():
    product = rows @ query  # a product this small waits longer for a second thread than it gains by it
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

_lock = threading.Lock()
_inside = 0
_limits: Any = None


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """The setting is the process's, so the first to enter makes it and the last to leave undoes it."""
    global _inside, _limits
    blas, _ = _blas()
    with _lock:
        if _inside == 0:
            _limits = blas.limit(limits=1)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                _limits.restore_original_limits()


def blas_threads() -> int:
    """How many threads BLAS was set to use when first asked: the cores, or what OMP_NUM_THREADS and its kin say."""
    return _blas()[1]


@cache
def _blas() -> tuple[Any, int]:
    from threadpoolctl import ThreadpoolController

    blas = ThreadpoolController().select(user_api="blas")
    return blas, max((library["num_threads"] for library in blas.info()), default=1)
