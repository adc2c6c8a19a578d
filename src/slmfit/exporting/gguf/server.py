"""llama.cpp's own server (the wheel xllamacpp) for as long as a block lasts, in a process of its own.

    with serving(Path("model.gguf")) as url:
        complete(url, "…", grammar='root ::= "a"', most=8)      # what the model writes

The wheel is looked for here, and in the Python that SLMFIT_LLAMA names.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from slmfit.environment import missing, without_here
from slmfit.errors import MissingPart, SlmfitError

FIX = "pip install xllamacpp, or name a Python that has it in SLMFIT_LLAMA"
START_SECONDS, ANSWER_SECONDS = 120, 300
SERVE = """
import os, sys, time, xllamacpp
parent = os.getppid()
params = xllamacpp.CommonParams()
params.model.path, params.port, params.n_parallel = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
params.n_ctx, params.cpuparams.n_threads = int(sys.argv[3]) * int(sys.argv[4]), int(sys.argv[5])
server = xllamacpp.Server(params)
while os.getppid() == parent:
    time.sleep(1)
"""
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy knows nothing of this machine


@contextlib.contextmanager
def serving(model: Path, slots: int = 1, context: int = 1024, threads: int = 1) -> Iterator[str]:
    """The server's address. context: tokens that one ask and its answer may have.

    Raises MissingPart without the wheel, SlmfitError where the server does not start with this model.
    """
    python = os.environ.get("SLMFIT_LLAMA")
    if not python and missing("xllamacpp"):
        raise MissingPart("llama.cpp's own server needs the package xllamacpp", fix=FIX)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [python or sys.executable, "-P", "-c", SERVE, str(model), *map(str, (port, slots, context, threads))]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=without_here())
    try:
        _wait_for(f"http://127.0.0.1:{port}/health", server, model)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait(30)


def complete(url: str, prompt: str, grammar: str, most: int) -> tuple[str, bool]:
    """What the likeliest answer is under a grammar, and whether it came to its end. most: tokens of it."""
    asked: dict[str, Any] = {"prompt": prompt, "grammar": grammar, "n_predict": most, "temperature": 0, "seed": 0}
    request = urllib.request.Request(
        f"{url}/completion", json.dumps(asked).encode(), {"Content-Type": "application/json"}
    )
    try:
        with _direct.open(request, timeout=ANSWER_SECONDS) as reply:
            said = json.load(reply)
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise SlmfitError(f"llama.cpp's server refuses to answer ({error})", where=url) from None
    return str(said["content"]), said.get("stop_type") != "limit"


def _wait_for(url: str, server: subprocess.Popen[bytes], model: Path) -> None:
    for _ in range(4 * START_SECONDS):
        if server.poll() is not None:
            break
        with contextlib.suppress(urllib.error.URLError, OSError), _direct.open(url, timeout=5):
            return
        time.sleep(0.25)
    raise SlmfitError("llama.cpp's own server does not start with it", where=str(model), fix=FIX)
