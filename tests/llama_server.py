"""llama.cpp's own server with the real model that SLMFIT_GGUF names, as long as a block lasts.

with serving(slots=2, context=1024) as url:
    ...
"""

import contextlib
import os
from pathlib import Path

from slmfit.environment import missing
from slmfit.exporting.gguf import server

GGUF = os.environ.get("SLMFIT_GGUF")
HERE = bool(GGUF) and (bool(os.environ.get("SLMFIT_LLAMA")) or not missing("xllamacpp"))
WANTED = f"set SLMFIT_GGUF to a GGUF file, and {server.FIX}"


@contextlib.contextmanager
def serving(slots=2, context=1024, threads=1):
    """The URL that clients of OpenAI's chats are given. context: tokens that one ask and its answer may have."""
    with server.serving(Path(GGUF), slots, context, threads) as url:
        yield f"{url}/v1"
