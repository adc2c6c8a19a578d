"""Words: where a text is cut. The rows of training came as tokens, and a text as people write it is cut as those were:
always at white space, and between two parts of what has none (letters, digits, repeats of one sign) if tokens mostly
were cut where parts stood side by side like that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

from slmfit.ejecting.parts.run import MODEL
from slmfit.tasks.splitting import marks

ADDRESS = re.compile(r"\w://|www\.|\w@\w+\.\w", re.IGNORECASE)
LETTERS = ("s", "m", "d", "t", "re", "ve", "ll")  # of it's, I'm and so on: behind an apostrophe told as they are
LETTER = rf"(?:[^\W\d_]|[{marks()}])"
NOT = r"(?=['’][tT](?!\w))"  # what follows the n of isn't
PART = re.compile(rf"{LETTER}+?(?=[nN]{NOT})|[nN]{NOT}|{LETTER}+|\d+|(\S)\1*")

Places = Sequence[tuple[int, int]]


def places(text: str | Sequence[str]) -> Places:
    """Where the words of a text stand; of tokens, which are joined by spaces, where they do."""
    if isinstance(text, str):
        return list(cut(text))
    starts = [0]
    for token in text:
        starts.append(starts[-1] + len(token) + 1)
    return [(start, start + len(token)) for start, token in zip(starts, text, strict=False)]


@cache
def learnt() -> dict[str, Any]:
    """chunks: what stands between white space -> the lengths of its tokens. pairs: parts side by side -> cut or not."""
    return json.loads((MODEL / "spans.json").read_text(encoding="utf-8"))["cuts"]


def cut(text: str) -> Iterator[tuple[int, int]]:
    """Where its tokens would stand."""
    for match in re.finditer(r"\S+", text):
        at = match.start()
        for length in learnt()["chunks"].get(match[0]) or lengths(match[0]):
            yield at, at + length
            at += length


def lengths(chunk: str) -> list[int]:
    """Of the tokens of what has no white space in it."""
    parts = [match.span() for match in PART.finditer(chunk)]
    signs = [not chunk[start].isalnum() for start, _ in parts]
    first, last = (signs.index(False), len(signs) - signs[::-1].index(False)) if False in signs else (0, len(signs))
    names = ["^", *(name_of(chunk, start, end) for start, end in parts), "$"]
    kind = "address" if ADDRESS.search(chunk) else chunk[0] if chunk[0] in "@#" else ""
    starts, pairs = [0], learnt()["pairs"]
    for i in range(1, len(parts)):
        before, one, two, after = names[i - 1 : i + 3]
        told = (
            f"{before} {one} | {two} {after}",
            f"{one} | {two} {after}",
            f"{before} {one} | {two}",
            f"{one} | {two}",
        )
        seen = (pairs[key] for key in (f"{kind} {place}" for place in told) if key in pairs)
        if next(seen, i <= first or i >= last):  # what was never seen is cut where a sign stands at an edge
            starts.append(parts[i][0])
    return [two - one for one, two in pairwise([*starts, len(chunk)])]


def name_of(chunk: str, start: int, end: int) -> str:
    """Letters as x, digits as 9, signs as they are, three of them for more; the ends of it's and isn't themselves."""
    part = chunk[start:end]
    if part[0].isdigit():
        return "9"
    if not part[0].isalpha():
        return part[:3]
    own = part.lower()
    behind = own in LETTERS and chunk[start - 1 : start] in ("'", "’")
    return own if behind or (own == "n" and chunk[end : end + 1] in ("'", "’")) else "x"
