"""Sentences and commands without folders: what is sent on says a file's name, not where on whose machine it was.

placeless = Placeless(["/home/me/Client X/train.csv"])
placeless("/home/me/Client X/train.csv: read as text-classification")     # 'train.csv: read as …'
placeless.command("slmfit compare '/home/me/Client X/train.csv' --out /tmp/o")
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import PurePath, PureWindowsPath
from typing import Any

# An absolute path of two names or more, or one that starts at home, here or above; not a web address, nor "and/or".
_PATH = re.compile(r"(?<![\w.:/\\~-])(?:~|\.{1,2}|[A-Za-z]:)?(?:[/\\][^\s/\\'\"`,;:()=]+){2,}[/\\]?"
                   r"|(?<![\w/])(?:~|\.{1,2})[/\\][^\s/\\'\"`,;:()=]+[/\\]?")  # fmt: skip
_ROOTED = re.compile(r"(?:~|\.{1,2})?[/\\]|[A-Za-z]:[/\\]")
# Cut off a path stands at the start of a sentence, before a colon, as in "/my data/train.csv: read as …".
_BEFORE_COLON = re.compile(r"^(?:~|\.{1,2}|[A-Za-z]:)?[/\\](?:[^:\n]*[/\\])?(?=[^:/\\\n]+: )")


class Placeless:
    """Takes folders out of text. known: paths that may hold spaces or are relative; each becomes its last name."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._names: dict[str, str] = {}
        for path in known:
            self._know(path)

    def _know(self, path: str) -> None:
        pure = PureWindowsPath(path) if "\\" in path and "/" not in path else PurePath(path)
        if len(pure.parts) < 2:
            return
        self._names[path] = pure.name
        folder = pure.parent
        while len(folder.parts) > (2 if folder.is_absolute() else 1):
            self._names[str(folder)] = folder.name
            folder = folder.parent

    def known(self, text: str) -> str:
        """The text with the paths that are known cut to their last names; labels may have slashes, too."""
        for path in sorted(self._names, key=len, reverse=True):
            below = re.escape(path) + r"[/\\](?:[^\s/\\'\"`,;:]+[/\\])*"
            text = re.sub(below, "", text).replace(path, self._names[path])
        return text

    def __call__(self, text: str) -> str:
        """The text with everything that looks like a path cut to its last name."""
        text = self.known(text)
        return _PATH.sub(lambda match: last(match[0]), _BEFORE_COLON.sub("", text))

    def command(self, text: str) -> str:
        """A command with every path cut to its last name, also one with spaces."""
        try:
            words = shlex.split(text)
        except ValueError:
            return self(text)
        parts = [re.split(r"([,=])", word) for word in words]
        return shlex.join("".join(self._part(part) for part in some) for some in parts)

    def _part(self, part: str) -> str:
        return last(part) if _ROOTED.match(part) else self(part)

    def all(self, value: Any) -> Any:
        """Every string in a JSON value; keys stay."""
        if isinstance(value, str):
            return self(value)
        if isinstance(value, Mapping):
            return {key: self.all(item) for key, item in value.items()}
        return [self.all(item) for item in value] if isinstance(value, list | tuple) else value


def last(path: str) -> str:
    """The last name of a path: 'models/potion/' -> 'potion'."""
    return re.split(r"[/\\]", path.rstrip("/\\"))[-1] or path
