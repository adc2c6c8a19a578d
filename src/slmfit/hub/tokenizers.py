"""tokenizer.json and what stands beside it, looked at before the library opens it: a few bytes may cost a machine.

check_tokenizer(about, Path("models/minilm/tokenizer.json"))     # raises UnsafeError
set_right(tokenizer, size, "models/minilm")                     # of the library, opened
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from slmfit.errors import UnsafeError
from slmfit.hub.border import encoded
from slmfit.hub.patterns import check_pattern

MOST_GROWTH = 100  # characters that a tokenizer may make of one
MOST_PADDING = 1_000_000  # tokens
MOST_AROUND = 100  # tokens around a text
MOST_ADDED = 30_000  # tokens beside the vocabulary; the most known are 6,500
MOST_WORDS = 2_000_000
LONGEST_TOKEN = 2_000  # characters
_TEMPLATE = re.compile(r"[\w.-]+")
PROBES = ("", "a", "A text, of 3 words.\n")
_FIX = "use a model from a source that you trust, or fetch it again"


def check_tokenizer(about: Mapping[str, Any], path: Path, size: int | None = None) -> None:
    """Raise UnsafeError for what tokenizer.json says where a text would fill the memory, or never be read.

    size: of the model's table of tokens, None = any. Special tokens beyond it are for who loads it to leave out.
    """
    try:
        for part in ("normalizer", "pre_tokenizer", "decoder"):
            if (growth := _growth(about.get(part))) > MOST_GROWTH:
                raise ValueError(f"its {part} makes {growth:,} characters of one")
        if (around := _around(about.get("post_processor"))) > MOST_AROUND:
            raise ValueError(f"it puts {around:,} tokens around a text")
        padding = about.get("padding")
        numbers = [n for key, n in _numbers(padding) if key not in ("pad_id", "pad_type_id")]
        if any(number > MOST_PADDING for number in numbers):
            raise ValueError("it fills every text up without measure")
        _check_words(about, MOST_WORDS if size is None else size)
        for part in ("normalizer", "pre_tokenizer", "decoder"):
            for pattern in _patterns(about.get(part)):
                check_pattern(pattern)
        for name, text in _texts(about.get("normalizer")):
            if name == "precompiled_charsmap" and not _whole_map(text):
                raise ValueError("its map of characters is damaged")
    except (ValueError, RecursionError) as error:
        raise UnsafeError(str(error), where=str(path), fix=_FIX) from None


def check_described(about: Mapping[str, Any], path: Path) -> None:
    """Raise UnsafeError for a file beside tokenizer.json that names other files, or is of the wrong kinds."""
    named = [key for key in about if key.endswith("_file") and isinstance(about[key], str)]
    if named:
        raise UnsafeError(f"names a file of its own ({named[0]})", where=str(path), fix=_FIX)
    length = about.get("model_max_length")
    if not (length is None or (isinstance(length, int | float) and length == length)):
        raise UnsafeError("its model_max_length is no number", where=str(path), fix=_FIX)
    templates = about.get("chat_template")
    for one in templates if isinstance(templates, list) else ():
        name = one.get("name") if isinstance(one, dict) else None
        if not (isinstance(name, str) and _TEMPLATE.fullmatch(name)):
            raise UnsafeError("a chat template has no proper name", where=str(path), fix=_FIX)
    if any(len(text) > 100 * LONGEST_TOKEN for _, text in _texts(about)):
        raise UnsafeError("a text in it is too long", where=str(path), fix=_FIX)


def set_right(backend: Any, size: int, where: str) -> None:
    """No token by chance, none beyond the model's table of `size`; and the tokenizer works at all.

    Raises UnsafeError for a word that is beyond it: whatever number a file gives a word, the library may give another.
    """
    if getattr(backend.model, "dropout", None):
        backend.model.dropout = None
    beyond = [token for number, token in backend.get_added_tokens_decoder().items() if number >= size]
    if any(not token.special for token in beyond):
        raise UnsafeError(f"its tokenizer has a token beyond the model's table of {size:,}", where=where, fix=_FIX)
    if beyond:
        backend.encode_special_tokens = True  # Gemma's token for a picture, say: in a text it is a word like others
    encoded(backend, PROBES)


def _check_words(about: Mapping[str, Any], size: int) -> None:
    """Words that no table of tokens can hold, or that take longer to find than a text to read."""
    added, model = about.get("added_tokens") or [], about.get("model")
    words = model.get("vocab") if isinstance(model, dict) else None
    if isinstance(added, list):
        if len(added) > MOST_ADDED:
            raise ValueError(f"it has {len(added):,} added tokens, and at most {MOST_ADDED:,} are read here")
        for token in added:
            content = token.get("content") if isinstance(token, dict) else None
            if isinstance(content, str) and len(content) > LONGEST_TOKEN:
                raise ValueError(f"an added token is {len(content):,} characters long")
    if isinstance(words, dict | list) and len(words) > MOST_WORDS:
        raise ValueError(f"it has {len(words):,} words, and at most {MOST_WORDS:,} are read here")
    special = (
        {t.get("content") for t in added if isinstance(t, dict) and t.get("special")} if isinstance(added, list) else ()
    )
    plain = [t for t in added if isinstance(t, dict) and not t.get("special")] if isinstance(added, list) else []
    numbers = [n for word, n in words.items() if word not in special] if isinstance(words, dict) else []
    numbers += [n for name, n in _numbers([plain, about.get("post_processor")]) if name in ("id", "ids")]
    beyond = [n for n in numbers if isinstance(n, int) and n >= size]
    if beyond:
        raise ValueError(f"it has a token of the number {beyond[0]:,}, beyond the model's table of {size:,}")
    if any(n > MOST_WORDS for name, n in _numbers(added) if name == "id"):
        raise ValueError("it has a token of a number beyond any table")


def _around(part: Any) -> int:
    """The most tokens that a chain of post-processors puts around a text or a pair, each one that it describes."""
    many = 0
    for known, used in _templates(part):
        for token in used:
            name = token.get("id") if isinstance(token, dict) else None
            about = known.get(name) if isinstance(name, str) else None
            if about is None:
                raise ValueError(f"it puts a token around a text that it does not describe: {str(name)[:60]}")
            ids = about.get("ids") if isinstance(about, dict) else None
            many += len(ids) if isinstance(ids, list) else 1
    return many


def _templates(part: Any) -> Iterator[tuple[dict[str, Any], list[Any]]]:
    """Of each post-processor: the tokens that it describes, and what it puts around a text and around a pair."""
    waiting = [part]
    while waiting:
        one = waiting.pop()
        if not isinstance(one, dict):
            continue
        waiting += one["processors"] if isinstance(one.get("processors"), list) else []
        known = one.get("special_tokens")
        pieces = [piece for name in ("single", "pair") if isinstance(one.get(name), list) for piece in one[name]]
        used = [piece["SpecialToken"] for piece in pieces if isinstance(piece, dict) and "SpecialToken" in piece]
        yield known if isinstance(known, dict) else {}, used


def _growth(part: Any) -> int:
    """How many characters a chain of rules may make of one."""
    if not isinstance(part, dict):
        return 1
    growth = 1
    for name in ("normalizers", "pretokenizers", "decoders"):
        for inner in part.get(name) or () if isinstance(part.get(name), list) else ():
            growth = min(growth * _growth(inner), 10**9)
    added = [part.get(name) for name in ("content", "prepend", "replacement", "prefix", "suffix")]
    return growth * max([1, *(len(text) for text in added if isinstance(text, str))])


def _whole_map(text: str) -> bool:
    """Whether a precompiled map of characters is as long as it says: what it says is made room for.

    Sentencepiece's form, in base64: the bytes of a table of 32-bit numbers, that table, texts.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return False
    size = int.from_bytes(data[:4], "little")
    return len(data) > 4 and 0 < size <= len(data) - 4 and size % 4 == 0


def _patterns(part: Any) -> Iterator[str]:
    """Every regular expression in it."""
    return (text for name, text in _texts(part) if name == "Regex")


def _texts(value: Any) -> Iterator[tuple[str, str]]:
    return ((name, text) for name, text in leaves(value) if isinstance(text, str))


def _numbers(value: Any) -> Iterator[tuple[str, int]]:
    for name, number in leaves(value):
        if isinstance(number, int) and not isinstance(number, bool):
            yield name, number


def leaves(value: Any) -> Iterator[tuple[str, Any]]:
    """(name, value) for what holds nothing, at any depth."""
    waiting = [("", value)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.items()
        elif isinstance(value, list):
            waiting += [(name, item) for item in value]
        else:
            yield name, value
