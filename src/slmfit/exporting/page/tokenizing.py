"""A WordPiece tokenizer, told to a browser: its words, and what it makes of every single character, which it is asked.

tokenizing(Static("models/potion-base-4m-int8"), sections, where)
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slmfit.embeddings.static import Static
from slmfit.errors import UsageError
from slmfit.exporting.page.packing import Sections
from slmfit.exporting.page.spelling import runs

EVERY = sys.maxunicode + 1
BETWEEN = "0"  # stands between characters that are asked about; a tokenizer changes no digit and splits at none
UNASSIGNED, PRIVATE = 0x40000, 0xF0000  # from there on, but for two blocks of marks and tags, all are alike
LETTER, SPACE, ALONE = range(3)  # APART in static.js
SAME, DROPPED, BLANK, SPACED, DECOMPOSED, OTHER = range(6)  # NORMAL there


def tokenizing(embedding: Static, sections: Sections, where: str) -> dict[str, Any]:
    """All that static.js needs to cut texts as the tokenizer does. Raises UsageError for one of another kind."""
    about = json.loads(embedding.tokenizer.to_str())
    kinds = [(about[part] or {}).get("type") for part in ("model", "normalizer", "pre_tokenizer")]
    if kinds != ["WordPiece", "BertNormalizer", "BertPreTokenizer"]:
        found = ", ".join(map(str, kinds))
        fix = "fit it with static embeddings whose tokenizer is BERT's, such as potion's, or without any"
        raise UsageError(f"its tokenizer is no WordPiece of BERT's ({found})", where=where, fix=fix)
    model, truncation = about["model"], about["truncation"]
    words = sorted(model["vocab"], key=model["vocab"].__getitem__)
    if sorted(model["vocab"].values()) != list(range(len(words))) or any("\n" in word for word in words):
        raise UsageError("its tokens are not numbered one by one", where=where, fix="fit it with other embeddings")
    return {
        "vocabulary": sections.strings(words),
        "added": _added(about["added_tokens"], where),
        "prefix": model["continuing_subword_prefix"],
        "unknownWord": model["unk_token"],
        "longest": model["max_input_chars_per_word"],
        "unknown": embedding.unknown,
        "most": truncation and truncation["max_length"],
        "mostCharacters": embedding.most_characters,
        "normal": _normal(embedding.tokenizer.normalizer, sections),
        "apart": _runs(_apart(embedding.tokenizer.pre_tokenizer), sections),
    }


def _added(tokens: Sequence[dict[str, Any]], where: str) -> dict[str, int]:
    """Tokens that are found in a text as they stand, and their numbers."""
    if any(token[name] for token in tokens for name in ("single_word", "lstrip", "rstrip", "normalized")):
        fix = "fit it with other embeddings, or without any"
        raise UsageError("its tokenizer has added tokens that a page cannot find", where=where, fix=fix)
    return {token["content"]: token["id"] for token in tokens}


@lru_cache(maxsize=1)
def _characters() -> list[str]:
    """Those that are asked about: of far planes, where nothing is assigned, and of private ones a single one."""
    points = chain(range(0xD800), range(0xE000, UNASSIGNED + 1), range(0xE0000, 0xE0200), [PRIVATE])
    return [chr(point) for point in points if chr(point) != BETWEEN]


def _everywhere(kinds: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The kinds of all code points, those that were not asked about as their like."""
    kinds[UNASSIGNED:0xE0000] = kinds[0xE0200:PRIVATE] = kinds[UNASSIGNED]
    kinds[PRIVATE:] = kinds[PRIVATE]
    return kinds


def _normal(normalizer: Any, sections: Sections) -> dict[str, Any]:
    """What the normalizer makes of each character."""
    asked = _characters()
    became = normalizer.normalize_str(BETWEEN.join(asked)).split(BETWEEN)
    kinds = np.zeros(EVERY, np.uint8)
    found = [
        DROPPED if not text else SAME if text == one else _kind(one, text)
        for one, text in zip(asked, became, strict=True)
    ]
    kinds[list(map(ord, asked))] = found
    others = {one: text for one, text, kind in zip(asked, became, found, strict=True) if kind == OTHER}
    return {**_runs(_everywhere(kinds), sections), "from": "".join(others), "to": list(others.values())}


def _kind(character: str, became: str) -> int:
    if became == character or not became:
        return SAME if became else DROPPED
    if became == " ":
        return BLANK
    if became == f" {character} ":
        return SPACED
    return DECOMPOSED if unicodedata.normalize("NFD", character) == became else OTHER


def _apart(pre_tokenizer: Any) -> NDArray[np.uint8]:
    """Of each character whether it is part of a word, between words, or a word alone."""
    asked = _characters()
    pieces = pre_tokenizer.pre_tokenize_str(BETWEEN + BETWEEN.join(asked) + BETWEEN)
    kinds = np.full(EVERY, SPACE, np.uint8)
    for piece, _ in pieces:
        kinds[list(map(ord, piece))] = ALONE if len(piece) == 1 else LETTER  # a letter has a digit on either side
    kinds[ord(BETWEEN)] = LETTER
    return _everywhere(kinds)


def _runs(kinds: NDArray[np.uint8], sections: Sections) -> dict[str, Any]:
    starts, found = runs(kinds)
    return {"starts": sections.rising(starts), "kinds": found}
