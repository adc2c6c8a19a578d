"""Base models that a stranger made, each by one change to a whole one, and the doors that a base model enters by.

    folder = whole("encoder", tmp_path / "model")
    HOSTILE["a million layers"].change(folder)
    enter("encoder", folder, tmp_path / "out")           # raises SlmfitError, or the model works

What must hold of every one of them, at every door: our error in a sentence or a working method, within 10 seconds and
2 GB; nothing runs, nothing is written but below `out`.
"""

# ruff: noqa: E501  # a table

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

import static_model
import tiny
from conftest import make_dataset
from slmfit import methods
from slmfit.methods.base import Context
from slmfit.methods.saved import load_model, predict_with, save_model

INDEX = "model.safetensors.index.json"
TRANSFORMERS = ("encoder", "causal", "sentence")
Change = Callable[[Path], None]


@dataclass(frozen=True)
class Hostile:
    """change: what was done to a whole model. doors: where it enters. says: part of what must be said of it; None where
    it may as well work."""

    change: Change
    doors: tuple[str, ...]
    says: str | None


def whole(door: str, folder: Path) -> Path:
    """A model as it should be, for a door."""
    if door == "static":
        return static_model.model2vec_folder(folder)
    if door.startswith("causal"):
        return Path(tiny.causal(folder))
    tiny.encoder(folder)
    if door == "sentence":
        described(folder)
    return folder


def described(folder: Path) -> None:
    """What sentence-transformers writes beside an encoder."""
    kind = "sentence_transformers.models."
    parts = [{"idx": 0, "name": "0", "path": "", "type": f"{kind}Transformer"},
             {"idx": 1, "name": "1", "path": "1_Pooling", "type": f"{kind}Pooling"}]  # fmt: skip
    (folder / "modules.json").write_text(json.dumps(parts))
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode_mean_tokens": true}')
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 64, "do_lower_case": false}')


def enter(door: str, folder: Path, out: Path) -> None:
    """All that slmfit does with a base model: fit with it, save, load, predict. Raises what that raises."""
    task = "token-classification" if door == "causal entities" else "text-classification"
    data = make_dataset(task, sizes=(24, 8, 4))
    name = {"sentence": "knn", "static": "knn"}.get(door, door.split()[0])
    given = {"embeddings": str(folder)} if name == "knn" else {"base_model": str(folder), "epochs": 1, "device": "cpu"}
    cls = methods.method_class(name)
    method = cls(methods.base.parse_settings(name, cls.Settings, given))
    method.fit(data.task, data.train, data.validation, Context(metric=data.task.metric))
    out.mkdir(parents=True)
    save_model(out, data.task, data.recipe, name, method)
    answers = predict_with(load_model(out), [e.input for e in data.test] + ["", "a" * 3000, "a " * 3000])
    assert len(answers) == len(data.test) + 3


# --- changes ---


def changed(name: str, *gone: str, **values: object) -> Change:
    """Keys of a JSON file."""

    def change(folder: Path) -> None:
        path = folder / name
        about = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        about = {key: value for key, value in {**about, **values}.items() if key not in gone}
        path.write_text(json.dumps(about), encoding="utf-8")

    return change


def config(**values: object) -> Change:
    return changed("config.json", **values)


def tokens(**values: object) -> Change:
    return changed("tokenizer.json", **values)


def tokens_model(**values: object) -> Change:
    """Keys of the tokenizer's model."""

    def change(folder: Path) -> None:
        path = folder / "tokenizer.json"
        about = json.loads(path.read_text(encoding="utf-8"))
        about["model"] |= values
        path.write_text(json.dumps(about), encoding="utf-8")

    return change


def added(*more: dict) -> Change:
    """Added tokens."""

    def change(folder: Path) -> None:
        path = folder / "tokenizer.json"
        about = json.loads(path.read_text(encoding="utf-8"))
        plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
        about["added_tokens"] += [{**plain, **one} for one in more]
        path.write_text(json.dumps(about), encoding="utf-8")

    return change


def named(**values: object) -> Change:
    return changed("tokenizer_config.json", **values)


def written(name: str, data: bytes) -> Change:
    def change(folder: Path) -> None:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)

    return change


def marked(name: str) -> Change:
    """A byte order mark before the file."""
    return lambda folder: (folder / name).write_bytes(b"\xef\xbb\xbf" + (folder / name).read_bytes())


def linked(name: str, to: str) -> Change:
    def change(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(to)

    return change


def made(name: str, make: Callable[[Path], object]) -> Change:
    """Something that is no file in the place of one."""

    def change(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        make(folder / name)

    return change


def indexed(name: str) -> Change:
    def change(folder: Path) -> None:
        (folder.parent / "outside.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
        (folder / "weights.bin").write_bytes(b"PK\3\4")
        (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": {"bert.x": name}}))

    return change


def tensors(alter: Callable[[dict], dict]) -> Change:
    """Other tensors."""

    def change(folder: Path) -> None:
        path = folder / "model.safetensors"
        save_file(alter(load_file(path)), path, {"format": "pt"})

    return change


def each(alter: Callable[[np.ndarray], np.ndarray]) -> Change:
    return tensors(lambda found: {name: np.ascontiguousarray(alter(tensor)) for name, tensor in found.items()})


def one(alter: Callable[[np.ndarray], np.ndarray]) -> Change:
    """The largest tensor alone, which is the table of tokens."""

    def change(found: dict) -> dict:
        name = max(found, key=lambda key: found[key].size)
        return {**found, name: np.ascontiguousarray(alter(found[name]))}

    return tensors(change)


def header(alter: Callable[[dict], object]) -> Change:
    """What a safetensors file says of itself."""

    def change(folder: Path) -> None:
        path = folder / "model.safetensors"
        data = path.read_bytes()
        size = struct.unpack("<Q", data[:8])[0]
        about = json.dumps(alter(json.loads(data[8 : 8 + size]))).encode()
        path.write_bytes(struct.pack("<Q", len(about)) + about + data[8 + size :])

    return change


def overlapping(about: dict) -> dict:
    first, *others = (name for name in about if name != "__metadata__")
    return {**about, **dict.fromkeys(others, about[first])}


def of_dtype(dtype: str) -> Callable[[dict], dict]:
    def alter(about: dict) -> dict:
        return {k: v if k == "__metadata__" else {**v, "dtype": dtype} for k, v in about.items()}

    return alter


def with_code(folder: Path) -> None:
    """Code beside the model that says when it runs."""
    (folder / "evil.py").write_text(f"open({str(folder.parent / 'RAN')!r}, 'w')\nclass Evil: pass\n")
    names = {"AutoConfig": "evil.Evil", "AutoModel": "evil.Evil", "AutoModelForSequenceClassification": "evil.Evil",
             "AutoTokenizer": ["evil.Evil", "evil.Evil"]}  # fmt: skip
    config(auto_map=names)(folder)


def several(*changes: Change) -> Change:
    def change(folder: Path) -> None:
        for one_change in changes:
            one_change(folder)

    return change


def poison(array: np.ndarray, value: float) -> np.ndarray:
    array = array.copy()
    array.reshape(-1)[-1] = value
    return array


REPLACE = {"type": "Replace", "pattern": {"String": "a"}, "content": "a" * 1000}


def split(pattern: str) -> dict:
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}


def template(single: list, special: dict) -> dict:
    return {"type": "TemplateProcessing", "single": single, "pair": single, "special_tokens": special}


DEEP = b"[" * 100_000
LOOP = "{% for i in range(10**9) %}{% for j in range(10**9) %}x{% endfor %}{% endfor %}"
ATTRIBUTES = "{{ ''.__class__.__mro__[1].__subclasses__() }}{{ cycler.__init__.__globals__.os.system('touch RAN') }}"
CLS = {"id": "[CLS]", "ids": [10**9], "tokens": ["[CLS]"]}
A = {"Sequence": {"id": "A", "type_id": 0}}
ENTRIES = {  # name -> (change, doors, what must be said)
    # --- config.json
    "a million layers": (config(num_hidden_layers=10**6), TRANSFORMERS, "num_hidden_layers"),
    "more layers than tensors": (config(num_hidden_layers=9_999), TRANSFORMERS, "layers"),
    "no layers": (config(num_hidden_layers=0), TRANSFORMERS, "num_hidden_layers"),
    "a terabyte": (config(intermediate_size=10**8, hidden_size=2048), TRANSFORMERS, "parameters"),
    "a vocabulary without end": (config(vocab_size=10**9), TRANSFORMERS, "parameters"),
    "a vocabulary of ten": (config(vocab_size=10), TRANSFORMERS, "beyond"),
    "labels without end": (config(num_labels=10**9), TRANSFORMERS, "num_labels"),
    "labels that are numbers": (config(id2label={"x": 1, "7": {}}), TRANSFORMERS, None),
    "a label of a megabyte": (config(id2label={"0": "x" * 10**6, "1": "y"}), TRANSFORMERS, None),
    "positions without end": (config(max_position_embeddings=10**9), TRANSFORMERS, None),
    "no positions": (config(max_position_embeddings=0), TRANSFORMERS, None),
    "positions below zero": (config(max_position_embeddings=-5), TRANSFORMERS, None),
    "a size in words": (config(hidden_size="x"), TRANSFORMERS, "cannot be loaded"),
    "a size below zero": (config(hidden_size=-32), TRANSFORMERS, "hidden_size"),
    "no size": (config(hidden_size=0), TRANSFORMERS, "hidden_size"),
    "no heads": (config(num_attention_heads=0), TRANSFORMERS, "cannot be loaded"),
    "heads that do not divide": (config(num_attention_heads=7), ("encoder", "sentence"), "cannot be loaded"),
    "code of its own": (with_code, TRANSFORMERS, None),
    "a kernel from the hub": (config(attn_implementation="acme/evil"), TRANSFORMERS, "attn_implementation"),
    "a kernel from the hub, hidden": (config(_attn_implementation="acme/evil"), TRANSFORMERS, "attn_implementation"),
    "experts from the hub": (config(_experts_implementation="acme/evil"), TRANSFORMERS, "experts_implementation"),
    "quantised by a stranger": (
        config(quantization_config={"quant_method": "bitsandbytes", "load_in_4bit": True}), TRANSFORMERS, ""),
    "quantised by nobody": (config(quantization_config={"quant_method": "x"}), TRANSFORMERS, None),
    "quantised in no way": (config(quantization_config=7), TRANSFORMERS, ""),
    "another architecture": (config(model_type="t5"), TRANSFORMERS, ""),
    "an architecture of pictures": (config(model_type="vit"), TRANSFORMERS, ""),
    "an architecture of states": (config(model_type="mamba"), TRANSFORMERS, ""),
    "an architecture with parts": (config(model_type="clip", text_config={"num_hidden_layers": 10**6}), TRANSFORMERS, ""),
    "no architecture": (config(model_type="evil"), TRANSFORMERS, ""),
    "an architecture that is a list": (config(model_type=["bert"]), TRANSFORMERS, ""),
    "no type": (changed("config.json", "model_type"), TRANSFORMERS, ""),
    "architectures that are none": (config(architectures=[7]), TRANSFORMERS, ""),
    "architectures in a word": (config(architectures="BertModel"), TRANSFORMERS, None),
    "weights by name": (config(transformers_weights="x.bin"), TRANSFORMERS, "weights of its own"),
    "numbers of no type": (config(dtype="os.system"), TRANSFORMERS, None),
    "tuples for answers": (config(return_dict=False), TRANSFORMERS, None),
    "all that is within for answers": (
        config(output_hidden_states=True, output_attentions=True), TRANSFORMERS, None),
    "a decoder that crosses": (config(is_decoder=True, add_cross_attention=True), ("encoder", "sentence"), None),
    "heads that are pruned": (config(pruned_heads={"0": [0, 1, 2, 3]}), TRANSFORMERS, None),
    "no function": (config(hidden_act="os.system"), TRANSFORMERS, "cannot be loaded"),
    "a function that is a dict": (config(hidden_act={"a": 1}), TRANSFORMERS, "cannot be loaded"),
    "a step that is no number": (config(layer_norm_eps=float("nan"), rms_norm_eps=float("nan")), TRANSFORMERS, ""),
    "a spread that is no number": (config(initializer_range=float("nan")), TRANSFORMERS, None),
    "a spread without end": (config(initializer_range=1e308), TRANSFORMERS, None),
    "dropped five times": (config(hidden_dropout_prob=5.0, attention_dropout=5.0), TRANSFORMERS, None),
    "padding beyond": (config(pad_token_id=10**6), TRANSFORMERS, None),
    "padding below zero": (config(pad_token_id=-7), TRANSFORMERS, None),
    "padding in words": (config(pad_token_id="x"), TRANSFORMERS, None),
    "turns of no kind": (config(rope_parameters={"rope_type": "evil", "factor": "x"}), ("causal",), ""),
    "turns without end": (config(rope_parameters={"rope_type": "dynamic", "factor": 1e300, "rope_theta": 0}), ("causal",), None),
    "a problem of no type": (config(problem_type="evil"), TRANSFORMERS, None),
    "chunks of a billion": (config(chunk_size_feed_forward=10**8), TRANSFORMERS, None),
    "a tokenizer by class": (config(tokenizer_class="os.system"), TRANSFORMERS, None),
    "a configuration of 100 MB": (written("config.json", b'{"a": "' + b"x" * 10**8 + b'"}'), TRANSFORMERS, "larger than"),
    "a configuration that is deep": (written("config.json", DEEP), TRANSFORMERS, ""),
    "a configuration that is a list": (written("config.json", b"[]"), TRANSFORMERS, "JSON object"),
    "a configuration with a mark": (marked("config.json"), (*TRANSFORMERS, "static"), None),
    "a configuration of no text": (written("config.json", b"\xff\xfe\x00"), (*TRANSFORMERS, "static"), ""),
    "a configuration that is a folder": (made("config.json", Path.mkdir), (*TRANSFORMERS, "static"), ""),
    "a configuration that is a pipe": (made("config.json", os.mkfifo), (*TRANSFORMERS, "static"), ""),
    "a number of a million digits": (
        written("config.json", b'{"model_type": "bert", "hidden_size": ' + b"9" * 10**6 + b"}"), TRANSFORMERS, ""),
    "a number without end": (written("config.json", b'{"model_type": "bert", "hidden_size": 1e999}'), TRANSFORMERS, ""),
    # --- the folder
    "an adapter": (written("adapter_config.json", b'{"base_model_name_or_path": ".."}'), TRANSFORMERS, "adapter"),
    "an index that names a pickle": (indexed("weights.bin"), TRANSFORMERS, "only *.safetensors"),
    "an index that leads outside": (indexed("../outside.safetensors"), TRANSFORMERS, "only *.safetensors"),
    "an index that names nothing": (indexed("lost.safetensors"), TRANSFORMERS, "not there"),
    "an index that is none": (written(INDEX, b"[]"), TRANSFORMERS, "no JSON object"),
    "an index that is a folder": (lambda f: (f / INDEX).mkdir(), TRANSFORMERS, ""),
    "a vocabulary that is a link": (linked("vocab.txt", "/etc/passwd"), TRANSFORMERS, "leads out of its folder"),
    "weights that are a link": (linked("model.safetensors", "/dev/zero"), (*TRANSFORMERS, "static"), "leads out"),
    "weights that are a pipe": (made("model.safetensors", os.mkfifo), (*TRANSFORMERS, "static"), "no file"),
    "weights that are a folder": (made("model.safetensors", Path.mkdir), (*TRANSFORMERS, "static"), ""),
    "a file that is a pipe": (lambda f: os.mkfifo(f / "vocab.txt"), TRANSFORMERS, "no file"),
    "a link in a circle": (linked("vocab.txt", "vocab.txt"), TRANSFORMERS, ""),
    "a pickle called safetensors": (written("model.safetensors", b"PK\3\4" + b"x" * 99), (*TRANSFORMERS, "static"), "pickle"),
    "a bare pickle": (written("model.safetensors", b"\x80\x04K\x01."), (*TRANSFORMERS, "static"), "pickle"),
    "only a pickle": (several(lambda f: (f / "model.safetensors").unlink(), written("pytorch_model.bin", b"\x80\x04K\x01.")),
                      TRANSFORMERS, "no safetensors"),
    # --- weights
    "cut weights": (written("model.safetensors", b"\x00\x10\0\0\0\0\0\0{"), (*TRANSFORMERS, "static"), "damaged"),
    "no header": (written("model.safetensors", bytes(8) + b"{}"), (*TRANSFORMERS, "static"), "damaged"),
    "an empty file": (written("model.safetensors", b""), (*TRANSFORMERS, "static"), "damaged"),
    "weights that end early": (
        lambda f: os.truncate(f / "model.safetensors", (f / "model.safetensors").stat().st_size // 2),
        (*TRANSFORMERS, "static"), "damaged"),
    "tensors in the same place": (header(overlapping), TRANSFORMERS, "damaged"),
    "tensors of truths": (header(of_dtype("BOOL")), (*TRANSFORMERS, "static"), "damaged"),
    "tensors of no kind": (header(of_dtype("EVIL")), (*TRANSFORMERS, "static"), "damaged"),
    "whole numbers for weights": (each(lambda t: t.astype(np.int32)), TRANSFORMERS, None),
    "complex numbers for weights": (each(lambda t: t.astype(np.complex64)), (*TRANSFORMERS, "static"), None),
    "weights that are no numbers": (one(lambda t: poison(t, np.nan)), (*TRANSFORMERS, "static"), "finite"),
    "weights without end": (one(lambda t: poison(t, np.inf)), (*TRANSFORMERS, "static"), "finite"),
    "weights that are wild": (each(lambda t: t * np.float32(1e38)), (*TRANSFORMERS, "static"), None),
    "weights of another shape": (each(lambda t: t.reshape(-1)), (*TRANSFORMERS, "static"), ""),
    "half a table": (one(lambda t: t[: len(t) // 2]), (*TRANSFORMERS, "static"), ""),
    "weights of other names": (tensors(lambda found: {f"x.{k}": v for k, v in found.items()}), (*TRANSFORMERS, "static"), None),
    "no tensors": (tensors(lambda found: {}), (*TRANSFORMERS, "static"), ""),
    "a shape in words": (header(lambda a: {k: v if k[0] == "_" else {**v, "shape": ["x"]} for k, v in a.items()}), (*TRANSFORMERS, "static"), "damaged"),
    "a shape without end": (header(lambda a: {k: v if k[0] == "_" else {**v, "shape": [2**62, 2**62]} for k, v in a.items()}), (*TRANSFORMERS, "static"), "damaged"),
    "weights of another library": (header(lambda a: {**a, "__metadata__": {"format": "tf"}}), TRANSFORMERS, None),
    "metadata that are none": (header(lambda a: {**a, "__metadata__": 7}), (*TRANSFORMERS, "static"), ""),
    "a million tensors": (header(lambda a: {f"x{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(110_000)} | a),
                          ("encoder", "static"), "tensors"),
    # --- tokenizer.json
    "a tokenizer that is none": (tokens(model={"type": "Nothing"}), (*TRANSFORMERS, "static"), ""),
    "a tokenizer that is a list": (written("tokenizer.json", b"[]"), (*TRANSFORMERS, "static"), "JSON object"),
    "a tokenizer that is deep": (written("tokenizer.json", DEEP), (*TRANSFORMERS, "static"), ""),
    "a tokenizer that is a folder": (made("tokenizer.json", Path.mkdir), (*TRANSFORMERS, "static"), ""),
    "a tokenizer with a mark": (marked("tokenizer.json"), (*TRANSFORMERS, "static"), None),
    "a tokenizer without a model": (changed("tokenizer.json", "model"), (*TRANSFORMERS, "static"), ""),
    "no words": (tokens_model(vocab={}), (*TRANSFORMERS, "static"), ""),
    "a word with a number beyond": (tokens_model(vocab={"[UNK]": 0, "a": 10**9, "the": 10**9}), (*TRANSFORMERS, "static"), "beyond"),
    "a word with a number below zero": (tokens_model(vocab={"[UNK]": 0, "a": -1}), (*TRANSFORMERS, "static"), ""),
    "all words of one number": (tokens_model(vocab={"[UNK]": 0, "a": 0, "b": 0}), (*TRANSFORMERS, "static"), None),
    "an unknown word that is unknown": (tokens_model(unk_token="lost"), (*TRANSFORMERS, "static"), None),
    "a prefix of a megabyte": (tokens_model(continuing_subword_prefix="#" * 10**6), TRANSFORMERS, None),
    "words as long as they like": (tokens_model(max_input_chars_per_word=10**12), ("encoder", "sentence"), None),
    "merges that drop out": (tokens_model(dropout=0.9), ("causal",), None),
    "merges of nothing": (tokens_model(merges=[["lost", "words"]]), ("causal",), ""),
    "a model of pieces without any": (
        tokens(model={"type": "Unigram", "unk_id": 7, "vocab": [["a", float("nan")]], "byte_fallback": False}),
        (*TRANSFORMERS, "static"), ""),
    "a normaliser that grows": (
        tokens(normalizer={"type": "Sequence", "normalizers": [REPLACE, REPLACE]}), (*TRANSFORMERS, "static"),
        "1,000,000 characters of one"),
    "a normaliser that grows slowly": (
        tokens(normalizer={"type": "Sequence", "normalizers": [{**REPLACE, "content": "aa"}] * 20}),
        (*TRANSFORMERS, "static"), "characters of one"),
    "a normaliser of an empty pattern": (
        tokens(normalizer={"type": "Replace", "pattern": {"Regex": ""}, "content": "a" * 99}), (*TRANSFORMERS, "static"), None),
    "a normaliser that tries for ever": (
        tokens(normalizer={"type": "Replace", "pattern": {"Regex": "(a+)+$b"}, "content": ""}), (*TRANSFORMERS, "static"),
        "pattern"),
    "a pattern that tries for ever": (tokens(pre_tokenizer=split("(a+)+b")), (*TRANSFORMERS, "static"), "pattern"),
    "a pattern that tries twice": (tokens(pre_tokenizer=split("(a|a)*b")), (*TRANSFORMERS, "static"), "pattern"),
    "a pattern with stars in a row": (tokens(pre_tokenizer=split("a*" * 20 + "b")), (*TRANSFORMERS, "static"), "pattern"),
    "a pattern that looks back": (tokens(pre_tokenizer=split(r"(\w+)\1+\1+z")), (*TRANSFORMERS, "static"), "pattern"),
    "a pattern that calls itself": (tokens(pre_tokenizer=split(r"(?<x>a\g<x>?a|a)+b")), (*TRANSFORMERS, "static"), "pattern"),
    "a pattern of a thousand thousands": (tokens(pre_tokenizer=split("(((a{1,99}){1,99}){1,99}){1,99}b")), (*TRANSFORMERS, "static"), "pattern"),
    "a pattern that is none": (tokens(pre_tokenizer=split("(((")), (*TRANSFORMERS, "static"), ""),
    "a pattern of a megabyte": (tokens(pre_tokenizer=split("(?:a|b)" * 150_000)), (*TRANSFORMERS, "static"), "pattern"),
    "ten thousand cutters in one": (
        written("tokenizer.json", b'{"pre_tokenizer": ' + b'{"type":"Sequence","pretokenizers":[' * 5000 + b"]}" * 5000 + b"}"),
        (*TRANSFORMERS, "static"), ""),
    "a map that is none": (
        tokens(normalizer={"type": "Precompiled", "precompiled_charsmap": "AAAA////AAAA"}), (*TRANSFORMERS, "static"), "map of characters"),
    "an added token of nothing": (added({"id": 400, "content": ""}), (*TRANSFORMERS, "static"), None),
    "an added token of a megabyte": (added({"id": 400, "content": "x" * 10**6}), (*TRANSFORMERS, "static"), "long"),
    "an added token beyond": (added({"id": 10**9, "content": "the", "special": True}), (*TRANSFORMERS, "static"), "beyond"),
    "an added token at the end of numbers": (added({"id": 2**32 - 1, "content": "the"}), (*TRANSFORMERS, "static"), "beyond"),
    "an added token below zero": (added({"id": -1, "content": "the"}), (*TRANSFORMERS, "static"), ""),
    "an added token twice": (added({"id": 3, "content": "the"}, {"id": 4, "content": "the"}), (*TRANSFORMERS, "static"), None),
    "added tokens without end": (
        added(*({"id": 1000 + i, "content": f"w{i}"} for i in range(200_000))), (*TRANSFORMERS, "static"), ""),
    "special tokens in a circle": (
        tokens(post_processor=template([{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, A],
                                       {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[SEP]"]}})),
        TRANSFORMERS, None),
    "special tokens beyond": (
        tokens(post_processor=template([{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, A], {"[CLS]": CLS})),
        TRANSFORMERS, "beyond"),
    "special tokens that are lost": (
        tokens(post_processor=template([{"SpecialToken": {"id": "[LOST]", "type_id": 0}}, A], {})), TRANSFORMERS, "not describe"),
    "a million special tokens": (
        tokens(post_processor=template([A], {"[CLS]": {**CLS, "ids": [2] * 10**6, "tokens": ["[CLS]"] * 10**6}})
               | {"single": [A] + [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}] * 50}),
        TRANSFORMERS, "around a text"),
    "a template without a text": (
        tokens(post_processor=template([{"SpecialToken": {"id": "[CLS]", "type_id": 0}}],
                                       {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]}})), TRANSFORMERS, None),
    "a template of another kind of text": (
        tokens(post_processor=template([{"SpecialToken": {"id": "[CLS]", "type_id": 7}}, A],
                                       {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]}})), TRANSFORMERS, None),
    "padding without end": (
        tokens(padding={"strategy": {"Fixed": 10**9}, "pad_id": 0}), (*TRANSFORMERS, "static"), "fills every text"),
    "padding to a multiple without end": (
        tokens(padding={"strategy": "BatchLongest", "direction": "Right", "pad_to_multiple_of": 10**8, "pad_id": 0,
                        "pad_type_id": 0, "pad_token": "[PAD]"}), (*TRANSFORMERS, "static"), "fills every text"),
    "cuts that overlap": (
        tokens(truncation={"direction": "Right", "max_length": 1, "strategy": "LongestFirst", "stride": 10**6}),
        (*TRANSFORMERS, "static"), None),
    # --- tokenizer_config.json and what stands beside it
    "a vocabulary by name": (named(vocab_file="/etc/passwd"), TRANSFORMERS, "vocab_file"),
    "a tokenizer by name": (named(tokenizer_file="/etc/passwd"), TRANSFORMERS, "tokenizer_file"),
    "a tokenizer of a class": (named(tokenizer_class="os.system"), TRANSFORMERS, None),
    "a tokenizer of another class": (named(tokenizer_class="Wav2Vec2CTCTokenizer"), TRANSFORMERS, None),
    "a tokenizer of a list of classes": (named(tokenizer_class=["x"]), TRANSFORMERS, ""),
    "a tokenizer with code": (several(with_code, named(auto_map={"AutoTokenizer": ["evil.Evil", "evil.Evil"]})), TRANSFORMERS, None),
    "a tokenizer with code alone": (
        several(with_code, changed("config.json", "auto_map"), named(auto_map={"AutoTokenizer": ["evil.Evil", None]}, tokenizer_class="Evil")),
        TRANSFORMERS, None),
    "a length of nothing": (named(model_max_length=0), TRANSFORMERS, None),
    "a length below zero": (named(model_max_length=-1), TRANSFORMERS, None),
    "a length of one": (named(model_max_length=1), TRANSFORMERS, None),
    "a length in words": (named(model_max_length="x"), TRANSFORMERS, ""),
    "a length that is no number": (named(model_max_length=float("nan")), TRANSFORMERS, ""),
    "a padding token that is a dict": (named(pad_token={"a": {"b": {}}}), TRANSFORMERS, ""),
    "a padding token that is new": (named(pad_token="lost"), TRANSFORMERS, None),
    "a padding token of numbers": (named(pad_token=7), TRANSFORMERS, ""),
    "padding on no side": (named(padding_side="up"), TRANSFORMERS, None),
    "tokens by number": (
        named(added_tokens_decoder={"1000000000": {"content": "the", "special": True}, "x": {"content": 7}}), TRANSFORMERS, ""),
    "more special tokens": (named(extra_special_tokens={"evil_token": "x" * 10**6}), TRANSFORMERS, None),
    "special tokens that are none": (named(extra_special_tokens=[[["x"]]]), TRANSFORMERS, None),
    "a chat template without end": (named(chat_template=LOOP), TRANSFORMERS, None),
    "a chat template that reaches": (named(chat_template=ATTRIBUTES), TRANSFORMERS, None),
    "chat templates with paths": (named(chat_template=[{"name": "../../../RAN", "template": "x"}]), TRANSFORMERS, None),
    "a chat template that is none": (named(chat_template=[7]), TRANSFORMERS, ""),
    "a chat template that is a file": (written("chat_template.jinja", LOOP.encode()), TRANSFORMERS, None),
    "a description that is deep": (written("tokenizer_config.json", DEEP), TRANSFORMERS, ""),
    "a description with a mark": (marked("tokenizer_config.json"), TRANSFORMERS, None),
    "a description that is a folder": (made("tokenizer_config.json", Path.mkdir), TRANSFORMERS, None),
    "special tokens in a file": (written("special_tokens_map.json", b'{"pad_token": {"a": []}, "x": 7}'), TRANSFORMERS, None),
    "added tokens in a file": (written("added_tokens.json", b'{"the": 1000000000}'), TRANSFORMERS, None),
    # --- generation_config.json
    "writing that is none": (written("generation_config.json", b'{"max_length": -1, "num_beams": "x", "cache_implementation": "x"}'), ("causal", "causal entities"), None),
    "writing that is deep": (written("generation_config.json", DEEP), ("causal", "causal entities"), ""),
    "writing that is a list": (written("generation_config.json", b"[]"), ("causal", "causal entities"), ""),
    "writing without end": (written("generation_config.json", b'{"max_new_tokens": 1000000000, "min_new_tokens": 1000000000, "eos_token_id": [], "custom_generate": "acme/evil"}'), ("causal", "causal entities"), None),
    # --- sentence-transformers
    "modules outside": (written("modules.json", json.dumps([{"type": "x.Transformer", "path": ""}, {"type": "x.Pooling", "path": "../../.."}]).encode()), ("sentence",), "outside"),
    "modules elsewhere": (written("modules.json", json.dumps([{"type": "x.Transformer", "path": ""}, {"type": "x.Pooling", "path": "/etc"}]).encode()), ("sentence",), "outside"),
    "modules of a class": (written("modules.json", b'[{"type": "os.system", "path": "touch RAN"}]'), ("sentence",), "not built here"),
    "modules that are deep": (written("modules.json", DEEP), ("sentence",), ""),
    "modules that are none": (written("modules.json", b'{"a": 7}'), ("sentence",), ""),
    "modules with a mark": (marked("modules.json"), ("sentence",), None),
    "pooling that is none": (written("1_Pooling/config.json", b'{"pooling_mode": {"a": 7}}'), ("sentence",), ""),
    "pooling that is a list": (written("1_Pooling/config.json", b"[]"), ("sentence",), ""),
    "pooling that is deep": (written("1_Pooling/config.json", DEEP), ("sentence",), ""),
    "pooling by all": (written("1_Pooling/config.json", b'{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true}'), ("sentence",), "not built here"),
    "a length of sentences below zero": (written("sentence_bert_config.json", b'{"max_seq_length": -3}'), ("sentence",), ""),
    "a length of sentences of one": (written("sentence_bert_config.json", b'{"max_seq_length": 1}'), ("sentence",), None),
    "a length of sentences in words": (written("sentence_bert_config.json", b'{"max_seq_length": "x"}'), ("sentence",), ""),
    "a length of sentences without end": (written("sentence_bert_config.json", b'{"max_seq_length": 1e300}'), ("sentence",), None),
    "a prompt of a megabyte": (
        written("config_sentence_transformers.json", json.dumps({"prompts": {"a": "x" * 10**7}, "default_prompt_name": "a"}).encode()), ("sentence",), ""),
    "a prompt that is none": (
        written("config_sentence_transformers.json", b'{"prompts": {"a": [7]}, "default_prompt_name": "a"}'), ("sentence",), ""),
    # --- static embeddings
    "a text of no tokens": (config(max_length=0), ("static",), None),
    "a text below zero": (config(max_length=-1), ("static",), ""),
    "a text without end": (config(max_length=10**30), ("static",), ""),
    "a text in words": (config(max_length=[]), ("static",), ""),
    "a table of whole numbers": (each(lambda t: t.astype(np.int64)), ("static",), None),
    "a table of truths": (each(lambda t: t.astype(bool)), ("static",), ""),
    "a table without width": (each(lambda t: t[:, :0]), ("static",), ""),
    "a table of three sides": (each(lambda t: t[None]), ("static",), ""),
    "a map that leads out": (tensors(lambda f: {**f, "mapping": np.full(7, 99)}), ("static",), ""),
    "a map of no numbers": (tensors(lambda f: {**f, "mapping": np.full(7, np.nan)}), ("static",), ""),
    "a map of two sides": (tensors(lambda f: {**f, "mapping": np.zeros((7, 7), np.int64)}), ("static",), ""),
    "shares that are no numbers": (tensors(lambda f: {**f, "weights": np.full(7, np.nan)}), ("static",), "not finite"),
    "shares of two sides": (tensors(lambda f: {**f, "weights": np.ones((7, 7))}), ("static",), ""),
}  # fmt: skip
HOSTILE = {name: Hostile(*entry) for name, entry in ENTRIES.items()}
