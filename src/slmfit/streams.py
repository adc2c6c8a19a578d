"""Paths that stand for no file of their own: stdout, a pipe, a device, a link.

is_stream(Path("-"))                    # True
with opened(Path("/dev/stdout")) as file: ...
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import sys
from pathlib import Path
from typing import IO

from slmfit.errors import UsageError

_OPEN_FILE = re.compile(r"(?:/dev|/proc/(?:thread-)?self)/fd/(\d+)|/dev/std(out|err)")


def is_stream(path: Path) -> bool:
    """Whether what is written there goes to whoever reads it, and leaves no file: `-`, a pipe, a device."""
    if _descriptor(path) is not None:
        return True
    try:
        mode = path.stat().st_mode
    except OSError:  # nothing stands there; or writing will say what is wrong
        return False
    if stat.S_ISDIR(mode) or stat.S_ISBLK(mode):
        what = "is a folder" if stat.S_ISDIR(mode) else "is a disk"
        raise UsageError(what, where=str(path), fix="name a file with --output")
    return not stat.S_ISREG(mode)


def is_stdout(path: Path) -> bool:
    """Whether it is this process's stdout, where nothing else may then be said."""
    return _descriptor(path) == 1


def _descriptor(path: Path) -> int | None:
    """The number of the open file that a path stands for; None for any other path.

    Opened by its name it would be cut to nothing, though others write to it as well: `{ …; } > both.txt`.
    """
    if path == Path("-"):
        return 1
    for _ in range(40):  # links to links
        if named := _OPEN_FILE.fullmatch(os.path.abspath(path)):  # noqa: PTH100
            return int(named[1]) if named[1] else {"out": 1, "err": 2}[named[2]]
        if not path.is_symlink():
            break
        path = path.parent / path.readlink()
    return None


def opened(path: Path) -> IO[bytes]:
    """What is no file, to write into as it goes."""
    number = _descriptor(path)
    if number is None:
        return os.fdopen(os.open(path, os.O_WRONLY), "wb")
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return os.fdopen(os.dup(number), "wb")


def target(path: Path) -> Path:
    """Where a link leads, though nothing may stand there yet. Raises OSError for one that leads in a circle."""
    if not path.is_symlink():
        return path
    with contextlib.suppress(FileNotFoundError):
        path.stat()
    return path.resolve()
