"""Writing: token by token the likeliest that the rules of an answer allow.

The rules are told in bytes. A state is what may come next, as a list of ways: the rest of a fixed string, with whether
words of the text are copied after it; or a place in the text that words are copied from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch


class Fixed(NamedTuple):
    """rest: bytes to come. copies: whether words follow. cursor: from where on they may begin."""

    rest: bytes
    copies: bool
    cursor: int


Way = Fixed | int  # an int: the next byte to be copied
State = tuple[Way, ...]


class Rules:
    """What may be written.

    first, then: the strings that an answer begins with, and goes on with after words; with whether words follow.
    data: the bytes of the text as they are written. starts, ends: where words in it may begin and end.
    """

    def __init__(
        self, first: dict[bytes, bool], then: dict[bytes, bool], data: bytes, starts: Sequence[int], ends: Sequence[int]
    ) -> None:
        self.then, self.data, self.starts, self.ends = then, data, starts, set(ends)
        self.last = max(ends, default=-1)  # nothing behind it can be copied: no word ends there
        self.begin = self._fixed(first, 0)

    def moves(self, state: State) -> dict[int, State]:
        """Every byte that may come next, and the state after it."""
        found: dict[int, list[Way]] = {}
        for way in state:
            if isinstance(way, int):
                if way < self.last:
                    found.setdefault(self.data[way], []).append(way + 1)
                if way in self.ends:
                    for one in self._fixed(self.then, way):
                        found.setdefault(one.rest[0], []).append(one._replace(rest=one.rest[1:]))
            elif way.rest:
                found.setdefault(way.rest[0], []).append(way._replace(rest=way.rest[1:]))
            elif way.copies:
                for start in self.starts:
                    if way.cursor <= start < self.last:
                        found.setdefault(self.data[start], []).append(start + 1)
        return {byte: tuple(dict.fromkeys(ways)) for byte, ways in found.items()}

    def may_end(self, state: State) -> bool:
        return any(isinstance(way, Fixed) and not way.rest and not way.copies for way in state)

    def _fixed(self, strings: dict[bytes, bool], cursor: int) -> tuple[Fixed, ...]:
        left = any(cursor <= start < self.last for start in self.starts)
        return tuple(Fixed(string, copies, cursor) for string, copies in strings.items() if left or not copies)


class Writer:
    """A language model that answers under rules."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.model, self.tokenizer = model, tokenizer
        written = bytes_of(tokenizer)
        self.lead = b"".join(written[i] for i in tokenizer("a b", add_special_tokens=False)["input_ids"])[:-3]
        special = set(tokenizer.all_special_ids)
        self.token: dict[bytes, int] = {}
        for token, piece in sorted(written.items()):
            if piece and token not in special:
                self.token.setdefault(piece, token)
        self.begun = {piece[:end] for piece in self.token for end in range(1, len(piece) + 1)}
        self.end = tokenizer.pad_token_id if tokenizer.eos_token_id is None else tokenizer.eos_token_id

    def write(self, prompt: list[int], rules: Rules) -> str:
        """The answer behind a prompt."""
        state: State = rules.begin
        written, cache, ids = b"", None, prompt
        with torch.inference_mode():
            for _ in range(self.tokenizer.model_max_length - len(prompt)):
                made = self.model(torch.tensor([ids]), past_key_values=cache, use_cache=True)
                cache, logits = made.past_key_values, made.logits[0, -1]
                nexts = self.nexts(rules, state)
                tokens = [*nexts, *([self.end] if rules.may_end(state) else [])]
                token = tokens[int(logits[tokens].argmax())]
                if token == self.end:
                    break
                piece, state = nexts[token]
                written, ids = written + piece, [token]
        return written[len(self.lead) :].decode("utf-8", "replace")

    def nexts(self, rules: Rules, state: State) -> dict[int, tuple[bytes, State]]:
        """Every token that may come next, what it writes, and the state after it."""
        found, open_ = {}, [(b"", state)]
        while open_:
            piece, at = open_.pop()
            for byte, later in rules.moves(at).items():
                longer = piece + bytes([byte])
                if longer in self.begun:
                    open_.append((longer, later))
                    if longer in self.token:
                        found[self.token[longer]] = longer, later
        return found


def bytes_of(tokenizer: Any) -> dict[int, bytes]:
    """What each token writes. Tokenizers spell bytes as characters, or spaces as ▁."""
    backend = tokenizer.backend_tokenizer
    by_byte = '"ByteLevel"' in json.dumps(json.loads(backend.to_str())["decoder"])
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]  # bytes that are spelled as themselves
    hidden = [byte for byte in range(256) if byte not in shown]
    byte_of = {chr(byte): byte for byte in shown} | {chr(256 + i): byte for i, byte in enumerate(hidden)}

    def piece(name: str) -> bytes:
        if by_byte:
            return bytes(byte_of[c] for c in name) if all(c in byte_of for c in name) else b""
        byte = re.fullmatch("<0x([0-9A-F]{2})>", name)
        return bytes([int(byte[1], 16)]) if byte else name.replace("▁", " ").encode()

    found = {token: piece(name) for name, token in backend.get_vocab(with_added_tokens=False).items()}
    for token, added in backend.get_added_tokens_decoder().items():
        found[token] = b"" if added.special else found.get(token) or added.content.encode()
    return found
