"""What every embedding is, and what they share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from slmfit.errors import DataError

Vectors = NDArray[np.float32]


class Embedding(Protocol):
    """What turns texts into vectors."""

    @property
    def dimension(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """float32 [texts, dimension], each of length 1, or 0 where nothing of the text is known."""
        ...

    def save(self, folder: Path) -> None:
        """Write all that `load` needs into an existing folder."""
        ...


def normalised(vectors: Vectors) -> Vectors:
    """Each row scaled to length 1; rows of zeros stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)


def read_tensors(path: Path) -> dict[str, NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(path)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"cannot be read: {error}", where=str(path), fix="fetch or make the file again") from None
