"""Words, characters and their n-grams as integers in flat numpy arrays.

    words = split_words(["The cat sat", "a dog"])   # ids [3 0 2 1], offsets [0 3 4]; vocabulary cat dog sat the
    pairs = ngrams(words, 2)                        # "the cat", "cat sat" as two integers; none in "a dog"

What a word is, `cutting` says; the same text gives the same words whether it comes alone or among many.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from slmfit.text.cutting import FIRST, NEWEST, parts, rust_chunk, rust_plain

Ints = NDArray[np.int64]
UNKNOWN = -1
_CODE_POINTS = 0x110000
_SURROGATES = re.compile("[\ud800-\udfff]")
_MARK = 1  # the border of a word


@dataclass(frozen=True)
class Tokens:
    """The words of all texts, one text after the other.

    ids: int32, one per word, an index into `vocabulary`; -1 for a word that is not known.
    offsets: int64, one more than there are texts; text i owns ids[offsets[i]:offsets[i + 1]].
    vocabulary: the distinct words in code point order, so the ids do not depend on the order of the texts.
    """

    ids: NDArray[np.int32]
    offsets: Ints
    vocabulary: list[str]


@dataclass(frozen=True)
class Grams:
    """The n-grams of all texts. Equal n-grams have equal keys.

    keys: int64, one per n-gram occurrence. offsets: as in `Tokens`.
    """

    keys: Ints
    offsets: Ints


def split_words(texts: Sequence[str], *, shortest: int = 2, cut: int = NEWEST) -> Tokens:
    """The words of every text, and which there are.

    shortest: how many characters a word of letters must have. cut: what a word is, see `cutting`.
    """
    import polars as pl

    lowered = pl.Series(_encodable([text.lower() for text in texts]), dtype=pl.String)
    found = lowered.str.extract_all(rust_chunk(cut, shortest))
    chunks = found.explode().drop_nulls()  # an empty list explodes to one null
    known = chunks.unique().sort()
    ids = chunks.cast(pl.Enum(known)).to_physical().cast(pl.Int32).to_numpy()
    tokens = Tokens(ids, _offsets(found.list.len().to_numpy()), known.to_list())
    if cut == FIRST:
        return tokens
    odd = known.str.contains(rust_plain(shortest)).not_().arg_true().to_list()
    return _taken_apart(tokens, {i: parts(tokens.vocabulary[i], shortest) for i in odd})


def ngrams(tokens: Tokens, n: int) -> Grams:
    """Every run of n neighbouring tokens of one text as an integer; runs with an unknown token are left out.

    While vocabulary ** n fits into 63 bits the key is exact (the ids as digits in base len(vocabulary)). Beyond that
    it is a 63-bit hash: two of ten million distinct n-grams then share a key with a chance below one in 100,000.
    """
    ids, count = tokens.ids, len(tokens.ids)
    if n < 1:
        raise ValueError(f"n-grams need n >= 1, not {n}")
    starts = max(count - n + 1, 0)
    whole = np.ones(count, bool)
    whole[starts:] = False
    ends = tokens.offsets[1:]
    for back in range(1, n):  # a run that starts fewer than n tokens before a text's end would reach into the next
        crossing = ends - back
        whole[crossing[crossing >= 0]] = False
    if len(ids) and ids.min() < 0:
        for ahead in range(n):
            whole[:starts] &= ids[ahead : starts + ahead] >= 0
    places = np.flatnonzero(whole)
    keys = _gram_keys([ids[places + ahead] for ahead in range(n)], len(tokens.vocabulary))
    before = np.concatenate(([0], np.cumsum(whole, dtype=np.int64)))
    return Grams(keys, before[tokens.offsets])


def character_ngrams(words: Sequence[str], alphabet: str, lengths: Sequence[int]) -> Grams:
    """The runs of so many characters of each word, one mark before and one after it included; lengths from 2.

    So "cat" has "[ca", "cat" and "at]" among its runs of three. Runs with a character that is not in `alphabet` are
    left out. Keys of runs of different lengths differ. Offsets are those of the words.
    """
    joined = "\n".join(["", *words, ""])  # one mark stands between two words and belongs to both
    codes = _numbers(alphabet)[np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)]
    border = codes == _MARK
    word = np.cumsum(border) - 1
    fits = known = codes > 0
    keys, owners = [], []
    for n in range(2, max(lengths) + 1):
        starts = max(len(codes) - n + 1, 0)
        fits = fits[:starts] & known[n - 1 :]
        if n > 2:
            fits &= ~border[n - 2 : n - 2 + starts]
        if n in lengths:
            places = np.flatnonzero(fits)
            keys.append(_gram_keys([codes[places + ahead] for ahead in range(n)], len(alphabet) + 2))
            owners.append(word[places])
    owner = np.concatenate(owners)
    order = np.argsort(owner, kind="stable")
    return Grams(np.concatenate(keys)[order], _offsets(np.bincount(owner, minlength=len(words))))


def _taken_apart(chunks: Tokens, words: Mapping[int, Sequence[str]]) -> Tokens:
    """Every chunk that is in `words` replaced by those, all others kept as they stand."""
    if not words:
        return chunks
    kept = [words.get(i, (word,)) for i, word in enumerate(chunks.vocabulary)]
    plain = [word for i, word in enumerate(chunks.vocabulary) if i not in words]
    others = {word for several in words.values() for word in several}.difference(plain)
    vocabulary = sorted(plain + sorted(others))  # two sorted lists in a row, which only have to be merged
    number = {word: i for i, word in enumerate(vocabulary)}
    flat = np.array([number[word] for several in kept for word in several], np.int32)
    sizes = np.fromiter(map(len, kept), np.int64, len(kept))
    begins = np.cumsum(sizes) - sizes
    repeats = sizes[chunks.ids]
    ends = _offsets(repeats)
    within = np.arange(ends[-1]) - np.repeat(ends[:-1], repeats)
    ids = flat[np.repeat(begins[chunks.ids], repeats) + within]
    return Tokens(ids, ends[chunks.offsets], vocabulary)


def numbered(keys: Ints, known: Ints) -> Ints:
    """The place of each key in `known`, which is sorted; -1 for those it lacks."""
    if len(known) == 0:
        return np.full(len(keys), UNKNOWN, np.int64)
    places = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return np.where(known[places] == keys, places, UNKNOWN)


@lru_cache(maxsize=4)
def _numbers(alphabet: str) -> NDArray[np.int32]:
    """Code point -> 2, 3, … for the characters of the alphabet, 1 for the mark, 0 for all others."""
    numbers = np.zeros(_CODE_POINTS, np.int32)
    numbers[[ord(character) for character in alphabet]] = np.arange(2, len(alphabet) + 2)
    numbers[ord("\n")] = _MARK
    return numbers


def _gram_keys(columns: Sequence[NDArray[np.int32]], size: int) -> Ints:
    """The key of each n-gram whose k-th token id is columns[k]; `size` is the length of the vocabulary."""
    if size ** len(columns) < 2**63:
        keys = columns[0].astype(np.int64)
        for column in columns[1:]:
            keys *= size
            keys += column
        return keys
    hashed = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        hashed = scramble(hashed + column.astype(np.uint64))
    return (hashed >> np.uint64(1)).astype(np.int64)


def scramble(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64 (Steele, Lea and Flood, 2014): every input bit moves every output bit."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _offsets(lengths: NDArray) -> Ints:
    return np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))


def _encodable(texts: list[str]) -> list[str]:
    """Lone surrogates (which JSON can carry, UTF-8 cannot) as spaces; neither is part of a word."""
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        return [_SURROGATES.sub(" ", text) for text in texts]
    return texts
