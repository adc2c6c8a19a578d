"""Files and folders that appear whole or not at all, and hashes that say what they hold.

    with locked(out):
        write_json(out / "comparison.json", record)

A file is written beside its place, flushed to disk and renamed over it; a folder is filled under a hidden name
(`.linear.partial`) and renamed when its last file is down. Whoever lists folders skips the hidden ones, so a
half-written one is never seen, whenever the power goes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from shlex import quote
from typing import IO, Any

from slmfit import streams
from slmfit.errors import SlmfitError, UnsafeError, UsageError

MOST_JSON = 100_000_000  # bytes of a record: to read more would fill the memory of a small machine
# What Python raises where a file, which may be anybody's, is not of the shape that its readers count on.
DAMAGE = (KeyError, IndexError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError, AssertionError)
_HALF = re.compile(r"\.([1-9]\d{0,8})\.partial")


def named(path: str | Path) -> Path:
    """The path, unless its name is empty, as a shell variable's that was never set: that would be the current folder.

    Raises UsageError.
    """
    if not str(path) or (isinstance(path, str) and not path.strip()):
        raise UsageError("a path has no name", fix="is a variable in the command empty?")
    return Path(path)


def file_name(name: str) -> str:
    """The last part of a path or name, safe as a name on every file system: `models/potion (2)` -> 'potion-2'."""
    last = name.rstrip("/\\").replace("\\", "/").rsplit("/", 1)[-1]
    return re.sub(r"[^A-Za-z0-9._-]+", "-", last).strip("-.")[:60] or "model"


def to_json(value: Any) -> str:
    """Readable JSON: UTF-8, no NaN, keys in the order given."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def write_json(path: Path, value: Any) -> None:
    """Write `value` to `path`, whole or not at all."""
    write_text(path, to_json(value))


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path`, whole or not at all. Raises SlmfitError when the disk refuses."""
    with refusals(path), _whole(path) as file:
        file.write(_encoded(text))


def write_output(path: Path, text: str) -> None:
    """Write `text` where a user asked for it: see `output`."""
    with output(path) as file:
        file.write(_encoded(text))


@contextlib.contextmanager
def output(path: Path) -> Iterator[IO[bytes]]:
    """The file that a user named with --output, to write bytes into.

    It appears whole or not at all; of a link the target does, and the link stays. What is no file (`-` for stdout, a
    pipe, a device) is written as it goes and stays what it is. Files of our own are never written through a link: a
    folder that came from elsewhere may hold one to anywhere.

    Raises UsageError for a folder or a disk, SlmfitError when what stands there refuses.
    """
    with refusals(path):
        if streams.is_stream(path):
            with streams.opened(path) as file:
                yield file
        else:
            with _whole(streams.target(path)) as file:
                yield file


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[IO[bytes]]:
    """A file beside `path` that takes its name when all is down, and is gone when anything went wrong."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    _sweep_halves(path)
    try:
        beside.unlink(missing_ok=True)
        with beside.open("xb") as file:  # made anew: a link of that name is not followed
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        _flush_folder(path.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise


def _sweep_halves(path: Path) -> None:
    """Remove what killed processes left of this file half-written, by the very name that `_whole` gives it."""
    own = f".{path.name}"
    with contextlib.suppress(OSError):  # what cannot be swept stays, and nothing depends on it
        with os.scandir(path.parent) as entries:
            beside = [entry for entry in entries if entry.name.startswith(own)]
        found = [(entry, match) for entry in beside if (match := _HALF.fullmatch(entry.name.removeprefix(own)))]
        for entry, match in found:
            if entry.is_file(follow_symlinks=False) and not _runs(int(match[1])):
                Path(entry.path).unlink(missing_ok=True)


def _runs(process: int) -> bool:
    """Whether a process of this number may be running; always, on a system where asking could end it."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


@contextlib.contextmanager
def refusals(path: Path) -> Iterator[None]:
    """What the disk refuses becomes a SlmfitError about `path`; whoever read and is gone stays BrokenPipeError."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.filename and Path(os.path.realpath(path)).name not in str(error.filename):
            raise  # of another file: what was to be written could not be read
        what, fix = f"could not be written: {error.strerror}", _space(error)
        if isinstance(error, FileNotFoundError) and (missing := _missing(path)) is not None:
            what, fix = (
                f"there is no folder {str(missing)!r}",
                f"make it, or correct the path: mkdir -p {quote(str(missing))}",
            )
        raise SlmfitError(what, where=str(path), fix=fix) from None


def _missing(path: Path) -> Path | None:
    """The first folder on the way to a file that is not there; the way may lead on through `..`."""
    return next((folder for folder in reversed(path.parents) if not folder.exists()), None)


def _encoded(text: str) -> bytes:
    """UTF-8; half a character, of a file name say, becomes \\udce9, which is JSON's spelling of it."""
    return text.encode("utf-8", "backslashreplace")


@contextlib.contextmanager
def undamaged(where: Path | str) -> Iterator[None]:
    """The border to what was read: where it is not of the shape that is counted on, a SlmfitError says so."""
    try:
        yield
    except DAMAGE as error:
        said = str(error).strip().partition("\n")[0][:120] or type(error).__name__
        what = f"what it holds is damaged ({type(error).__name__}: {said})"
        fix = "run the command that made it again, or get it again from a source that you trust"
        raise SlmfitError(what, where=str(where), fix=fix) from error


def read_json(path: Path, *keys: str) -> Any:
    """What a JSON file of ours holds, an object with these keys. Raises SlmfitError when it is missing or damaged."""
    with _reading(path):
        if path.stat().st_size > MOST_JSON:
            raise ValueError(f"it is larger than {MOST_JSON:,} bytes")
        value = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_number)
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            raise SlmfitError(f"lacks {key!r}", where=str(path), fix="delete it and run again")
    return value


def check_format(plain: Any, expected: str, path: Path) -> None:
    """Raise UnsafeError unless a record says that it is of the format that is read here."""
    found = plain.get("format") if isinstance(plain, dict) else None
    if found != expected:
        fix = f"this slmfit reads {expected}; use the slmfit that wrote it, or run the command again"
        raise UnsafeError(f"its format is {found!r}", where=str(path), fix=fix)


def read_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSONL file of ours, one a line. Raises SlmfitError when it is missing or damaged."""
    with _reading(path):
        if path.exists() and not path.is_file():
            raise ValueError("it is no file")
        with path.open(encoding="utf-8", errors="surrogatepass") as file:
            for line in file:
                if not isinstance(row := json.loads(line), dict):
                    raise ValueError("a line is no object")
                yield row


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise SlmfitError("is missing", where=str(path), fix="run the command that makes it again") from None
    except OSError as error:
        fix = "check the path and its permissions"
        raise SlmfitError(f"cannot be read: {error.strerror}", where=str(path), fix=fix) from None
    except (ValueError, RecursionError) as error:
        raise SlmfitError(f"cannot be read: {error}", where=str(path), fix="delete it and run again") from None


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number of JSON")


def partial(folder: Path) -> Path:
    """Where `folder` is put together before `publish` gives it its name."""
    return folder.with_name(f".{folder.name}.partial")


def publish(folder: Path) -> None:
    """Flush every file of `partial(folder)` and rename it to `folder`."""
    source = partial(folder)
    for path in sorted(source.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        else:
            _flush_folder(path)
    _flush_folder(source)
    source.rename(folder)
    _flush_folder(folder.parent)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold `folder` for this process alone; the lock goes with the process, however it ends.

    Raises UsageError when another process holds it, SlmfitError when the folder cannot be made or written.
    """
    made = make_folder(folder)
    path = folder / ".lock"
    try:
        file = path.open("a")
    except OSError as error:
        for empty in made:
            empty.rmdir()
        fix = "choose another folder with --out"
        raise SlmfitError(f"cannot be written: {error.strerror}", where=str(folder), fix=fix) from None
    with file:
        hold(file, str(folder))
        yield


def hold(file: IO[Any], name: str) -> None:
    """Lock an open file for this process alone until it is closed. Raises UsageError when another process holds it.

    name: what the message calls it.
    """
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:  # no such lock on this system: two at once are then the user's own care
        pass
    except OSError:
        fix = "wait for it, or choose another folder with --out"
        raise UsageError("another slmfit is writing here", where=name, fix=fix) from None


def make_folder(folder: Path) -> list[Path]:
    """Make `folder`; returns the folders made, innermost first. Raises SlmfitError when that fails."""
    missing = [p for p in (folder, *folder.parents) if not p.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fix = "choose another folder with --out"
        what = "is a file, not a folder" if folder.is_file() else f"cannot be made: {error.strerror}"
        raise SlmfitError(what, where=str(folder), fix=fix) from None
    return missing


def remove(folder: Path) -> None:
    """Remove a folder of ours, if it is there."""
    if folder.is_symlink():
        folder.unlink()
    else:
        shutil.rmtree(folder, ignore_errors=True)


def hash_file(path: Path) -> str:
    """sha256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_files(folder: Path) -> dict[str, str]:
    """Relative path -> sha256 of every file below `folder`, sorted; of the file itself where it is one."""
    files = sorted(p for p in (folder, *folder.rglob("*")) if p.is_file())
    return {p.relative_to(folder).as_posix(): hash_file(p) for p in files}


def hash_json(value: Any) -> str:
    """sha256 of a JSON value, independent of the order of its keys."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def verify_files(folder: Path, expected: Mapping[str, str]) -> None:
    """Raise UnsafeError unless `folder` holds exactly the files that were recorded, byte for byte, and no links."""
    for path in [folder, *folder.rglob("*")]:
        if path.is_symlink():
            raise UnsafeError("is a link, which a run never holds", where=str(path), fix="fit the run again")
        if not (path.is_file() or path.is_dir()):
            raise UnsafeError("is a pipe or a device, which a run never holds", where=str(path), fix="fit it again")
    found = hash_files(folder)
    for name in sorted(set(found) | set(expected)):
        if found.get(name) != expected.get(name):
            what = "is missing" if name not in found else "was added" if name not in expected else "was changed"
            fix = "fit the run again; a model is loaded only as it was recorded"
            raise UnsafeError(f"{what} after the run was written", where=str(folder / name), fix=fix)


def check_links(folder: Path, root: Path) -> None:
    """Raise UnsafeError for a link at any depth below `folder` that leads out of `root`.

    Whoever packed the folder chose where it leads, on a machine that is not theirs: to a file that would be sent on.
    """
    inside = root.resolve()
    waiting = [folder]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_symlink() and not _target_within(Path(entry.path), inside):
                    fix = "put the file itself there, if you trust it"
                    raise UnsafeError("is a link that leads out of its folder", where=entry.path, fix=fix)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))


def _target_within(link: Path, root: Path) -> bool:
    try:
        return link.resolve().is_relative_to(root)
    except (OSError, RuntimeError, ValueError):  # a link in a circle, a name that none can have
        return False


def inside(folder: Path, name: str) -> Path:
    """The path below `folder` that a record names. Raises UnsafeError for one that leads out of it."""
    path = folder / name
    if not _target_within(path, folder.resolve()):
        raise UnsafeError(f"names {name!r}, which lies outside of it", where=str(folder), fix="name that folder itself")
    return path


def size_of(folder: Path) -> int:
    """Bytes of all files below `folder`."""
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def _flush_folder(folder: Path) -> None:
    """Make a rename last; some systems cannot open a folder, and then it lasts without."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _space(error: OSError) -> str:
    import errno

    return "free some space and run the same command again" if error.errno == errno.ENOSPC else "check the folder"
