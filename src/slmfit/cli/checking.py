"""The verb that lets a person check: one key a row, and nobody's answer shown before theirs.

slmfit check left/tickets --rows 150
"""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from slmfit.cli.nexts import say_next
from slmfit.cli.options import Json, option
from slmfit.cli.screen import print_json, say
from slmfit.errors import UsageError

if TYPE_CHECKING:
    from slmfit.checking import Given


def check(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder of `leave`, or of a comparison.")],
    rows: Annotated[int, option("--rows", "How many rows to check.", "N")] = 150,
    as_: Annotated[
        str, option("--as", "Who checks; a second person's answers are kept beside the first's.", "NAME")
    ] = "me",
    json: Json = False,
) -> None:
    """Check rows by hand, blind, one key a row: how often labels and methods are truly right, and whether to leave."""
    from slmfit import checking
    from slmfit.cli.checks import Sitting, show_truth
    from slmfit.comparison.left import RECORD
    from slmfit.records import to_plain

    given = checking.of(out)
    asked = given.asked(rows)
    with checking.answers_of(given, as_) as person:
        sitting = Sitting(given, asked, person)
        if sitting.left and (json or not (sys.stdin.isatty() and sys.stdout.isatty())):
            raise _not_yet(given, sitting.left, len(asked), as_)
        if sitting.left:
            sitting.run()
        left, done = sitting.left, len(asked) - sitting.left
    if left:
        say(f"{done:,} of {len(asked):,} rows are done and kept; the verdict is told when all are.", err=True)
        return say_next(*_words(out, rows, as_))
    found = checking.judged(given, rows)
    if json:
        return print_json(to_plain(found))
    show_truth(found)
    if found.method is not None and (given.folder.parent / RECORD).is_file():
        rest = [] if found.part is None else ["--base-url", "https://api.openai.com/v1"]
        say_next("serve", str(given.folder.parent), "--as-openai", *rest)
    if found.more:
        return say_next(*_words(out, rows + found.more, as_))
    return say_next("report", str(given.folder))


def _words(out: Path, rows: int, name: str) -> list[str]:
    return ["check", str(out), "--rows", str(rows), *(["--as", name] if name != "me" else [])]


def _not_yet(given: "Given", left: int, rows: int, name: str) -> UsageError:
    """A verdict is told once, of the number of rows that was set before: who looks in between and stops when it pleases
    is wrong more often than the intervals say."""
    what = f"{left:,} of {rows:,} rows are not checked yet, and a person has to, at a terminal"
    fix = "go on: " + shlex.join(["slmfit", *_words(given.folder, rows, name)])
    fix += f", or end it where you are: --rows {rows - left}" if left < rows else ""
    return UsageError(what, where=str(given.folder), fix=fix)
