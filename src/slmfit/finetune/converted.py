"""A GGUF file as the transformers folder that everything here starts from: read into plain weights once, and kept.

    folder = plain(Path("SmolLM2-135M-Instruct.Q4_1.gguf"), check)       # in the cache folder, by the file's hash

The weights are those that llama.cpp computes with, written out in fp32; the folder loads as any other.
"""

from __future__ import annotations

import contextlib
import io
import math
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from slmfit import storage
from slmfit.environment import cache_folder, install, missing
from slmfit.errors import MissingPart, SlmfitError, UnsafeError, UsageError
from slmfit.finetune.quietly import quiet
from slmfit.hub import checkpoint, gguf
from slmfit.hub.border import in_words

FORMAT = "slmfit.converted/1"
RECORD = "converted.json"  # beside the weights: of which file they are, and the hash of each of theirs
_FIX = "use a GGUF of a family that transformers reads, such as Llama or Qwen, or the model's own folder"
_DROPPED = ("quantization_config", "_model_name_or_path")  # what says that it cannot be saved, and a stranger's words


def plain(source: Path, check: Callable[[Path], None]) -> Path:
    """The folder of plain weights that a GGUF file becomes, made where it is not in the cache.

    check: called with a folder that holds the configuration, before any weight is read; it raises for a model that does
    not fit. Raises MissingPart without the package gguf, DataError or UnsafeError for a file that is no sound GGUF.
    """
    head = gguf.read(source)
    hashed = storage.hash_file(source)
    folder = _folder(hashed)
    if _kept(folder, hashed):
        check(folder)
        return folder
    if missing("gguf"):
        raise MissingPart("reading a GGUF file needs the package gguf", where=str(source), fix=install("gguf"))
    with _alone(folder.parent):
        if not _kept(folder, hashed):  # another process may have made it meanwhile
            _make(source, head, hashed, folder, check)
            return folder
    check(folder)
    return folder


def known(hashed: str) -> Path | None:
    """The folder of plain weights of the GGUF file with this sha256, where it was made here; its file may be gone."""
    return _folder(hashed) if _kept(_folder(hashed), hashed) else None


def _folder(hashed: str) -> Path:
    return cache_folder() / "converted" / hashed[:32]


def made_of(folder: Path) -> Mapping[str, Any] | None:
    """What is recorded of a folder that `plain` made: name and sha256 of its GGUF file; None for any other folder."""
    if not (folder / RECORD).is_file():
        return None
    about = storage.read_json(folder / RECORD, "format", "sha256", "name", "files")
    storage.check_format(about, FORMAT, folder / RECORD)
    return about


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time makes folders there; another waits, and then finds what it needs."""
    with contextlib.ExitStack() as stack:
        while True:
            try:
                stack.enter_context(storage.locked(folder))
                break
            except UsageError:
                time.sleep(0.2)
        yield


def _make(source: Path, head: gguf.Head, hashed: str, folder: Path, check: Callable[[Path], None]) -> None:
    """The folder, whole or not at all."""
    partial = storage.partial(folder)
    storage.remove(partial)
    storage.remove(folder)
    storage.make_folder(partial)
    try:
        with storage.refusals(partial):
            _convert(source, head, partial, check)
            about = {"format": FORMAT, "sha256": hashed, "name": source.name, "files": storage.hash_files(partial)}
            storage.write_json(partial / RECORD, about)
            storage.publish(folder)
    except BaseException:
        storage.remove(partial)
        raise


def _kept(folder: Path, hashed: str) -> bool:
    """Whether the folder is there, of this file, every byte as it was written."""
    with contextlib.suppress(SlmfitError, *storage.DAMAGE):
        about = made_of(folder)
        if about is not None and about["sha256"] == hashed:
            return {n: h for n, h in storage.hash_files(folder).items() if n != RECORD} == about["files"]
    return False


def _convert(source: Path, head: gguf.Head, folder: Path, check: Callable[[Path], None]) -> None:
    import transformers

    model_class: Any = transformers.AutoModelForCausalLM
    from_file: dict[str, Any] = {"gguf_file": str(source.resolve()), "local_files_only": True}
    with quiet(), in_words(str(source), "cannot be read", _FIX):
        config = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False, **from_file)
        for name in _DROPPED:
            config.__dict__.pop(name, None)
        config.save_pretrained(folder)
        checkpoint.check_config(folder)
        check(folder)
        _check_size(config, head, source)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, trust_remote_code=False, **from_file)
        tokenizer.save_pretrained(folder)
        checkpoint.check_folder(folder)
        with contextlib.redirect_stderr(io.StringIO()):  # a bar that nothing else turns off
            model, info = model_class.from_pretrained(
                folder, dtype=torch.float32, trust_remote_code=False, output_loading_info=True, **from_file
            )
        lacking = sorted({*info["missing_keys"], *(entry[0] for entry in info["mismatched_keys"])})
        if lacking:
            what = f"its weights lack {lacking[0]} of the right shape, and {len(lacking) - 1} more"
            raise UsageError(what, where=str(source), fix="fetch the file again")
        _save(model, folder)


def _check_size(config: Any, head: gguf.Head, source: Path) -> None:
    """Raise UnsafeError where the configuration wants more numbers than the file holds; allocates none of them."""
    from transformers import AutoModelForCausalLM

    held = sum(math.prod(tensor.shape) for tensor in head.tensors.values())
    layers = getattr(config.get_text_config(), "num_hidden_layers", 0) or 0
    wanted = layers
    if layers <= len(head.tensors):
        with torch.device("meta"), torch.random.fork_rng([]):
            model = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
        wanted = sum(weight.numel() for weight in model.parameters())
    if layers > len(head.tensors) or wanted > 1.5 * held + 1_000_000:
        what = f"it describes a model of {wanted:,} {'numbers' if layers <= len(head.tensors) else 'layers'}"
        found = f"{held:,} numbers in {len(head.tensors):,} tensors"
        raise UnsafeError(f"{what}, and holds {found}", where=str(source), fix="fetch the file again")


def _save(model: Any, folder: Path) -> None:
    """A model that came from a GGUF calls itself quantised and cannot be saved; its weights in a fresh one can."""
    config = model.config
    for name in _DROPPED:
        config.__dict__.pop(name, None)
    with torch.device("meta"), torch.random.fork_rng([]):
        fresh = type(model)(config)
    fresh.load_state_dict(model.state_dict(), assign=True)
    fresh.tie_weights()
    fresh.save_pretrained(folder)
