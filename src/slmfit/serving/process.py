"""A worker's process, and the way to it and back; see worker.py for the other end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from slmfit import errors
from slmfit.environment import isolated, without_here
from slmfit.errors import SlmfitError
from slmfit.serving.frames import LENGTH, frame, unframed

LOST = (OSError, EOFError, ValueError)  # what reading and writing raise once it is dead
_MOST = 1 << 20  # bytes that are read ahead
_LOOK = 0.01  # seconds between two looks whether it has ended


class Process:
    """One worker. `begin` it, then `write` and `read`; `leave` ends it, however it stands."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        """given: its run, and how that is loaded."""
        # A class of the user's own is found there as it was found here.
        self._started = subprocess.Popen(
            [*isolated("slmfit.serving.worker"), json.dumps(given)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=without_here(sys.path if given["method"] else None),
        )
        self.run: str = given["run"]
        self._reader = asyncio.StreamReader(_MOST)
        self._in: asyncio.BaseTransport | None = None
        self._out: asyncio.WriteTransport | None = None

    @property
    def number(self) -> int:
        return self._started.pid

    async def begin(self) -> dict[str, Any]:
        """What it says of its run once that is loaded. Raises what loading raised, SlmfitError where it just ends."""
        loop = asyncio.get_running_loop()
        protocol = asyncio.StreamReaderProtocol(self._reader)
        self._in, _ = await loop.connect_read_pipe(lambda: protocol, self._started.stdout)
        self._out, _ = await loop.connect_write_pipe(asyncio.Protocol, self._started.stdin)
        try:
            head, _ = await self.read()
        except LOST:
            fix = "see above for its last words, and try `slmfit predict` with the same run"
            raise SlmfitError("its process ended before it was ready", where=self.run, fix=fix) from None
        if said := head.get("error"):
            kind = getattr(errors, said["kind"], SlmfitError)
            raise kind(said["what"], where=said["where"] or None, fix=said["fix"])
        ready: dict[str, Any] = head["ready"]
        return ready

    def write(self, head: Any) -> None:
        assert self._out is not None
        self._out.write(frame(head))

    async def read(self) -> tuple[Any, bytes]:
        """The next message. Raises one of `LOST`."""
        size = LENGTH.unpack(await self._reader.readexactly(LENGTH.size))[0]
        return unframed(await self._reader.readexactly(size))

    async def leave(self, seconds: float) -> None:
        """Close the way to it, and end it where it has not ended so long after."""
        for transport in (self._out, self._in):
            if transport is not None:
                transport.close()
        for pipe in (self._started.stdin, self._started.stdout):
            if pipe is not None and self._out is None:
                pipe.close()
        ends = asyncio.get_running_loop().time() + seconds
        while self._started.poll() is None and asyncio.get_running_loop().time() < ends:
            await asyncio.sleep(_LOOK)
        if self._started.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self._started.kill()
            while self._started.poll() is None:
                await asyncio.sleep(_LOOK)
