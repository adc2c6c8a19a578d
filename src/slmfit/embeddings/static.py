"""Static embeddings in model2vec's format: one vector per token, no network to run.

embedding = Static("models/potion-base-4m-int8")
embedding.embed(["my card was charged twice"])  # float32 [1, 128]
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slmfit.embeddings.base import Vectors, normalised, read_tensors
from slmfit.errors import DataError, SlmfitError, UsageError
from slmfit.hub.border import encoded, is_panic
from slmfit.hub.checkpoint import MOST_JSON, check_files, header
from slmfit.hub.tokenizers import check_tokenizer


class Static:
    """A vector per token, learnt elsewhere; a text's is their mean. A folder in model2vec's format.

    The folder holds `config.json`, `tokenizer.json` and `model.safetensors` with `embeddings` [tokens, dimension]
    in int8, float16 or float32, and where the vocabulary was quantised `mapping` (token -> row) and `weights` (per
    token). As model2vec 0.10 does it: a text is cut to `max_length` (512) tokens, unknown tokens are left out.
    Raises UsageError when there is no such folder, DataError when it holds something else or is damaged.
    """

    FILES = ("config.json", "tokenizer.json", "model.safetensors")

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise UsageError("there is no such folder", where=str(folder), fix=f"give one with {', '.join(self.FILES)}")
        missing = [name for name in self.FILES if not (self.folder / name).is_file()]
        if missing:
            raise self._refused(f"{' and '.join(missing)} is missing")
        check_files(self.folder)
        config, tokenizer = (self._read_json(name) for name in self.FILES[:2])
        check_tokenizer(tokenizer, self.folder / "tokenizer.json")
        self.tokenizer, self.unknown = self._make_tokenizer(config, tokenizer)
        header(self.folder / "model.safetensors")
        self._read_tensors(read_tensors(self.folder / "model.safetensors"))

    @property
    def dimension(self) -> int:
        return self.table.shape[1]

    def embed(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for start in range(0, len(texts), 4096):
            vectors[start : start + 4096] = self._embed(texts[start : start + 4096])
        return vectors

    def save(self, folder: Path) -> None:
        for name in self.FILES:
            shutil.copyfile(self.folder / name, folder / name)

    def _embed(self, texts: Sequence[str]) -> Vectors:
        from scipy.sparse import csr_matrix

        readable = [text.encode("utf-8", "replace").decode("utf-8")[: self.most_characters] for text in texts]
        tokens = [np.array(e.ids, np.int64) for e in encoded(self.tokenizer, readable, special=False)]
        tokens = [ids[ids != self.unknown] for ids in tokens]
        lengths = np.array([len(ids) for ids in tokens], np.int64)
        ids, offsets = np.concatenate(tokens), np.concatenate(([0], np.cumsum(lengths)))
        shape = (len(texts), len(self.table))
        sums = csr_matrix((self.weights[ids], self.mapping[ids], offsets), shape=shape) @ self.table
        return normalised(sums / np.maximum(lengths, 1).astype(np.float32)[:, None])

    def _make_tokenizer(self, config: dict[str, Any], described: dict[str, Any]) -> tuple[Any, int]:
        """The tokenizer, cutting as configured, and the number of the unknown token (-1: there is none)."""
        from tokenizers import Tokenizer

        try:
            tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
            if getattr(tokenizer.model, "dropout", None):
                tokenizer.model.dropout = None  # no token by chance
            unknown = described["model"].get("unk_token")
            number = described["model"].get("unk_id") if unknown is None else tokenizer.token_to_id(unknown)
            words = tokenizer.get_vocab()
            typical = int(np.median([len(word) for word in words]))
            longest = config.get("max_length", 512)
            self.most_characters = None if longest is None else int(longest) * typical
            tokenizer.no_padding()
            if longest is None:
                tokenizer.no_truncation()
            else:
                tokenizer.enable_truncation(int(longest))
        except BaseException as error:  # tokenizers raises nothing more specific, and a panic is no Exception
            if not isinstance(error, Exception) and not is_panic(error):
                raise
            raise self._refused(f"tokenizer.json cannot be used: {error}") from None
        encoded(tokenizer, ["", "a text", "\x00"])
        self._tokens = max(words.values(), default=-1) + 1
        return tokenizer, -1 if number is None else number

    def _read_tensors(self, tensors: dict[str, NDArray[Any]]) -> None:
        if "embeddings" not in tensors or tensors["embeddings"].ndim != 2:
            raise self._refused(f"model.safetensors has no table 'embeddings' but {', '.join(tensors) or 'nothing'}")
        shared = [tensors[name] for name in ("mapping", "weights") if name in tensors]
        if any(one.ndim != 1 for one in shared) or not tensors["embeddings"].shape[1]:
            raise self._refused("model.safetensors holds tensors of other shapes")
        whole = "mapping" not in tensors or tensors["mapping"].dtype.kind in "iu"
        if not whole or any(one.dtype.kind not in "iuf" for one in (tensors["embeddings"], *shared)):
            raise self._refused("model.safetensors holds no numbers that can be added")
        self.table = tensors["embeddings"].astype(np.float32)
        self.mapping = tensors.get("mapping", np.arange(len(self.table))).astype(np.int64)
        self.weights = tensors.get("weights", np.ones(len(self.mapping))).astype(np.float32)
        if len(self.mapping) < self._tokens or len(self.weights) < self._tokens:
            raise self._refused(f"the tokenizer has {self._tokens} tokens, the model {len(self.mapping)}")
        if self.mapping.size and not 0 <= self.mapping.min() <= self.mapping.max() < len(self.table):
            raise self._refused("model.safetensors maps a token to a row that is not there")
        if not (np.isfinite(self.table).all() and np.isfinite(self.weights).all()):
            raise self._refused("model.safetensors holds numbers that are not finite")

    def _read_json(self, name: str) -> dict[str, Any]:
        try:
            if (self.folder / name).stat().st_size > MOST_JSON:
                raise ValueError(f"it is larger than {MOST_JSON:,} bytes")
            value = json.loads((self.folder / name).read_text(encoding="utf-8-sig"))
        except (OSError, ValueError, RecursionError) as error:
            raise self._refused(f"{name} cannot be read: {error}") from None
        if not isinstance(value, dict):
            raise self._refused(f"{name} is not a JSON object")
        return value

    def _refused(self, what: str) -> SlmfitError:
        return DataError(what, where=str(self.folder), fix="give a folder in model2vec format, or fetch it again")
