"""Losses and scores over time as CSV, for those who plot their own.

write_curves([Path("slmfit-out/tickets-3fa9c1")], Path("curves.csv"))    # how many lines
method,seed,time,epoch,split,measured,what,value
encoder,0,2026-11-22T10:36:55Z,0.5,train,running,loss,0.693
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from slmfit import storage
from slmfit.reporting import disk
from slmfit.text.cells import guarded

COLUMNS = ("method", "seed", "time", "epoch", "split", "measured", "what", "value")
_ABOUT = {"time": "", "epoch": "", "split": "train", "measured": "evaluated"}  # and what older events left out


def write_curves(folders: Sequence[Path], output: Path) -> int:
    """Write what was measured while the methods trained, a value a line; returns how many lines.

    All trainings of a comparison are in it, seed by seed. Raises as `report` does.
    """
    with storage.undamaged(folders[0] if folders else "."):
        lines = list(_lines(disk.read(folders), folders[0]))
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerows([COLUMNS, *lines])
    storage.make_folder(output.parent)
    storage.write_output(output, buffer.getvalue())
    return len(lines)


def _lines(source: disk.Source, folder: Path) -> Iterator[tuple[Any, ...]]:
    for row in source.methods:
        places = {one.seed: storage.inside(folder, one.run) for one in row.seeds}
        if not places and row.id in source.folders:
            places = {source.records[row.id].seed: source.folders[row.id]}
        known = {"loss", *(name for scores in (row.scores or {}).values() for name in scores)}
        for seed, place in places.items():
            for event in disk.read_lines(place / "events.jsonl"):
                if event.get("event") == "loss":
                    about = [event.get(name, usual) for name, usual in _ABOUT.items()]
                    values = [(what, value) for what, value in event.items() if what in known]
                    yield from ((guarded(row.id), seed, *about, *pair) for pair in values)
