"""Users' strings made fit to be shown: nothing in them that a page, a terminal or the reading order would obey.

visible("evil\x1b[31m\u202egnp.exe")     # 'evil␛[31m⟨U+202E⟩gnp.exe'
excerpt("a  long\ntext", 6)               # 'a lon…'
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

# Control characters, bidirectional overrides and isolates, invisible separators, lone surrogates, non-characters, tags.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
# Combining marks heaped on one letter run over the lines above and below; no script needs more than a few.
_HEAP = re.compile("([\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4})[\u0300-\u036f\u1ab0-\u1aff"
                   "\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")  # fmt: skip

_ADDRESS = re.compile(r"(https?:/{1,2})(?:[^/\s]*@)?([^?#\s'\"]*)(?:[?#][^\s'\"]*)?", re.IGNORECASE)


def visible(text: str) -> str:
    """The text with every such character replaced by a sign for it; tabs and line ends become spaces."""
    return _HEAP.sub(r"\1", _UNSEEN.sub(_sign, text)) if not text.isascii() or not text.isprintable() else text


def excerpt(text: str, limit: int) -> str:
    """At most `limit` characters, on one line; an ellipsis says that some were cut."""
    line = visible(" ".join(text[: 8 * limit + 80].split()))
    whole = len(line) <= limit and len(text) <= 8 * limit + 80
    return line if whole else line[: limit - 1] + "…"


def written(value: Any, limit: int) -> str:
    """A value as Python writes it, as `excerpt` does, but not cut within quotation marks."""
    line = excerpt(str(value), limit)
    if line.endswith("…"):
        for mark in "'\"":
            if line.count(mark) % 2:
                line = line[: line.rindex(mark)].rstrip() + "…"
    return line


def units(text: str) -> int:
    """How long a text is in UTF-16, as browsers count."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def shown(text: str) -> str:
    """`visible` of a text of several lines: line ends stay."""
    return "\n".join(map(visible, text.split("\n")))


def json_shown(text: str) -> str:
    """JSON of the same value in which nothing is obeyed either: such characters are written as JSON escapes them."""
    return _UNSEEN.sub(_escape, text)


def without_keys(text: str) -> str:
    """The text with its web addresses less what may be secret in them: user:password@ and the query."""
    return _ADDRESS.sub(r"\1\2", text)


def all_visible(value: Any) -> Any:
    """`visible` of every string in a JSON value, keys too."""
    if isinstance(value, Markup):
        return value
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, Mapping):
        return {all_visible(key): all_visible(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [all_visible(item) for item in value]
    return value


def _sign(match: re.Match[str]) -> str:
    code = ord(match[0])
    if match[0] in "\t\n\r":
        return " "
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"⟨U+{code:04X}⟩"


def _escape(match: re.Match[str]) -> str:
    if match[0] == "\n":  # between values: within one it is escaped already
        return "\n"
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))
