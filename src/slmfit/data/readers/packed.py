"""The one file in a .zip, read without unpacking it anywhere.

with only_file(Path("train.csv.zip")) as (handle, name): ...       # an open stream, "train.csv"
"""

from __future__ import annotations

import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from slmfit.data.readers.lines import Bytes
from slmfit.errors import DataError
from slmfit.text.figures import listed

LITTER = {"__MACOSX", "Thumbs.db", "desktop.ini"}  # what macOS and Windows put beside files
MOST_EXPANSION = 200  # times its size that a packed file may grow; text grows 3 to 20 times
FREE_EXPANSION = 8 * 2**20  # bytes below which any growth is harmless
_LOCKED = 1  # a bit of a member's flags


@contextmanager
def only_file(path: Path) -> Iterator[tuple[Bytes, str]]:
    """Raises DataError where it holds several files or none, is locked or damaged, or would grow without measure."""
    try:
        with zipfile.ZipFile(path) as archive:
            found = [one for one in archive.infolist() if not (one.is_dir() or _is_litter(one.filename))]
            if len(found) != 1:
                names = f": {listed([one.filename for one in found])}" if found else ""
                what = f"is an archive of {len(found):,} files{names}"
                raise DataError(what, where=str(path), fix="unpack it, and give the folder or the file in it")
            [member] = found
            if member.flag_bits & _LOCKED:
                raise DataError("is locked by a password", where=str(path), fix="unpack it, and give the file in it")
            if member.file_size > max(FREE_EXPANSION, MOST_EXPANSION * path.stat().st_size):
                raise grown(path, "unpack it yourself and give the unpacked file")
            with archive.open(member) as handle:  # which reads no more than that size
                yield handle, PurePosixPath(member.filename).name
    except (zipfile.BadZipFile, NotImplementedError, zlib.error, lzma.LZMAError, EOFError) as error:
        raise DataError(f"is not a whole zip file ({error})", where=str(path), fix="copy or pack it again") from None


def grown(path: Path, fix: str) -> DataError:
    """The error for a file that must not reach a parser."""
    what = f"grows to more than {MOST_EXPANSION} times its size when unpacked"
    return DataError(what, where=str(path), fix=f"if you trust it, {fix}")


def _is_litter(name: str) -> bool:
    return any(part.startswith(".") or part in LITTER for part in PurePosixPath(name).parts)
