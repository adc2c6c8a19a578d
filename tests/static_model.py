"""A model of static embeddings, small enough for any test, in the folder that model2vec would write."""

import json

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

WORDS = ["[UNK]", "invoice", "refund", "parcel", "courier", "late", "a"]


def model2vec_folder(folder, *, table=None, config=None, words=WORDS, **tensors):
    """A folder in model2vec format, of seven words unless others are given."""
    folder.mkdir()
    if table is None:
        table = np.random.default_rng(0).standard_normal((len(WORDS), 5)).astype(np.float32)
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.enable_padding(pad_id=0, pad_token="[UNK]")
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps({"model_type": "model2vec"} | (config or {})))
    save_file({"embeddings": table, **tensors}, folder / "model.safetensors")
    return folder


def wordpiece_folder(folder, words):
    """The same with BERT's tokenizer, as the published ones have: these words, letters, and beginnings of words."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    pieces = ["[PAD]", "[UNK]", "[CLS]", *words, *letters, *(f"##{letter}" for letter in letters), "!", "é", "包"]
    tokenizer = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]"])
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps({"model_type": "model2vec", "max_length": 40}))
    table = np.random.default_rng(0).integers(-127, 128, (len(pieces), 21)).astype(np.int8)
    weights = np.random.default_rng(1).random(len(pieces)).astype(np.float32)
    save_file({"embeddings": table, "weights": weights}, folder / "model.safetensors")
    return folder
