"""The page for the whole way: data, compare, try, hand over; in the browser, on this machine.

    open_page("my-work", port=8765)              # until Ctrl-C

It holds no state of its own. All is on disk: `workspace.py` says what is there, `jobs.py` starts the same verbs as
processes of their own, `following.py` tells what they write, `commands.py` is what may be started. `door.py` stands
before it, `app.py` and its neighbours answer, `static/` is what the browser runs.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from pathlib import Path

from slmfit.environment import EXTRAS, install, missing
from slmfit.errors import MissingPart


def open_page(
    folder: str | Path = ".",
    *,
    host: str = "127.0.0.1",
    port: int = 8765,
    token: str | None = None,
    names: Collection[str] = (),
    told: Callable[[str], None] = lambda address: None,
) -> None:
    """Show the page until SIGTERM or Ctrl-C; what it started goes on.

    folder: the workspace: nothing outside of it is read, written or started. port: 0 = any that is free. token: what a
    browser must show; None = SLMFIT_TOKEN of the environment, or one that is made once and kept in the workspace.
    names: hosts that it goes by. told: called with the address, the token in it, once it answers.
    Raises UsageError for a folder that is none and a port that is taken, MissingPart without the extra `serve`.
    """
    if lacking := missing(*EXTRAS["serve"]):
        raise MissingPart(f"the page needs {', '.join(lacking)}", fix=install("serve"))
    from slmfit.serving.limits import TOKEN
    from slmfit.ui import server

    key = token or os.environ.get(TOKEN) or None
    server.run(folder, host=host, port=port, token=key, names=names, told=told)


__all__ = ["open_page"]
