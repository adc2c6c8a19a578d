"""The state of a training on disk: whole or not at all, and never trusted when a byte has changed.

    store = Checkpoints(context.work / "checkpoints")
    store.write(step, tensors, about)
    state, damaged = store.newest()       # State(tensors, about) or None, and how many newer ones are damaged

A checkpoint is a folder `step-00000120` with one safetensors file, whose metadata hold the rest as JSON, and that
file's sha256. It is filled under a hidden name, flushed and renamed. Two are kept: when the newer one turns out to
be damaged, the older one serves.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import torch

from slmfit import storage

KEPT = 2
PIECE = 1 << 24  # bytes written at once
TYPES = {torch.float32: "F32", torch.bfloat16: "BF16", torch.float16: "F16", torch.int64: "I64"}


@dataclass(frozen=True)
class State:
    """What a checkpoint holds."""

    tensors: dict[str, torch.Tensor]
    about: dict[str, Any]


class Checkpoints:
    """The checkpoints of one training, below a folder of its own. of: what tells it from others; those are not read."""

    def __init__(self, folder: Path, of: str = "") -> None:
        self.folder, self.of = folder, of

    def write(self, step: int, tensors: Mapping[str, torch.Tensor], about: Mapping[str, Any]) -> None:
        """Write one, then remove the older ones but one. Raises OSError; what was there before is then untouched."""
        folder = self.folder / f"step-{step:08}"
        partial = storage.partial(folder)
        storage.remove(partial)
        try:
            partial.mkdir(parents=True)
            digest = _write_safetensors(partial / "state.safetensors", tensors, {**about, "of": self.of})
            (partial / "sha256").write_text(digest)
            storage.remove(folder)  # the same step again: damaged, or it would have been resumed from
            storage.publish(folder)
        except BaseException:
            storage.remove(partial)
            raise
        for old in sorted(self.folder.glob("step-*"), reverse=True)[KEPT:]:
            storage.remove(old)

    def newest(self, fits: Callable[[State], bool] = lambda state: True) -> tuple[State | None, int]:
        """The newest undamaged one that fits, None when there is none; and how many others are newer."""
        folders = sorted(self.folder.glob("step-*"), reverse=True)
        for damaged, folder in enumerate(folders):
            with contextlib.suppress(OSError, ValueError):
                state = self._read(folder)
                if state is not None and fits(state):
                    return state, damaged
        return None, len(folders)

    def _read(self, folder: Path) -> State | None:
        path = folder / "state.safetensors"
        if path.is_symlink() or storage.hash_file(path).encode() != (folder / "sha256").read_bytes():
            return None
        state = _read(path)
        return state if state.about.pop("of", None) == self.of else None


def _write_safetensors(path: Path, tensors: Mapping[str, torch.Tensor], about: Mapping[str, Any]) -> str:
    """Write tensor after tensor, so that no second copy of them is held; returns the file's sha256."""
    header: dict[str, Any] = {"__metadata__": {"about": json.dumps(about, allow_nan=False)}}
    end = 0
    for name, tensor in tensors.items():
        begin, end = end, end + tensor.numel() * tensor.element_size()
        header[name] = {"dtype": TYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [begin, end]}
    raw = json.dumps(header).encode()
    raw += b" " * (-len(raw) % 8)
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for piece in chain([len(raw).to_bytes(8, "little"), raw], _pieces(tensors)):
            digest.update(piece)
            file.write(piece)
    return digest.hexdigest()


def _pieces(tensors: Mapping[str, torch.Tensor]) -> Iterator[Any]:
    for tensor in tensors.values():
        raw = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data
        for begin in range(0, len(raw), PIECE):
            yield raw[begin : begin + PIECE]


def _read(path: Path) -> State:
    """Raises ValueError for what is none of ours."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {}).get("about", "null"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, RecursionError) as error:
        raise ValueError(str(error)) from None
    if not isinstance(about, dict):
        raise ValueError("says nothing about itself")
    return State(tensors, about)
