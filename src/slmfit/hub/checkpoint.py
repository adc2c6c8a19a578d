"""A base model's folder, looked at before any library opens it: its files may be anybody's.

    check_folder(Path("models/minilm"))           # raises UnsafeError; nothing is loaded for it
    shapes(Path("models/minilm"))                 # {"embeddings.word_embeddings.weight": (30522, 384), …}

Refused is what would make a library read other files than those of the folder (links, an index or a configuration that
names them, an adapter), what is no safetensors file though it is called so, and what a few bytes could make endless: a
million layers, a tokenizer that turns every letter into a thousand.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from slmfit.errors import DataError, UnsafeError
from slmfit.storage import check_links

INDEX = "model.safetensors.index.json"
PICKLES = (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")  # torch's zip, and bare ones
MOST_HEADER = 100_000_000  # bytes, as safetensors itself has it
MOST_JSON = 500_000_000  # bytes of a tokenizer
MOST_PARTS = 10_000  # layers, heads, experts, labels
MOST_NUMBER = 10**9  # that a configuration may name anywhere
MOST_GROWTH = 100  # characters that a tokenizer may make of one
MOST_PADDING = 1_000_000  # tokens
_PARTS = re.compile(r"num_\w+|n_layers?|n_heads?|\w+_layers|\w+_heads|\w+_experts|depth")
_FIX = "use a model from a source that you trust, or fetch it again"


def check_folder(folder: Path) -> None:
    """Raise UnsafeError unless all that a library would read for this model lies in its folder, and is what it says."""
    check_cached_links(folder)
    if (folder / "adapter_config.json").exists():
        raise _refused(folder, "holds an adapter, which names a model elsewhere", fix="give the whole model, merged")
    for name in _indexed(folder):
        if Path(name).name != name or not name.endswith(".safetensors") or "\\" in name:
            raise _refused(folder / INDEX, f"names {name!r} as weights; only *.safetensors beside it are read")
        if not (folder / name).is_file():
            raise _refused(folder / INDEX, f"names {name!r}, which is not there")
    check_config(folder)
    for name in ("tokenizer_config.json", "tokenizer.json"):
        if (folder / name).is_file():
            about = _read(folder / name, MOST_JSON)
            named = [key for key in about if key.endswith("_file") and isinstance(about[key], str)]
            if named and name == "tokenizer_config.json":
                raise _refused(folder / name, f"names a file of its own ({named[0]})")
            if name == "tokenizer.json":
                check_tokenizer(about, folder / name)
    for path in sorted(folder.glob("*.safetensors")):
        header(path)


def check_cached_links(folder: Path) -> None:
    """Raise UnsafeError for a link that leads out of a model's folder; those in the hub's cache lead to its own."""
    cached = folder.parent.name == "snapshots" and folder.parent.parent.name.startswith("models--")
    check_links(folder, folder.parent.parent if cached else folder)


def check_config(folder: Path) -> None:
    """Raise UnsafeError for a configuration that a library would spend all memory on while it reads it."""
    path = folder / "config.json"
    if not path.is_file():
        return
    about = _read(path, MOST_JSON // 100)
    if "transformers_weights" in about:
        raise _refused(path, "names a file of weights of its own")
    for name, number in _numbers(about):
        most = MOST_PARTS if _PARTS.fullmatch(name) else MOST_NUMBER
        if abs(number) > most and "theta" not in name:
            raise _refused(path, f"has {name} = {number:,}, and at most {most:,} are built here")


def header(path: Path) -> dict[str, Any]:
    """What a safetensors file says of its tensors. Raises UnsafeError for a pickle, DataError for a damaged file."""
    size = path.stat().st_size
    with path.open("rb") as file:
        first = file.read(9)
        length = int.from_bytes(first[:8], "little")
        if first.startswith(PICKLES):
            raise _refused(path, "is a pickle, whatever its name says; those can run code, and are never loaded")
        whole = len(first) == 9 and first[8:] == b"{" and 0 < length <= min(size - 8, MOST_HEADER)
        try:
            about = json.loads(first[8:] + file.read(length - 1)) if whole else None
        except (ValueError, RecursionError):
            about = None
    if not isinstance(about, dict):
        raise DataError("its weights are damaged: no whole safetensors file", where=str(path), fix=_FIX)
    return {name: tensor for name, tensor in about.items() if name != "__metadata__"}


def shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """Name -> shape of every tensor in the folder's safetensors files."""
    found = {}
    for path in sorted(folder.glob("*.safetensors")):
        for name, tensor in header(path).items():
            try:
                found[name] = tuple(int(n) for n in tensor["shape"])
            except (KeyError, TypeError, ValueError):
                what = f"its weights are damaged: no shape is told of {name!r}"
                raise DataError(what, where=str(path), fix=_FIX) from None
    return found


def _indexed(folder: Path) -> set[str]:
    """The files that the index names as weights."""
    if not os.path.lexists(folder / INDEX):
        return set()
    named = _read(folder / INDEX, MOST_HEADER).get("weight_map")
    if not isinstance(named, dict) or not all(isinstance(name, str) for name in named.values()):
        raise _refused(folder / INDEX, "is no index of weights")
    return set(named.values())


def check_tokenizer(about: Mapping[str, Any], path: Path) -> None:
    """Raise UnsafeError for what tokenizer.json says where a short text would fill the memory."""
    for part in ("normalizer", "pre_tokenizer", "decoder"):
        if (growth := _growth(about.get(part))) > MOST_GROWTH:
            raise _refused(path, f"its {part} makes {growth:,} characters of one")
    pieces = (about.get("post_processor") or {}) if isinstance(about.get("post_processor"), dict) else {}
    if any(len(pieces.get(name) or ()) > MOST_GROWTH for name in ("single", "pair", "processors")):
        raise _refused(path, "it puts more around a text than a text holds")
    if any(number > MOST_PADDING for name, number in _numbers(about.get("padding") or {}) if name != "pad_id"):
        raise _refused(path, "it fills every text up without measure")


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


def _numbers(value: Any, name: str = "") -> Iterator[tuple[str, int]]:
    """(name, number) for every whole number at any depth."""
    waiting = [(name, value)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.items()
        elif isinstance(value, list):
            waiting += [(name, item) for item in value]
        elif isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf"):
            yield name, int(value)


def _read(path: Path, most: int) -> dict[str, Any]:
    """A JSON object of bounded size."""
    if path.stat().st_size > most:
        raise _refused(path, f"is larger than {most:,} bytes")
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        raise _refused(path, "is no JSON that can be read") from None
    if not isinstance(value, dict):
        raise _refused(path, "is no JSON object")
    return value


def _refused(path: Path, what: str, fix: str = _FIX) -> UnsafeError:
    return UnsafeError(what, where=str(path), fix=fix)
