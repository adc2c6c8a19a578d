"""The door: all that commands print goes through here, so that no name in a user's files is obeyed by the terminal.

Tables and colours have a wing of their own, console.py.

say("notes.csv: read as …")                 # stdout; err=True: stderr
screen().print(table)                       # rich tables and colours
print_json(record)                          # a result for programs
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import typer

from slmfit.streams import is_stdout
from slmfit.text.visible import json_shown, shown, without_keys


def say(text: object, *, err: bool = False) -> None:
    """One message, of one line or several."""
    typer.echo(shown(str(text)), err=err)


def say_written(path: Path) -> None:
    """Where a page is; not where that would end up in the page itself."""
    if not is_stdout(path):
        say(path)


def warn(text: str) -> None:
    """A message on stderr, without the key that an address in it may hold."""
    say(without_keys(text), err=True)


def print_json(value: Any) -> None:
    """One JSON value on stdout."""
    sys.stdout.write(json_shown(json.dumps(value, ensure_ascii=False, indent=1)) + "\n")


def print_line(value: Any) -> None:
    """One JSON value on a line of its own, at once."""
    print(json_shown(json.dumps(value, ensure_ascii=False)), flush=True)
