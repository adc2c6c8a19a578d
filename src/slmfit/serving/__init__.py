"""Runs behind HTTP: any that `slmfit.load` loads, in the shape that clients of vLLM, SGLang and OpenAI speak.

    serve(["compared"], port=8000)

`server.py` begins and ends; `receiving.py` and `guard.py` are the door; `asking.py` reads what is asked and `app.py`
answers it from a `line.py` per run, whose model is in a process of its own (`worker.py`). `openapi.py` is the document.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from slmfit.environment import EXTRAS, install, missing
from slmfit.errors import MissingPart, UsageError


def serve(
    runs: Sequence[str | Path] | str | Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    token: str | None = None,
    names: Collection[str] = (),
    allow_host: str | None = None,
    method: str | None = None,
    keep_deferred: str | Path | None = None,
    as_openai: bool = False,
    base_url: str | None = None,
    told: Callable[[Any], None] = lambda serving: None,
) -> None:
    """Answer over HTTP until SIGTERM or Ctrl-C; then what was accepted is answered still.

    runs: folders of runs or comparisons, each also as NAME=FOLDER; requests choose by that name, or the run's id.
    host: where to listen; another than this machine's own needs a token. port: 0 = any that is free. token: None =
    SLMFIT_TOKEN of the environment, where it is set. names: hosts that the server goes by. allow_host: see `load`.
    method: of a run whose method is a class of your own, that class. keep_deferred: a file (JSON lines) to which is
    added what a cascade leaves to its large part, with what that says. as_openai: `runs` is a folder that `leave`
    wrote: chat completions are answered as the log has them, by each prompt's verdict. base_url: with it, the API that
    was called before: what is not answered here goes on to it, with the key that the method `llm` would send. told:
    called with the server once it answers.
    Raises UsageError for an address of others without a token, a port that is taken, no cascade to keep from, and no
    base_url where a prompt is left in part;
    MissingPart without the extra `serve`, and what loading the runs raises.
    """
    if lacking := missing(*EXTRAS["serve"]):
        raise MissingPart(f"serving needs {', '.join(lacking)}", fix=install("serve"))
    from slmfit.runs.run import load
    from slmfit.serving import server
    from slmfit.serving.as_openai import left
    from slmfit.serving.deferred import check_one_cascade
    from slmfit.serving.limits import TOKEN
    from slmfit.serving.upstream import Upstream

    words = [runs] if isinstance(runs, str | Path) else list(runs)
    if not words:
        raise UsageError("there is no run to serve", fix="name one or more: slmfit serve RUN")
    prompts = upstream = None
    if base_url is not None and not as_openai:
        fix = "serve what `leave` wrote: slmfit serve OUT --as-openai --base-url URL"
        raise UsageError("goes with --as-openai", where="--base-url", fix=fix)
    if as_openai:
        upstream = None if base_url is None else Upstream(base_url)
        found, prompts = left(words)
    else:
        found = server.named([str(word) for word in words])
    if keep_deferred is not None:
        check_one_cascade(load(folder).record.method for folder in found.values())
    key = token or os.environ.get(TOKEN) or None
    given: dict[str, Any] = {
        "allow_host": allow_host,
        "method": method,
        "deferred": keep_deferred and str(keep_deferred),
    }
    given |= {"prompts": prompts, "upstream": upstream}
    made = server.made(found, host=host, port=port, token=key, names=names, told=told, **given)
    server.run(made)
