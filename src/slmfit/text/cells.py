"""Cells of a table that a spreadsheet may open: what we write there is never a formula, and is read back as it was.

guarded("=cmd|' /C calc'!A0")        # "'=cmd|' /C calc'!A0"
unguarded(guarded(text)) == text     # of every text
"""

from __future__ import annotations

import re

_FORMULA = re.compile("'*[=+\\-@\uff1d\uff0b\uff0d\uff20\t\r\n]")
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)*(?:[eE][+-]?\d+)?%?")


def guarded(text: str) -> str:
    """The text after an apostrophe where a spreadsheet would run it (OWASP, CSV injection); numbers are harmless."""
    return f"'{text}" if _runs(text) else text


def unguarded(text: str) -> str:
    """The inverse of `guarded`."""
    return text[1:] if text.startswith("'") and _runs(text[1:]) else text


def _runs(text: str) -> bool:
    """Apostrophes before a formula count too, or `'=1` and the guarded `=1` would be one."""
    return bool(_FORMULA.match(text)) and not _NUMBER.fullmatch(text)
