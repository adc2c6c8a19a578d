"""Base models: some that fit each method, and fetching one for a machine that is offline.

    for model in list_models():
        print(model.name, model.methods, model.licence)
    pulled = pull_model("distilbert/distilbert-base-uncased", Path("models/distilbert"))  # encoder=models/distilbert

What is fetched is what a method reads: configuration, tokenizer and safetensors, never a pickle or code.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slmfit import storage
from slmfit.environment import install, missing
from slmfit.errors import MissingPart, SlmfitError, UnsafeError, UsageError
from slmfit.hub import bases, snapshots

FORMAT = "slmfit.pulled/1"
RECORD = "pulled.json"  # beside the model: where it came from, and the hash of every file
_TEXTS = re.compile(r"[^/]+\.(json|txt|model|jinja)|README\.md|LICENSE[^/]*|NOTICE[^/]*")
_PARTS = re.compile(r"\d+_\w+/[^/]+\.(json|safetensors)")  # of a sentence encoder, such as 1_Pooling/config.json
_SHARD = re.compile(r"model-\d+-of-\d+\.safetensors")


@dataclass(frozen=True)
class Model:
    """A base model on the hub. parameters: how many it has, rounded."""

    name: str
    methods: tuple[str, ...]
    parameters: int
    licence: str
    about: str


# The facts are those of the models' own cards on the hub.
MODELS = (
    Model("minishlab/potion-base-8M", ("knn",), 7_600_000, "MIT", "English; static embeddings, needs no torch"),
    Model("sentence-transformers/all-MiniLM-L6-v2", ("encoder", "knn"), 22_700_000, "Apache-2.0", "English; quick"),
    Model("BAAI/bge-small-en-v1.5", ("encoder", "knn"), 33_400_000, "MIT", "English"),
    Model("distilbert/distilbert-base-uncased", ("encoder",), 66_400_000, "Apache-2.0", "English; the usual first try"),
    Model("intfloat/multilingual-e5-small", ("encoder", "knn"), 118_000_000, "MIT", "about 100 languages"),
    Model("answerdotai/ModernBERT-base", ("encoder",), 149_000_000, "Apache-2.0", "English; up to 8,192 tokens"),
    Model("FacebookAI/xlm-roberta-base", ("encoder",), 278_000_000, "MIT", "100 languages"),
    Model("HuggingFaceTB/SmolLM2-135M-Instruct", ("causal",), 135_000_000, "Apache-2.0", "English; the smallest here"),
    Model("HuggingFaceTB/SmolLM2-360M-Instruct", ("causal",), 362_000_000, "Apache-2.0", "English"),
    Model("Qwen/Qwen2.5-0.5B-Instruct", ("causal",), 494_000_000, "Apache-2.0", "29 languages"),
    Model("google/flan-t5-small", ("seq2seq",), 77_000_000, "Apache-2.0", "tuned on 1,800 tasks"),
    Model("google/flan-t5-base", ("seq2seq",), 248_000_000, "Apache-2.0", "tuned on 1,800 tasks"),
)  # fmt: skip


@dataclass(frozen=True)
class Pulled:
    """A model on disk. commit: its revision on the hub. reused: it was there already, undamaged."""

    name: str
    commit: str
    folder: Path
    files: int
    bytes: int
    reused: bool = False


def list_models(method: str | None = None) -> list[Model]:
    """Base models that fit, smallest first; all, or those for one method. Others fit too: these are known to."""
    fitting = (model for model in MODELS if method is None or method in model.methods)
    return sorted(fitting, key=lambda model: model.parameters)


def as_text(models: Sequence[Model]) -> str:
    """A table to read."""
    rows = [(m.name, ", ".join(m.methods), _millions(m.parameters), m.licence, m.about) for m in models]
    head = ("base model", "methods", "parameters", "licence", "what for")
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head) - 1)]
    lines = ["  ".join((*(c.ljust(w) for c, w in zip(row, widths, strict=False)), row[-1])) for row in (head, *rows)]
    return "\n".join(line.rstrip() for line in lines)


def pull_model(name: str, folder: Path) -> Pulled:
    """Fetch a model from the hub into `folder`, which appears when all of it is there and its hashes are right.

    The same call goes on where it was interrupted, and does nothing where the model is there already.
    Raises UsageError for a name that is not there or has no safetensors weights, and for a folder that holds other
    files; MissingPart when the hub is out of reach, UnsafeError when what came is not what the hub announced.
    """
    if not snapshots.is_name(name):
        raise UsageError("is no name on the hub", where=name, fix="write OWNER/NAME; `slmfit models` lists some")
    if found := _there(name, folder):
        return found
    if missing("huggingface_hub"):
        raise MissingPart("fetching needs the package huggingface_hub", where=name, fix=install("hub"))
    from huggingface_hub import HfApi, snapshot_download

    with snapshots.in_words(name, "model"):
        commit = str(HfApi().model_info(name).sha)
        listed = HfApi().list_repo_tree(name, revision=commit, recursive=True)
        tree = {entry.path: entry for entry in listed if hasattr(entry, "size")}
    files = _wanted(name, list(tree))
    partial = _start(name, commit, folder)
    _check_space(partial, sum(tree[file].size for file in files), name)
    with snapshots.in_words(name, "model"), snapshots.quiet_unless_watched():
        snapshot_download(name, revision=commit, local_dir=partial, allow_patterns=files)
    storage.remove(partial / ".cache")
    hashes = {file: storage.hash_file(partial / file) for file in files}
    _check_hashes(name, tree, hashes)
    storage.write_json(partial / RECORD, {"format": FORMAT, "name": name, "commit": commit, "files": hashes})
    if folder.is_dir():
        folder.rmdir()  # empty, as `_there` made sure
    storage.publish(folder)
    bases.remember(bases.described(name, folder), folder)
    return Pulled(name, commit, folder, len(files), storage.size_of(folder))


def _there(name: str, folder: Path) -> Pulled | None:
    """What an earlier call fetched; None when the folder is free. Raises UsageError when it is not."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return None
    if folder.is_dir() and (folder / RECORD).is_file():
        about = storage.read_json(folder / RECORD)
        if isinstance(about, dict) and about.get("format") == FORMAT and about.get("name") == name:
            hashes = {file: storage.hash_file(folder / file) for file in about["files"] if (folder / file).is_file()}
            if hashes == about["files"]:
                bases.remember(bases.described(name, folder), folder)
                return Pulled(name, about["commit"], folder, len(hashes), storage.size_of(folder), reused=True)
            raise UsageError("holds this model, damaged", where=str(folder), fix="delete the folder and fetch it again")
    raise UsageError("holds other files", where=str(folder), fix="choose another folder with --to")


def _wanted(name: str, files: list[str]) -> list[str]:
    """Of all files of a model those a method reads. Raises UsageError when its weights are pickles only."""
    shards = [file for file in files if _SHARD.fullmatch(file)]
    tops = [file for file in files if file.endswith(".safetensors") and "/" not in file]
    weights = ["model.safetensors"] if "model.safetensors" in files else shards or tops
    if not weights:
        other = [file for file in files if file.endswith((".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack", ".gguf"))]
        what = f"only {', '.join(other[:3])}" if other else "no weights at all"
        fix = "use a model with safetensors weights; `slmfit models` lists some"
        raise UsageError(f"has no safetensors weights but {what}", where=name, fix=fix)
    return sorted({*weights, *(file for file in files if _TEXTS.fullmatch(file) or _PARTS.fullmatch(file))})


def _start(name: str, commit: str, folder: Path) -> Path:
    """Where the files come together; what an interrupted call left of the same commit is kept."""
    partial = storage.partial(folder)
    about = {"name": name, "commit": commit}
    if (partial / RECORD).is_file() and storage.read_json(partial / RECORD) == about:
        return partial
    storage.remove(partial)
    storage.make_folder(partial)
    storage.write_json(partial / RECORD, about)
    return partial


def _check_space(folder: Path, needed: int, name: str) -> None:
    free = shutil.disk_usage(folder).free + storage.size_of(folder)
    if free < needed:
        what = f"needs {needed / 1e6:,.0f} MB, and {free / 1e6:,.0f} MB are free"
        raise SlmfitError(what, where=name, fix="free some space, or choose another folder with --to")


def _check_hashes(name: str, tree: dict[str, Any], hashes: dict[str, str]) -> None:
    """Raise UnsafeError for a file that is not what the hub announced; it announces the hash of large files."""
    for file, sha256 in hashes.items():
        announced = getattr(tree[file], "lfs", None)
        if announced is not None and announced.sha256 != sha256:
            fix = "fetch it again; if it stays so, do not use it"
            raise UnsafeError(f"{file} is not what the hub announced", where=name, fix=fix)


def _millions(count: int) -> str:
    return f"{count / 1e6:.1f}M" if count < 1e8 else f"{count / 1e6:.0f}M"
