"""A base model's folder, looked at before any library opens it: its files may be anybody's.

    check_folder(Path("models/minilm"))           # raises UnsafeError; nothing is loaded for it
    shapes(Path("models/minilm"))                 # {"embeddings.word_embeddings.weight": (30522, 384), …}

Refused is what would make a library read other files than those of the folder (links, pipes, an index or a
configuration that names them, an adapter), what is no safetensors file though it is called so, and what a few bytes
could make endless: a million layers, a tokenizer that turns every letter into a thousand.
"""

from __future__ import annotations

import json
import math
import os
import re
import stat
from pathlib import Path
from typing import Any

from slmfit.errors import DataError, UnsafeError
from slmfit.hub.tokenizers import check_described, check_tokenizer, leaves
from slmfit.storage import check_links

INDEX = "model.safetensors.index.json"
PICKLES = (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")  # torch's zip, and bare ones
MOST_HEADER = 25_000_000  # bytes of what a safetensors file says of its tensors
MOST_TENSORS = 100_000
BYTES = {"BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "F8_E8M0": 1, "U16": 2, "I16": 2, "F16": 2, "BF16": 2,
         "U32": 4, "I32": 4, "F32": 4, "U64": 8, "I64": 8, "F64": 8, "C64": 8}  # fmt: skip
MOST_JSON = 64_000_000  # bytes of a tokenizer; the largest known one has 35 MB
MOST_CONFIG = 5_000_000  # bytes
MOST_PARTS = 10_000  # layers, heads, experts, labels
MOST_NUMBER = 10**9  # that a configuration may name anywhere
_PARTS = re.compile(r"num_\w+|n_layers?|n_heads?|\w+_layers|\w+_heads|\w+_experts|depth")
_NEEDED = {"num_hidden_layers", "n_layer", "n_layers", "hidden_size", "n_embd", "d_model", "dim"}  # never 0
_FIX = "use a model from a source that you trust, or fetch it again"


def check_folder(folder: Path) -> None:
    """Raise UnsafeError unless all that a library would read for this model lies in its folder, and is what it says."""
    check_files(folder)
    if (folder / "adapter_config.json").exists():
        raise _refused(folder, "holds an adapter, which names a model elsewhere", fix="give the whole model, merged")
    for name in _indexed(folder):
        if Path(name).name != name or not name.endswith(".safetensors") or "\\" in name:
            raise _refused(folder / INDEX, f"names {name!r} as weights; only *.safetensors beside it are read")
        if not (folder / name).is_file():
            raise _refused(folder / INDEX, f"names {name!r}, which is not there")
    check_config(folder)
    for name in ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "generation_config.json"):
        if os.path.lexists(folder / name):
            check_described(read_object(folder / name, MOST_JSON), folder / name)
    if (folder / "tokenizer.json").exists():
        check_tokenizer(read_object(folder / "tokenizer.json", MOST_JSON), folder / "tokenizer.json", _table(folder))
    for path in sorted(folder.glob("*.safetensors")):
        header(path)


def check_files(folder: Path) -> None:
    """Raise UnsafeError for a link that leads out of a model's folder, and for what is no file: a pipe has no end.

    The links in the hub's cache lead to its own.
    """
    cached = folder.parent.name == "snapshots" and folder.parent.parent.name.startswith("models--")
    check_links(folder, folder.parent.parent if cached else folder)
    for path in folder.rglob("*"):
        if path.exists() and not (path.is_dir() or stat.S_ISREG(path.stat().st_mode)):
            raise _refused(path, "is no file but a pipe or a device")
        if path.is_dir() and path.suffix in (".json", ".safetensors", ".txt", ".model"):
            raise _refused(path, "is a folder, and no file")


def check_config(folder: Path) -> None:
    """Raise UnsafeError for a configuration that a library would spend all memory on while it reads it, or that names
    code to fetch and run."""
    path = folder / "config.json"
    if not os.path.lexists(path):
        return
    about = read_object(path, MOST_CONFIG)
    if "transformers_weights" in about:
        raise _refused(path, "names a file of weights of its own")
    made_for = about.get("architectures") or []
    if not (isinstance(made_for, list) and all(isinstance(name, str) for name in made_for)):
        raise _refused(path, "its architectures are no list of names")
    for name, value in leaves(about):
        if name.endswith("_implementation") and isinstance(value, str) and ("/" in value or ":" in value):
            raise _refused(path, f"has {name} = {value!r}, which would be fetched and run")
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if number and not _buildable(name, value):
            most = MOST_PARTS if _PARTS.fullmatch(name) else MOST_NUMBER
            raise _refused(path, f"has {name} = {value:,}, and {int(name in _NEEDED)} to {most:,} are built here")


def _table(folder: Path) -> int | None:
    """How many tokens the configuration has a place for, where it says so."""
    about = read_object(folder / "config.json", MOST_CONFIG) if (folder / "config.json").is_file() else {}
    inner = about.get("text_config")
    size = about.get("vocab_size", inner.get("vocab_size") if isinstance(inner, dict) else None)
    return size if isinstance(size, int) else None


def _buildable(name: str, value: float) -> bool:
    """Whether a number in a configuration can be meant: bases of turns are large, limits may be without end."""
    if name in _NEEDED and value < 1:
        return False
    if _PARTS.fullmatch(name):
        return abs(value) <= MOST_PARTS
    return value == value and (isinstance(value, float) or "theta" in name or abs(value) <= MOST_NUMBER)


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
            if isinstance(about, dict):
                about = {name: tensor for name, tensor in about.items() if name != "__metadata__"}
        except (ValueError, RecursionError):
            about = None
    if isinstance(about, dict) and len(about) > MOST_TENSORS:
        raise _refused(path, f"holds {len(about):,} tensors, and at most {MOST_TENSORS:,} are read here")
    if not isinstance(about, dict) or not _fills(about, size - 8 - length):
        raise DataError("its weights are damaged: no whole safetensors file", where=str(path), fix=_FIX)
    return about


def _fills(tensors: dict[str, Any], size: int) -> bool:
    """Whether the tensors lie one after the other in what follows the header, each as long as its shape needs."""
    ends = [0]
    try:
        for tensor in sorted(tensors.values(), key=lambda tensor: tensor["data_offsets"]):
            begin, end = tensor["data_offsets"]
            if begin != ends[-1] or end - begin != math.prod(tensor["shape"]) * BYTES[tensor["dtype"]]:
                return False
            ends.append(end)
    except (KeyError, TypeError, ValueError, OverflowError, IndexError):
        return False
    return ends[-1] == size


def shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """Name -> shape of every tensor in the folder's safetensors files."""
    files = sorted(folder.glob("*.safetensors"))
    return {name: tuple(tensor["shape"]) for path in files for name, tensor in header(path).items()}


def _indexed(folder: Path) -> set[str]:
    """The files that the index names as weights."""
    if not os.path.lexists(folder / INDEX):
        return set()
    named = read_object(folder / INDEX, MOST_HEADER).get("weight_map")
    if not isinstance(named, dict) or not all(isinstance(name, str) for name in named.values()):
        raise _refused(folder / INDEX, "is no index of weights")
    return set(named.values())


def read_object(path: Path, most: int) -> dict[str, Any]:
    """A JSON object of bounded size; a mark of the order of bytes before it is nothing to it."""
    if path.is_file() and path.stat().st_size > most:
        raise _refused(path, f"is larger than {most:,} bytes")
    try:
        value = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        raise _refused(path, "is no JSON that can be read") from None
    if not isinstance(value, dict):
        raise _refused(path, "is no JSON object")
    return value


def _refused(path: Path, what: str, fix: str = _FIX) -> UnsafeError:
    return UnsafeError(what, where=str(path), fix=fix)
