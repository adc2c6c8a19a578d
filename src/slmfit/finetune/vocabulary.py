"""What every token writes, in bytes; and which tokens may come next when an answer has a grammar.

    vocabulary = Vocabulary.of(tokenizer)
    vocabulary.nexts(writing, state)            # token -> the state after it

Two kinds of tokenizers are known: byte-level ones (GPT-2's and most since), whose tokens may end within a character,
and those that write a space as "▁" (SentencePiece's), with or without tokens for single bytes.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from slmfit.errors import UsageError
from slmfit.tasks.grammar import Pieces, State, Writing


@dataclass(frozen=True)
class Vocabulary:
    """ids: what is written -> the token; written: the reverse. pieces: the same for grammars.

    lead: what is written before any text. end: the token that ends an answer.
    """

    ids: dict[bytes, int]
    written: dict[int, bytes]
    pieces: Pieces
    lead: bytes
    end: int

    @classmethod
    def of(cls, tokenizer: Any, where: str = "") -> Vocabulary:
        """Raises UsageError for a tokenizer of a kind that is not known. where: what the error calls it."""
        backend = tokenizer.backend_tokenizer
        pieces = pieces_of(backend)
        probe = b"".join(pieces[i] for i in backend.encode("a b", add_special_tokens=False).ids)
        if not probe.endswith(b"a b"):  # WordPiece, for one, does not say where there was a space
            fix = "use a model with a byte-level or SentencePiece tokenizer"
            raise UsageError("its tokenizer cannot write every text back", where=where, fix=fix)
        ids: dict[bytes, int] = {}
        special = set(tokenizer.all_special_ids)  # worked out anew whenever it is asked for
        for token, piece in sorted(pieces.items()):
            if piece and token not in special:
                ids.setdefault(piece, token)
        end = next((i for i in (tokenizer.eos_token_id, tokenizer.pad_token_id) if i is not None), None)
        if end is None:
            fix = "use a checkpoint with an eos_token in its tokenizer_config.json"
            raise UsageError("its tokenizer has no token that ends an answer", where=where, fix=fix)
        written = {token: piece for piece, token in ids.items()}
        return cls(ids, written, Pieces.of(ids.keys()), probe[:-3], int(end))

    @cached_property
    def plain(self) -> np.ndarray:
        """int64 [tokens], those that write something, and the one that ends."""
        return np.array(sorted({*self.written, self.end}), np.int64)

    def nexts(self, writing: Writing, state: State) -> dict[int, State]:
        """Every token that may come next but the one that ends, and the state after it."""
        found = {}
        open_ = [(b"", state)]
        while open_:
            written, at = open_.pop()
            for byte, later in writing.moves(at).items():
                longer = written + bytes((byte,))
                if longer in self.pieces.begun:
                    open_.append((longer, later))
                    if (token := self.ids.get(longer)) is not None:
                        found[token] = later
        return found


def pieces_of(backend: Any) -> dict[int, bytes]:
    """The bytes that each token stands for; none of special ones."""
    decoder = json.dumps(json.loads(backend.to_str())["decoder"])
    read = _by_byte if '"ByteLevel"' in decoder else _by_mark
    pieces = {token: read(name) for name, token in backend.get_vocab(with_added_tokens=False).items()}
    for token, added in backend.get_added_tokens_decoder().items():
        # Gemma's runs of spaces are in the vocabulary, as "▁▁", and added besides.
        pieces[token] = b"" if added.special else pieces.get(token) or added.content.encode()
    return pieces


def _by_byte(name: str) -> bytes:
    """Byte-level tokens spell each byte as one character; a token that does not is none of the text."""
    return bytes(_BYTES[c] for c in name) if all(c in _BYTES for c in name) else b""


def _by_mark(name: str) -> bytes:
    byte = re.fullmatch("<0x([0-9A-F]{2})>", name)
    return bytes([int(byte[1], 16)]) if byte else name.replace("▁", " ").encode("utf-8", "replace")


def _byte_characters() -> dict[str, int]:
    """GPT-2's characters for bytes: the printable ones of Latin-1 as they are, the others from U+0100 on."""
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return {chr(b): b for b in shown} | {chr(256 + i): b for i, b in enumerate(hidden)}


_BYTES = _byte_characters()
