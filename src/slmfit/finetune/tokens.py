"""Texts to token ids, once: in parallel, and cached by content for every method that uses the same tokenizer.

    tokens = tokenise(tokenizer, texts, limit=512, cache=folder)
    tokens.at_most(128).lengths

Rows lie end to end in one array, so a million texts take a few bytes a token. They are cut shorter when a batch is
made, exactly as the tokenizer would have cut them, so every maximum length shares one tokenisation.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from slmfit.hub.border import encoded

CHUNK = 4096  # texts handed to the tokenizer at once: enough for all cores, little memory
FORMAT = "slmfit.tokens/1"


@dataclass(frozen=True)
class Seam:
    """Where the two texts of each row meet, in rows that are pairs.

    first: int64 [rows], the tokens of the first text; head of them come before it, and fixed are of neither text.
    types: int8 [tokens], which of the two a token belongs to as the checkpoint counts; None where it does not tell.
    """

    first: np.ndarray
    head: int
    fixed: int
    types: np.ndarray | None = None

    def kept(self, lengths: np.ndarray, limit: int) -> np.ndarray:
        """int64 [rows], how many tokens of the first text stay in rows that are cut to `limit` tokens.

        The longer text is cut first; when both are as long, both, and the longer one has the odd token. So do
        tokenizers (`longest_first`), which is why rows cut by them and by us are the same.
        """
        room, second = max(0, limit - self.fixed), lengths - self.fixed - self.first
        share = np.minimum(np.minimum(self.first, second), room // 2)  # of the shorter one
        cut = np.where(self.first <= second, share, room - share)
        return np.where(lengths <= limit, self.first, cut)


@dataclass(frozen=True)
class Tokens:
    """Token ids of texts.

    ids: int32 [tokens]; row i is ids[starts[i]:starts[i + 1]], special tokens included.
    tail: how many special tokens close a row; they stay when it is cut.
    limit: rows count as cut to this many tokens.
    seam: of rows that are pairs of texts; None where each is one text.
    """

    ids: np.ndarray
    starts: np.ndarray
    tail: int
    limit: int
    seam: Seam | None = None

    def __len__(self) -> int:
        return len(self.starts) - 1

    @cached_property
    def lengths(self) -> np.ndarray:
        """int64 [rows], as cut."""
        return np.minimum(np.diff(self.starts), self.limit)

    def at_most(self, limit: int) -> Tokens:
        """The same rows, cut to `limit` tokens; nothing is copied."""
        return replace(self, limit=min(limit, self.limit))

    def packed(self) -> tuple[dict[str, int], dict[str, np.ndarray]]:
        """Numbers and arrays that `unpacked` makes the same of, in another process."""
        about, arrays = {"tail": self.tail, "limit": self.limit}, {"ids": self.ids, "starts": self.starts}
        if (seam := self.seam) is not None:
            about |= {"head": seam.head, "fixed": seam.fixed}
            arrays |= {"first": seam.first} | ({} if seam.types is None else {"types": seam.types})
        return about, arrays

    @classmethod
    def unpacked(cls, about: dict[str, int], arrays: dict[str, np.ndarray]) -> Tokens:
        """Names that others packed beside are left alone."""
        seam = Seam(arrays["first"], about["head"], about["fixed"], arrays.get("types")) if "first" in arrays else None
        return cls(arrays["ids"], arrays["starts"], about["tail"], about["limit"], seam)


class PlainRows:
    """Batches of rows, each padded to its longest, by numpy; `rows.Rows` makes the same on a device, by torch.

    rows = PlainRows(tokens, pad=0)
    rows.batch(np.array([3, 5]))["input_ids"]          # int64 [2, length]
    """

    library: Any = np  # that computes; the names used here mean the same in torch

    def __init__(self, tokens: Tokens, pad: int, *, step: int = 1, left: bool = False) -> None:
        """pad: the id that fills up rows. step: lengths are padded to a multiple of it. left: pad on the left."""
        self.tokens, self.pad, self.step, self.left = tokens, pad, step, left
        self._ids, self._starts = self._put(tokens.ids), self._put(tokens.starts)
        self._lengths = self._put(tokens.lengths)
        self._types: Any = None
        if (seam := tokens.seam) is not None:
            kept = seam.kept(np.diff(tokens.starts), tokens.limit)
            self._turn, self._left_out = self._put(seam.head + kept), self._put(seam.first - kept)
            self._types = None if seam.types is None else self._put(seam.types)

    def batch(self, rows: np.ndarray) -> dict[str, Any]:
        """`input_ids`, `attention_mask` and, of pairs that have types, `token_type_ids`: int64 [rows, longest]."""
        own = self.library
        longest = int(-(-self.tokens.lengths[rows].max() // self.step) * self.step)
        where = self._put(rows)
        lengths = self._lengths[where][:, None]
        place = self._counted(longest)[None]
        if self.left:
            place = place - (longest - lengths)
        mask = (place >= 0) & (place < lengths)
        begins, ends = self._starts[where][:, None], self._starts[where + 1][:, None]
        closing = place >= lengths - self.tokens.tail
        opening = begins + place
        if self.tokens.seam is not None:  # the places in the uncut rows of those in the cut ones, but for the tail's
            opening = opening + own.where(place >= self._turn[where][:, None], self._left_out[where][:, None], 0)
        source = own.clip(own.where(closing, ends - lengths + place, opening), 0, max(0, len(self._ids) - 1))
        made = {"input_ids": own.where(mask, self._whole(self._ids[source]), self.pad)}
        made["attention_mask"] = self._whole(mask)
        if self._types is not None:
            made["token_type_ids"] = own.where(mask, self._whole(self._types[source]), 0)
        return made

    def _put(self, array: np.ndarray) -> Any:
        """An array where the batches are made."""
        return array

    def _counted(self, many: int) -> Any:
        return np.arange(many)

    def _whole(self, array: Any) -> Any:
        """The same as int64."""
        return array.astype(np.int64)


def tokenise(
    tokenizer: Any, texts: Sequence[str], limit: int, cache: Path | None = None, *, fill: int | None = None
) -> Tokens:
    """The tokens of texts, special tokens included, cut to `limit`.

    tokenizer: a transformers tokenizer with a tokenizers backend.
    cache: a folder where the result is kept by content; a cache that cannot be written is done without.
    fill: the id that stands for a text without any token, which no model can read.
    """
    backend = tokenizer.backend_tokenizer
    backend.no_padding()
    backend.enable_truncation(limit)
    try:
        path = None
        if cache is not None:
            path = cache / "tokens" / f"{_key(backend, texts, fill)}.safetensors"
            if (known := _read(path, limit)) is not None:
                return known
        tokens = _tokenise(backend, texts, limit, fill)
    finally:
        backend.no_truncation()  # it is saved with the model
    if path is not None:
        _keep(path, tokens)
    return tokens


def _tokenise(backend: Any, texts: Sequence[str], limit: int, fill: int | None) -> Tokens:
    chunks, lengths = [np.empty(0, np.int32)], []
    for begin in range(0, len(texts), CHUNK):
        encodings = encoded(backend, [encodable(t) for t in texts[begin : begin + CHUNK]])
        rows = [e.ids or ([] if fill is None else [fill]) for e in encodings]
        lengths += [len(row) for row in rows]
        chunks.append(np.fromiter((i for row in rows for i in row), np.int32))
    starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
    return Tokens(np.concatenate(chunks), starts, closing(backend), limit)


def joined(rows: Sequence[Sequence[int]], limit: int) -> Tokens:
    """Rows of ids as they are, none of them longer than `limit`."""
    starts = np.cumsum([0, *map(len, rows)], dtype=np.int64)
    return Tokens(np.fromiter((i for row in rows for i in row), np.int32, starts[-1]), starts, 0, limit)


def closing(backend: Any) -> int:
    """How many special tokens the tokenizer puts after a text."""
    mask = backend.encode("a").special_tokens_mask
    return next((n for n, special in enumerate(reversed(mask)) if not special), 0)


def encodable(text: str) -> str:
    """Half a surrogate pair, which UTF-8 has no bytes for, becomes a question mark."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _key(backend: Any, texts: Sequence[str], fill: int | None) -> str:
    digest = hashlib.sha256(f"{FORMAT} {fill} {len(texts)} {backend.to_str()}".encode())
    for text in texts:
        raw = text.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "little"))
        digest.update(raw)
    return digest.hexdigest()


def _read(path: Path, limit: int) -> Tokens | None:
    """What is in the cache; None when nothing is, or it is damaged."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            about = file.metadata()
            tokens = Tokens(file.get_tensor("ids"), file.get_tensor("starts"), int(about["tail"]), limit)
            return tokens if about["sha256"] == _hash(tokens) else None
    except (OSError, SafetensorError, KeyError, ValueError, TypeError):
        return None


def _keep(path: Path, tokens: Tokens) -> None:
    from safetensors.numpy import save_file

    beside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    about = {"sha256": _hash(tokens), "tail": str(tokens.tail)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({"ids": tokens.ids, "starts": tokens.starts}, beside, about)
        beside.replace(path)
    except Exception:  # a full disk, in whatever words: the cache is a convenience
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)


def _hash(tokens: Tokens) -> str:
    digest = hashlib.sha256(f"{FORMAT} {tokens.tail} {tokens.ids.dtype} {tokens.starts.dtype}".encode())
    for array in (tokens.ids, tokens.starts):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
