"""What `stress` and `compare --stress` found, in a table.

show_stressed({"linear": record, "llm": "a server answers for it, …"})
"""

from __future__ import annotations

from collections.abc import Mapping

from rich.markup import escape
from rich.table import Table

from slmfit.cli.console import new_console
from slmfit.cli.screen import say
from slmfit.reporting.stressed import stressed
from slmfit.runs.stressed import StressRecord
from slmfit.text.figures import told


def show_stressed(found: Mapping[str, StressRecord | str]) -> None:
    """Kind by kind, the methods one below the other; why some were not asked, or some kinds not tried."""
    for id, reason in found.items():
        if isinstance(reason, str):
            say(f"{id} was not asked again: {reason}", err=True)
    view = stressed({id: record for id, record in found.items() if not isinstance(record, str)})
    if view is None:
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("written otherwise", "method"):
        table.add_column(name)
    names = ("rows", told(view["metric"]), "then", "single draws", "drop", "95 % interval")
    for name in (*names, "right → wrong", "wrong → right"):
        table.add_column(name, justify="right")
    for kind in view["kinds"]:
        for at, line in enumerate(kind["lines"]):
            drop, interval = line["drop"]
            drop = f"[bold]{drop}[/]" if line["differs"] else drop
            cells = (f"{line['rows']:,}", line["before"], line["after"], line["draws"])
            turned = (line["right_to_wrong"], line["wrong_to_right"])
            table.add_row("" if at else kind["kind"], escape(line["id"]), *cells, drop, interval, *turned)
    new_console().print(table)
    for kind_left_out, reason in view["left_out"]:
        say(f"not tried: {kind_left_out}, as {reason}", err=True)
    say(f"{view['rows']:,} of {view['of']:,} test rows were asked again; drops are in points.", err=True)
