"""An ONNX file, looked at before any runtime opens it: all that it computes with lies in it, or it is refused.

    check_onnx(Path("tickets-onnx/model/model.onnx"))      # raises UnsafeError; nothing is loaded for it

The file is protobuf (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto), and read here by its numbers alone:
a tensor may name a file anywhere on the machine that it is read from, and a node may name a program to run.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

from slmfit.errors import UnsafeError

MOST_DEPTH = 60  # of graphs in graphs
DOMAINS = (b"", b"ai.onnx", b"com.microsoft")  # whose operators ONNX Runtime has itself
OUTSIDE = (b"EPContext", b"PyOp", b"PythonOp")  # operators that read a file or run a program
# Message -> its fields that hold another message. The rest is skipped.
HOLDS: dict[str, dict[int, str]] = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
OPERATOR, DOMAIN = 4, 7  # of a node
TRAINING = 20  # of a model
EXTERNAL, LOCATION = 13, 14  # of a tensor
_FIX = "get it again from a source that you trust, or export the run again"


def check_onnx(path: Path) -> None:
    """Raise UnsafeError unless all of the model lies in this one file, and nothing in it reaches out of it."""
    if not path.is_file() or path.is_symlink() or path.stat().st_size < 2:
        raise UnsafeError("is no ONNX file", where=str(path), fix=_FIX)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            if data[4:8] == b"ORTM":
                raise ValueError("it is of the runtime's own format, which is not looked into here")
            if not _check(data, "model", 0, len(data), 0):
                raise ValueError("it holds no graph")
        except (ValueError, IndexError) as error:
            raise UnsafeError(f"is refused: {error}", where=str(path), fix=_FIX) from None


def _check(data: mmap.mmap, kind: str, begin: int, end: int, depth: int) -> bool:
    """Whether a message holds a message in turn. Raises ValueError for what is not let in."""
    if depth > MOST_DEPTH:
        raise ValueError("its graphs lie too deep in each other")
    held = False
    for number, value, inner in _fields(data, begin, end):
        if kind == "tensor" and (number == EXTERNAL or (number == LOCATION and value)):
            raise ValueError("weights of it lie in another file, wherever that may be")
        if kind == "model" and number == TRAINING:
            raise ValueError("it holds a training")
        if kind == "node" and number in (OPERATOR, DOMAIN):
            _check_name(number, data[slice(*inner)] if inner else b"?")
        if child := HOLDS[kind].get(number):
            if inner is None:
                raise ValueError("it is damaged")
            _check(data, child, *inner, depth + 1)
            held = True
    return held


def _check_name(number: int, name: bytes) -> None:
    if number == DOMAIN and name not in DOMAINS:
        raise ValueError(f"it needs operators of {name[:60].decode('utf-8', 'replace')!r}, which are none of ONNX's")
    if number == OPERATOR and name in OUTSIDE:
        raise ValueError(f"its operator {name.decode()} reads or runs what is not in it")


def _fields(data: mmap.mmap, begin: int, end: int) -> Iterator[tuple[int, int, tuple[int, int] | None]]:
    """Of each field its number, the value of a number, and where the bytes of anything longer lie."""
    at = begin
    while at < end:
        key, at = _varint(data, at, end)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(data, at, end)
            yield number, value, None
        elif wire == 2:
            size, at = _varint(data, at, end)
            if size > end - at:
                raise ValueError("it is cut off")
            yield number, 0, (at, at + size)
            at += size
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
            yield number, 1, None
        else:
            raise ValueError("it is no ONNX file")
    if at != end:
        raise ValueError("it is cut off")


def _varint(data: mmap.mmap, at: int, end: int) -> tuple[int, int]:
    """A number of seven bits a byte, and where the next thing begins."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= end:
            raise ValueError("it is cut off")
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError("it is no ONNX file")
