"""The third seed project's own setting: its e-mails, entities and intent, and what generated ones add.

    SLMFIT_DATA=../shared/data python benchmarks/emails.py

Train on `dataset_2dae.json` (200 rows), validate on `dataset_e00a.json` (50), test on the other three files (30). Then
the same with 2,000 e-mails written from templates added to train. The encoder is the packaged MiniLM.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path

from common import base_model

import slmfit
from slmfit.generating import generate

SPLITS = {"train": ("2dae",), "validation": ("e00a",), "test": ("01a5", "9711", "e4e1")}
SHOWN = ("entity_f1", "intent_accuracy", "exact_match")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--added", type=int, default=2000, help="generated e-mails")
    options.add_argument("--seeds", type=int, default=3)
    given = options.parse_args()
    if "SLMFIT_DATA" not in os.environ:
        raise SystemExit("skipped: set SLMFIT_DATA to the folder that holds email_seed")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        write_splits(Path(os.environ["SLMFIT_DATA"]) / "email_seed", folder / "seed")
        generate("emails", n=given.added, output=folder / "generated.jsonl")
        comparison = slmfit.compare(
            slmfit.load_data(folder / "seed"),
            f"majority,linear,encoder={base_model()}",
            augment=folder / "generated.jsonl",
            seeds=given.seeds,
            out=folder / "out",
        )
    for row in comparison.record.methods:
        shown = {name: row.scores["test"][name] for name in SHOWN}
        words = (f"{n} {100 * s.value:.1f} ({100 * s.low:.1f}–{100 * s.high:.1f})" for n, s in shown.items())
        print(f"{row.id}: {', '.join(words)}; fit {row.fit_seconds:.0f} s")
    print(comparison.record.verdict.sentence)
    for caveat in comparison.record.verdict.caveats:
        print(caveat)


def write_splits(seed: Path, folder: Path) -> None:
    """The five files as one for each split."""
    folder.mkdir()
    for split, names in SPLITS.items():
        rows = [row for name in names for row in json.loads((seed / f"dataset_{name}.json").read_text())["dataset"]]
        (folder / f"{split}.json").write_text(json.dumps(rows))


if __name__ == "__main__":
    main()
