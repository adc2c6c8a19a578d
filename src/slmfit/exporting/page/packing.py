"""A model's numbers as text that a page can hold: packed by kind, deflated, in base64. `unpack.js` reads it.

    sections = Sections()
    head = {"labels": ["billing"], "weights": sections.float16(weights)}
    packed(head, sections)

Nothing is rounded: what is read is what was written, bit by bit. Numbers are split into planes of like bytes, rising
ones into differences, and words share what they begin with, so that little is left to deflate.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

EXACT = 2**53  # of whole numbers a browser's usual ones hold all below
Section = dict[str, Any]  # JSON: the kind and where its bytes are


class Sections:
    """Arrays one after the other; what each method returns stands for its array in the head."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def int8(self, numbers: NDArray[np.int8]) -> Section:
        return self._add("int8", numbers.tobytes())

    def float32(self, numbers: NDArray[np.float32]) -> Section:
        return self._add("float32", numbers.astype("<f4").tobytes())

    def float16(self, numbers: NDArray[np.float16]) -> Section:
        """Row by row where there are several."""
        return self._add("float16", _planes(numbers.astype("<f2").reshape(-1).view("<u2"), 2))

    def planes(self, numbers: NDArray[Any]) -> Section:
        """Whole numbers from 0 to 2 ** 32 - 1."""
        width = max(1, (int(numbers.max(initial=0)).bit_length() + 7) // 8)
        return self._add("planes", _planes(numbers.astype("<u4"), width), width=width)

    def rising(self, numbers: NDArray[Any]) -> Section:
        """Whole numbers from 0, each above the one before."""
        packed = bytearray()
        for step in np.diff(numbers, prepend=0).tolist():
            while step > 127:
                packed.append(step & 127 | 128)
                step >>= 7
            packed.append(step)
        return self._add("rising", bytes(packed), wide=bool(len(numbers) and numbers[-1] >= EXACT))

    def strings(self, strings: Sequence[str]) -> Section:
        """Strings without line breaks; sorted ones take less room."""
        shared, rests, last = bytearray(), [], b""
        for string in strings:
            own = string.encode("utf-8")
            same = _shared(last, own)
            shared.append(same)
            rests.append(own[same:])
            last = own
        return self._add("strings", bytes(shared) + b"\n".join(rests), count=len(strings))

    def _add(self, kind: str, part: bytes, **more: Any) -> Section:
        section = {"kind": kind, "at": sum(map(len, self.parts)), "bytes": len(part), **more}
        self.parts.append(part)
        return section


def packed(head: Mapping[str, Any], sections: Sections) -> str:
    """The text. head: JSON, of which the sections may be a part."""
    plain = json.dumps(head, separators=(",", ":"), allow_nan=False).encode("ascii")
    whole = len(plain).to_bytes(4, "little") + plain + b"".join(sections.parts)
    return base64.b64encode(zlib.compress(whole, 9)).decode("ascii")


def _planes(numbers: NDArray[Any], width: int) -> bytes:
    """The lowest byte of every number, then the next one of every number."""
    whole = np.ascontiguousarray(numbers).view(np.uint8).reshape(len(numbers), numbers.dtype.itemsize)
    return whole.T[:width].tobytes()


def _shared(one: bytes, other: bytes) -> int:
    """How many bytes the two begin with alike; 255 at most."""
    limit = min(len(one), len(other), 255)
    return next((i for i in range(limit) if one[i] != other[i]), limit)
