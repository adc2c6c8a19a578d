"""What a program gives where a list of texts is wanted.

is_frame({"text": ["where is my parcel"]})      # True
"""

from __future__ import annotations

from collections.abc import Mapping, Set


def is_frame(source: object) -> bool:
    """Whether it is columns with names, which as a list would be its names; a single column is none."""
    return isinstance(source, Mapping) or (hasattr(source, "columns") and not hasattr(source, "str"))


def has_no_order(source: object) -> bool:
    """Whether it is a set, or what is one of a dict's: which text a label belongs to cannot be told by their places."""
    return isinstance(source, Set)
