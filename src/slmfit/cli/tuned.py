"""What came of a tuning, on a terminal.

show_tuned(tune(data, "linear", trials=40), ["tickets.csv"], as_json=False)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from slmfit.cli.console import new_console
from slmfit.cli.nexts import say_next
from slmfit.cli.screen import print_json, say
from slmfit.records import to_plain
from slmfit.text.figures import by_unit, number_words, seconds_words, told

if TYPE_CHECKING:
    from slmfit.tuning import Tuned

SHOWN = 8  # trials, the best ones


def show_tuned(tuned: Tuned, data: Sequence[str], *, as_json: bool) -> None:
    """The best trials beside the defaults, and what was kept. data: the words that name them on a command line."""
    record = tuned.record
    if as_json:
        return print_json({"tuning": str(tuned.folder), **to_plain(record)})
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("trial", f"validation {told(record.metric)}", "time", *record.ranges):
        table.add_column(name, justify="left" if name == "trial" else "right")
    ordered = sorted(record.trials, key=lambda one: (one.score is None, -(one.score or 0.0), one.number))
    shown = ordered[:SHOWN]
    for one in shown if record.trials[0] in shown else [*shown, record.trials[0]]:
        score = one.state if one.score is None else by_unit(record.metric, one.score)
        cells = [number_words(one.known[name]) if name in one.known else "" for name in record.ranges]
        name = f"{one.number or 'defaults'}{' ←' if one.number == _kept(tuned) else ''}"
        table.add_row(name, score, seconds_words(one.seconds), *map(escape, cells))
    console = new_console()
    console.print(table)
    console.print()
    console.print(escape(record.sentence), style="bold")
    for caveat in record.caveats:
        console.print(escape(caveat), style="dim")
    say(f"\n{tuned.folder}\nreport: {tuned.folder / 'report.html'}", err=True)
    plain = record.method if record.base_model is None else f"{record.method}={record.base_model}"
    found = f",{record.method}@tuned={tuned.folder}" if record.kept == "best" else ""
    return say_next("compare", *data, "--methods", f"{plain}{found}")


def _kept(tuned: Tuned) -> int:
    return tuned.record.best if tuned.record.kept == "best" else 0
