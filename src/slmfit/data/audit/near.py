"""Twins among texts: the same, the same but for case, spaces, punctuation and HTML, or at most one word in ten changed.

    twins = find_duplicates(["Cancel my order", "cancel my order!", "Where is my parcel?"])
    twins.groups                   # [0, 0, 2]: the first row of each row's group
    list(twins.links())            # [(0, 1, "variant", 1.0)]

Near twins are searched without comparing all pairs, in three steps that lose nothing on ordinary data:

1. Words. A word is what stands between spaces, without case, punctuation, tags and entities of HTML (a character where
   a script writes no spaces). Twins by words or letters are found by hashing and kept once from here on.
2. Candidates. An edit of one word destroys at most three shingles of three words, so two texts that are t edits apart
   share one of their 3t+1 rarest shingles: prefix filtering (Chaudhuri et al. 2006; Xiao et al., Ed-Join, 2008).
3. Proof. Every candidate's edit distance over words is computed (Landau & Vishkin 1989), for all pairs at once in
   numpy; what is reported is therefore near by definition, not by estimate.

On AG News repeated to 120,000 rows this takes some eight seconds on two busy cores (benchmarks/audit.py).
"""

from __future__ import annotations

import html
import re
import unicodedata
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from slmfit.data.audit.edits import CELLS, Integers, Words, word_edits
from slmfit.text.ngrams import scramble
from slmfit.timing.work import advance

READING = 0.5  # of the time of an audit goes for reading its rows

_Number = TypeVar("_Number", np.int64, np.uint64)
Kind = Literal["exact", "variant", "near"]

WORDS_PER_EDIT = 10  # near = at most one edited word (changed, added, dropped) in ten of the longer text
MOST_EDITS = 500  # and never more than this many, which takes a text of 5,000 words
SHINGLE = 3
_CANDIDATES = 10_000_000  # beyond so many, only the closest rows of the biggest crowds are compared
_BINS = 64


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Who is whose twin among n texts; every array of n names a row by the first row it equals.

    exact: (n,) the first row with the very same text.
    variant: (n,) the first row with the same letters, digits and symbols in the same order.
    groups: (n,) the first row of the group: rows connected by twins of any kind, through others too, so the far ends
        of a group may differ by more than one word in ten.
    near: (m, 2) pairs of first-of-their-variant rows, lower first, in order.
    similarity: (m,) 1 - edits / words of the longer text, between 0.9 and 1.
    words: the words of every text, as they were compared.
    complete: whether `near` holds every near pair. It does not when crowds of texts are alike (thousands from one
        template, hundreds of long ones): each is then compared with its next neighbours and proven closest first,
        which in general still connects them into one group.

    Blank texts are nobody's twin, and texts of fewer than ten words have no near ones: one word is too much of them.
    """

    exact: Integers
    variant: Integers
    groups: Integers
    near: Integers
    similarity: NDArray[np.float64]
    words: Words
    complete: bool

    def among_first(self, count: int) -> NDArray[np.bool_]:
        """(n - count,) whether each row from `count` on has a twin of any kind among the rows before."""
        near = self.near[self.near[:, 0] < count, 1]
        later = self.variant[count:]
        return (later < count) | np.isin(later, near)

    def links(self) -> Iterator[tuple[int, int, Kind, float]]:
        """(earlier row, later row, kind, similarity): each repeat with the first row it repeats, then near pairs."""
        for row, (exact, variant) in enumerate(zip(self.exact.tolist(), self.variant.tolist(), strict=True)):
            if exact != row:
                yield exact, row, "exact", 1.0
            elif variant != row:
                yield variant, row, "variant", 1.0
        for (i, j), similarity in zip(self.near.tolist(), self.similarity.tolist(), strict=True):
            yield i, j, "near", similarity


def find_duplicates(texts: Sequence[str]) -> Duplicates:
    """All twins among `texts`; see `Duplicates`. Time and memory grow with the length of all texts together."""
    exact = _first_rows(text if text.strip() else row for row, text in enumerate(texts))
    distinct = np.flatnonzero(exact == np.arange(len(texts)))
    words, letters = _read([texts[row] for row in distinct.tolist()])
    twin = _first_rows(run if texts[row].strip() else row for row, run in zip(distinct.tolist(), letters, strict=True))
    kept = np.flatnonzero(twin == np.arange(len(distinct)))
    pairs, edits, longer, complete = _near(words.only(kept))

    variant = distinct[twin][np.searchsorted(distinct, exact)]
    near = distinct[kept][pairs]
    order = np.lexsort((near[:, 1], near[:, 0]))
    similarity = 1.0 - edits / np.maximum(longer, 1)
    every = words.only(np.searchsorted(distinct, exact))
    return Duplicates(exact, variant, _connect(variant, near), near[order], similarity[order], every, complete)


def _first_rows(keys: Iterator[str | int]) -> Integers:
    """For each key the position of its first appearance."""
    seen: dict[str | int, int] = {}
    return np.fromiter((seen.setdefault(key, row) for row, key in enumerate(keys)), np.int64)


def _connect(variant: Integers, near: Integers) -> Integers:
    """(n,) the first row of each row's connected group."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(variant)
    if not n:
        return variant
    one, other = np.concatenate([variant, near[:, 0]]), np.concatenate([np.arange(n), near[:, 1]])
    _, group = connected_components(coo_array((np.ones(len(one), np.int8), (one, other)), shape=(n, n)), directed=False)
    first = np.unique(group, return_index=True)[1]
    return first[group].astype(np.int64)


# --- words ------------------------------------------------------------------------------------------------------------

# Thai, Lao, Burmese, Khmer, kana and Han write no spaces between words.
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_DROPPED = {"Cc", "Cf", "Zs", "Zl", "Zp"}  # and all of P; symbols such as + and $ carry meaning and stay


class _Blanks(dict[int, str | int]):
    """For str.translate: punctuation, spaces and control characters become a space, looked up once per character."""

    def __missing__(self, code: int) -> str | int:
        category = unicodedata.category(chr(code))
        self[code] = " " if category in _DROPPED or category[0] == "P" else code
        return self[code]


class _Lexicon(dict[str, int]):
    """Chunk between spaces -> word id; `letters[id]` is what the word adds to the text's letters."""

    def __init__(self) -> None:
        super().__init__()
        self.letters: list[str] = []
        self._ids: dict[str, int] = {}
        self._blanks = _Blanks()

    def __missing__(self, chunk: str) -> int:
        parts = chunk.casefold().translate(self._blanks).split()
        guarded = "".join([_guarded(part) for part in parts])
        word = guarded or chunk  # a dash on its own is still a word that may be changed
        if word not in self._ids:
            self._ids[word] = len(self.letters)
            self.letters.append(guarded)
        self[chunk] = self._ids[word]
        return self[chunk]


# The elements of HTML, and no other words: a <person> in a text may be what tells it from another.
_TAG = re.compile(
    r"</?(?:a|abbr|article|b|big|blockquote|body|br|center|cite|code|dd|del|div|dl|dt|em|font|footer|h[1-6]|head|header"
    r"|hr|html|i|img|ins|kbd|li|main|mark|meta|nobr|ol|p|pre|q|s|section|small|span|strike|strong|sub|sup|table|tbody|td"
    r"|tfoot|th|thead|tr|tt|u|ul|var|wbr)(?=[\s/>])[^<>]*>|<!--[^<>]*-->",
    re.IGNORECASE,
)
_WRAPPED = 3  # times: `&amp;nbsp;` is a space that was written as HTML twice


def unmarked(text: str) -> str:
    """The text as a browser shows it, near enough: without tags, entities as what they stand for."""
    for _ in range(_WRAPPED):
        if "<" not in text and "&" not in text:
            break
        text = _TAG.sub(" ", html.unescape(text))
    return text


def _guarded(part: str) -> str:
    """A \\0 beside every digit at the border: so 1.5 and 1 5 stay apart from 15, while covid-19 is covid19."""
    return ("\0" if part[0].isdigit() else "") + part + ("\0" if part[-1].isdigit() else "")


def _read(texts: Sequence[str]) -> tuple[Words, list[str]]:
    """Word ids, and each text's letters, digits and symbols run together (the text itself where it has none)."""
    lexicon = _Lexicon()
    ids, length, letters = array("q"), array("q"), []
    for given in texts:
        text = unmarked(given)
        if not text.isascii():
            text = UNSPACED.sub(r" \g<0> ", unicodedata.normalize("NFKC", text))
        row = [lexicon[chunk] for chunk in text.split()]
        ids.extend(row)
        length.append(len(row))
        run = "".join([lexicon.letters[word] for word in row]).replace("\0\0", " ").replace("\0", "")
        letters.append(run or given.strip())
        advance(READING)
    lengths = np.array(length, np.int64)
    return Words(np.array(ids, np.int64), np.cumsum(lengths) - lengths, lengths), letters


# --- candidates -------------------------------------------------------------------------------------------------------


def _near(words: Words) -> tuple[Integers, Integers, Integers, bool]:
    """Near pairs among distinct texts: (m, 2) positions, (m,) edits, (m,) words of the longer text; and if all."""
    pairs, complete = _candidates(words)
    longer = words.length[pairs].max(axis=1)
    limit = np.minimum(longer // WORDS_PER_EDIT, MOST_EDITS)
    least = _fewest_edits(words, pairs)
    possible = np.flatnonzero(least <= limit)
    possible = possible[np.argsort(least[possible], kind="stable")]  # the closest are proven first
    pairs, longer, limit = pairs[possible], longer[possible], limit[possible]
    edits, finished = word_edits(words, pairs, limit)
    proven = edits <= limit
    return pairs[proven], edits[proven], longer[proven], complete and finished


def _candidates(words: Words) -> tuple[Integers, bool]:
    """(c, 2) pairs of texts that share one of their rarest shingles, lower first, each once; and if these are all."""
    texts = max(len(words.length), 1)
    bits = texts.bit_length()
    last = np.uint64(64 - bits)
    # A twin has at most a ninth more words, so a text of n words is at most n // 9 edits from it.
    prefix = SHINGLE * np.minimum(words.length // (WORDS_PER_EDIT - 1), MOST_EDITS) + 1
    text = np.repeat(np.arange(len(words.length)), words.length)[: max(len(words.ids) - SHINGLE + 1, 0)]
    inside = np.arange(len(text)) + SHINGLE <= (words.start + words.length)[text]
    inside &= words.length[text] >= WORDS_PER_EDIT - 1
    text, shingle = text[inside], _shingles(words.ids)[inside]

    # Rareness is counted in a table of hashes: a collision only makes a shingle look more common than it is, and any
    # order will do as long as it is the same for all texts. Order, then hash, then text are packed into 64 bits.
    slot = shingle & np.uint64((1 << max(16, len(shingle).bit_length())) - 1)
    count = np.bincount(slot.astype(np.int64))[slot.astype(np.int64)] if len(slot) else np.zeros(0, np.int64)
    token = (np.minimum(count, 4095).astype(np.uint64) << np.uint64(52)) | (shingle >> np.uint64(12))
    token >>= np.uint64(bits)
    packed = np.sort((text.astype(np.uint64) << last) | token)
    text = (packed >> last).astype(np.int64)
    rank = np.arange(len(text)) - np.searchsorted(text, np.arange(texts))[text]
    token = packed & np.uint64((1 << (64 - bits)) - 1)
    shared = token >> np.uint64(64 - bits - 12) > 1  # counted once: nobody else has it
    chosen = shared & (rank < prefix[text])
    packed = ascending((token[chosen] << np.uint64(bits)) | text[chosen].astype(np.uint64))
    return _neighbours(packed >> np.uint64(bits), (packed & np.uint64((1 << bits) - 1)).astype(np.int64))


def ascending(numbers: NDArray[_Number]) -> NDArray[_Number]:
    """Ascending, each once: np.unique without the hash table, which is several times slower on many numbers."""
    ordered = np.sort(numbers)
    return ordered[np.concatenate([np.ones(min(len(ordered), 1), bool), ordered[1:] != ordered[:-1]])]


def _shingles(ids: Integers) -> NDArray[np.uint64]:
    """A 64-bit hash of every SHINGLE consecutive words."""
    size = max(len(ids) - SHINGLE + 1, 0)
    mixed = np.zeros(size, np.uint64)
    for k in range(SHINGLE):
        mixed = scramble(mixed + ids[k : k + size].astype(np.uint64))
    return mixed


def _neighbours(token: NDArray[np.uint64], text: Integers) -> tuple[Integers, bool]:
    """All pairs of texts under the same token; once there are too many, only those close together in its list."""
    found: list[Integers] = [np.zeros(0, np.int64)]
    total, apart = 0, 1
    at = np.arange(len(token))
    while len(at) and total <= _CANDIDATES:
        at = at[at + apart < len(token)]
        at = at[token[at] == token[at + apart]]
        found.append(text[at] << 32 | text[at + apart])
        total, apart = total + len(at), apart + 1
    pairs = ascending(np.concatenate(found))
    return np.stack([pairs >> 32, pairs & 0xFFFFFFFF], axis=1), not len(at)


def _fewest_edits(words: Words, pairs: Integers) -> Integers:
    """(m,) a cheap lower bound on the edits: no order, and words counted in a few bins. Spares most proofs."""
    row = np.repeat(np.arange(len(words.length)), words.length)
    found = np.bincount(row * _BINS + words.ids % _BINS, minlength=len(words.length) * _BINS)
    counts = np.minimum(found, 32767).astype(np.int16).reshape(-1, _BINS)
    bound = np.zeros(len(pairs), np.int64)
    for begin in range(0, len(pairs), CELLS // _BINS):
        some = slice(begin, begin + CELLS // _BINS)
        more = counts[pairs[some, 0]].astype(np.int32) - counts[pairs[some, 1]]
        bound[some] = np.maximum(np.maximum(more, 0).sum(axis=1), np.maximum(-more, 0).sum(axis=1))
    return bound
