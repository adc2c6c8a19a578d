"""`causal` from random weights on generated e-mails: it writes entities and intent; beside `linear` and `encoder`.

    python benchmarks/writing.py [causal linear encoder] [--set epochs=8] [--form json]

11,000 e-mails of templates are made (`slmfit generate emails`), 10,000 to train on (500 of them to validate), 1,000 to
test. The tokenizer is made of the training rows, and so are a few million random weights to start from. Of what is
written it is checked, apart from the scores, that it parses and that every entity named occurs in its text. --set is
for causal; the encoder is the packaged MiniLM, seen once through.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from common import base_model
from entities import fit, show
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from slmfit import storage
from slmfit.data.dataset import Dataset
from slmfit.data.load import load_data
from slmfit.methods import create
from slmfit.methods.base import Method
from slmfit.records import Prediction

TEST, HELD = 1_000, 500
TOKENS = 2_000
SHAPE = {"hidden_size": 192, "num_hidden_layers": 4, "intermediate_size": 512, "num_attention_heads": 6}
# Random weights want a higher rate than pretrained ones, and many updates until they have learnt to copy.
FROM_RANDOM = {"lora": "false", "learning_rate": "1e-3", "batch_tokens": "512", "epochs": "12"}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("methods", nargs="*", default=["linear", "causal", "encoder"], metavar="METHOD")
    options.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of causal")
    options.add_argument("--form", default="lines", help="how causal writes: lines or json")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = emails(Path(folder))
        print(f"{len(data.train):,} / {len(data.validation):,} / {len(data.test):,} e-mails")
        for name in given.methods:
            print(name)
            if name == "causal":
                base, settings = random_model(Path(folder) / "base", data, given.form), dict(FROM_RANDOM)
                settings |= {"form": given.form} | dict(s.split("=", 1) for s in given.set)
            else:
                base, settings = (base_model(), {"epochs": "1"}) if name == "encoder" else (None, {})
            method = create(name, settings, base)
            fit(method, data)
            show(method, data, ["test"])
            report(method, data, Path(folder) / name)


def emails(folder: Path) -> Dataset:
    """Generated e-mails: train, of it validation, and test."""
    path = folder / "emails.jsonl"
    command = ["generate", "emails", "--writer", "templates", "-n", "11000", "--output", str(path)]
    subprocess.run([sys.executable, "-m", "slmfit", *command], check=True, capture_output=True)
    made = load_data(path)
    rows = sorted((e for split in made.splits.values() for e in split), key=lambda e: e.id)
    splits = {"train": rows[: -TEST - HELD], "validation": rows[-TEST - HELD : -TEST], "test": rows[-TEST:]}
    return dataclasses.replace(made, splits={name: tuple(part) for name, part in splits.items()}, validation_given=True)


def random_model(folder: Path, data: Dataset, form: str) -> str:
    """A Llama of random weights, its tokenizer made of what training rows are asked and answered with."""
    task: Any = data.task
    write = task.form(form)
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    alphabet, special = pre_tokenizers.ByteLevel.alphabet(), ["<end>", "<pad>"]
    trainer = trainers.BpeTrainer(
        vocab_size=TOKENS, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    backend.train_from_iterator((write.ask(e.input) + write.write(e.target, e.input) for e in data.train), trainer)
    names = {"eos_token": "<end>", "pad_token": "<pad>"}
    PreTrainedTokenizerFast(tokenizer_object=backend, model_max_length=512, **names).save_pretrained(folder)
    ids = {"eos_token_id": 0, "pad_token_id": 1, "bos_token_id": None}
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(vocab_size=TOKENS, max_position_embeddings=512, tie_word_embeddings=True, **ids, **SHAPE)
    )
    print(f"  {sum(p.numel() for p in model.parameters()):,} random weights")
    model.save_pretrained(folder)
    return str(folder)


def report(method: Method, data: Dataset, folder: Path) -> None:
    """Time of answering, size, and what must hold of everything that is written."""
    texts = [str(e.input) for e in data.test]
    begin = time.perf_counter()
    answers = method.predict(texts)
    print(f"  {len(texts) / (time.perf_counter() - begin):.0f} texts/s", end="")
    folder.mkdir()
    method.save(folder)
    print(f", {storage.size_of(folder) / 1e6:.1f} MB")
    if any(answer.raw is not None for answer in answers):
        named = [n for answer, text in zip(answers, texts, strict=True) for n in named_by(answer, text)]
        print(f"  parse: {sum(a.outcome == 'ok' for a in answers):,} of {len(answers):,}")
        print(f"  entities that occur in their text: {sum(named):,} of {len(named):,}")


def named_by(answer: Prediction, text: str) -> list[bool]:
    """Of every entity that was written, by another reader than slmfit's, whether the text has it."""
    raw = answer.raw or ""
    if raw.startswith("{"):
        return [entity["text"] in text for entity in json.loads(raw)["entities"]]
    lines = [line for line in raw.split("\n") if line.startswith("B-")]
    return [line.partition(": ")[2] in text.replace("\r", " ").replace("\n", " ") for line in lines]


if __name__ == "__main__":
    main()
