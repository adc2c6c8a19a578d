"""What holds an answer to a JSON schema, token by token: llguidance with a model's own tokenizer.

guide = guide_of(tokenizer, width=49152, ends={2}, pieces=pieces_of(tokenizer.backend_tokenizer))
under = matcher_of(guide, {"type": "boolean"})
allowed(under, 49152)            # bool [49152]: the tokens by which the answer can still fit
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from slmfit.environment import install, missing
from slmfit.errors import MissingPart, UsageError


def guide_of(tokenizer: Any, width: int, ends: Collection[int], pieces: Mapping[int, bytes]) -> Any:
    """The tokenizer as llguidance knows it. width: tokens that the model tells apart; ends: those that end an answer.

    It reads no tokenizer in which words begin with a mark (T5's): such a one is spelled out for it. Raises MissingPart.
    """
    if missing("llguidance"):
        raise MissingPart("a schema needs llguidance", fix=install("serve"))
    import llguidance.hf

    try:
        return llguidance.hf.from_tokenizer(tokenizer, n_vocab=width, eos_token=sorted(ends))
    except ValueError:
        spelled = [pieces.get(token, b"") for token in range(width)]
        special = [token for token, piece in enumerate(spelled) if not piece]
        told = {"eos_token_id": min(ends), "bos_token_id": None, "tokens": spelled, "special_token_ids": special}
        wrapped = llguidance.TokenizerWrapper(_Spelling(spelled, told))
        return llguidance.LLTokenizer(wrapped, n_vocab=width, eos_token=sorted(ends))


class _Spelling(SimpleNamespace):
    """What TokenizerWrapper wants: fields, and the tokens of some bytes, each as long as can be. The tokenizer itself
    would put a mark before them.
    """

    def __init__(self, spelled: Sequence[bytes], fields: Mapping[str, Any]) -> None:
        super().__init__(**fields)
        self._token = {piece: token for token, piece in enumerate(spelled) if piece}
        self._longest = max(map(len, self._token), default=0)

    def __call__(self, text: bytes) -> list[int]:
        found, left = list[int](), text
        while left:
            ways = (size for size in range(min(self._longest, len(left)), 0, -1) if left[:size] in self._token)
            if not (size := next(ways, 0)):
                break
            found.append(self._token[left[:size]])
            left = left[size:]
        return found


def matcher_of(guide: Any, schema: Mapping[str, Any]) -> Any:
    """What follows an answer through a schema. Raises UsageError for a schema that cannot be followed."""
    from llguidance import LLMatcher

    # Written as JSON is that nobody made pretty: a token more of white space says nothing.
    grammar = LLMatcher.grammar_from_json_schema(json.dumps(schema), {"whitespace_flexible": False})
    matcher = LLMatcher(guide, grammar)
    if matcher.is_error():
        said = matcher.get_error().partition("\n")[0]
        raise UsageError(f"the schema cannot be followed: {said:.200}", fix="ask for a simpler one")
    return matcher


def allowed(matcher: Any, width: int) -> np.ndarray:
    """bool [width]. Raises UsageError where there is no such token, as in a tokenizer without braces."""
    from llguidance.numpy import allocate_token_bitmask, fill_next_token_bitmask

    mask = allocate_token_bitmask(1, width)
    fill_next_token_bitmask(matcher, mask)
    found = np.unpackbits(mask.view(np.uint8), bitorder="little")[:width].astype(bool)
    if not found.any():
        fix = "ask without a schema, or serve a model whose tokenizer has them"
        raise UsageError("the model has no token for what the schema asks for here", fix=fix)
    return found
