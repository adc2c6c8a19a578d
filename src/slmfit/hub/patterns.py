"""Patterns in a tokenizer.json: whoever wrote one decides how long a text takes to be cut.

    check_pattern(r"\\p{L}+|\\s+(?!\\S)|\\s+")     # None
    check_pattern("(a+)+b")                      # ValueError

A pattern is refused where it is built so that tries multiply, and where a text of 800 characters, made of those that it
names, takes a hundred times as long as any proper pattern needs.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from slmfit.hub.border import is_panic

LONGEST = 20_000  # characters of a pattern; the longest known one has 5,000
SIZES = (25, 50, 200, 800)  # characters of a text that is tried
SECONDS = 0.15  # for any of them; proper patterns take a hundredth of it
COMMON = "a A1 \n!\t.中\u0301'"  # what classes of characters stand for
_BACK = re.compile(r"\\(?:[1-9]|k[<'{]|g[<'{])|\(\?(?:R|&|P[=>])")
_ITEM = re.compile(
    r"(?P<escape>\\[pPxuko]?\{[^}\\]{0,40}\}|\\.)|(?P<open>\((?:\?(?:[imsx-]{0,9}:|<?[=!]|>|<\w{1,40}>|P<\w{1,40}>|#[^)]{0,200}|[imsx-]{1,9}(?=\))))?)"
    r"|(?P<close>\))|(?P<or>\|)|(?P<times>(?:[*+?]|\{\d{0,6}(?:,\d{0,6})?\})[?+]?)|(?P<one>.)",
    re.DOTALL,
)


@dataclass
class _Group:
    """What is known of a group while it is read. firsts: of each branch, what it begins with."""

    repeats: bool = False
    firsts: list[str] = field(default_factory=lambda: [""])


def check_pattern(pattern: str) -> None:
    """Raise ValueError for a pattern that a text could hold up."""
    if len(pattern) > LONGEST:
        raise ValueError(f"a pattern of {len(pattern):,} characters")
    plain = _without_classes(pattern)
    if _BACK.search(plain):
        raise ValueError(f"a pattern that repeats what it found: {pattern[:60]}")
    if _multiplies(plain):
        raise ValueError(f"a pattern that repeats repeats: {pattern[:60]}")
    if not _quick(pattern):
        raise ValueError(f"a pattern that takes too long: {pattern[:60]}")


def _without_classes(pattern: str) -> str:
    """Each [class] as one character, so that what stands in it is not read as anything else."""
    out, depth, at = [], 0, 0
    while at < len(pattern):
        step = 2 if pattern[at] == "\\" else 1
        if pattern[at] == "[":
            depth += 1
            out.append("\ue000" if depth == 1 else "")
        elif pattern[at] == "]" and depth:
            depth -= 1
        elif not depth:
            out.append(pattern[at : at + step])
        at += step
    return "".join(out)


def _multiplies(pattern: str) -> bool:
    """Whether something that is repeated without end holds repeats, or branches that begin alike."""
    open_: list[_Group] = [_Group()]
    closed: _Group | None = None  # what a repeat right here would repeat
    for item in _ITEM.finditer(pattern):
        kind, text = item.lastgroup, item[0]
        if kind == "times":
            many = text[0] in "*+" or (text[0] == "{" and _varies(text))
            if many and closed is not None and (closed.repeats or _alike(closed.firsts)):
                return True
            open_[-1].repeats |= many
            closed = None
            continue
        closed = None
        if kind == "open":
            _begin(open_[-1], "(")
            open_.append(_Group())
        elif kind == "close" and len(open_) > 1:
            closed = open_.pop()
            open_[-1].repeats |= closed.repeats
        elif kind == "or":
            open_[-1].firsts.append("")
        else:
            _begin(open_[-1], text)
    return False


def _begin(group: _Group, text: str) -> None:
    group.firsts[-1] = group.firsts[-1] or text


def _varies(times: str) -> bool:
    """Whether {n}, {n,} or {n,m} allows several numbers of times, and more than one."""
    least, _, most = times[1:].partition("}")[0].partition(",")
    return "," in times and most != least and most not in ("0", "1")


def _alike(firsts: list[str]) -> bool:
    """Whether two branches may begin with the same character; only plain ones certainly do not."""
    known = (r"\r", r"\n", r"\t")
    plain = [one for one in firsts if one in known or (len(one) == 1 and one not in "(.\ue000^$")]
    return len(firsts) > 1 and (len(plain) < len(firsts) or len(set(plain)) < len(plain))


def _quick(pattern: str) -> bool:
    """Whether texts of what it names are cut in time. A pattern that is none is for its library to refuse."""
    from tokenizers import Regex, pre_tokenizers

    try:
        cut = pre_tokenizers.Split(Regex(pattern), "isolated").pre_tokenize_str
    except Exception:
        return True
    named = [c for c in dict.fromkeys(pattern) if c.isalnum()][:8]
    single = dict.fromkeys([*COMMON, *named])
    units = [*single, *("".join(pair) for pair in itertools.combinations(named[:4], 2))]
    # What a pattern must hold to be tried at all is there, but not where it fits.
    tail = "\x01" + "".join(dict.fromkeys([*single, *pattern[:1000]]))
    with _panics_unheard():
        for unit, size in itertools.product(units, SIZES):
            began = time.thread_time()
            try:
                cut((unit * size)[:size] + tail)
            except BaseException as error:
                if not isinstance(error, Exception) and not is_panic(error):
                    raise
                return False
            if time.thread_time() - began > SECONDS:
                return False
    return True


@contextlib.contextmanager
def _panics_unheard() -> Iterator[None]:
    """Rust prints a page about a panic, though it is caught here and told in one sentence."""
    with Path(os.devnull).open("wb") as nowhere:
        kept = os.dup(2)
        try:
            os.dup2(nowhere.fileno(), 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
