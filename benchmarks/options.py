"""Options scored by a real model: beside lm-evaluation-harness, and the prompt read once beside every row in full.

    SLMFIT_DATA=../shared/data python benchmarks/options.py harness BASE --python VENV/bin/python
    SLMFIT_DATA=../shared/data python benchmarks/options.py speed BASE --rounds 5
    python benchmarks/options.py rule

BASE: SmolLM2-135M-Instruct, a GGUF file or a folder. VENV: an environment with `pip install "lm_eval[hf]==0.4.13"`.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from common import in_turns

from slmfit.errors import Where
from slmfit.evidence.statistic import wilson
from slmfit.finetune.pretrained import fetched
from slmfit.finetune.readings import READINGS, read
from slmfit.finetune.score import Kept, Reader, Whole, likelihoods
from slmfit.methods.base import Context
from slmfit.methods.causal import Causal, Settings
from slmfit.records import Example
from slmfit.tasks.choice import MultipleChoice

sys.path[:0] = [str(Path(__file__).resolve().parent.parent / "tests" / folder) for folder in ("", "methods")]
TASK = MultipleChoice()
SETS = {"arc_easy": "dev", "openbookqa": "test"}
YAML = """task: options
dataset_path: json
dataset_kwargs:
  data_files:
    test: {rows}
test_split: test
output_type: multiple_choice
doc_to_text: "{{{{prompt}}}}"
doc_to_choice: "{{{{choices}}}}"
doc_to_target: "{{{{right}}}}"
metric_list:
  - metric: acc
  - metric: acc_norm
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("harness", "speed", "rule"))
    parser.add_argument("base", nargs="?", help="SmolLM2-135M-Instruct: a GGUF file or a folder")
    parser.add_argument("--python", default="python", help="of an environment with lm_eval")
    parser.add_argument("--rows", type=int, default=None, help="200 beside the harness, 16 for speed")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    if args.part == "harness":
        for name, split in SETS.items():
            harness(args.base, name, split, args.rows or 200, args.python)
    elif args.part == "speed":
        speed(args.base, args.rows or 16, args.rounds)
    else:
        rule(args.rows or 2000)


def questions(name: str, file: str, count: int) -> list[Example]:
    """The first questions of a file, in its order."""
    path = Path(os.environ["SLMFIT_DATA"]) / name / file
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in itertools.islice(lines, count)]
    return [TASK.parse(row, Where(str(path), n), str(n)) for n, row in enumerate(rows, 1)]


def untuned(base: str, quantise: str | None = None) -> Causal:
    settings = {"base_model": base, "epochs": 0, "scoring": "text", "precision": "fp32", "max_length": 2048}
    method = Causal(Settings(**settings, quantise=quantise))
    method.fit(TASK, (), (), Context())
    return method


def harness(base: str, name: str, split: str, count: int, python: str) -> None:
    """All readings on the first questions; sum and per character beside acc and acc_norm, question by question."""
    method, rows = untuned(base), questions(name, f"{split}.jsonl.gz", count)
    begin = time.process_time()
    seen = method.head._seen(method.model, [e.input for e in rows], READINGS, method.max_length)
    each = (time.process_time() - begin) / len(rows)
    print(f"{name}, {len(rows)} questions, {each:.2f} s of processor time each")
    answers = {}
    for reading in READINGS:
        answers[reading] = [
            list(e.input.options)[int(read(reading, one).argmax())] for e, one in zip(rows, seen, strict=True)
        ]
        right = sum(found == e.target for found, e in zip(answers[reading], rows, strict=True))
        score = wilson(right, len(rows))
        value, low, high = (100 * share for share in (score.value, score.low or 0, score.high or 0))
        print(f"  {reading:10} {value:5.1f} % [{low:.1f}, {high:.1f}]  {dict(Counter(answers[reading]))}")
    theirs = asked_harness(fetched(base, lambda config: None), rows, method, python)
    sums = [np.array(one) for one in theirs]
    characters = [np.array([len(text) for text in e.input.options.values()]) for e in rows]
    apart = max(float(np.abs(ours.text - found).max()) for ours, found in zip(seen, sums, strict=True))
    share = max(float(np.abs(ours.text / found - 1).max()) for ours, found in zip(seen, sums, strict=True))
    print(f"  lm-evaluation-harness: log-likelihoods apart by {apart:.1e}, {share:.1e} relative, at most")
    for reading, found in (("text", sums), ("characters", [a / b for a, b in zip(sums, characters, strict=True)])):
        letters = [list(e.input.options)[int(one.argmax())] for e, one in zip(rows, found, strict=True)]
        same = sum(a == b for a, b in zip(letters, answers[reading], strict=True))
        right = sum(a == e.target for a, e in zip(letters, rows, strict=True))
        print(f"  {reading:10} {100 * right / len(rows):5.1f} % there, same letter {same} of {len(rows)}")


def asked_harness(folder: str, rows: Sequence[Example], method: Causal, python: str) -> list[list[float]]:
    """The log-likelihoods of all options by lm_eval, in its own process."""
    offers = [method.head.form.offer(e.input) for e in rows]
    told = [
        {
            "prompt": offer.prompt,
            "choices": list(e.input.options.values()),
            "right": list(offer.options).index(e.target),
        }
        for offer, e in zip(offers, rows, strict=True)
    ]
    with tempfile.TemporaryDirectory() as made:
        place = Path(made)
        (place / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in told))
        (place / "options.yaml").write_text(YAML.format(rows=place / "rows.jsonl"))
        offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
        command = [
            python,
            "-m",
            "lm_eval",
            "run",
            "--model",
            "hf",
            "--model_args",
            f"pretrained={folder},dtype=float32",
        ]
        command += ["--tasks", "options", "--include_path", made, "--device", "cpu", "--batch_size", "4"]
        command += ["--log_samples", "--output_path", str(place / "out")]
        done = subprocess.run(command, env=os.environ | offline, capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr[-2000:])
        print("\n".join(line for line in done.stdout.splitlines() if "acc" in line))
        (file,) = (place / "out").rglob("samples_*.jsonl")
        samples = [json.loads(line) for line in file.read_text().splitlines()]
    samples.sort(key=lambda one: one["doc_id"])
    return [[float(pair[0]) for pair in one["filtered_resps"]] for one in samples]


def speed(base: str, count: int, rounds: int) -> None:
    """MedQA: one thread; the prompt once, in batches and a question at a time, beside every row in full."""
    torch.set_num_threads(1)
    method = untuned(base)
    rows = questions("medqa", "medqa_us_4opt_test.jsonl.gz", count)
    asked = method.head._tokens(method.head._offers([e.input for e in rows], lettered=False))
    lengths = [np.mean([len(p) for p in asked.prompts]), np.mean([len(o) for row in asked.options for o in row])]
    whole = sum(len(p) + len(o) for p, row in zip(asked.prompts, asked.options, strict=True) for o in row)
    print(f"{count} questions, prompts of {lengths[0]:.1f} tokens, options of {lengths[1]:.2f}: full rows have "
          f"{whole / asked.lengths.sum():.2f} times the tokens")  # fmt: skip
    found: dict[str, list[np.ndarray]] = {}

    def recipe(name: str, reader: Reader, tokens: int | None) -> Callable[[], float]:
        def work() -> float:
            begin = time.process_time()
            made = likelihoods(method.model, asked, method.backbone.device, 0, reader=reader, tokens=tokens)
            found[name] = made
            return time.process_time() - begin

        return work

    ways = {"every row in full": (Whole(), None), "prompt once": (Kept(), None), "a question at a time": (Kept(), 1)}
    in_turns({name: recipe(name, *way) for name, way in ways.items()}, rounds, "s of processor time")
    first = found["every row in full"]
    for name in list(ways)[1:]:
        same = sum(int(a.argmax() == b.argmax()) for a, b in zip(first, found[name], strict=True))
        apart = max(float(np.abs(a / b - 1).max()) for a, b in zip(first, found[name], strict=True))
        print(f"{name}: same answer {same} of {count}, {apart:.1e} relative apart at most")


def rule(count: int) -> None:
    """A Llama of millions of random weights on questions with a rule; then one that learns to say "A"."""
    from ruled import permuted, questions

    import tiny

    torch.set_num_threads(1)
    train, held = questions(count, 1), questions(500, 3, held=True)
    shape = {"hidden_size": 256, "num_hidden_layers": 4, "intermediate_size": 688, "num_attention_heads": 8}
    told = [f"{e.input.question} {' '.join(e.input.options.values())} Question: Answer:" for e in train[:300]]
    task = MultipleChoice(tuple("ABCD"))

    def share(method: Causal, rows: Sequence[Example]) -> str:
        answers = method.predict([e.input for e in rows])
        found = task.score([e.target for e in rows], answers)
        said = {one["letter"]: round(one["answered"], 2) for one in found.details["by_letter"]}
        return f"{100 * found.values['accuracy'].value:.1f} %, answered {said}"

    with tempfile.TemporaryDirectory() as made:
        base = tiny.causal(made, texts=told, words=600, **shape)
        quick = {"base_model": base, "lora": False, "learning_rate": 1e-3, "batch_tokens": 2048}
        begin = time.process_time()
        method = Causal(Settings(**quick, epochs=6, scoring="text"))
        method.fit(task, train, questions(100, 2), Context())
        weights = sum(weight.numel() for weight in method.model.parameters())
        print(f"{weights:,} weights, {time.process_time() - begin:.0f} s of processor time", flush=True)
        print("by text, unseen combinations:", share(method, held), flush=True)
        for seed in range(3):
            print("  options permuted:", share(method, [permuted(e, seed) for e in held]), flush=True)
        always = [questions(n, seed, held=seed == 3, always="A") for n, seed in ((600, 1), (50, 2), (500, 3))]
        method = Causal(Settings(**quick, epochs=1, scoring="letter"))
        method.fit(task, *always[:2], Context())
        print('trained on "always A", by letter:', share(method, always[2]), flush=True)
        print("  options permuted:", share(method, [permuted(e, 0) for e in always[2]]), flush=True)


if __name__ == "__main__":
    main()
