"""What a run that keeps adapters says of the base model they belong to, and where on this machine that model is.

    base = described("HuggingFaceTB/SmolLM2-135M-Instruct", folder)
    write(base, run / "model")
    place = found(read(run / "model"))           # a folder or a GGUF file whose hashes are those of then

A run may be a stranger's: what it names is only looked for on this machine, and used where its hashes fit. Nothing is
fetched because a run names it.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from slmfit import storage
from slmfit.environment import cache_folder
from slmfit.errors import MissingPart, SlmfitError, UnsafeError
from slmfit.hub import snapshots

FORMAT = "slmfit.base/1"
FILE = "base.json"
_HASH = re.compile(r"[0-9a-f]{64}")
_WEIGHTS = re.compile(r"[\w.-]+\.(safetensors|gguf)", re.ASCII)


@dataclass(frozen=True)
class Base:
    """name: as it was given. files: of its weights, each with its sha256; one .gguf file, or .safetensors files.
    bytes: of the weights, as they are loaded."""

    name: str
    files: Mapping[str, str]
    bytes: int

    @property
    def gguf(self) -> str | None:
        """The name of the GGUF file that it is; None where it is a transformers folder."""
        return next((name for name in self.files if name.endswith(".gguf")), None)

    @property
    def sha256(self) -> str:
        """Of the weights' only file, or of the list of them."""
        hashes = list(self.files.values())
        return hashes[0] if len(hashes) == 1 else storage.hash_json(dict(self.files))

    def __str__(self) -> str:
        return f"{self.name} (sha256 {self.sha256[:12]}…)"


def described(name: str, folder: Path, source: Path | None = None) -> Base:
    """A base model in a folder of plain weights. source: the GGUF file that they were read from."""
    weights = sorted(folder.glob("*.safetensors"))
    of = [source] if source else weights
    hashes = {path.name: storage.hash_file(path) for path in of}
    if source:
        hashes = {f"{source.stem}.gguf": next(iter(hashes.values()))}
    return Base(name, hashes, sum(path.stat().st_size for path in weights))


def write(base: Base, folder: Path) -> None:
    """Write `base` into a run's model folder."""
    storage.write_json(folder / FILE, {"format": FORMAT, **asdict(base)})


def read(folder: Path) -> Base | None:
    """What `write` wrote; None for a folder that is whole. Raises UnsafeError for what it cannot have written."""
    if not (folder / FILE).is_file():
        return None
    plain = storage.read_json(folder / FILE)
    storage.check_format(plain, FORMAT, folder / FILE)
    name, files, size = (plain.get(key) for key in ("name", "files", "bytes"))
    proper = (
        isinstance(name, str)
        and 0 < len(name) <= 1000
        and not name.startswith(("\\\\", "//"))  # on some systems, another machine's folder
        and isinstance(files, dict)
        and 0 < len(files) <= 1000
        and all(_WEIGHTS.fullmatch(file) and isinstance(h, str) and _HASH.fullmatch(h) for file, h in files.items())
        and (len(files) == 1 or all(file.endswith(".safetensors") for file in files))
        and type(size) is int
        and 0 <= size < 1 << 50
    )
    if not proper:
        raise UnsafeError("names no proper base model", where=str(folder / FILE), fix="fit the run again")
    return Base(name, files, size)


def remember(base: Base, place: Path) -> None:
    """Note where a base model is on this machine, so that its runs are loaded whatever the current folder is."""
    with contextlib.suppress(SlmfitError):  # then it is looked for under its name
        folder = cache_folder() / "bases"
        storage.make_folder(folder)
        storage.write_json(folder / f"{_key(base)}.json", {"place": str(place.resolve())})


def found(base: Base, where: Path) -> Path:
    """The folder, or the GGUF file, of a base model; its weights are those of then.

    where: the run that needs it. Raises MissingPart when it is nowhere, UnsafeError when it is another by now.
    """
    other: Path | None = None
    for place in _places(base):
        if _is(base, place):
            return place
        other = other or place
    needed = f"sha256 {base.sha256[:12]}… is needed"
    if other is not None:
        what = f"its base model {base.name} is another one by now: {needed}"
        fix = "put the model it was fitted on back there, or fit the run again"
        raise UnsafeError(what, where=str(where), fix=fix)
    fetch = (
        f"fetch it: slmfit models pull {base.name} --to DIR" if snapshots.is_name(base.name) else "put it back there"
    )
    fix = f"{fetch}; a run that needs none is fitted with keep=whole, or written by `slmfit export` where the model is"
    raise MissingPart(f"its base model {base.name} is not here ({needed})", where=str(where), fix=fix)


def _places(base: Base) -> Iterator[Path]:
    """Where it may be: where it was seen, where its name says, where the hub's library keeps it."""
    with contextlib.suppress(SlmfitError):
        noted = cache_folder() / "bases" / f"{_key(base)}.json"
        if noted.is_file() and (place := Path(str(storage.read_json(noted, "place")["place"]))).exists():
            yield place
    with contextlib.suppress(OSError, ValueError):  # no name that a file can have
        place = Path(base.name)
        if place.is_dir() or (place.is_file() and base.gguf):
            yield place
    if snapshots.is_name(base.name) and (cached := snapshots.cached_folder(base.name)):
        yield cached


def _is(base: Base, place: Path) -> bool:
    """Whether the weights there are those of then."""
    if base.gguf:
        files = [place] if place.is_file() else sorted(place.glob("*.[gG][gG][uU][fF]"))
        return len(files) == 1 and files[0].is_file() and storage.hash_file(files[0]) == base.files[base.gguf]
    files = [place / name for name in base.files]
    if not all(path.is_file() for path in files):
        return False
    size = sum(path.stat().st_size for path in files)
    return size == base.bytes and all(storage.hash_file(path) == base.files[path.name] for path in files)


def _key(base: Base) -> str:
    return storage.hash_json(dict(sorted(base.files.items())))[:32]
