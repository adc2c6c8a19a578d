"""A GGUF file, looked at before any library opens it: its head is read with every count held against the file's length.

    source_of("models/smol")                     # the one .gguf in it; None for a transformers folder or a hub name
    read(Path("SmolLM2-135M-Instruct.Q4_1.gguf")).tensors["output_norm.weight"].shape      # (576,)

The format is llama.cpp's: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Refused is what a few bytes could
make endless: counts and lengths beyond the file, lists in lists, tensors that lie over each other or reach outside.
"""

from __future__ import annotations

import math
import mmap
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from slmfit.errors import DataError, UnsafeError, UsageError
from slmfit.hub.checkpoint import MOST_NUMBER, MOST_PARTS, MOST_TENSORS

VERSIONS = (2, 3)
MOST_KEYS = 10_000
MOST_ITEMS = 4_000_000  # of all lists; the largest known vocabularies have 262,144 tokens, three lists each
MOST_NAME = 1024  # bytes
MOST_TEXT = 10_000_000  # bytes of one text, such as a licence
MOST_SQUARES = 10**9  # of the tokens' lengths: a tokenizer is put together in about so many steps
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_TEXT, _LIST = 8, 9
# Number of a type -> how many numbers are packed into how many bytes.
_TYPES = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 40), 10: (256, 84),
    11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292), 16: (256, 66), 17: (256, 74),
    18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82), 23: (256, 136), 24: (1, 1), 25: (1, 2),
    26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2), 34: (256, 54), 35: (256, 66), 39: (32, 17),
}  # fmt: skip
_PARTS = re.compile(r"(block|head|expert|layer)_count(_\w+)?|\w+_count")
_NEEDED = ("block_count", "embedding_length")
_SPLIT = re.compile(r".+-\d{5}-of-\d{5}")
_FIX = "fetch the file again, from a source that you trust"


@dataclass(frozen=True)
class Tensor:
    """shape: rows first, as torch has it. begin, end: bytes after the head."""

    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True)
class Head:
    """What a file says of its model: values by key (of a list only its length), and its tensors."""

    values: Mapping[str, Any]
    tensors: Mapping[str, Tensor]

    @property
    def architecture(self) -> str:
        return str(self.values["general.architecture"])


def source_of(base: str) -> Path | None:
    """The GGUF file that a base model is: the file itself, or the only one in a folder without config.json.

    None for any other folder, and for a name on the hub. Raises UsageError where it is not clear which file is meant.
    """
    place = Path(base)
    if place.is_file() and not place.is_dir():
        if place.suffix.lower() != ".gguf":
            fix = "give the folder it is in, a .gguf file, or a hub name"
            raise UsageError("is a file, and no GGUF", where=base, fix=fix)
        return place
    if not place.is_dir() or (place / "config.json").exists():
        return None
    found = sorted(path for path in place.glob("*.[gG][gG][uU][fF]") if path.is_file())
    if len(found) > 1:
        fix = f"name one of them, for example {found[0]}"
        raise UsageError(f"holds {len(found)} GGUF files", where=base, fix=fix)
    return found[0] if found else None


def read(path: Path) -> Head:
    """The head of a file. Raises DataError for one that is damaged or no GGUF, UnsafeError for one that asks too much,
    UsageError for one that is only a part of a model."""
    if _SPLIT.fullmatch(path.stem):
        fix = "join the parts first: llama-gguf-split --merge FIRST_PART WHOLE.gguf"
        raise UsageError("is one of several parts of a model", where=str(path), fix=fix)
    size = path.stat().st_size
    if size < 24:
        raise DataError("is no GGUF file: it is too short", where=str(path), fix=_FIX)
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            return _Reader(view, path).head()
    except OSError as error:
        fix = "check the path and its permissions"
        raise DataError(f"cannot be read: {error.strerror}", where=str(path), fix=fix) from None


class _Reader:
    """Reads from the front; `at` is the next byte."""

    def __init__(self, view: mmap.mmap, path: Path) -> None:
        self.view, self.path, self.at, self.items = view, path, 0, 0

    def head(self) -> Head:
        if (magic := self._bytes(4)) != b"GGUF":
            pickle = " but a pickle, which is never loaded" if magic[:2] in (b"PK", b"\x80\x02") else ""
            raise self._damaged(f"is no GGUF file{pickle}: it begins with {magic!r}")
        version = self._number("I")
        if version not in VERSIONS:
            old = "of the other byte order" if version & 0xFFFF == 0 else f"of version {version}"
            raise self._damaged(f"is a GGUF {old}, and versions 2 and 3 are read, little end first")
        tensors, keys = self._number("Q"), self._number("Q")
        if tensors > MOST_TENSORS or keys > MOST_KEYS:
            raise self._refused(f"says it holds {tensors:,} tensors and {keys:,} keys")
        values = dict(self._values(keys))
        if len(values) < keys:
            raise self._damaged("names a key twice")
        self._check(values)
        found = dict(self._tensors(tensors))
        if len(found) < tensors:
            raise self._damaged("names a tensor twice")
        self._check_places(found, int(values.get("general.alignment", 32)))
        return Head(values, found)

    def _values(self, count: int) -> Iterator[tuple[str, Any]]:
        for _ in range(count):
            name = self._text(MOST_NAME)
            yield name, self._value(self._number("I"), name)

    def _value(self, kind: int, name: str) -> Any:
        if kind == _LIST:
            return self._list(name)
        if kind == _TEXT:
            return self._text(MOST_TEXT)
        return self._number(self._code(kind, name))

    def _list(self, name: str) -> int:
        """Reads over a list; gives how long it is."""
        kind, count = self._number("I"), self._number("Q")
        self.items += count
        if self.items > MOST_ITEMS:
            raise self._refused(f"has lists of {self.items:,} items, and at most {MOST_ITEMS:,} are read here")
        if kind == _TEXT:
            squares = sum(self._skipped() ** 2 for _ in range(count))
            if squares > MOST_SQUARES:
                raise self._refused(f"has endless texts in {name!r}")
        elif kind == _LIST:
            raise self._refused(f"has lists in a list, in {name!r}")
        else:
            code = self._code(kind, name)
            numbers = np.frombuffer(self._bytes(count * struct.calcsize(f"<{code}")), f"<{code}")
            if count and not name.startswith("tokenizer."):
                for number in (numbers.min(), numbers.max()):
                    self._check_number(name, number.item())
        return count

    def _skipped(self) -> int:
        """The length of a text, which is read over."""
        length = self._number("Q")
        self._bytes(length)
        return length

    def _code(self, kind: int, name: str) -> str:
        if kind not in _SCALARS:
            raise self._damaged(f"has a value of the unknown type {kind} in {name!r:.80}")
        return _SCALARS[kind]

    def _check(self, values: Mapping[str, Any]) -> None:
        """What the libraries count on, and what would make them build without end."""
        family, align = values.get("general.architecture"), values.get("general.alignment", 32)
        if not isinstance(family, str) or not re.fullmatch(r"[\w-]{1,40}", family):
            raise self._damaged("does not say of which architecture it is")
        if not isinstance(align, int) or not 0 < align <= 1 << 20 or align & (align - 1):
            raise self._damaged(f"is aligned to {align!r} bytes")
        for name, value in values.items():
            if name.startswith(f"{family}.") and isinstance(value, int | float):
                self._check_number(name, value)
        if not values.get("tokenizer.ggml.tokens") or not isinstance(values.get("tokenizer.ggml.model"), str):
            raise self._damaged("has no tokenizer")

    def _check_number(self, name: str, value: float) -> None:
        last = name.rpartition(".")[2]
        most = MOST_PARTS if _PARTS.fullmatch(last) else MOST_NUMBER
        least = 1 if last in _NEEDED else -most
        if value != value or (isinstance(value, int) and "freq_base" not in name and not least <= value <= most):
            raise self._refused(f"has {name} = {value:,}, and {max(0, least)} to {most:,} are built here")

    def _tensors(self, count: int) -> Iterator[tuple[str, Tensor]]:
        for _ in range(count):
            name, axes = self._text(MOST_NAME), self._number("I")
            if not 1 <= axes <= 4:
                raise self._damaged(f"has a tensor of {axes:,} axes")
            shape = tuple(self._number("Q") for _ in range(axes))[::-1]
            kind, begin = self._number("I"), self._number("Q")
            if kind not in _TYPES:
                raise self._damaged(f"has a tensor of the unknown type {kind}: {name!r:.80}")
            packed, into = _TYPES[kind]
            if min(shape) < 1 or shape[-1] % packed:
                raise self._damaged(f"has a tensor of no such shape: {name!r:.80}")
            yield name, Tensor(shape, begin, begin + math.prod(shape) // packed * into)

    def _check_places(self, tensors: Mapping[str, Tensor], align: int) -> None:
        """Each tensor lies in the file, and over no other: else a small file could be a large model."""
        start, last = -(-self.at // align) * align, 0
        for tensor in sorted(tensors.values(), key=lambda tensor: tensor.begin):
            if tensor.begin < last or tensor.begin % align:
                raise self._damaged("has tensors that lie over each other, or between two places")
            last = tensor.end
        if not tensors:
            raise self._damaged("holds no tensors")
        if start + last > len(self.view):
            raise self._damaged(f"ends after {len(self.view):,} bytes, and its tensors need {start + last:,}")

    def _text(self, most: int) -> str:
        length = self._number("Q")
        if length > most:
            raise self._refused(f"has a name or text of {length:,} bytes")
        try:
            return self._bytes(length).decode("utf-8")
        except UnicodeDecodeError:
            raise self._damaged("has a name or text that is no UTF-8") from None

    def _number(self, code: str) -> Any:
        return struct.unpack(f"<{code}", self._bytes(struct.calcsize(f"<{code}")))[0]

    def _bytes(self, count: int) -> bytes:
        if count > len(self.view) - self.at:
            raise self._damaged(f"ends in its head, after {len(self.view):,} bytes: the file is cut off or damaged")
        self.at += count
        return self.view[self.at - count : self.at]

    def _damaged(self, what: str) -> DataError:
        return DataError(what, where=str(self.path), fix=_FIX)

    def _refused(self, what: str) -> UnsafeError:
        return UnsafeError(what, where=str(self.path), fix=_FIX)
