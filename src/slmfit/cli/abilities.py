"""What slmfit and this machine can do, as tables: methods, and what `doctor` found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.markup import escape
from rich.table import Table

from slmfit.cli.console import new_console
from slmfit.cli.nexts import say_next
from slmfit.cli.screen import print_json
from slmfit.methods import list_methods
from slmfit.text.figures import bytes_words


def show_methods(*, as_json: bool) -> None:
    """The table of methods with what each needs."""
    rows = list_methods()
    if as_json:
        return print_json(rows)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("method", "what it does", "ready"):
        table.add_column(name)
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in (row["name"], row["summary"], row["missing"] or "yes")))
    new_console().print(table)
    return say_next("compare", "DATA")


def show_doctor(findings: Mapping[str, Any], *, as_json: bool) -> None:
    """What `doctor.examine` found."""
    if as_json:
        return print_json(findings)
    about = findings["environment"]
    lines = {
        "slmfit": about["slmfit"],
        "python": about["python"],
        "machine": f"{about['processor']}, {about['cores']} cores, {bytes_words(findings['memory_bytes'])}",
        "gpu": findings["gpu"],
        **{f"extra {name}": state for name, state in findings["extras"].items()},
        **{f"key {name}": state for name, state in findings["keys"].items()},
        **{f"hub {name}": value for name, value in findings["hub"].items()},
        "cache": findings["cache"],
    }
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in lines.items():
        table.add_row(name, escape(str(value)))
    new_console().print(table)
    return say_next("demo")
