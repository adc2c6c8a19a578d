"""The page's server: the one that runs are served by, with another application in it."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from slmfit.serving.limits import Limits
from slmfit.serving.server import Serving, bound
from slmfit.serving.server import run as answer
from slmfit.ui.app import Page
from slmfit.ui.workspace import Workspace

LIMITS = Limits(body=3 << 20)  # a piece of a file, in base64


def made(
    folder: str | Path,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str | None = None,
    names: Collection[str] = (),
    told: Callable[[str], None] = lambda address: None,
) -> Serving:
    """A server that listens; see `open_page`."""
    workspace = Workspace(folder)
    key = token or workspace.token()
    cookie = f"slmfit-{hashlib.sha256(str(workspace.root).encode()).hexdigest()[:8]}"
    page = Page(workspace, LIMITS, key, names, cookie)
    return Serving(page, [bound(host, port)], lambda serving: told(f"{serving.url}/?token={key}"))


def run(
    folder: str | Path,
    *,
    host: str,
    port: int,
    token: str | None,
    names: Collection[str],
    told: Callable[[str], None],
) -> None:
    """Until SIGTERM or Ctrl-C."""
    answer(made(folder, host=host, port=port, token=token, names=names, told=told))


@contextlib.contextmanager
def running(folder: str | Path, token: str | None = None, port: int = 0) -> Iterator[Serving]:
    """A server in a thread of its own, for as long as the block lasts."""
    serving = made(folder, token=token, port=port)
    thread = threading.Thread(target=lambda: answer(serving), name="slmfit-ui", daemon=True)
    thread.start()
    serving.ready.wait(60)
    try:
        yield serving
    finally:
        serving.should_exit = True
        thread.join()
