"""The verbs `export` and `eject`."""

from pathlib import Path
from typing import Annotated

import typer

from slmfit.cli.options import option
from slmfit.cli.screen import say, say_written
from slmfit.errors import UsageError


def export(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="A run folder, or a comparison folder for the method it picked.")
    ],
    format: Annotated[
        str,
        option(
            "--format",
            "folder: a complete transformers folder; onnx: a run without PyTorch; html: a web page that runs the "
            "classifier; gguf: for llama.cpp and Ollama.",
            "FORM",
        ),
    ] = "folder",
    hub_folder: Annotated[
        bool, typer.Option("--hub-folder", help="Write a repository for the Hugging Face hub, with its card.")
    ] = False,
    output: Annotated[Path | None, option("--output", "Where it goes; default: ID-FORM here.", "PLACE")] = None,
    quantise: Annotated[
        str | None,
        option(
            "--quantise",
            "onnx: int8, a quarter of the size; gguf: q8_0, half the size; default: exactly the run's model.",
            "HOW",
        ),
    ] = None,
    accept: Annotated[
        bool,
        typer.Option(
            "--accept", help="Export even if the check against the run fails or cannot be made; this is recorded."
        ),
    ] = False,
    data: Annotated[Path | None, option("--data", "Where the run's data is now, if it has moved.", "FILE")] = None,
) -> None:
    """Write a run's model in a format that other tools read."""
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
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="A run folder, or a comparison folder for the method it picked.")
    ],
    output: Annotated[
        Path | None, option("--output", "The script; default: ID.py here; `-` = stdout.", "FILE.py")
    ] = None,
) -> None:
    """Write a run as one readable Python script that predicts without slmfit."""
    from slmfit.ejecting import eject as write

    say_written(write(run, output))
