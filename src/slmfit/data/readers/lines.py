"""Bytes to text, refused with line and byte where they are none.

    for line in lines_of(handle, "tickets.csv"): ...     # decoded, with its line end

Text is UTF-8; a byte order mark is dropped. Nothing is guessed and nothing replaced.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from slmfit.errors import DataError, Where

LONGEST_LINE = 16 * 2**20  # bytes: the longest cell in JSON's longest spelling, \uXXXX, and its neighbours
_CHUNK = 2**20

_MAGIC = {
    b"version https://git-lfs.github.com/spec/": ("is a pointer that git LFS left here", "get the file: git lfs pull"),
    b"\x1f\x8b": ("is gzipped", "add .gz to its name"),
    b"PK\x03\x04": ("is a zip or Excel file", "save the table as CSV (UTF-8)"),
    b"PAR1": ("is a Parquet file", "give its name the ending .parquet"),
    b"\xff\xfe": ("is UTF-16, not UTF-8", "convert it: iconv -f UTF-16 -t UTF-8 OLD > NEW"),
    b"\xfe\xff": ("is UTF-16, not UTF-8", "convert it: iconv -f UTF-16 -t UTF-8 OLD > NEW"),
}
_HTML = (b"<!doctype html", b"<html", b"<table")


class Bytes(Protocol):
    """An open binary stream: a file, a gzip file, stdin."""

    def read(self, size: int = -1, /) -> bytes: ...


def chunks_of(handle: Bytes) -> Iterator[bytes]:
    """The stream in pieces of a mebibyte."""
    while chunk := handle.read(_CHUNK):
        yield chunk


def lines_of(handle: Bytes, file: str) -> Iterator[str]:
    """Lines with their ends (\\n, \\r\\n or \\r). Memory is bounded by the longest line allowed."""
    number, rest = 0, b""  # lines handed out, and the bytes of the next one so far
    for chunk in _text_chunks(handle, file):
        lines = (rest + chunk).splitlines(keepends=True)
        rest = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""  # a \n may still follow a \r
        if b"\0" in chunk:
            decode(b"".join(lines) + rest, file, number + 1)
        for line in lines:
            number += 1
            try:
                text = line.decode()
            except UnicodeDecodeError:
                text = decode(line, file, number)
            yield text
        if len(rest) > LONGEST_LINE:
            raise DataError(
                f"this line is longer than {LONGEST_LINE:,} bytes",
                where=Where(file, number + 1),
                fix="check that lines are separated by line breaks, or drop the row",
            )
    if rest:
        yield decode(rest, file, number + 1)


def text_of(handle: Bytes, file: str) -> str:
    """The whole stream as one text."""
    return decode(b"".join(_text_chunks(handle, file)), file)


def decode(data: bytes, file: str, line: int = 1) -> str:
    """UTF-8 as text; `line` is the number of its first line. Raises DataError with the line of the first bad byte."""
    if (at := data.find(b"\0")) >= 0:
        raise DataError(
            "there is a NUL byte, so this is not plain text",
            where=Where(file, _line(data, at, line)),
            fix="export it again as UTF-8 text (NUL bytes come from UTF-16, binary or damaged files)",
        )
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        at = error.start - (max(data.rfind(b"\n", 0, error.start), data.rfind(b"\r", 0, error.start)) + 1)
        raise DataError(
            f"byte {at + 1} of this line (0x{data[error.start]:02X}) is not UTF-8",
            where=Where(file, _line(data, error.start, line)),
            fix=_converted(data[max(0, error.start - 40) : error.start + 200]),
        ) from None


def _converted(around: bytes) -> str:
    """How to mend bytes that are no UTF-8: an accent now and then is western European, whole words are not."""
    if 4 * sum(byte > 127 for byte in around) < len(around):
        return "convert it from the encoding it has, such as: iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW"
    usual = "KOI8-R, WINDOWS-1251, SHIFT_JIS, GB18030 or BIG5"
    return f"convert it: iconv -f ENCODING -t UTF-8 OLD > NEW, where ENCODING is what it was saved in, such as {usual}"


def _line(data: bytes, at: int, first: int) -> int:
    """The number of the line that holds byte `at`."""
    return first + len((data[:at] + b".").splitlines()) - 1


def begun(data: bytes, file: str) -> bytes:
    """What a text begins with, without a byte order mark. Raises DataError for what is surely no UTF-8 text."""
    for magic, (what, fix) in _MAGIC.items():
        if data.startswith(magic):
            if what == "is gzipped" and file.lower().endswith(".gz"):
                what, fix = "is gzipped twice", "unpack it once: gunzip"
            raise DataError(what, where=file, fix=fix)
    return data.removeprefix(b"\xef\xbb\xbf")


def _text_chunks(handle: Bytes, file: str) -> Iterator[bytes]:
    """The stream's chunks without a byte order mark, unless they are surely not UTF-8 text."""
    first = True
    for chunk in chunks_of(handle):
        if first:
            chunk = begun(chunk, file)
            if chunk[:200].lstrip().lower().startswith(_HTML):
                raise DataError("is an HTML page", where=file, fix="save the table as CSV (UTF-8)")
        first = False
        yield chunk
