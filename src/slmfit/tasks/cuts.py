"""How tokens were cut, learnt from texts that came with them, so that a text as people write it is cut likewise.

    cuts = Cuts.learn([Tokens("x-y's", [(0, 1), (1, 2), (2, 3), (3, 5)])])
    cuts.cut("a-b's")                       # [(0, 1), (1, 2), (2, 3), (3, 5)]

At white space a text is always cut. What has none in it is a row of parts, runs of letters, of digits and of one sign,
and between two of them it is cut if it mostly was where parts stood side by side like that: told by four parts, where
there were such four, else by three, else by two. Where these two never met, signs at the edges are cut off. A run of
parts that was seen often enough is cut as it was.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, Self

from slmfit.records import Tokens
from slmfit.tasks.splitting import marks

SEEN = 2  # times that tell how something is cut
_CHUNK = re.compile(r"\S+")
_ADDRESS = re.compile(r"\w://|www\.|\w@\w+\.\w", re.IGNORECASE)
_LETTERS = ("s", "m", "d", "t", "re", "ve", "ll")  # of it's, I'm …: behind an apostrophe told as they are
_APOSTROPHES = ("'", "’")
LONGEST = 60  # characters of a chunk that is remembered


@dataclass(frozen=True)
class Cuts:
    """chunks: what stands between white space -> the lengths of its tokens. pairs: parts side by side -> cut or not."""

    chunks: Mapping[str, tuple[int, ...]]
    pairs: Mapping[str, bool]

    @classmethod
    def learn(cls, texts: Iterable[Tokens]) -> Self:
        """As most of these texts are cut."""
        whole: defaultdict[str, Counter[tuple[int, ...]]] = defaultdict(Counter)
        pairs: defaultdict[str, Counter[bool]] = defaultdict(Counter)
        for text in texts:
            begins = {start for start, _ in text.offsets}
            for match in _CHUNK.finditer(text):
                parts = _parts(match[0])
                if len(parts) < 2:
                    continue
                cut = [match.start() + start in begins for start, _ in parts[1:]]
                for keys, here in zip(_told(match[0], parts), cut, strict=True):
                    for key in keys:
                        pairs[key][here] += 1
                if len(match[0]) <= LONGEST:
                    whole[match[0]][_lengths(parts, cut)] += 1
        chunks = {chunk: seen.most_common(1)[0][0] for chunk, seen in whole.items() if seen.total() >= SEEN}
        found = {key: seen[True] > seen[False] for key, seen in pairs.items() if seen.total() >= SEEN}
        plain = cls({}, found)
        return cls({chunk: as_is for chunk, as_is in chunks.items() if plain._lengths(chunk) != as_is}, found)

    def cut(self, text: str) -> list[tuple[int, int]]:
        """Where the tokens of a text stand; every character but white space is in one."""
        found = []
        for match in _CHUNK.finditer(text):
            at = match.start()
            for length in self.chunks.get(match[0]) or self._lengths(match[0]):
                found.append((at, at + length))
                at += length
        return found

    def plain(self) -> dict[str, Any]:
        """JSON as it stands."""
        return {"chunks": {chunk: list(as_is) for chunk, as_is in self.chunks.items()}, "pairs": dict(self.pairs)}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """The inverse of `plain`. Raises ValueError where a chunk is not cut into all of itself."""
        chunks = {chunk: tuple(map(int, as_is)) for chunk, as_is in plain["chunks"].items()}
        if not all(sum(as_is) == len(chunk) and min(as_is) > 0 for chunk, as_is in chunks.items()):
            raise ValueError("a chunk that is cut into another")
        return cls(chunks, {key: bool(here) for key, here in plain["pairs"].items()})

    def _lengths(self, chunk: str) -> tuple[int, ...]:
        parts = _parts(chunk)
        if len(parts) == 1:
            return (len(chunk),)
        edges = _at_edges(chunk, parts)
        told = zip(_told(chunk, parts), edges, strict=True)
        return _lengths(parts, [self._here(keys, edge) for keys, edge in told])

    def _here(self, keys: Sequence[str], usual: bool) -> bool:
        return next((self.pairs[key] for key in keys if key in self.pairs), usual)


def _lengths(parts: Sequence[tuple[int, int]], cut: Sequence[bool]) -> tuple[int, ...]:
    """Of the tokens: cut[i] is whether there is a cut before part i + 1."""
    starts = [0, *(start for (start, _), here in zip(parts[1:], cut, strict=True) if here), parts[-1][1]]
    return tuple(two - one for one, two in pairwise(starts))


def _at_edges(chunk: str, parts: Sequence[tuple[int, int]]) -> list[bool]:
    """Of each place between parts whether all before it, or all behind it, are signs."""
    signs = [not chunk[start].isalnum() for start, _ in parts]
    first, last = (signs.index(False), len(signs) - signs[::-1].index(False)) if False in signs else (0, len(signs))
    return [i <= first or i >= last for i in range(1, len(parts))]


def _told(chunk: str, parts: Sequence[tuple[int, int]]) -> list[list[str]]:
    """Of each place between parts, what tells whether it is cut there, the most telling first."""
    kind = "address" if _ADDRESS.search(chunk) else chunk[0] if chunk[0] in "@#" else ""
    names = [_name(chunk, parts, i) for i in range(len(parts))]
    names = ["^", *names, "$"]
    found = []
    for i in range(1, len(parts)):
        before, one, two, after = names[i - 1 : i + 3]
        found.append([
            f"{kind} {before} {one} | {two} {after}",
            f"{kind} {one} | {two} {after}",
            f"{kind} {before} {one} | {two}",
            f"{kind} {one} | {two}",
        ])  # fmt: skip
    return found


def _name(chunk: str, parts: Sequence[tuple[int, int]], i: int) -> str:
    """Letters as x, digits as 9, signs as they are, three of them for more; of `'s` and `n't` themselves."""
    start, end = parts[i]
    part = chunk[start:end]
    if part[0].isdigit():
        return "9"
    if part[0].isalpha():
        own = part.lower()
        behind = own in _LETTERS and start > 0 and chunk[start - 1] in _APOSTROPHES
        return own if behind or (own == "n" and chunk[end : end + 1] in _APOSTROPHES) else "x"
    return part[:3]


def _parts(chunk: str) -> list[tuple[int, int]]:
    return [match.span() for match in _pattern().finditer(chunk)]


@lru_cache(maxsize=1)
def _pattern() -> re.Pattern[str]:
    letter = rf"(?:[^\W\d_]|[{marks()}])"
    negated = r"(?=[nN]['’][tT](?!\w))"
    pattern = rf"{letter}+?{negated}|[nN](?=['’][tT](?!\w))|{letter}+|\d+|(\S)\1*"
    return re.compile(pattern)
