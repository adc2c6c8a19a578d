"""A run that is opened to answer texts: whether they may go to a server that nobody here has named is asked first."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from slmfit.cli.options import option
from slmfit.text.visible import visible

if TYPE_CHECKING:
    from slmfit.runs.run import Run

AllowHost = Annotated[
    str | None,
    option(
        "--allow-host",
        "llm: let the run send texts to this server, even if it was never named on this machine.",
        "HOST",
    ),
]


def opened(folder: str, allow_host: str | None) -> Run:
    """The run; somebody at a terminal is asked about its host. Who says no gets the run's own UnsafeError later."""
    from slmfit.runs.run import load

    run = load(folder, allow_host=allow_host)
    if run.record.method != "llm" or not _at_a_terminal():
        return run
    host = run.method.unknown_host
    if host and host != (allow_host or "").lower():
        question = f"This run sends your texts to {visible(host)}, which was never named on this machine. Allow it?"
        run.allow_host = host if typer.confirm(question, err=True) else None
    return run


def _at_a_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()
