"""The verbs that show what is there: explore, report, runs.

slmfit explore tickets.csv --output explore.html
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from slmfit.cli.nexts import ask, say_next
from slmfit.cli.options import DataOptions, Json, NoTexts, option, reads_data
from slmfit.cli.screen import say, say_written
from slmfit.errors import UsageError


@reads_data
def explore(
    source: DataOptions,
    output: Annotated[Path, option("--output", "Where the page goes.", "FILE")] = Path("explore.html"),
    json: Json = False,
) -> None:
    """Look at a dataset before anything is fitted: classes, lengths, words, duplicates, doubtful labels."""
    from slmfit import exploring
    from slmfit.cli import display

    data = source.load()
    with display.progress() as listen:
        findings = exploring.explore(data, listen=listen)
    if json:
        display.print_json(findings)
    else:
        exploring.write_page(findings, output)
        display.show_warnings([f["message"] for f in findings["audit"]["findings"] if f["severity"] == "warning"])
        say_written(output)
        say_next("compare", *source.words())


def report(
    folders: Annotated[list[Path], typer.Argument(metavar="RUN...", help="A comparison folder, or runs on one split.")],
    output: Annotated[Path | None, option("--output", "Where it goes; default: report.html in RUN.", "FILE")] = None,
    no_texts: NoTexts = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a table for a pull request instead.")] = False,
    curves: Annotated[
        Path | None, option("--curves", "Also write losses and scores over time to this CSV.", "FILE")
    ] = None,
) -> None:
    """Draw a comparison, or runs on the same split, as one HTML file."""
    from slmfit import reporting as drawing
    from slmfit.text.figures import number_of

    if markdown:
        say(drawing.markdown(folders))
    else:
        say_written(drawing.report(folders, output, texts=not no_texts))
    if curves is not None:
        rows = drawing.write_curves(folders, curves)
        say(f"{number_of(rows, 'line')} of losses and scores over time in {curves}", err=True)
    say_next(*ask(folders[0]))


def runs_(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where to look.")] = Path(),
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete DIR, a run or a comparison; at a terminal you are asked first.")
    ] = False,
    cache: Annotated[bool, typer.Option("--cache", help="Say what the cache holds instead.")] = False,
    prune: Annotated[
        str | None, option("--prune", "Delete one kind of cached data; --cache lists the kinds.", "KIND")
    ] = None,
    json: Json = False,
) -> None:
    """List the runs in a folder and below, or delete one."""
    from slmfit.cli import display
    from slmfit.runs.run import list_runs

    if delete:
        return _delete(folder)
    if cache or prune is not None:
        return _cache(prune, as_json=json)
    if not folder.is_dir():
        raise UsageError("there is no such folder", where=str(folder), fix="check the path")
    return display.show_runs(list_runs(folder), as_json=json)


def _delete(folder: Path) -> None:
    """Ask whoever can be asked, then remove it."""
    from slmfit.runs.deleting import delete
    from slmfit.text.figures import bytes_words
    from slmfit.text.visible import visible

    if sys.stdin.isatty() and sys.stderr.isatty() and not typer.confirm(f"Delete {visible(str(folder))}?", err=True):
        raise typer.Exit(1)
    say(f"{folder} is deleted: {bytes_words(delete(folder))} freed")


def _cache(prune: str | None, *, as_json: bool) -> None:
    """What the cache holds, or what was removed of it."""
    from dataclasses import asdict

    from slmfit.cli.screen import print_json
    from slmfit.runs import deleting
    from slmfit.text.figures import bytes_words, number_of

    found = deleting.cached() if prune is None else [deleting.prune(prune)]
    if as_json:
        return print_json([asdict(one) for one in found])
    for one in found:
        done = "removed" if prune is not None else one.what
        say(f"{one.name:12} {bytes_words(one.bytes):>9}  {number_of(one.files, 'file')}  {done}".rstrip())
    return None if found else say("the cache is empty")
