"""How much memory fine-tuning takes: `python benchmarks/finetune.py memory`. Every figure is of a process of its own.

    python benchmarks/memory.py many 1000000    # so many texts: tokenised, 100 steps with a tiny model, answered
    python benchmarks/memory.py minilm bf16     # MiniLM, tuned whole on AG News

Both go through `Encoder.fit` and `Encoder.predict` as a command does, with a token cache and a folder for checkpoints.
Memory is that of the whole process, Python, torch and the texts included.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import count, islice
from pathlib import Path
from typing import Any

from common import MAX_LENGTH, ag_news, base_model

from slmfit.finetune.loop import Training
from slmfit.generating import write_tickets
from slmfit.methods.base import Context
from slmfit.methods.encoder import Encoder, Settings
from slmfit.records import Example
from slmfit.runs.measuring import forget_peak, peak_memory_bytes
from slmfit.tasks.classification import TextClassification

STEPS = 100
TUNED_ROWS = 2_000  # of AG News, with MiniLM


def report(rows: int) -> None:
    """Many texts, a quarter of them first, so that what grows with them shows; then MiniLM in both precisions."""
    for part, given in (("many", rows // 4), ("many", rows), ("minilm", "fp32"), ("minilm", "bf16")):
        subprocess.run([sys.executable, __file__, part, str(given)], check=True)


def many(rows: int) -> None:
    """Many texts through a tiny model; the peak of each stage."""
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
    import tiny

    print(f"{rows:,} texts; before them {gigabytes(resident())}")
    examples = list(islice(tickets(), rows))
    task = TextClassification().with_labels(e.target for e in examples[:10_000])
    size = sum(sys.getsizeof(e) + sys.getsizeof(e.id) + sys.getsizeof(e.input) for e in examples)
    print(f"  made: {gigabytes(resident())}, of which the texts with their ids {gigabytes(size)}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        method = Encoder(Settings(base_model=tiny.encoder(folder / "base"), epochs=1))
        seen = stopped_after(STEPS)
        context = Context(cache=folder / "cache", work=folder / "work", event=staged)
        forget_peak()
        method.fit(task, examples, examples[:500], context)
        print(f"  {len(seen)} steps, {gigabytes(seen[9])} after 10 and {gigabytes(seen[-1])} at the end: peak {peak()}")
        forget_peak()
        answers = method.predict([e.input for e in examples])
        print(f"  {len(answers):,} answers: peak {peak()}", flush=True)


def minilm(precision: str) -> None:
    """MiniLM, whole."""
    data = ag_news()
    with tempfile.TemporaryDirectory() as folder:
        method = Encoder(Settings(base_model=base_model(), epochs=1, max_length=MAX_LENGTH, precision=precision))
        method.fit(data.task, data.train[:TUNED_ROWS], data.validation[:500], Context(work=Path(folder)))
        method.save(Path(folder))
    print(f"MiniLM, {precision}, {TUNED_ROWS:,} rows, {MAX_LENGTH} tokens, tuned and saved: peak {peak()}", flush=True)


def tickets() -> Iterator[Example]:
    """The demo's tickets, over and over, each time with another number."""
    written = write_tickets()
    for number in count():
        row = written[number % len(written)]
        yield Example(str(number), f"{row['text']} {number}", row["label"])


def staged(kind: str, **fields: Any) -> None:
    """A listener: the plan is made when the texts are tokenised."""
    if kind == "plan":
        print(f"  tokenised: peak {peak()}; batches of {fields['batch_tokens']:,} tokens")
        forget_peak()


def stopped_after(steps: int) -> list[int]:
    """Make a training end after so many steps; the memory after each comes into the list that is returned."""
    seen: list[int] = []
    step = Training._step

    def counted(training: Training, rows: Any) -> None:
        step(training, rows)
        seen.append(resident())
        if len(seen) == steps:
            training.plan = replace(training.plan, rows=training.progress.seen)

    Training._step = counted  # type: ignore[method-assign]
    return seen


def resident() -> int:
    """The memory of this process now, in bytes (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def peak() -> str:
    return gigabytes(peak_memory_bytes() or 0)


def gigabytes(count: int) -> str:
    return f"{count / 1e9:.2f} GB"


if __name__ == "__main__":
    part, given = sys.argv[1:]
    many(int(given)) if part == "many" else minilm(given)
