"""From files to a dataset: read, choose columns, merge labels, split, audit.

load_data("tickets.csv").train[0]
"""

from slmfit.data.load import load_data

__all__ = ["load_data"]
