"""Keys of a terminal, one at a time, without waiting for Enter.

with keys() as pressed:
    for key in pressed: …                # "a", "1", " ", BACK, ESCAPE
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator

BACK, ESCAPE, ENTER = "back", "escape", "enter"
_NAMED = {"\x7f": BACK, "\x08": BACK, "\x1b": ESCAPE, "\r": ENTER, "\n": ENTER}
# What a key without a letter sends (arrows, function keys), and one key.
_KEY = re.compile(r"\x1b[\[O][0-9;?]*[ -/]*[@-~]|\x1b.|.", re.DOTALL)


@contextlib.contextmanager
def keys() -> Iterator[Iterator[str]]:
    """The keys of the terminal that stdin is, from now on; it is as before when this ends. Keys without a letter are
    left out. The end of input ends them."""
    if os.name != "posix":
        yield _windows()
        return
    import termios
    import tty

    number = sys.stdin.fileno()
    before = termios.tcgetattr(number)
    try:
        tty.setcbreak(number, termios.TCSADRAIN)  # what is typed ahead is kept
        yield _posix(number)
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)


def _posix(number: int) -> Iterator[str]:
    import codecs

    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while data := os.read(number, 1024):
        yield from told(decoder.decode(data))


def _windows() -> Iterator[str]:
    import typer

    while True:
        yield from told(typer.getchar())


def told(text: str) -> Iterator[str]:
    """The keys that a terminal wrote these characters for."""
    for part in _KEY.findall(text):
        if len(part) == 1:
            yield _NAMED.get(part, part)
