"""What a word is: letters in a row, two neighbours where a script has no spaces, signs that say something.

    words_of("C++ isn't C# :-)")       # ["c", "++", "isn", "t", "c", "#", ":)"]
    words_of("包裹在哪里", shortest=2)   # ["包裹", "裹在", "在哪", "哪里"]

Cut 2, of today: letters, digits, underscores and combining marks in a row, lower-cased. In scripts that put no spaces
between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese, …) every two neighbouring characters, each with its marks;
such pairs need no dictionary and are what search engines count. Of signs: each emoji; emoticons, without nose; marks
repeated, twice at most; + # ! ? and the like; a minus before a number. A full stop, comma, bracket, quotation mark or
hyphen that stands alone says nothing and is left out, so words on both sides of it stay neighbours.

Cut 1, of models saved before there was another: a row of letters and so on is a word in every script, signs are none.

Python's and Rust's regular expressions know different versions of Unicode, so every class of characters is spelled out
from Python's tables and given to both. Chunks are found by either; `parts` then cuts a distinct chunk into words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slmfit.errors import DataError

CUTS = FIRST, NEWEST = (1, 2)
MOST_REMEMBERED = 200_000  # chunks
LONGEST_REMEMBERED = 30  # characters without a space

Ranges = list[tuple[int, int]]  # first and last code point of each
Words = tuple[str, ...]

_LIMIT = 0x40000  # above lie no letters and no signs, only
_FAR_MARKS = (0xE0100, 0xE01EF)
# Kinds of characters. MARK: combining, part of the letters around it. DUMB: a sign that says nothing when alone.
SPACED, UNSPACED, MARK, TELLING, DUMB = range(1, 6)
LETTERS = (SPACED, UNSPACED, MARK)

# Scripts without spaces: Thai, Lao, Tibetan, Burmese, Khmer, Tai Le, Tai Lue, Tai Tham, kana, Bopomofo, Han.
_UNSPACED: Ranges = [
    (0x0E00, 0x0FFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x1950, 0x19FF), (0x1A20, 0x1AAF), (0x2E80, 0x2FDF),
    (0x3005, 0x3007), (0x3021, 0x3029), (0x3031, 0x3035), (0x3038, 0x303C), (0x3041, 0x312F), (0x31A0, 0x31BF),
    (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA9E0, 0xA9FF), (0xAA60, 0xAADF), (0xF900, 0xFAFF),
    (0xFF66, 0xFF9F), (0x1AFF0, 0x1B16F), (0x20000, _LIMIT - 1),
]  # fmt: skip
_SELECTORS = (0xFE00, 0xFE0F)  # behind an emoji: in colour, or not
_JOINER = (0x200D, 0x200D)  # makes one emoji of several
_TONES = (0x1F3FB, 0x1F3FF)  # of skin
_FLAGS = (0x1F1E6, 0x1F1FF)  # two of these are a flag
_PICTURES = (0x1F000, 0x1FBFF)  # here an unknown character is an emoji that Python's tables do not have yet

_SAYING = "!?#%@*&^§†•‰‼⁇⁈⁉‽¡¿！？＃％＠＊＆"  # punctuation that is a word when alone, as every symbol is
_EMOTICON = r"(?P<eyes>[:=](?=[-'^~]?[)(\]\[}{|/\\*@><])|;(?=[-'^~]?[)(]))[-'^~]?(?P<mouth>.)(?P=mouth)*"
_UPSIDE_DOWN = r"(?P<smile>\()[-'^~]?(?P<below>[:;=])"
_RUNS = r"<?-+>|<-+|[!?]+|[+*<>=|&^~%#$@]+"


def words_of(text: str, *, shortest: int = 2, cut: int = NEWEST) -> list[str]:
    """The words of one text, without polars: the same as `split_words` finds, some 10 microseconds a sentence."""
    if cut == FIRST:
        return python_chunk(cut, shortest).findall(text.lower())
    return [word for run in text.lower().split() for word in _inside(run, shortest)]


def known_cut(cut: Any, where: Path) -> int:
    """The cut that a saved model names. Raises DataError for one of a later version of slmfit."""
    if cut not in CUTS:
        raise DataError(
            f"its words are cut in a way ({cut}) that is not known here", where=str(where), fix="update slmfit"
        )
    return int(cut)


def _remembered(work: Callable[[str, int], Words]) -> Callable[[str, int], Words]:
    """Words come again from text to text; long runs, such as sentences without spaces, seldom do."""
    known = lru_cache(maxsize=MOST_REMEMBERED)(work)
    return lambda run, shortest: (known if len(run) <= LONGEST_REMEMBERED else work)(run, shortest)


@_remembered
def _inside(run: str, shortest: int) -> Words:
    """The words of what stands between two spaces, which no chunk holds."""
    return tuple(word for chunk in python_chunk(NEWEST, shortest).findall(run) for word in parts(chunk, shortest))


@_remembered
def parts(chunk: str, shortest: int) -> Words:
    """The words of a chunk of cut 2."""
    if chunk.isascii() and chunk.isalnum():
        return (chunk,) if len(chunk) >= shortest else ()
    if _kind(chunk[0]) in LETTERS:
        return tuple(word for piece in chunk.split("-") for word in _unmixed(piece, shortest))
    if _kind(chunk[-1]) in LETTERS:  # a number with a minus before it, and maybe signs before that
        signs, _, number = chunk.rpartition("-")
        return (*parts(signs, shortest), "-", *parts(number, shortest)) if signs else ("-", *parts(number, shortest))
    return tuple(word for match in python_signs().finditer(chunk) if (word := _sign(match)))


def _unmixed(letters: str, shortest: int) -> Iterator[str]:
    """The words of letters in a row, of which some may be of scripts without spaces."""
    if letters.isascii() or all(_kind(letter) != UNSPACED for letter in letters):
        if len(letters) >= shortest:
            yield letters
        return
    for unspaced, others in python_scripts().findall(letters):
        if unspaced:
            units = python_unit().findall(unspaced)
            yield from map("".join, pairwise(units)) if len(units) > 1 else units
        elif len(others) >= shortest:
            yield others


@lru_cache(maxsize=4)
def rust_plain(shortest: int) -> str:
    """The regular expression of a chunk that is one word as it stands."""
    return f"^[{_rust(ranges_of(SPACED, MARK))}]{{{shortest},}}$"


@lru_cache(maxsize=8)
def rust_chunk(cut: int, shortest: int) -> str:
    letters = _rust(first_letters() if cut == FIRST else ranges_of(*LETTERS))
    return _chunk(cut, shortest, letters, _rust)


@lru_cache(maxsize=8)
def python_chunk(cut: int, shortest: int) -> re.Pattern[str]:
    marks = _python(_marks(selectors=cut == FIRST))
    return re.compile(_chunk(cut, shortest, rf"\w{marks}", _python))


def _chunk(cut: int, shortest: int, letters: str, spelled: Callable[[Ranges], str]) -> str:
    if cut == FIRST:
        return f"[{letters}]{{{shortest},}}"
    signs, telling = spelled(ranges_of(TELLING, DUMB)), spelled(ranges_of(TELLING))
    return f"[{letters}]+(?:-[{letters}]+)*|[{signs}]*-[0-9][{letters}]*|[{signs}]{{2,}}|[{telling}]"


def _sign(match: re.Match[str]) -> str:
    """The word in a run of signs: no nose, nothing more than twice; none for what joins, colours or says nothing."""
    if match["eyes"]:
        return match["eyes"] + match["mouth"]
    if match["smile"]:
        return match["smile"] + match["below"]
    return re.sub(r"(.)\1{2,}", r"\1\1", match["word"] or "")


@lru_cache(maxsize=1)
def python_signs() -> re.Pattern[str]:
    silent, single, dumb = (_python(r) for r in ([_SELECTORS, _JOINER, _TONES], ranges_of(TELLING), ranges_of(DUMB)))
    word = f"{_RUNS}|[{_python([_FLAGS])}]{{1,2}}|[{single}]|(?P<again>[{dumb}])(?P=again)+"
    return re.compile(f"://|[{silent}]|{_EMOTICON}|{_UPSIDE_DOWN}|(?P<word>{word})")


@lru_cache(maxsize=1)
def python_scripts() -> re.Pattern[str]:
    """Letters of scripts without spaces, or of the others."""
    unspaced, mark, spaced = (_python(ranges_of(*kinds)) for kinds in ((UNSPACED,), (MARK,), (SPACED, MARK)))
    return re.compile(f"([{unspaced}][{unspaced}{mark}]*)|([{spaced}]+)")


@lru_cache(maxsize=1)
def python_unit() -> re.Pattern[str]:
    """A character and the marks on it."""
    return re.compile(f".[{_python(_marks())}]*", re.DOTALL)


# --- classes of characters ---


@lru_cache(maxsize=8)
def ranges_of(*kinds: int) -> Ranges:
    return _runs(np.isin(_kinds(), kinds)) + ([_FAR_MARKS] if MARK in kinds else [])


@lru_cache(maxsize=1)
def first_letters() -> Ranges:
    """What words are made of in cut 1."""
    return [*_runs(_word_characters() | _is_mark()), _FAR_MARKS]


def _marks(*, selectors: bool = True) -> Ranges:
    marks = _is_mark().copy()
    marks[_SELECTORS[0] : _SELECTORS[1] + 1] &= selectors
    return [*_runs(marks), _FAR_MARKS]


def _kind(character: str) -> int:
    point = ord(character)
    return int(_kinds()[point]) if point < _LIMIT else MARK


@lru_cache(maxsize=1)
def _kinds() -> NDArray[np.int8]:
    """The kind of each code point; 0 for spaces, controls and what is unassigned."""
    kinds = np.zeros(_LIMIT, np.int8)
    kinds[_word_characters()] = SPACED
    kinds[_is_mark()] = MARK
    inside = kinds > 0
    for low, high in _UNSPACED:
        kinds[low : high + 1][inside[low : high + 1]] = UNSPACED
    for point in np.flatnonzero(~inside[:0x20000]).tolist():
        category = unicodedata.category(chr(point))
        if category in ("Sm", "Sc", "So") or (category == "Cn" and _PICTURES[0] <= point <= _PICTURES[1]):
            kinds[point] = TELLING
        elif category[0] in "PS":
            kinds[point] = DUMB
    kinds[[ord(sign) for sign in _SAYING]] = TELLING
    for low, high in (_SELECTORS, _JOINER):
        kinds[low : high + 1] = DUMB
    return kinds


@lru_cache(maxsize=1)
def _word_characters() -> NDArray[np.bool_]:
    r"""Of each code point whether it is \w, by this Python's tables."""
    every = np.arange(_LIMIT, dtype="<u4").tobytes().decode("utf-32-le", "surrogatepass")
    inside = np.zeros(_LIMIT, bool)
    for match in re.finditer(r"\w+", every):
        inside[match.start() : match.end()] = True
    return inside


@lru_cache(maxsize=1)
def _is_mark() -> NDArray[np.bool_]:
    """Of each code point whether it is a combining mark."""
    others = np.flatnonzero(~_word_characters()[:0x20000])
    marks = np.zeros(_LIMIT, bool)
    marks[others[[unicodedata.category(chr(point))[0] == "M" for point in others.tolist()]]] = True
    return marks


def _runs(inside: NDArray[np.bool_]) -> Ranges:
    edges = np.flatnonzero(np.diff(inside.view(np.int8), prepend=np.int8(0), append=np.int8(0)))
    return [(int(low), int(high) - 1) for low, high in zip(edges[::2], edges[1::2], strict=True)]


def _rust(ranges: Ranges) -> str:
    return "".join(rf"\x{{{low:x}}}-\x{{{high:x}}}" for low, high in ranges)


def _python(ranges: Ranges) -> str:
    return "".join(rf"\U{low:08x}-\U{high:08x}" for low, high in ranges)
