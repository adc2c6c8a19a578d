"""llama.cpp's own server with a real model, as long as a block lasts.

    with serving(slots=2, context=1024) as url:
        ...

Needs a GGUF file, which SLMFIT_GGUF names, and the wheel xllamacpp: in this Python, or in the one of SLMFIT_LLAMA.
"""

import contextlib
import importlib.util
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

GGUF, PYTHON = os.environ.get("SLMFIT_GGUF"), os.environ.get("SLMFIT_LLAMA")
HERE = bool(GGUF) and (bool(PYTHON) or importlib.util.find_spec("xllamacpp") is not None)
WANTED = "set SLMFIT_GGUF to a GGUF file, and pip install xllamacpp (or set SLMFIT_LLAMA to a Python that has it)"
START_SECONDS = 120
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


@contextlib.contextmanager
def serving(slots=2, context=1024, threads=1):
    """The server's URL. context: tokens that one ask and its answer may have."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [PYTHON or sys.executable, "-c", SERVE, str(GGUF), *map(str, (port, slots, context, threads))]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(f"http://127.0.0.1:{port}/health", server)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.kill()
        server.wait(30)


def _wait_for(url, server):
    for _ in range(START_SECONDS):
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(1)
    raise RuntimeError(f"llama.cpp's server did not start: {WANTED}")
