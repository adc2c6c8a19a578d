"""Which process is meant: a number alone may be another's by now, so it goes with the time that it began.

alive(4711, started(4711))       # True until that very process ends
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

PROC = Path("/proc")


@cache
def _boot() -> str:
    """What tells this boot of the machine from another, in which the same numbers are given out again."""
    try:
        return (PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def started(process: int) -> str | None:
    """When a process began, in words of this machine; None when there is none, or it has ended."""
    if not (PROC / "self/stat").exists():
        return _there(process)
    try:
        line = (PROC / str(process) / "stat").read_text(errors="replace")
    except OSError:
        return None
    state, *rest = line.rpartition(")")[2].split()  # its name may hold spaces and brackets
    return None if state in ("Z", "X") else f"{_boot()} {rest[18]}"


def _there(process: int) -> str | None:
    """Where there is no /proc: that one of this number is there is all that can be told."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return None
    except OSError:
        return "another's"
    return "unknown"


def alive(process: int, began: str | None) -> bool:
    """Whether the process that began then is running."""
    return began is not None and process > 1 and process != os.getpid() and started(process) == began
