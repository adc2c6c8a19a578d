"""UTF-8 that a program read as Windows-1252, and HTML's entities in what is no page.

mended("cafÃ©")        # "café"
unescaped("R&amp;D")    # "R&D"
"""

from __future__ import annotations

import html
import re


def _as_read(byte: int) -> str:
    """The character that a byte is read as, where it has one, and else what latin-1 makes of it."""
    return bytes([byte]).decode("cp1252", "replace").replace("\ufffd", chr(byte))


_BYTES = {_as_read(byte): byte for byte in range(0x80, 0x100)}
_INNER = "".join(_as_read(byte) for byte in range(0x80, 0xC0))
# What letters with marks, Cyrillic, quotation marks and emoji begin with; others stand before a „“ in real texts.
_RUN = re.compile(f"[ÂÃÄÅÐÑ][{_INNER}]|â[{_INNER}]{{2}}|ð[{_INNER}]{{3}}")
_ENTITY = re.compile(r"&(?:#\d{2,6}|#x[0-9a-f]{2,6}|[a-z]{2,8}\d?);", re.IGNORECASE)


def mended(text: str) -> str:
    """The text with what can only be UTF-8 read as Windows-1252 as it was meant; any other as it is."""
    return text if text.isascii() else _RUN.sub(_decoded, text)


def _decoded(found: re.Match[str]) -> str:
    try:
        return bytes(_BYTES[sign] for sign in found[0]).decode()
    except UnicodeDecodeError:
        return found[0]


def unescaped(text: str) -> str:
    """The text with HTML's entities as the characters they stand for."""
    return _ENTITY.sub(lambda found: html.unescape(found[0]), text) if "&" in text else text
