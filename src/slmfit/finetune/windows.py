"""Texts of any length as windows that a model can read, and which token of them speaks for which word.

    made = windows(tokenizer, texts, words, size=128)
    made.tokens                     # one row per window, special tokens included
    made.word                       # for every token of them: the number of the word it speaks for, or -1

Neighbouring windows overlap, and every token is taken from the window in which it has the most text on both sides, so
an entity that straddles an edge is put together from both. Only the first token of a word speaks for it (Devlin et
al., 2019).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from slmfit.finetune.tokens import CHUNK, Tokens, closing, encodable
from slmfit.tasks.spans import Offsets

OVERLAP = 4  # neighbouring windows share one part in so many


@dataclass(frozen=True)
class Windows:
    """Windows over texts.

    tokens: one row per window. row: int64 [windows], the text of each. first: bool [windows], whether it begins it.
    word: int64 [tokens], the word that a token speaks for, counted through all texts, else -1.
    count: how many words there are in all.
    """

    tokens: Tokens
    row: np.ndarray
    first: np.ndarray
    word: np.ndarray
    count: int

    @property
    def marks(self) -> Tokens:
        """`word` in the shape of `tokens`, so that batches of it lie on batches of them."""
        return replace(self.tokens, ids=self.word)


def cut(length: int, size: int, overlap: int) -> list[tuple[int, int, int, int]]:
    """Windows over `length` tokens: where each begins and ends, and the part that is taken from it.

    Every token is in exactly one taken part. size: of a window; overlap: tokens that neighbours share, below `size`.
    """
    begins = [0]
    while begins[-1] + size < length:
        begins.append(min(begins[-1] + size - overlap, length - size))
    edges = [0, *((begin + before + size) // 2 for before, begin in pairwise(begins)), length]
    return [(begin, min(begin + size, length), edges[i], edges[i + 1]) for i, begin in enumerate(begins)]


def windows(
    tokenizer: Any, texts: Sequence[str], words: Sequence[Offsets], size: int, overlap: int | None = None
) -> Windows:
    """Windows of at most `size` tokens, special tokens included, over texts whose words stand at `words`.

    tokenizer: a transformers tokenizer with a tokenizers backend. overlap: tokens that neighbours share, None = a part
    in `OVERLAP`.
    """
    backend = tokenizer.backend_tokenizer
    backend.no_padding()
    backend.no_truncation()
    around, tail = backend.encode("a").special_tokens_mask, closing(backend)
    head = next(i for i, special in enumerate(around) if not special)
    frame = backend.encode("a").ids
    before, after = frame[:head], frame[len(frame) - tail :]
    inner = size - head - tail
    shared = inner // OVERLAP if overlap is None else overlap
    ids: list[int] = []
    marks: list[int] = []
    starts, row, first, count = [0], [], [], 0
    for begin in range(0, len(texts), CHUNK):
        encodings = backend.encode_batch([encodable(t) for t in texts[begin : begin + CHUNK]], add_special_tokens=False)
        for n, encoding in enumerate(encodings, start=begin):
            spoken = _spoken(texts[n], encoding.offsets, words[n], count)
            count += len(words[n])
            for opens, closes, taken, until in cut(len(encoding.ids), inner, shared):
                ids += [*before, *encoding.ids[opens:closes], *after]
                own = [spoken[i] if taken <= i < until else -1 for i in range(opens, closes)]
                marks += [*([-1] * head), *own, *([-1] * tail)]
                starts.append(len(ids))
                row.append(n)
                first.append(opens == 0)
    tokens = Tokens(np.array(ids, np.int32), np.array(starts, np.int64), tail, size)
    return Windows(tokens, np.array(row, np.int64), np.array(first, bool), np.array(marks, np.int64), count)


def _spoken(text: str, tokens: Offsets, words: Offsets, count: int) -> list[int]:
    """For each token the number of the word that it is the first of, from `count` on, or -1."""
    spoken, at = [], 0
    for start, end in tokens:
        while start < end and text[start : start + 1].isspace():  # byte-level tokens bring the space before them
            start += 1
        while at < len(words) and words[at][1] <= start:
            at += 1
        if start < end and at < len(words) and words[at][0] <= start:
            spoken.append(count + at)
            at += 1
        else:
            spoken.append(-1)
    return spoken
