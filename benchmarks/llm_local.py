"""The method llm on llama.cpp's own server: SmolLM2-135M zero-shot and with 8 examples on rows of AG News.

    SLMFIT_DATA=../shared/data SLMFIT_GGUF=SmolLM2-135M-Instruct.Q4_1.gguf python benchmarks/llm_local.py --rows 300

Needs the wheel xllamacpp, here or in the Python that SLMFIT_LLAMA names. Prints for each of the two: outcomes, tokens
of an answer, rows with probabilities, the latency in the table beside the server's own timing of the same rows, and
the longest time without a word of progress.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import slmfit
from slmfit.cli.lines import Lines
from slmfit.data import load_data
from slmfit.records import Example

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
import llama_server

ROWS = {"train": 1000, "validation": 100}


class Heard:
    """Prints progress as the command line does, and keeps when it was told of each method."""

    def __init__(self) -> None:
        self.at: dict[str, list[float]] = {}
        self.slots: int | None = None
        self._lines = Lines(print)

    def __call__(self, kind: str, fields: Mapping[str, Any]) -> None:
        self._lines.told(kind, fields)
        self.at.setdefault(fields.get("run", ""), []).append(time.monotonic())
        self.slots = fields.get("slots", self.slots)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=300, help="of the test set, drawn by chance")
    parser.add_argument("--slots", type=int, default=2, help="asks that the server works on at once")
    parser.add_argument("--threads", type=int, default=1, help="of the server")
    given = parser.parse_args()
    if "SLMFIT_DATA" not in os.environ or not llama_server.HERE:
        raise SystemExit(f"skipped: set SLMFIT_DATA to the folder that holds ag_news; {llama_server.WANTED}")
    with tempfile.TemporaryDirectory() as place, llama_server.serving(given.slots, 2048, given.threads) as url:
        os.environ["SLMFIT_CACHE"] = place
        run(Path(place), url, given.rows)


def run(place: Path, url: str, rows: int) -> None:
    """Compare, and print what the servers' answers took."""
    files = drawn(place, {**ROWS, "test": rows})
    data = load_data(files["train"], validation=files["validation"], test=files["test"])
    heard, settings = Heard(), {"llm": {"base_url": url}, "llm@few": {"base_url": url, "shots": 8}}
    made = slmfit.compare(
        data, "majority,linear,llm=smollm2,llm@few=smollm2", settings=settings, out=place / "out", listen=heard
    )
    print(f"\n{made.record.verdict.sentence}\n")
    for row in made.record.methods:
        if row.scores is None:
            raise SystemExit(f"{row.id}: {row.status}: {row.reason}")
        score = row.scores["test"]["accuracy"]
        print(f"{row.id}: accuracy {100 * score.value:.1f} % ({100 * score.low:.1f}–{100 * score.high:.1f})")
        if row.name == "llm":
            record = made.runs[row.id].record
            print(f"  how it was asked: {record.chosen['answers']}; on validation {record.search}")
            answered(Path(made.runs[row.id].folder) / "predictions.jsonl", row.latency_ms["p50"] / 1000)
            silence = max(later - before for before, later in itertools.pairwise(heard.at[row.id]))
            print(f"  longest time without a word of progress: {silence:.1f} s; slots told: {heard.slots}")


def answered(path: Path, p50: float) -> None:
    """What the answers to the test rows were and took."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    used = [row["usage"] for row in rows]
    alone = [usage for usage in used if usage.get("alone")]
    own = statistics.median(usage["server_seconds"] for usage in alone)
    tokens = Counter(usage["output_tokens"] for usage in used)
    print(f"  outcomes {dict(Counter(row['outcome'] for row in rows))}; tokens of an answer {dict(tokens)}")
    print(f"  answers {dict(Counter(str(row['prediction']) for row in rows))}")
    print(f"  with probabilities: {sum('probabilities' in row for row in rows)} of {len(rows)}")
    print(f"  p50 {p50:.3f} s ({len(alone)} rows one at a time), the server says {own:.3f} s: {p50 / own - 1:+.1%}")
    waited = statistics.median(usage["seconds"] for usage in used if not usage.get("alone"))
    print(f"  p50 of the others, as many at once as there are slots: {waited:.3f} s")


def drawn(place: Path, sizes: Mapping[str, int]) -> dict[str, str]:
    """Rows of each split, drawn by chance, as files."""
    folder, dice = Path(os.environ["SLMFIT_DATA"]) / "ag_news", random.Random(0)
    whole = load_data(str(folder / "train.csv.gz"), test=str(folder / "test.csv.gz"))
    files = {}
    for split, size in sizes.items():
        examples: Sequence[Example] = dice.sample(list(whole.splits[split]), size)
        path = place / f"{split}.jsonl"
        path.write_text("".join(json.dumps({"text": e.input, "label": e.target}) + "\n" for e in examples))
        files[split] = str(path)
    return files


if __name__ == "__main__":
    main()
