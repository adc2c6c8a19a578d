"""From files to a dataset: read, choose columns, merge labels, split, audit.

load_data("tickets.csv").train[0]
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from slmfit.data.load import load_data

__all__ = ["load_data"]


def __getattr__(name: str) -> Any:
    """Whoever predicts reads no files, and does not wait for what reads them."""
    if name != "load_data":
        raise AttributeError(f"module 'slmfit.data' has no attribute {name!r}")
    from slmfit.data.load import load_data

    return load_data
