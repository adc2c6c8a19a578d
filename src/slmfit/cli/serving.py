"""The verbs that answer over HTTP: serve, ui."""

from pathlib import Path
from typing import Annotated, Any

import typer

from slmfit.cli.answering import Theirs
from slmfit.cli.hosts import AllowHost
from slmfit.cli.options import option
from slmfit.cli.screen import say


def serve(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN...", help="Runs or comparisons; NAME=RUN to be asked for by that name.")
    ],
    host: Annotated[str, option("--host", "Where to listen; another than this machine needs a token.")] = "127.0.0.1",
    port: Annotated[int, option("--port", "0 = any that is free.")] = 8000,
    token: Annotated[
        str | None, option("--token", "What clients must show; better SLMFIT_TOKEN, which no list of processes shows.")
    ] = None,
    name: Annotated[
        list[str] | None, option("--name", "A host name that it is reached by, beside localhost and addresses.", "HOST")
    ] = None,
    keep_deferred: Annotated[
        str | None,
        option("--keep-deferred", "Add what a cascade leaves to its large part to this file, to learn from."),
    ] = None,
    as_openai: Annotated[
        bool,
        typer.Option("--as-openai", help="RUN is what `leave` wrote: answer requests as in its log."),
    ] = False,
    method: Theirs = None,
    allow_host: AllowHost = None,
) -> None:
    """Answer over HTTP what `predict` answers."""
    from slmfit.serving import serve as answer

    def told(serving: object) -> None:
        url, lines = serving.url, serving.service.lines  # type: ignore[attr-defined]
        for line in lines.values():
            asked = "chat/completions" if as_openai else line.about["kind"]
            say(f"{line.name}: {line.about['task']} by {line.about['method']}, POST {url}/v1/{asked}")
        say(f"{url}/docs says how; Ctrl-C ends it")

    more: dict[str, Any] = {
        "method": method,
        "allow_host": allow_host,
        "keep_deferred": keep_deferred,
        "as_openai": as_openai,
    }
    answer(runs, host=host, port=port, token=token, names=name or (), told=told, **more)


def ui(
    folder: Annotated[
        Path, typer.Argument(metavar="[FOLDER]", help="Where it works: it sees nothing outside.")
    ] = Path(),
    host: Annotated[str, option("--host", "Where to listen.")] = "127.0.0.1",
    port: Annotated[int, option("--port", "0 = any that is free.")] = 8765,
    token: Annotated[
        str | None,
        option("--token", "What a browser must show; none = SLMFIT_TOKEN, or one that the folder keeps."),
    ] = None,
    name: Annotated[
        list[str] | None, option("--name", "A host name that it is reached by, beside localhost and addresses.", "HOST")
    ] = None,
) -> None:
    """Do all of it in the browser: data, comparing, trying, handing over."""
    from slmfit.ui import open_page

    def told(address: str) -> None:
        say(f"{address}\nCtrl-C ends the page; what it started goes on")

    open_page(folder, host=host, port=port, token=token, names=name or (), told=told)
