"""`seq2seq` from random weights: a rule that it learns by the options' texts, and what `--dry-run` foretells.

    python benchmarks/text_to_text.py rule [--rows 3000] [--set epochs=8]
    python benchmarks/text_to_text.py forecast [--rows 300] [--set epochs=1]
    python benchmarks/text_to_text.py sharing [--rows 40]

rule: of four things, each named by two words, the right one stands in the question. In the test no two words stand
together that did in train. A T5 of two million weights learns it, and is then asked with the options in other orders.
forecast: memory and time of fitting as `--dry-run` foretells them, beside a run's own, for a model of flan-T5-small's
shape. sharing: processor time of options scored after a text that the encoder read once, beside all read in full.
"""

from __future__ import annotations

import argparse
import json
import string
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import T5Config, T5ForConditionalGeneration, T5Tokenizer

from slmfit.evidence.statistic import share_right
from slmfit.finetune.device import Device
from slmfit.finetune.score import Asked, likelihoods
from slmfit.generating import write_tickets
from slmfit.methods import create
from slmfit.methods.base import Context
from slmfit.records import Example
from slmfit.tasks.choice import MultipleChoice

SMALL = {"d_model": 512, "d_kv": 64, "d_ff": 1024, "num_layers": 8, "num_heads": 6}  # flan-T5-small's
RULE = {"d_model": 192, "d_kv": 32, "d_ff": 512, "num_layers": 2, "num_heads": 6}
FROM_RANDOM = {"learning_rate": "1e-3", "batch_tokens": "1500", "scoring": "text"}
ORDERS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("rule", "forecast", "sharing"))
    parser.add_argument("--rows", type=int)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of seq2seq")
    given = parser.parse_args()
    torch.set_num_threads(1)
    settings = dict(pair.split("=", 1) for pair in given.set)
    with tempfile.TemporaryDirectory() as folder:
        if given.part == "rule":
            rule(Path(folder), given.rows or 3000, FROM_RANDOM | {"epochs": "8"} | settings)
        elif given.part == "forecast":
            forecast(Path(folder), given.rows or 300, {"epochs": "1"} | settings)
        else:
            sharing(Path(folder), given.rows or 40)


def random_t5(folder: Path, tokenizer: T5Tokenizer, shape: dict[str, int], *, table: int | None = None) -> str:
    """Random weights with a head of their own in the file, as flan-T5 has."""
    torch.manual_seed(0)
    size = table or len(tokenizer)
    config = T5Config(vocab_size=size, feed_forward_proj="gated-gelu", decoder_start_token_id=0, **shape)
    T5ForConditionalGeneration(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    weights = folder / "model.safetensors"
    tensors = load_file(weights)
    head = torch.randn(size, config.d_model) * config.d_model**-0.5
    save_file(tensors | {"lm_head.weight": head}, weights, {"format": "pt"})
    about = json.loads((folder / "config.json").read_text())
    about.pop("scale_decoder_outputs")
    (folder / "config.json").write_text(json.dumps(about | {"tie_word_embeddings": False}))
    print(f"{sum(t.numel() for t in tensors.values()) + head.numel():,} random weights")
    return str(folder)


def of_pieces(pieces: Sequence[tuple[str, float]]) -> T5Tokenizer:
    special = [(name, 0.0) for name in ("<pad>", "</s>", "<unk>")]
    return T5Tokenizer(vocab=[*special, *pieces, ("<extra_id_0>", 0.0)], extra_ids=1, model_max_length=512)


def rule(folder: Path, rows: int, settings: dict[str, str]) -> None:
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "methods"))
    from ruled import FIRST, SECOND, permuted, questions

    signs = [*string.ascii_letters, *"▁:.?"]
    words = [f"▁{word}" for word in (*FIRST, *SECOND, "I", "saw", "the", "and", "Question:", "Answer:")]
    tokenizer = of_pieces([*((sign, -9.0) for sign in signs), *((word, -3.0) for word in words)])
    train, known, test = questions(rows, 1), questions(300, 2), questions(1000, 3, held=True)
    method: Any = create("seq2seq", settings, random_t5(folder / "base", tokenizer, RULE))
    begin = time.process_time()
    method.fit(MultipleChoice(tuple("ABCD")), train, known, Context(event=curve))
    print(f"{rows:,} questions, {settings['epochs']} times: {time.process_time() - begin:.0f} s of processor time")
    found = [judged(method, test, "as they are")]
    for turn in range(1, ORDERS):
        found.append(judged(method, [permuted(e, turn) for e in test], f"options in order {turn}"))
    changed = [len({texts[i] for texts in found}) > 1 for i in range(len(test))]
    print(f"answers that change with the order: {np.mean(changed):.1%}; guessing 25.0 %")


def curve(kind: str, **fields: Any) -> None:
    """Validation, whose pairs of words were seen, as it is learnt."""
    if kind == "loss" and fields["split"] == "validation":
        print(
            f"  {fields['epoch']:g} times: {fields['accuracy']:.1%} of questions with pairs that were seen", flush=True
        )


def judged(method: Any, rows: Sequence[Example], name: str) -> list[str]:
    """The texts that are answered."""
    answers = method.predict([e.input for e in rows])
    right = np.array([a.target == e.target for a, e in zip(answers, rows, strict=True)])
    score = share_right(right)
    letters = ", ".join(f"{letter} {np.mean([a.target == letter for a in answers]):.0%}" for letter in "ABCD")
    print(f"{name}: {score.value:.1%} [{score.low:.1%}, {score.high:.1%}] of {len(rows):,}; answered {letters}")
    questions: list[Any] = [e.input for e in rows]
    return [question.options[a.target] for question, a in zip(questions, answers, strict=True)]


def forecast(folder: Path, rows: int, settings: dict[str, str]) -> None:
    tickets = list(write_tickets())[:rows]
    path = folder / "tickets.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in tickets))
    base = random_t5(folder / "base", of_texts([row["text"] for row in tickets]), SMALL, table=32_128)
    given = [word for key, value in settings.items() for word in ("--set", f"seq2seq.{key}={value}")]
    command = ["train", f"seq2seq={base}", str(path), *given]
    [step] = json.loads(said(folder, *command, "--dry-run", "--json"))
    foretold = step["forecast"]
    begin = time.monotonic()
    run = json.loads(said(folder, *command, "--out", str(folder / "out"), "--json"))
    took = time.monotonic() - begin
    expected, was = (about["fit_peak_memory_bytes"] / 1e9 for about in (foretold, run))
    print(f"memory: foretold {expected:.2f} GB, was {was:.2f} GB")
    print(f"time: foretold {foretold['seconds']:.0f} s, was {took:.0f} s, of which fitting {run['fit_seconds']:.0f} s")


def said(folder: Path, *words: str) -> str:
    done = subprocess.run([sys.executable, "-m", "slmfit", *words], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


def of_texts(texts: Sequence[str]) -> T5Tokenizer:
    backend = Tokenizer(models.Unigram())
    backend.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    trainer = trainers.UnigramTrainer(vocab_size=2000, unk_token="<unk>", special_tokens=["<unk>"], show_progress=False)
    backend.train_from_iterator([*texts, *string.printable], trainer)
    pieces = json.loads(backend.to_str())["model"]["vocab"]
    return of_pieces([(piece, score) for piece, score in pieces if piece != "<unk>"])


def sharing(folder: Path, rows: int) -> None:
    """Texts and options as long as MedQA's."""
    random_t5(folder, of_pieces([(letter, -1.0) for letter in string.ascii_letters]), SMALL, table=32_128)
    model = T5ForConditionalGeneration.from_pretrained(folder).eval()
    random, device = np.random.default_rng(0), Device("cpu", "fp32")

    def ids(count: int) -> list[int]:
        return [*random.integers(3, 32_000, count).tolist(), 1]

    once = Asked([ids(160) for _ in range(rows)], [[ids(7) for _ in range(4)] for _ in range(rows)])
    flat = [(once.prompts[i], [option]) for i, options in enumerate(once.options) for option in options]
    full = Asked([prompt for prompt, _ in flat], [options for _, options in flat])
    took: dict[str, list[float]] = {"once": [], "full": []}
    found = {}
    for _ in range(3):
        for name, what in (("once", once), ("full", full)):
            begin = time.process_time()
            found[name] = np.concatenate(likelihoods(model, what, device, 0))
            took[name].append(time.process_time() - begin)
    ratio = np.median(took["full"]) / np.median(took["once"])
    print(
        f"a text of 161 tokens, 4 options of 8: {np.median(took['once']) / rows:.3f} s of processor time where the text"
    )
    print(f"is read once, {np.median(took['full']) / rows:.3f} s where all is read in full: {ratio:.2f} times")
    apart = np.max(np.abs(found["once"] - found["full"]) / np.abs(found["full"]))
    print(f"largest relative difference {apart:.1e}")


if __name__ == "__main__":
    main()
