"""The rows of one split on their way to a dataset, wherever they come from, and the names that splits go by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slmfit.data.read import Placed

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}


@dataclass(frozen=True)
class Part:
    """The rows of one split, or of a file that is still to be split.

    file: what was read, as the user would name it. sha256: of its bytes (of all names and bytes for a folder).
    numbers: of the rows in the file, from 1.
    """

    file: str
    sha256: str
    rows: list[Placed]
    numbers: Sequence[int]
