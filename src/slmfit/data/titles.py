"""What data are called, for people: in a report's title, and as the folder that results go to.

title("tickets.csv.gz")                # "tickets"
title("airline_tweets/train.csv")      # "airline_tweets": many files are called train
"""

from __future__ import annotations

from pathlib import Path

from slmfit.data.hub import Place, is_hub
from slmfit.data.in_memory import NAME, Held, is_held
from slmfit.data.readers.split_names import SPLIT_NAMES

# What files and folders are called whatever is in them; then the folder around them says more.
_ANY = frozenset({*SPLIT_NAMES, "all", "data", "dataset", "labelled", "labeled"})


def title(path: str | Path | Held) -> str:
    """The file's or folder's name without its endings, that of the folder around it where it says nothing (`train`,
    `data`), or the data set's on the hub."""
    if is_held(path):
        return NAME
    if is_hub(path):
        return Place.parse(str(path)).title
    whole = Path(path).resolve()
    own = whole.name if whole.is_dir() else whole.name.removesuffix(".gz").rpartition(".")[0]
    name, around = own, whole
    while name.lower() in _ANY and _may_name(around := around.parent):
        name = around.name
    return own if name.lower() in _ANY else name


def _may_name(folder: Path) -> bool:
    """Whether data may be called after a folder: not after the person whose home it is, nor after what all share."""
    home = Path.home()
    return folder != home and folder.parent not in (folder, Path(folder.anchor), home.parent)
