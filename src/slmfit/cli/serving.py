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
    host: Annotated[
        str, option("--host", "Address to listen on; any but this machine's own requires a token.")
    ] = "127.0.0.1",
    port: Annotated[int, option("--port", "0 picks a free port.")] = 8000,
    token: Annotated[
        str | None,
        option("--token", "Token clients must send; prefer SLMFIT_TOKEN, which the process list does not show."),
    ] = None,
    name: Annotated[
        list[str] | None, option("--name", "Extra host name to accept, besides localhost and IP addresses.", "HOST")
    ] = None,
    keep_deferred: Annotated[
        str | None,
        option(
            "--keep-deferred",
            "Append to this file each row a cascade passes to its large model, with its answer, to train on.",
        ),
    ] = None,
    as_openai: Annotated[
        bool,
        typer.Option("--as-openai", help="RUN is what `leave` wrote: answer requests as in its log."),
    ] = False,
    base_url: Annotated[
        str | None,
        option("--base-url", "With --as-openai: pass everything else to this API (its URL up to /v1).", "URL"),
    ] = None,
    method: Theirs = None,
    allow_host: AllowHost = None,
) -> None:
    """Serve predictions over HTTP."""
    from slmfit.serving import serve as answer

    def told(serving: object) -> None:
        url, lines = serving.url, serving.service.lines  # type: ignore[attr-defined]
        for line in lines.values():
            asked = "chat/completions" if as_openai else line.about["kind"]
            say(f"{line.name}: {line.about['task']} by {line.about['method']}, POST {url}/v1/{asked}")
            if as_openai:
                say(f"  {serving.service.prompts.notes[line.name]}")  # type: ignore[attr-defined]
        if as_openai:
            for name, note in serving.service.prompts.notes.items():  # type: ignore[attr-defined]
                if name not in lines:
                    say(f"{name}: {note}")
        if base_url is not None:
            say(f"what is not answered here goes on to {serving.service.upstream.server.base_url}")  # type: ignore[attr-defined]
        say(f"{url}/docs says how; Ctrl-C ends it")

    more: dict[str, Any] = {
        "method": method,
        "allow_host": allow_host,
        "keep_deferred": keep_deferred,
        "as_openai": as_openai,
        "base_url": base_url,
    }
    answer(runs, host=host, port=port, token=token, names=name or (), told=told, **more)


def ui(
    folder: Annotated[
        Path, typer.Argument(metavar="[FOLDER]", help="Folder to work in; it cannot see anything outside it.")
    ] = Path(),
    host: Annotated[str, option("--host", "Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, option("--port", "0 picks a free port.")] = 8765,
    token: Annotated[
        str | None,
        option("--token", "Token a browser must send; default: SLMFIT_TOKEN, or one kept in the folder."),
    ] = None,
    name: Annotated[
        list[str] | None, option("--name", "Extra host name to accept, besides localhost and IP addresses.", "HOST")
    ] = None,
) -> None:
    """Run slmfit in the browser: data, comparing, trying, exporting."""
    from slmfit.ui import open_page

    def told(address: str) -> None:
        say(f"{address}\nCtrl-C ends the page; what it started goes on")

    open_page(folder, host=host, port=port, token=token, names=name or (), told=told)
