"""Every figure that needs a GPU, in one run of at most eight minutes; on a CPU, `--tiny` shows that all of it runs.

    python benchmarks/gpu.py --data ../shared/data --smollm FILE.gguf --minilm FOLDER
    python benchmarks/gpu.py --data ../shared/data --tiny

Needs torch, transformers, peft, numpy, safetensors and scikit-learn; `gguf` for a GGUF file, bitsandbytes for the lines
on 8 and 4 bit. A model that is not given has random weights of the same shape: then its speed counts, its accuracy does
not. A line whose part is missing says which, a line for which no time is left says so, and the others go on.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from slmfit.errors import SlmfitError
from slmfit.methods import create
from slmfit.methods.base import Context, Method
from slmfit.records import Entities, Example, Question, Span
from slmfit.tasks.base import Task
from slmfit.tasks.choice import MultipleChoice
from slmfit.tasks.classification import TextClassification
from slmfit.tasks.tagging import TokenClassification

SECONDS = 480.0
SMOLLM = {"hidden_size": 576, "num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3,
          "intermediate_size": 1536, "max_position_embeddings": 2048}  # fmt: skip
MINILM = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536}
T5_BASE = {"d_model": 768, "d_kv": 64, "d_ff": 2048, "num_layers": 12, "num_heads": 12}
TINY = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}


@dataclass
class Bench:
    """What the lines share: the rows, the base models, how much of everything.

    made: a folder for models of random weights.
    """

    data: Path
    made: Path
    tiny: bool
    smollm: str | None
    minilm: str | None
    began: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> float:
        return SECONDS - (time.monotonic() - self.began)

    def some(self, many: int, few: int) -> int:
        return few if self.tiny else many

    # --- rows ---

    @cached_property
    def news(self) -> dict[str, list[Example]]:
        """AG News, train and test, as it lies here."""
        found = {}
        for split in ("train", "test"):
            with gzip.open(self.data / "ag_news" / f"{split}.csv.gz", "rt", encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
            found[split] = [Example(str(i), row["text"], row["label"]) for i, row in enumerate(rows)]
        return found

    @cached_property
    def news_task(self) -> Task:
        return TextClassification().with_labels(row.target for row in self.news["train"])

    def repeated(self, count: int) -> list[Example]:
        """So many rows of AG News, those at hand over and over."""
        return list(islice(cycle(self.news["train"]), count))

    @cached_property
    def questions(self) -> list[Example]:
        """MedQA's test questions."""
        with gzip.open(self.data / "medqa" / "medqa_us_4opt_test.jsonl.gz", "rt", encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        return [Example(str(i), Question(r["question"], r["options"]), r["answer"]) for i, r in enumerate(rows)]

    # --- base models ---

    @cached_property
    def causal(self) -> str:
        from transformers import LlamaConfig, LlamaForCausalLM

        if self.smollm:
            return self.smollm
        shape = {**TINY, "num_key_value_heads": 2} if self.tiny else SMOLLM
        ids = {"bos_token_id": 1, "eos_token_id": 0}
        return self._kept("causal", LlamaForCausalLM, LlamaConfig, tie_word_embeddings=True, **shape, **ids)

    @cached_property
    def encoder(self) -> str:
        from transformers import BertConfig, BertForMaskedLM

        shape = TINY if self.tiny else MINILM
        return self.minilm or self._kept("encoder", BertForMaskedLM, BertConfig, **shape)

    @cached_property
    def t5(self) -> str:
        from transformers import T5Config, T5ForConditionalGeneration

        shape = {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4} if self.tiny else T5_BASE
        ids = {"pad_token_id": 2, "eos_token_id": 0, "decoder_start_token_id": 2}
        more = {"feed_forward_proj": "gated-gelu", **shape, **ids}
        return self._kept("t5", T5ForConditionalGeneration, T5Config, **more)

    def _kept(self, name: str, model: Any, config: Any, **shape: Any) -> str:
        """A folder with random weights and a tokenizer made of the texts."""
        folder = self.made / name
        self._tokenizer.save_pretrained(folder)
        torch.manual_seed(0)
        model(config(vocab_size=len(self._tokenizer), **shape)).save_pretrained(folder)
        return str(folder)

    @cached_property
    def _tokenizer(self) -> Any:
        """Byte pairs of the news: about as many tokens a text as SmolLM2's own makes of it."""
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
        from transformers import PreTrainedTokenizerFast

        backend = Tokenizer(models.BPE())
        backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        backend.decoder = decoders.ByteLevel()
        names = {
            "eos_token": "<|endoftext|>",
            "bos_token": "<|im_start|>",
            "pad_token": "<|pad|>",
            "unk_token": "<|?|>",
        }
        names |= {"cls_token": "<|cls|>", "sep_token": "<|sep|>", "mask_token": "<|mask|>"}
        trainer = trainers.BpeTrainer(
            vocab_size=self.some(30_000, 1000),
            special_tokens=list(names.values()),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        backend.train_from_iterator((str(row.input) for row in self.news["train"]), trainer)
        return PreTrainedTokenizerFast(tokenizer_object=backend, model_max_length=512, **names)


# --- measuring ---


def fitted(bench: Bench, kind: str, base: str, rows: Sequence[Example], **settings: Any) -> tuple[Method, float]:
    """The method after training on rows of AG News, and samples a second."""
    method = create(kind, {"epochs": 1, **settings}, base)
    method.fit(bench.news_task, rows, (), Context())
    return method, len(rows) * settings.get("epochs", 1) / method.fit_seconds


def accuracy(method: Method, rows: Sequence[Example]) -> tuple[float, float]:
    """The share of right answers, and rows answered a second."""
    began = time.monotonic()
    answers = method.predict([row.input for row in rows])
    seconds = time.monotonic() - began
    return float(np.mean([a.target == row.target for a, row in zip(answers, rows, strict=True)])), len(rows) / seconds


def peak_flops() -> float:
    """FLOP a second of one large product of matrices, in bf16 on a GPU, in fp32 on a CPU."""
    on, size, kind = ("cuda", 8192, torch.bfloat16) if torch.cuda.is_available() else ("cpu", 1024, torch.float32)
    a, b = (torch.randn(size, size, device=on, dtype=kind) for _ in range(2))
    best = float("inf")
    for _ in range(20):
        synchronised()
        began = time.perf_counter()
        a @ b
        synchronised()
        best = min(best, time.perf_counter() - began)
    return 2 * size**3 / best


def synchronised() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


@contextmanager
def memory() -> Iterator[dict[str, float]]:
    """The most memory of the GPU, in GB; of a CPU nothing is said."""
    found: dict[str, float] = {}
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    yield found
    if torch.cuda.is_available():
        found["peak_GB"] = torch.cuda.max_memory_allocated() / 1e9


def show(line: str, **figures: float | str) -> None:
    """A line with its figures, named as in print: `rows_per_second=3.0`."""
    said = (f"{name.replace('_', ' ')} {f'{v:,.4g}' if isinstance(v, float) else v}" for name, v in figures.items())
    print(f"{line}: {', '.join(said)}", flush=True)


def learnt(method: Any, rows: Sequence[Example]) -> tuple[float, float]:
    """FLOP that training the adapters takes at least for a row: products only, no padding. And its tokens.

    A weight costs 2 FLOP forward and 2 for what flows back through it; its own gradient, 2 more, only adapters need.
    """
    tokenizer, model = method.backbone.tokenizer, method.head.body(method.model)
    some = [str(row.input) for row in rows[:2000]]
    tokens = float(np.mean([min(len(ids), method.max_length) for ids in tokenizer(some)["input_ids"]]))
    table = model.get_input_embeddings().weight.numel()
    adapters = sum(p.numel() for name, p in model.named_parameters() if "lora_" in name)
    weights = sum(p.numel() for p in model.parameters()) - table
    return tokens * (4 * weights + 2 * adapters), tokens


# --- the lines ---


def smollm_tuned(bench: Bench) -> None:
    """Rows a second and how much of the GPU that is; with the real weights, accuracy too."""
    rows = bench.news["train"] if bench.smollm and not bench.tiny else bench.repeated(bench.some(60_000, 64))
    with memory() as used:
        method, speed = fitted(bench, "causal", bench.causal, rows, lora_rank=bench.some(64, 4))
    flop, tokens = learnt(method, rows)
    peak = peak_flops()
    whose = "real" if bench.smollm else "random"
    line = f"SmolLM2-135M, LoRA of rank 64 on AG News, {len(rows):,} rows, {whose} weights"
    share = 100 * speed * flop / peak
    show(line, rows_per_second=speed, tokens_a_row=tokens, percent_of_the_peak=share, at_the_peak=peak / flop, **used)
    test = bench.news["test"][: bench.some(7600, 64)]
    right, answered = accuracy(method, test)
    show(
        f"  then {len(test):,} test rows", rows_per_second=answered, accuracy=right if bench.smollm else "not measured"
    )


def minilm_tuned(bench: Bench) -> None:
    """Three epochs of 120,000 rows; those at hand over and over."""
    rows, epochs = bench.repeated(bench.some(120_000, 64)), bench.some(3, 1)
    with memory() as used:
        method, speed = fitted(bench, "encoder", bench.encoder, rows, epochs=epochs, max_length=128)
    line = f"MiniLM, {epochs} epochs of {len(rows):,} rows ({len(bench.news['train']):,} different ones)"
    show(line, seconds=float(method.fit_seconds), rows_per_second=speed, **used)
    test = bench.news["test"][: bench.some(7600, 64)]
    right, answered = accuracy(method, test)
    show(
        f"  then {len(test):,} test rows", rows_per_second=answered, accuracy=right if bench.minilm else "not measured"
    )


def t5_tuned(bench: Bench) -> None:
    """T5-base, with adapters and whole."""
    rows, test = bench.repeated(bench.some(8000, 64)), bench.news["test"][: bench.some(1000, 16)]
    for name, lora in (("LoRA", True), ("whole", False)):
        with memory() as used:
            method, speed = fitted(bench, "seq2seq", bench.t5, rows, lora=lora)
        _, answered = accuracy(method, test)
        line = f"T5-base, {name}, {len(rows):,} rows, random weights"
        show(line, rows_per_second=speed, answered_per_second=answered, **used)


def scored(bench: Bench) -> None:
    """Questions a second, options scored."""
    method = create("causal", {"epochs": 0}, bench.causal)
    rows = bench.questions[: bench.some(1273, 4)]
    method.fit(MultipleChoice(), rows[:2], (), Context())
    right, answered = accuracy(method, rows)
    show(f"SmolLM2-135M, options of {len(rows):,} MedQA questions", questions_per_second=answered, accuracy=right)


def written(bench: Bench) -> None:
    """Texts and tokens a second, entities written."""
    rows = bench.news["test"][: bench.some(512, 4)]
    shown = [Example(row.id, row.input, Entities((Span(0, 3, "NAME"),))) for row in rows[:2]]
    method: Any = create("causal", {"epochs": 0}, bench.causal)
    method.fit(TokenClassification().with_labels(["NAME", "PLACE"]), shown, (), Context())
    began = time.monotonic()
    answers = method.predict([row.input for row in rows])
    seconds = time.monotonic() - began
    tokens = sum(map(len, method.backbone.tokenizer([answer.raw or "" for answer in answers])["input_ids"]))
    line = f"SmolLM2-135M, entities of {len(rows):,} texts written"
    show(line, texts_per_second=len(rows) / seconds, tokens_per_second=tokens / seconds)


def quantised(bench: Bench) -> None:
    """Memory and score in 8 and 4 bit."""
    import bitsandbytes  # noqa: F401

    rows, test = bench.news["train"][: bench.some(4000, 16)], bench.news["test"][: bench.some(2000, 16)]
    for bits in ("8bit", "4bit"):
        with memory() as used:
            method, speed = fitted(bench, "causal", bench.causal, rows, quantise=bits)
        right, answered = accuracy(method, test)
        line = f"SmolLM2-135M, {bits}"
        show(line, rows_per_second=speed, answered_per_second=answered, accuracy=right, **used)


LINES: tuple[Callable[[Bench], None], ...] = (smollm_tuned, minilm_tuned, scored, written, t5_tuned, quantised)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, required=True, help="the folder with ag_news and medqa")
    options.add_argument("--smollm", help="SmolLM2-135M-Instruct, a GGUF file or a folder")
    options.add_argument("--minilm", help="all-MiniLM-L6-v2, a folder")
    options.add_argument("--tiny", action="store_true", help="small models and few rows: only whether all of it runs")
    options.add_argument("--only", help="lines by name, separated by commas: " + ", ".join(f.__name__ for f in LINES))
    given = options.parse_args()
    print(f"torch {torch.__version__}, {torch.cuda.get_device_name() if torch.cuda.is_available() else 'no GPU'}")
    chosen = given.only.split(",") if given.only else [line.__name__ for line in LINES]
    with tempfile.TemporaryDirectory() as made:
        os.environ.setdefault("SLMFIT_CACHE", str(Path(made) / "cache"))
        bench = Bench(given.data, Path(made), given.tiny, given.smollm, given.minilm)
        for line in LINES:
            if line.__name__ not in chosen:
                continue
            if bench.left < 30:
                show(line.__name__, not_measured="no time left")
                continue
            began = time.monotonic()
            try:
                line(bench)
            except ImportError as error:
                show(line.__name__, not_measured=f"{error.name} is missing")
            except (SlmfitError, torch.OutOfMemoryError) as error:
                show(line.__name__, not_measured=str(error))
            print(f"  ({time.monotonic() - began:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
