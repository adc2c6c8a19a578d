"""The verbs `export` and `eject`."""

from pathlib import Path
from typing import Annotated

import typer

from slmfit.cli.options import option
from slmfit.cli.screen import say, say_written
from slmfit.errors import UsageError


def export(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's folder, or a comparison's for its pick.")],
    format: Annotated[
        str,
        option(
            "--format",
            "folder: a transformers folder, whole; onnx: a run that needs no torch; html: one page that is the "
            "classifier; gguf: for llama.cpp and Ollama.",
            "FORM",
        ),
    ] = "folder",
    hub_folder: Annotated[
        bool, typer.Option("--hub-folder", help="As a repository of the Hugging Face hub, with its card.")
    ] = False,
    output: Annotated[Path | None, option("--output", "Where it goes; none = ID-FORM here.", "PLACE")] = None,
    quantise: Annotated[
        str | None,
        option("--quantise", "onnx: int8, a quarter of the size; gguf: q8_0; none = exactly the run's model.", "HOW"),
    ] = None,
    accept: Annotated[bool, typer.Option("--accept", help="Write what the gate refuses, too; it is recorded.")] = False,
    data: Annotated[
        Path | None, option("--data", "Where the run's data are by now; none = where they were.", "FILE")
    ] = None,
) -> None:
    """Write a run's model in a form that others read."""
    from slmfit.cli import display
    from slmfit.exporting import export as write
    from slmfit.exporting.record import gate_of

    if hub_folder and format != "folder":
        raise UsageError(f"--hub-folder and --format {format} are two forms", fix="ask for one after the other")
    form = "hub" if hub_folder else format
    with display.progress() as listen:
        listen("exporting", {})
        place = write(run, form, output, quantise=quantise, accept=accept, data=data, listen=listen)
    if judged := gate_of(place):
        say(judged.sentence, err=True)
        for reason in judged.reasons:
            say(f"accepted, though {reason}", err=True)
    say_written(place)


def eject(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's folder, or a comparison's for its pick.")],
    output: Annotated[
        Path | None, option("--output", "The script; none = ID.py here; `-` = stdout.", "FILE.py")
    ] = None,
) -> None:
    """Write a run as one readable Python script that predicts without slmfit."""
    from slmfit.ejecting import eject as write

    say_written(write(run, output))
