"""The verb `export`."""

from pathlib import Path
from typing import Annotated

import typer

from slmfit.cli.options import option
from slmfit.cli.screen import say_written


def export(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's folder, or a comparison's for its pick.")],
    format: Annotated[
        str, option("--format", "folder: an ordinary transformers folder, whole, adapters added in.", "FORM")
    ] = "folder",
    output: Annotated[Path | None, option("--output", "Where it goes; none = ID-FORM here.", "PLACE")] = None,
) -> None:
    """Write a run's model in a form that others read."""
    from slmfit.exporting import export as write

    say_written(write(run, format, output))
