"""Sentence encoders: a transformer reads a text, and what it makes of the tokens becomes one vector.

embedding = Sentence(Path("all-MiniLM-L6-v2"), cache=cache_folder())
embedding.embed(["my card was charged twice"])  # float32 [1, 384]

How tokens become one vector stands beside the model, in files that sentence-transformers writes; they are read here
without it. Texts go through the model sorted by length, in batches of as many tokens, and in pieces of which each is
kept in the cache by its content: so a vector has the same bits whether it was kept or made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from slmfit import storage
from slmfit.embeddings.base import Vectors, normalised
from slmfit.environment import install, missing
from slmfit.errors import DataError, MissingPart, UnsafeError, UsageError
from slmfit.hub import checkpoint, snapshots
from slmfit.hub.border import in_words
from slmfit.timing.budget import Pieces
from slmfit.timing.work import advance

FORMAT = "slmfit.vectors/1"
LONGEST_PROMPT = 10_000  # characters
PIECE = 4096  # texts whose vectors are kept together
FITTING = "sentence-transformers/all-MiniLM-L6-v2"
POOLINGS = {  # as sentence-transformers names them, now and formerly
    "mean": "mean", "cls": "cls", "max": "max", "lasttoken": "lasttoken", "mean_sqrt_len_tokens": "mean",
    "pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls", "pooling_mode_max_tokens": "max",
    "pooling_mode_lasttoken": "lasttoken", "pooling_mode_mean_sqrt_len_tokens": "mean",
}  # fmt: skip
PLAIN = ("Model", "ForMaskedLM", "ForPreTraining")  # what a model without a description may have been made for


@dataclass(frozen=True)
class Recipe:
    """How tokens become one vector; the length of the sum is lost when the vector is scaled to 1.

    pooling: mean, cls (the first token), max or lasttoken. described: whether files say so, or it is our guess.
    max_length: tokens of a text, None = what the model reads. prompt: put before every text.
    """

    pooling: str = "mean"
    max_length: int | None = None
    lower: bool = False
    prompt: str = ""
    described: bool = False


class Sentence:
    """A folder of a transformers model that was made to encode sentences, or of a plain encoder (then the mean).

    The vectors are those of sentence-transformers 6.2 (`encode`, normalised) within 1e-5. Needs the extra `train`.
    cache: a folder where vectors are kept by content; None = nowhere.
    Raises UsageError for a model of another kind, DataError for one that is damaged, MissingPart without torch.
    """

    def __init__(self, folder: Path, cache: Path | None = None) -> None:
        self.folder, self.cache = folder, cache
        self._known: dict[str, Vectors] = {}  # text -> its vector, of those that `embed_within` was asked for
        check(folder, str(folder))
        self._load()

    @property
    def dimension(self) -> int:
        return int(self._model.config.hidden_size)

    def embed(self, texts: Sequence[str]) -> Vectors:
        vectors = np.empty((len(texts), self.dimension), np.float32)
        open = (
            [i for i, text in enumerate(texts) if text not in self._known] if self._known else list(range(len(texts)))
        )
        for start in range(0, len(open), PIECE):
            places = open[start : start + PIECE]
            vectors[places] = self._kept([texts[i] for i in places])
        for i in set(range(len(texts))).difference(open) if self._known else ():
            vectors[i] = self._known[texts[i]]
        return vectors

    def embed_within(self, texts: Sequence[str], pieces: Pieces) -> int:
        """Embed texts from the first on while there is time, to be asked for with `embed`; returns how many."""
        while (piece := pieces.next()) is not None:
            new = [text for text in dict.fromkeys(texts[piece]) if text not in self._known]
            self._known.update(zip(new, self._kept(new), strict=True) if new else ())
        return pieces.done

    def knows(self, text: str) -> bool:
        """Whether the vector of a text is there already."""
        return text in self._known

    def _kept(self, piece: Sequence[str]) -> Vectors:
        """The vectors of a piece, from the cache where they are there."""
        kept = self._place(piece)
        found = None if kept is None else _read(kept, (len(piece), self.dimension))
        if found is None:
            found = self._embed(piece)
            if kept is not None:
                _keep(kept, found)
        else:
            advance(len(piece))
        return found

    def save(self, folder: Path) -> None:
        """Copy the model, so that a run predicts wherever it is taken."""
        for source in self._files:
            target = folder / source.relative_to(self.folder)
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(source, target)

    def _embed(self, texts: Sequence[str]) -> Vectors:
        from slmfit.finetune import forward
        from slmfit.finetune.rows import Rows
        from slmfit.finetune.tokens import tokenise

        recipe = self.recipe
        readable = [recipe.prompt + (text.lower() if recipe.lower else text) for text in texts]
        pad = self._tokenizer.pad_token_id
        tokens = tokenise(self._tokenizer, readable, self._limit, fill=pad)
        rows = Rows(tokens, self._device.name, pad, step=self._device.length_step)
        model: Any = self._pooled
        return normalised(forward.classes(model, rows, self._device, forward.batch_tokens(self._device)))

    def _pooled(self, input_ids: Any, attention_mask: Any = None) -> Any:
        """One vector per row, under the name that `forward.classes` knows."""
        hidden = self._model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return SimpleNamespace(logits=_pool(hidden, attention_mask, self.recipe.pooling))

    def _load(self) -> None:
        """Configuration, tokenizer and weights, fp32 so that every device gives the same vectors."""
        from slmfit.finetune import pretrained
        from slmfit.finetune.device import choose

        self.recipe = read_recipe(self.folder, str(self.folder))
        checkpoint.check_folder(self.folder)
        config = pretrained.read_config(str(self.folder))
        if not any(self.folder.glob("*.safetensors")):
            fix = "give a whole checkpoint folder with model.safetensors"
            raise DataError("has no safetensors weights", where=str(self.folder), fix=fix)
        pretrained.check_size(str(self.folder), config, "")
        self._tokenizer = pretrained.load_tokenizer(str(self.folder), config)
        limit = pretrained.longest(config, self._tokenizer)
        self._limit = min(self.recipe.max_length or limit, limit)
        self._device = choose("auto", "fp32")
        self._model = _load_model(self.folder, config).to(self._device.name).eval()

    @cached_property
    def _files(self) -> list[Path]:
        found = {path for pattern in (*snapshots.DESCRIBING, *snapshots.WORKING) for path in self.folder.glob(pattern)}
        return sorted(found)

    @cached_property
    def _identity(self) -> str:
        """What decides a vector beside the text."""
        files = {path.name: storage.hash_file(path) for path in self._files if path.name != "README.md"}
        return storage.hash_json([FORMAT, files, asdict(self.recipe), self._limit, self._device.name])

    def _place(self, texts: Sequence[str]) -> Path | None:
        """Where the vectors of these texts are kept."""
        if self.cache is None:
            return None
        digest = hashlib.sha256(self._identity.encode())
        for text in texts:
            raw = text.encode("utf-8", "surrogatepass")
            digest.update(len(raw).to_bytes(8, "little") + raw)
        return self.cache / "vectors" / f"{digest.hexdigest()}.safetensors"


# --- which models, and how ---


def is_transformer(folder: Path) -> bool:
    """Whether a folder's config.json is that of a transformer, and not of static embeddings."""
    try:
        about = checkpoint.read_object(folder / "config.json", checkpoint.MOST_CONFIG)
    except UnsafeError:  # whoever takes it for static embeddings says what is wrong
        return False
    return about.get("model_type", "model2vec") != "model2vec"


def check(folder: Path, base: str) -> None:
    """Raise unless sentences can be encoded by the model whose description is in `folder`; no weight is needed."""
    if missing("torch", "transformers"):
        raise MissingPart("sentence encoders need torch", where=base, fix=install("train"))
    from slmfit.finetune import pretrained

    recipe = read_recipe(folder, base)
    config = pretrained.read_config(str(folder), base)
    kind = pretrained.kind_of(config)
    made_for = (config.architectures or ["Model"])[0]
    if kind not in ("encoder", "causal") or (
        not recipe.described and (kind != "encoder" or not made_for.endswith(PLAIN))
    ):
        what = f"is a {made_for}, which is not made to turn texts into vectors"
        raise UsageError(what, where=base, fix=f"use a sentence encoder, for example {FITTING}")


def read_recipe(folder: Path, base: str) -> Recipe:
    """The recipe in modules.json and the files it names; the mean of the tokens where there is none.

    Raises UsageError for a model with parts that are not built here, DataError for files that are damaged.
    """
    if not (folder / "modules.json").is_file():
        return Recipe()
    try:
        modules = _read_json(folder / "modules.json")
        parts = [(str(module["type"]).rpartition(".")[2], str(module["path"])) for module in modules]
        strange = [kind for kind, _ in parts if kind not in ("Transformer", "Pooling", "Normalize")]
        if strange or [kind for kind, _ in parts][:2] != ["Transformer", "Pooling"] or parts[0][1]:
            raise _not_built(f"has the parts {', '.join(kind for kind, _ in parts)}", base)
        pooling = _read_json(storage.inside(folder, parts[1][1]) / "config.json")
        length = next(iter(sorted(folder.glob("sentence_*_config.json"))), folder / "none")
        about, general = _read_json(length), _read_json(folder / "config_sentence_transformers.json")
        prompt = (general.get("prompts") or {}).get(general.get("default_prompt_name")) or ""
        if prompt and not pooling.get("include_prompt", True):
            raise _not_built("leaves its prompt out of the vector", base)
        if not isinstance(prompt, str) or len(prompt) > LONGEST_PROMPT:
            raise ValueError(f"the prompt is no text of at most {LONGEST_PROMPT:,} characters")
        most = about.get("max_seq_length") or None
        if most is not None and not (isinstance(most, int | float) and most >= 1):
            raise ValueError(f"max_seq_length cannot be {most}")
        most = None if most is None or most > 10**9 else int(most)
        return Recipe(_pooling(pooling, base), most, bool(about.get("do_lower_case")), prompt, True)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        fix = "fetch the model again"
        raise DataError(f"modules.json or a file it names is damaged: {error}", where=base, fix=fix) from None


def _pooling(about: dict[str, Any], base: str) -> str:
    named = about.get("pooling_mode")
    modes = [named] if isinstance(named, str) else named
    if modes is None:
        modes = [name for name, on in about.items() if name.startswith("pooling_mode_") and on is True] or ["mean"]
    if len(modes) != 1 or modes[0] not in POOLINGS:
        raise _not_built(f"pools tokens by {', '.join(map(str, modes))}", base)
    return POOLINGS[modes[0]]


def _not_built(what: str, base: str) -> UsageError:
    return UsageError(f"{what}, which is not built here", where=base, fix=f"use another encoder, such as {FITTING}")


def _read_json(path: Path) -> Any:
    """What a file of the description says; nothing where it is missing."""
    if not path.is_file():
        return {}
    if path.stat().st_size > checkpoint.MOST_CONFIG:
        raise ValueError(f"{path.name} is larger than {checkpoint.MOST_CONFIG:,} bytes")
    return json.loads(path.read_text(encoding="utf-8-sig"))


# --- torch ---


def _load_model(folder: Path, config: Any) -> Any:
    import torch
    from transformers import AutoModel

    from slmfit.finetune import pretrained

    fix = "give a whole checkpoint folder with model.safetensors, or fetch it again"
    with pretrained.quiet(), in_words(str(folder), "its weights cannot be loaded", fix):
        model, info = AutoModel.from_pretrained(
            folder,
            config=config,
            dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    missing = [name for name in info["missing_keys"] if not name.startswith("pooler.")]  # the pooler is not used
    if missing:
        raise DataError(f"its weights lack {missing[0]} and {len(missing) - 1} more", where=str(folder), fix=fix)
    pretrained.check_works(model, str(folder))
    return model


def _pool(hidden: Any, mask: Any, pooling: str) -> Any:
    """[rows, tokens, width] to [rows, width]; padding, where mask is 0, is on the right."""
    import torch

    if pooling == "cls":
        return hidden[:, 0]
    if mask is None:
        mask = torch.ones(hidden.shape[:2], dtype=torch.int64, device=hidden.device)
    if pooling == "lasttoken":
        return hidden[torch.arange(len(hidden), device=hidden.device), mask.sum(1) - 1]
    if pooling == "max":
        return hidden.masked_fill(mask.unsqueeze(2) == 0, -torch.inf).amax(1)
    return (hidden * mask.unsqueeze(2)).sum(1) / mask.sum(1, keepdim=True)


# --- kept vectors ---


def _read(path: Path, shape: tuple[int, int]) -> Vectors | None:
    """What is kept; None when nothing is, or it is damaged."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            vectors, about = file.get_tensor("vectors"), file.metadata()
        whole = vectors.shape == shape and hashlib.sha256(vectors.data).hexdigest() == about["sha256"]
        return vectors if whole else None
    except (OSError, SafetensorError, KeyError, ValueError, TypeError):
        return None


def _keep(path: Path, vectors: Vectors) -> None:
    from safetensors.numpy import save_file

    beside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({"vectors": vectors}, beside, {"sha256": hashlib.sha256(vectors.data).hexdigest()})
        beside.replace(path)
    except Exception:  # a full disk, in whatever words: the cache is a convenience
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
