"""The process that holds a run's model: it reads what is asked from stdin and writes answers to stdout, as frames.

It lives as long as stdin is open, whatever signals a terminal or a service manager sends to the whole group.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
from typing import IO, Any

from slmfit.errors import MissingPart, SlmfitError, UsageError
from slmfit.serving.frames import LENGTH, frame, unframed
from slmfit.serving.limits import TOKEN


class Pipe:
    """The way to the server. What else writes to stdout, a library say, writes to stderr."""

    def __init__(self) -> None:
        self._in: IO[bytes] = os.fdopen(os.dup(0), "rb", buffering=0)
        self._out = os.dup(1)
        os.dup2(2, 1)

    def read(self) -> Any:
        """The next message; None when the server is gone."""
        head = self._exactly(LENGTH.size)
        payload = head and self._exactly(LENGTH.unpack(head)[0])
        return unframed(payload)[0] if payload else None

    def write(self, head: Any, rest: bytes = b"") -> None:
        left = memoryview(frame(head, rest))
        while left:
            left = left[os.write(self._out, left) :]

    def called(self) -> bool:
        """Whether there is a message, or the end of all of them."""
        return bool(select.select([self._in], [], [], 0)[0])

    def _exactly(self, size: int) -> bytes | None:
        parts = []
        while size:
            part = self._in.read(size)
            if not part:
                return None
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


def serve(pipe: Pipe, given: dict[str, Any]) -> None:
    """Load the run, say what it is, answer until the server is gone."""
    from slmfit.runs.run import load
    from slmfit.serving.answering import Answers
    from slmfit.serving.deferred import Deferred
    from slmfit.serving.described import described, warm, writer_of

    if given["method"]:
        from slmfit.methods import method_class

        method_class(given["method"])
    run = load(given["run"], allow_host=given["allow_host"])
    answers = Answers(run, Deferred.of(run, given["deferred"]))
    warm(run)
    pipe.write({"ready": described(run)})
    while (said := pipe.read()) is not None:
        if said["kind"] == "answer":
            head, bodies = answers.of(said["asks"])
            pipe.write(head, b"".join(bodies))
        elif said["kind"] == "chat":
            _chat(pipe, writer_of(run), said["settings"])


def _chat(pipe: Pipe, writer: Any, settings: dict[str, Any]) -> None:
    """Write a chat piece by piece; whatever the server says meanwhile is that it is over."""
    try:
        for piece in writer.write(settings, pipe.called):
            pipe.write(piece)
    except (UsageError, MissingPart) as error:
        pipe.write({"error": {"status": 400, "message": f"{error.what}; {error.fix}" if error.fix else error.what}})
    except Exception as error:  # it may hold a text, and is not told
        pipe.write({"error": {"status": 500, "message": f"the model failed on this chat ({type(error).__name__})"}})


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    os.environ.pop(TOKEN, None)
    pipe = Pipe()
    try:
        serve(pipe, json.loads(sys.argv[1]))
    except SlmfitError as error:
        pipe.write({"error": {"kind": type(error).__name__, "what": error.what, "where": str(error.where or ""),
                              "fix": error.fix}})  # fmt: skip
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
