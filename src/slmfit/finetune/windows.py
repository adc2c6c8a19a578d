"""Texts of any length as windows that a model can read, and which token of them speaks for which word.

    encoded = encode(tokenizer, texts, words)
    made = encoded.windows(128)
    made.tokens                     # one row per window, special tokens included
    made.word                       # for every token of them: the number of the word it speaks for, or -1

Neighbouring windows overlap, and every token is taken from the window in which it has the most text on both sides, so
an entity that straddles an edge is put together from both. Only the first token of a word speaks for it (Devlin et
al., 2019).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from slmfit.finetune.logits import finite
from slmfit.finetune.tokens import CHUNK, Tokens, closing, encodable
from slmfit.hub.border import encoded
from slmfit.tasks.spans import Offsets

Answers = tuple[np.ndarray, np.ndarray]  # tags: log-probabilities [words, tags]; intents: logits [windows, intents]
Piece = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]

UNREAD = -30.0  # the log-probability of all tags but O for a word that no token speaks for
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


@dataclass(frozen=True)
class Encoded:
    """Texts as tokens, uncut and without special ones, end to end.

    ids: int32 [tokens]. word: int64 [tokens], as in `Windows`. starts: int64 [texts + 1].
    before, after: the special tokens around a text. count: how many words there are in all.
    """

    ids: np.ndarray
    word: np.ndarray
    starts: np.ndarray
    before: np.ndarray
    after: np.ndarray
    count: int

    @property
    def lengths(self) -> np.ndarray:
        """int64 [texts], with special tokens."""
        return np.diff(self.starts) + len(self.before) + len(self.after)

    def windows(self, size: int, overlap: int | None = None) -> Windows:
        """Windows of at most `size` tokens. overlap: tokens that neighbours share, None = a part in `OVERLAP`."""
        inner = size - len(self.before) - len(self.after)
        shared = inner // OVERLAP if overlap is None else overlap
        ids, word, lengths, row, first = [], [], [0], [], []
        outside = (np.full(len(self.before), -1), np.full(len(self.after), -1))
        for n, (begin, end) in enumerate(pairwise(self.starts.tolist())):
            for opens, closes, taken, until in cut(end - begin, inner, shared):
                own = self.word[begin + opens : begin + closes].copy()
                own[: taken - opens] = own[until - opens :] = -1
                word += [outside[0], own, outside[1]]
                ids += [self.before, self.ids[begin + opens : begin + closes], self.after]
                lengths.append(closes - opens + size - inner)
                row.append(n)
                first.append(opens == 0)
        made = (np.concatenate([*parts, np.empty(0, kind)]).astype(kind) for parts, kind in ((ids, "i4"), (word, "i8")))
        tokens = Tokens(next(made), np.cumsum(lengths, dtype=np.int64), len(self.after), size)
        return Windows(tokens, np.array(row, np.int64), np.array(first, bool), next(made), self.count)


def cut(length: int, size: int, overlap: int) -> list[tuple[int, int, int, int]]:
    """Windows over `length` tokens: where each begins and ends, and the part that is taken from it.

    Every token is in exactly one taken part. size: of a window; overlap: tokens that neighbours share, below `size`.
    """
    begins = [0]
    while begins[-1] + size < length:
        begins.append(min(begins[-1] + size - overlap, length - size))
    edges = [0, *((begin + before + size) // 2 for before, begin in pairwise(begins)), length]
    return [(begin, min(begin + size, length), edges[i], edges[i + 1]) for i, begin in enumerate(begins)]


def encode(tokenizer: Any, texts: Sequence[str], words: Sequence[Offsets]) -> Encoded:
    """The tokens of texts whose words stand at `words`.

    tokenizer: a transformers tokenizer with a tokenizers backend.
    """
    backend = tokenizer.backend_tokenizer
    backend.no_padding()
    backend.no_truncation()
    framed = backend.encode("a")
    head = framed.special_tokens_mask.index(0)
    frame = np.array(framed.ids, np.int32)
    ids, word, lengths, count = [np.empty(0, np.int32)], [np.empty(0, np.int64)], [0], 0
    for begin in range(0, len(texts), CHUNK):
        chunk = [encodable(t) for t in texts[begin : begin + CHUNK]]
        encodings = encoded(backend, chunk, special=False, places=True)
        for n, encoding in enumerate(encodings, start=begin):
            ids.append(np.array(encoding.ids, np.int32))
            word.append(np.array(_spoken(texts[n], encoding.offsets, words[n], count), np.int64))
            lengths.append(len(encoding.ids))
            count += len(words[n])
    starts = np.cumsum(lengths, dtype=np.int64)
    after = frame[len(frame) - closing(backend) :]
    return Encoded(np.concatenate(ids), np.concatenate(word), starts, frame[:head], after, count)


def put_together(made: Windows, pieces: Iterable[Piece]) -> Answers:
    """What a model says of every word and every window, in order, of what it says of batches of windows.

    pieces: of each batch its windows, the words that its tokens speak for, what it says of these, and of its windows.
    Raises NotFinite.
    """
    order, where, words, intents = zip(*pieces, strict=True) if len(made.tokens) else ((),) * 4
    if not order:
        return np.zeros((0, 1), np.float32), np.zeros((0, 0), np.float32)
    scores = np.full((made.count, words[0].shape[1]), UNREAD, np.float32)
    scores[:, 0] = 0.0
    scores[np.concatenate(where)] = finite(np.concatenate(words))
    placed = np.empty((len(made.tokens), intents[0].shape[1]), np.float32)
    placed[np.concatenate(order)] = np.concatenate(intents)
    return scores, finite(placed)


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
