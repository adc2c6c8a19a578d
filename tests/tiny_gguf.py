"""A GGUF file of a tiny causal model, written on the spot with the package gguf; its weights are `tiny.causal`'s.

path = tiny_gguf.write(tmp_path / "tiny.gguf")
"""

import json
import re
from pathlib import Path

import torch
from gguf import GGMLQuantizationType, GGUFWriter, TokenType, quantize
from transformers import AutoModelForCausalLM, AutoTokenizer

import tiny

NAMES = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
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


def write(path, folder=None, kind="F32", **values):
    """kind: of the weights, such as "Q8_0". values: keys with dots as __, which replace what would be written."""
    folder = folder or tiny.causal(Path(path).with_suffix(".folder"))
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    config, writer = model.config, GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_block_count(values.get("block_count", config.num_hidden_layers))
    writer.add_context_length(128)
    writer.add_embedding_length(values.get("embedding_length", config.hidden_size))
    writer.add_feed_forward_length(values.get("feed_forward_length", config.intermediate_size))
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_vocab_size(values.get("vocab_size", config.vocab_size))
    tokens = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().get)
    merges = [" ".join(pair) for pair in _merges(tokenizer)]
    if values.get("tokenizer", True):
        writer.add_tokenizer_model("gpt2")
        writer.add_token_list(tokens)
        writer.add_token_types([TokenType.CONTROL if t.startswith("<|") else TokenType.NORMAL for t in tokens])
        writer.add_token_merges(merges)
        writer.add_bos_token_id(1)
        writer.add_eos_token_id(0)
    for name, weight in model.state_dict().items():
        if name != "lm_head.weight":
            as_written = _permuted(name, weight, config).numpy()
            packed = quantize(as_written, GGMLQuantizationType[kind]) if weight.ndim == 2 else as_written
            writer.add_tensor(_name(name), packed, raw_dtype=GGMLQuantizationType[kind] if weight.ndim == 2 else None)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _merges(tokenizer):
    merges = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]
    return [merge.split(" ") if isinstance(merge, str) else merge for merge in merges]


def _name(name):
    if name in NAMES:
        return NAMES[name]
    layer, part = re.fullmatch(r"model\.layers\.(\d+)\.(.+)\.weight", name).groups()
    return f"blk.{layer}.{NAMES[part]}.weight"


def _permuted(name, weight, config):
    """llama.cpp turns pairs of numbers that lie side by side, transformers the two halves of a head."""
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    count = next((n for part, n in heads.items() if part in name), None)
    if count is None:
        return weight
    rows, columns = weight.shape
    split = weight.reshape(count, 2, rows // count // 2, columns)
    return torch.swapaxes(split, 1, 2).reshape(rows, columns).contiguous()
