"""Pairs of texts to token ids, each pair one row: as the checkpoint's own tokenizer joins two texts.

    frame = Frame.of(tokenizer, config)
    tokenise_pairs(tokenizer, [("a man sleeps", "a man is awake")], 512, frame).at_most(128)

Tokenizers of causal models set nothing between two texts, or what begins a text: there they get a line break.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from slmfit.finetune.tokens import CHUNK, Seam, Tokens, closing, encodable

Ids = tuple[int, ...]


@dataclass(frozen=True)
class Frame:
    """The ids before, between and after two texts.

    types: which of the two texts each belongs to, as the checkpoint counts: of `before`, the first text, `between`, the
    second text and `after`, one number for every id and for each text; None where it tells no such types.
    own: whether the tokenizer says so, and it is no line break of ours.
    """

    before: Ids
    between: Ids
    after: Ids
    types: Ids | None = None
    own: bool = False

    @classmethod
    def of(cls, tokenizer: Any, config: Any) -> Self:
        """As the tokenizer sets it for an encoder of this configuration, else by a line break; None = no encoder."""
        kinds = getattr(config, "type_vocab_size", None) or 0
        own = None if config is None else cls.own_of(tokenizer, kinds)
        return own or cls.by_line(tokenizer, stand_in_of(tokenizer))

    @classmethod
    def own_of(cls, tokenizer: Any, kinds: int) -> Self | None:
        """As the tokenizer sets it; None where it sets nothing between two texts.

        kinds: how many types of tokens the model knows.
        """
        backend = tokenizer.backend_tokenizer
        backend.no_padding()
        backend.no_truncation()
        made = backend.encode("a", "a")
        of = made.sequence_ids
        first, second = ([place for place, text in enumerate(of) if text == n] for n in (0, 1))
        if not first or not second or second[0] - first[-1] == 1:
            return None
        parts = slice(0, first[0]), slice(first[-1] + 1, second[0]), slice(second[-1] + 1, None)
        before, between, after = (tuple(made.ids[part]) for part in parts)
        told = [made.type_ids[part] for part in parts]
        types = (*told[0], made.type_ids[first[0]], *told[1], made.type_ids[second[0]], *told[2])
        tells = "token_type_ids" in tokenizer.model_input_names and max(types) < kinds
        return cls(before, between, after, types if tells else None, own=True)

    @classmethod
    def by_line(cls, tokenizer: Any, stand_in: int) -> Self:
        """A line break between, and around both what the tokenizer sets around one text.

        stand_in: the id where the tokenizer has none for a line break.
        """
        backend = tokenizer.backend_tokenizer
        backend.no_padding()
        backend.no_truncation()
        made = backend.encode("a")
        head = next((place for place, special in enumerate(made.special_tokens_mask) if not special), 0)
        after = made.ids[len(made.ids) - closing(backend) :]
        between = backend.encode("\n", add_special_tokens=False).ids or [stand_in]
        return cls(tuple(made.ids[:head]), tuple(between), tuple(after))

    @property
    def fixed(self) -> int:
        """How many ids are of neither text."""
        return len(self.before) + len(self.between) + len(self.after)


def tokenise_pairs(tokenizer: Any, pairs: Sequence[tuple[str, str]], limit: int, frame: Frame) -> Tokens:
    """The tokens of pairs in their frame; of longer ones as many as rows of `limit` tokens may need."""
    backend = tokenizer.backend_tokenizer
    backend.no_padding()
    backend.no_truncation()
    chunks, counts = [np.empty(0, np.int32)], [np.empty((0, 2), np.int64)]
    for begin in range(0, len(pairs), CHUNK):
        chunk = [encodable(text) for pair in pairs[begin : begin + CHUNK] for text in pair]
        found = [e.ids for e in backend.encode_batch_fast(chunk, add_special_tokens=False)]
        both = [_enough(*two, limit) for two in zip(found[::2], found[1::2], strict=True)]
        rows = ((*frame.before, *first, *frame.between, *second, *frame.after) for first, second in both)
        chunks.append(np.fromiter((i for row in rows for i in row), np.int32))
        counts.append(np.array([(len(first), len(second)) for first, second in both], np.int64))
    lengths = np.concatenate(counts)
    starts = np.concatenate([[0], np.cumsum(lengths.sum(axis=1) + frame.fixed)]).astype(np.int64)
    seam = Seam(lengths[:, 0], len(frame.before), frame.fixed, _types(frame, lengths))
    return Tokens(np.concatenate(chunks), starts, len(frame.after), limit, seam)


def _enough(first: list[int], second: list[int], limit: int) -> tuple[list[int], list[int]]:
    """Both, without what no row of `limit` tokens holds; the first stays the longer one if it was."""
    return first[: limit + (len(first) > len(second))], second[:limit]


def _types(frame: Frame, lengths: np.ndarray) -> np.ndarray | None:
    """The types of all tokens, int8, where there are any. lengths: of both texts [rows, 2]."""
    if frame.types is None:
        return None
    times = np.ones((len(lengths), len(frame.types)), np.int64)
    times[:, len(frame.before)] = lengths[:, 0]
    times[:, len(frame.before) + 1 + len(frame.between)] = lengths[:, 1]
    return np.repeat(np.tile(np.array(frame.types, np.int8), len(lengths)), times.ravel())


def stand_in_of(tokenizer: Any) -> int:
    """The id read in place of a text that has no tokens; never the padding id, which counts as nothing."""
    for known in (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id):
        if known is not None and known != tokenizer.pad_token_id:
            return int(known)
    return 1 if tokenizer.pad_token_id == 0 else 0
