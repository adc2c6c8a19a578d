"""A Llama of transformers as a GGUF file, by the package gguf alone: f16, or q8_0.

    write_model(Path("whole"), Path("model.gguf"), "f16", end=2)

Llama only. Every family has a map of its own from its weights to llama.cpp's, and its tokenizer a name by which
llama.cpp cuts texts; its own script knows them all.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slmfit.errors import UsageError

SCRIPT = "llama.cpp's convert_hf_to_gguf.py knows more: `slmfit export RUN` writes the folder that it reads"
NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
_BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
_DIGITS = {"type": "Digits", "individual_digits": True}
# What a tokenizer cuts before its merges, and the name by which llama.cpp does the same.
CUTS: list[tuple[Any, str]] = [
    (_BYTES, "gpt-2"),
    ({"type": "Sequence", "pretokenizers": [_DIGITS, _BYTES]}, "smollm"),
]


def check(config: Any, tokenizer: Any, where: str) -> None:
    """Raise UsageError for a model or a tokenizer that is not written here."""
    if config.model_type != "llama":
        raise UsageError(
            f"a {config.model_type} model is not written as GGUF here, a Llama is", where=where, fix=SCRIPT
        )
    scaled = (getattr(config, "rope_parameters", None) or {}).get("rope_type", "default") != "default"
    if scaled or getattr(config, "attention_bias", False) or getattr(config, "mlp_bias", False):
        raise UsageError("a Llama with scaled positions or biases is not written as GGUF here", where=where, fix=SCRIPT)
    _cut(json.loads(tokenizer.backend_tokenizer.to_str()), where)


def write_model(folder: Path, path: Path, kind: str, end: int) -> None:
    """Write the model in `folder`, which `check` has passed. kind: f16 or q8_0. end: the token that ends an answer."""
    import gguf
    from transformers import AutoConfig, AutoTokenizer

    config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16 if kind == "f16" else gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    heads = config.num_attention_heads
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_rope_dimension_count(_head_size(config))
    writer.add_key_length(_head_size(config))
    writer.add_value_length(_head_size(config))
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_vocab_size(config.vocab_size)
    _add_tokenizer(writer, tokenizer, config.vocab_size, end, str(folder))
    for name, weight in _weights(folder):
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        _add(writer, gguf, _name(name), _turned(name, weight, config), kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _weights(folder: Path) -> Any:
    """Every tensor in fp32."""
    import torch
    from safetensors import safe_open

    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, "pt") as file:
            for name in file.keys():  # noqa: SIM118 -- not a mapping
                yield name, file.get_tensor(name).to(torch.float32).numpy()


def _add(writer: Any, gguf: Any, name: str, weight: NDArray[np.float32], kind: str) -> None:
    """Norms stay as they are; rows that 32 numbers do not divide are f16."""
    if weight.ndim < 2:
        writer.add_tensor(name, weight)
        return
    packed = kind == "q8_0" and weight.shape[-1] % 32 == 0
    as_kind = gguf.GGMLQuantizationType.Q8_0 if packed else gguf.GGMLQuantizationType.F16
    writer.add_tensor(name, gguf.quantize(weight, as_kind), raw_dtype=as_kind)


def _add_tokenizer(writer: Any, tokenizer: Any, size: int, end: int, where: str) -> None:
    from gguf import TokenType

    about = json.loads(tokenizer.backend_tokenizer.to_str())
    special = {token["content"]: token["special"] for token in about["added_tokens"]}
    known = {number: token for token, number in tokenizer.get_vocab().items()}
    tokens = [known.get(i, f"[PAD{i}]") for i in range(size)]
    kinds = {True: TokenType.CONTROL, False: TokenType.USER_DEFINED}
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(_cut(about, where))
    writer.add_token_list(tokens)
    plain = [TokenType.NORMAL if i in known else TokenType.UNUSED for i in range(size)]
    writer.add_token_types([kinds[special[t]] if t in special else plain[i] for i, t in enumerate(tokens)])
    writer.add_token_merges(
        [merge if isinstance(merge, str) else " ".join(merge) for merge in about["model"]["merges"]]
    )
    before = tokenizer.backend_tokenizer.encode("a").ids[:1]
    begins = before != tokenizer.backend_tokenizer.encode("a", add_special_tokens=False).ids[:1]
    if begins or tokenizer.bos_token_id is not None:
        writer.add_bos_token_id(before[0] if begins else tokenizer.bos_token_id)
    writer.add_add_bos_token(begins)
    writer.add_eos_token_id(end)
    writer.add_add_eos_token(False)


def _cut(about: Any, where: str) -> str:
    """llama.cpp's name for how the tokenizer cuts texts. Raises UsageError for one that is not known here."""
    found = next((name for cut, name in CUTS if about["pre_tokenizer"] == cut), None)
    plain = about["model"]["type"] == "BPE" and not about["normalizer"]
    if found is None or not plain:
        raise UsageError("its tokenizer cuts texts in a way that is not written as GGUF here", where=where, fix=SCRIPT)
    return found


def _name(name: str) -> str:
    part, kind = name.rsplit(".", 1)
    if layer := re.fullmatch(r"model\.layers\.(\d+)\.(.+)", part):
        return f"blk.{layer[1]}.{NAMES[layer[2]]}.{kind}"
    return f"{NAMES[part]}.{kind}"


def _head_size(config: Any) -> int:
    return int(getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads)


def _turned(name: str, weight: NDArray[np.float32], config: Any) -> NDArray[np.float32]:
    """llama.cpp turns pairs of numbers that lie side by side, transformers the two halves of a head."""
    if not re.search(r"\.(q|k)_proj\.weight$", name):
        return weight
    rows, columns = weight.shape
    count = rows // _head_size(config)
    return np.ascontiguousarray(weight.reshape(count, 2, -1, columns).swapaxes(1, 2).reshape(rows, columns))
