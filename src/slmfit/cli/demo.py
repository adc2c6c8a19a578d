"""The demo: support tickets written by the package itself, and the base methods compared on them."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from slmfit import storage
from slmfit.comparison.compare import Comparison, compare
from slmfit.comparison.folder import claim
from slmfit.data.load import load_data
from slmfit.data.split import checked_seed
from slmfit.events import Listener
from slmfit.generating import write_tickets

ROWS = 3000


def run_demo(out: Path, *, seed: int = 0, command: str = "", listen: Listener | None = None) -> Comparison:
    """Write `out/data/tickets.csv`, then compare on it what runs without torch, network or key."""
    seed = checked_seed(seed)
    claim(out)
    path = out / "data" / "tickets.csv"
    storage.make_folder(path.parent)
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, ["id", "text", "label"], extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(write_tickets(ROWS, seed))
    storage.write_text(path, buffer.getvalue())
    data = load_data(path, seed=seed)
    return compare(data, out=out, seed=seed, command=command, listen=listen)
