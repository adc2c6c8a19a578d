r"""What characters are to this Python, told to a browser, whose own tables may be of another year.

cutting(counter.cut)      # the patterns of text/cutting.py, as JavaScript spells them, and which letters are small
cleaning(("html",))       # those of data/clean.py
javascript(r"(?P<a>\d)\U0001f600")     # "(?<a>[\u{30}-\u{39}…])\u{1f600}"
"""

from __future__ import annotations

import html
import re
import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slmfit.data import clean
from slmfit.text import cutting as cuts

EVERY = sys.maxunicode + 1
ASKED = (range(0x40000), range(0xE0000, 0xE0200))  # elsewhere lie no letters, no signs and no marks
_ESCAPED = re.compile(r"\\U([0-9a-f]{8})")
_CLASSES: dict[str, tuple[str, Callable[[str], Any]]] = {  # escape -> how it is spelled out, and what it holds
    r"\w": ("{}", re.compile(r"\w").match),  # our patterns have it in brackets of theirs
    r"\d": ("[{}]", str.isdecimal),
    r"\s": ("[{}]", str.isspace),
}


def cutting(cut: int) -> dict[str, Any]:
    """How texts become words: the patterns of a cut, and the small letters of large ones."""
    patterns = {
        "chunk": cuts.python_chunk(cut, 1),
        "signs": cuts.python_signs(),
        "scripts": cuts.python_scripts(),
        "unit": cuts.python_unit(),
    }
    spelled = {name: javascript(pattern.pattern) for name, pattern in patterns.items()}
    return {"first": cut == cuts.FIRST, "lower": _lowering(), **spelled}


def cleaning(strip: Sequence[str]) -> dict[str, Any]:
    """What is done to texts before they are read, as far as cleaning.js does not say it."""
    if "html" not in strip:
        return {"strip": list(strip)}
    # Numbers that html.unescape takes for another character, or for none, are all below 0x10000 or end a plane.
    ends = (plane | end for plane in range(0x10000, EVERY, 0x10000) for end in (0xFFFE, 0xFFFF))
    asked = {n: html.unescape(f"&#{n};") for n in chain(range(0x10000), ends)}
    odd = {n: text for n, text in asked.items() if text != chr(n) and not 0xD800 <= n <= 0xDFFF}
    about = {
        "bare": javascript(clean.BARE_ENTITY.pattern),
        "tag": javascript(clean.TAG.pattern),
        "names": dict(sorted(html.entities.html5.items())),
        "replaced": {n: text for n, text in odd.items() if text},
        "invalid": [n for n, text in odd.items() if not text],
    }
    return {"strip": list(strip), "html": about}


def javascript(pattern: str) -> str:
    r"""A regular expression of Python for JavaScript with the flags s and u; \w, \d and \s are what Python takes."""
    for escape, (spelled, holds) in _CLASSES.items():
        if escape in pattern:
            pattern = pattern.replace(escape, spelled.format(_ranges(holds)))
    pattern = re.sub(r"\(\?P=(\w+)\)", r"\\k<\1>", pattern.replace("(?P<", "(?<"))
    return _ESCAPED.sub(lambda match: rf"\u{{{int(match[1], 16):x}}}", pattern)


def runs(kinds: NDArray[Any]) -> tuple[NDArray[np.int64], list[int]]:
    """Where each run of equal kinds begins, and its kind. kinds: of every code point a small number."""
    starts = np.flatnonzero(np.concatenate(([True], kinds[1:] != kinds[:-1])))
    return starts, kinds[starts].tolist()


@lru_cache(maxsize=8)
def _ranges(holds: Callable[[str], Any]) -> str:
    inside = np.zeros(EVERY, bool)
    for some in ASKED:
        inside[some.start : some.stop] = [bool(holds(character)) for character in map(chr, some)]
    starts, kinds = runs(inside)
    ends = [*starts[1:].tolist(), EVERY]
    return "".join(rf"\U{a:08x}-\U{b - 1:08x}" for a, b, kind in zip(starts.tolist(), ends, kinds, strict=True) if kind)


@lru_cache(maxsize=1)
def _lowering() -> dict[str, Any]:
    """Every letter that `str.lower` changes when it stands alone, and what ends a Greek word."""
    changed = {letter: low for letter in map(chr, range(EVERY)) if (low := letter.lower()) != letter}
    single = {letter: low for letter, low in changed.items() if len(low) == 1}
    longer = {letter: low for letter, low in changed.items() if len(low) > 1}
    # A capital sigma is another small letter behind a cased one, with whatever is ignored between: each is asked.
    cased = _ranges(_ends_a_word)
    ignored = _ranges(_ends_none)
    behind, before = rf"[{cased}][{ignored}]*$", rf"^[{ignored}]*[{cased}]"
    known = {"upper": "".join(single), "lower": "".join(single.values()), "longer": longer}
    return {**known, "behind": javascript(behind), "before": javascript(before)}


def _ends_none(one: str) -> bool:
    """Whether a character leaves what a word ends in to the one before it."""
    return not _ends_a_word(one) and _ends_a_word(f"a{one}")


def _ends_a_word(text: str) -> bool:
    """Whether a capital sigma after the text is a final one."""
    return f"{text}Σ".lower().endswith("ς")
