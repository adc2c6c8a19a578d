"""SmolLM2-135M in fp32, bf16, 8 and 4 bit on the CPU: memory while it answers, and what the score loses; QLoRA.

    SLMFIT_DATA=../shared/data python benchmarks/quantised.py answers BASE [--rows 200]
    SLMFIT_DATA=../shared/data python benchmarks/quantised.py tuned BASE [--epochs 1]

BASE: SmolLM2-135M-Instruct, a GGUF file or a folder. answers: untuned, on questions of ARC-Easy (by the sum) and
OpenBookQA (by character), each width in a process of its own; what is kept of the weights, and the most memory of the
process from loaded to the last answer. tuned: adapters beside 4-bit weights on the 200 e-mails, saved and loaded again.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from emails import write_splits
from options import questions, untuned

import slmfit
from slmfit.evidence.statistic import wilson
from slmfit.finetune.readings import READINGS, read
from slmfit.runs.measuring import forget_peak, peak_memory_bytes

WIDTHS = ("fp32", "bf16", "8bit", "4bit")
SETS = {"arc_easy": ("dev", "text"), "openbookqa": ("test", "characters")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("answers", "tuned"))
    parser.add_argument("base", help="SmolLM2-135M-Instruct: a GGUF file or a folder")
    parser.add_argument("--rows", type=int, default=200, help="questions of each set")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--width", choices=WIDTHS, help="this one alone, in this process")
    given = parser.parse_args()
    if given.part == "tuned":
        tuned(given.base, given.epochs)
    elif given.width:
        answers(given.base, given.width, given.rows)
    else:
        for width in WIDTHS:
            command = [sys.executable, __file__, "answers", given.base, "--rows", str(given.rows), "--width", width]
            subprocess.run(command, check=True)


def answers(base: str, width: str, count: int) -> None:
    """One width: a line on its memory, and one on each set."""
    method = untuned(base, width if width.endswith("bit") else None)
    if width == "bf16":
        method.model.to(torch.bfloat16)
    tensors = {t.data_ptr(): t.nbytes for t in (*method.model.parameters(), *method.model.buffers())}
    forget_peak()
    begin = time.process_time()
    said = []
    for name, (split, reading) in SETS.items():
        rows = questions(name, f"{split}.jsonl.gz", count)
        seen = method.head._seen(method.model, [e.input for e in rows], READINGS, method.max_length)
        found = [list(e.input.options)[int(read(reading, one).argmax())] for e, one in zip(rows, seen, strict=True)]
        score = wilson(sum(a == e.target for a, e in zip(found, rows, strict=True)), count)
        right = np.array([list(e.input.options).index(e.target) for e in rows])
        loss = -np.mean([one.text[n] for one, n in zip(seen, right, strict=True)])
        value, low, high = (100 * share for share in (score.value, score.low or 0, score.high or 0))
        said.append(f"{name} by {reading} {value:.1f} % [{low:.1f}, {high:.1f}], loss of the right text {loss:.3f}")
    took = (time.process_time() - begin) / (count * len(SETS))
    peak = (peak_memory_bytes() or 0) / 1e6
    print(f"{width}: weights {sum(tensors.values()) / 1e6:.0f} MB, peak of the process {peak:.0f} MB, {took:.2f} s of "
          f"processor time a question; {'; '.join(said)}", flush=True)  # fmt: skip


def tuned(base: str, epochs: int) -> None:
    """QLoRA: entities and intent of the e-mails, written; then the run loaded again gives the same answers."""
    with tempfile.TemporaryDirectory() as made:
        write_splits(Path(os.environ["SLMFIT_DATA"]) / "email_seed", Path(made) / "emails")
        data = slmfit.load_data(Path(made) / "emails")
        for quantise in (None, "4bit"):
            begin = time.process_time()
            settings = {"epochs": epochs, "learning_rate": 5e-4} | ({"quantise": quantise} if quantise else {})
            out = Path(made) / str(quantise)
            comparison = slmfit.compare(data, [f"causal={base}"], settings={"causal": settings}, out=out)
            (row,) = comparison.record.methods
            if row.scores is None:
                raise SystemExit(f"{row.status}: {row.reason}")
            scores = {split: {k: round(100 * v.value, 1) for k, v in s.items()} for split, s in row.scores.items()}
            peak, took = (row.peak_memory_bytes or 0) / 1e9, time.process_time() - begin
            print(f"{quantise or 'fp32'}: peak {peak:.2f} GB, {took:.0f} s of processor time; {json.dumps(scores)}")
            run = slmfit.load(out / "runs" / row.id)
            texts = [e.input for e in data.test]
            assert [p.target for p in run.predict(texts)] == [p.target for p in slmfit.load(run.folder).predict(texts)]


if __name__ == "__main__":
    main()
