"""What data look like before anything is fitted: classes, lengths, twins, telling words, odd rows, doubtful labels.

    findings = explore(load_data("tickets.csv"))
    findings["telling_words"]["classes"][0]["words"][0]["word"]
    write_page(findings, Path("explore.html"))

Findings are JSON as they stand, and all that the page shows; the page computes nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from slmfit import storage
from slmfit.data.audit.audit import audit_dataset
from slmfit.data.dataset import Dataset
from slmfit.events import Listener
from slmfit.exploring.classes import class_groups, class_of
from slmfit.exploring.diagnostics import suspected_labels
from slmfit.exploring.entities import entity_types
from slmfit.exploring.lengths import text_lengths
from slmfit.exploring.oddities import odd_rows
from slmfit.exploring.words import telling_words
from slmfit.records import SPLITS
from slmfit.timing.work import counted, told_to, uncounted

FORMAT = "slmfit.exploration/1"


LENGTHS, AUDIT, WORDS, ODD = 0.04, 0.71, 0.83, 0.88  # how far it is after each part, by the time of AG News


def explore(data: Dataset, tokenizer: Path | None = None, listen: Listener | None = None) -> dict[str, Any]:
    """Everything there is to see in a dataset. Counts, lengths and twins are of all splits; what reads texts together
    with their labels (telling words, doubtful labels) leaves the test split alone.

    tokenizer: a folder with a tokenizer.json, or that file, whose tokens are counted; None = tokens are estimated.
    listen: told how far it is.

    Returns {"format", "dataset": {"name", "task", "fingerprint", "notes"}, "rows": {split: n}, "classes": see
    `class_groups`, "lengths": see `text_lengths`, "audit": see `slmfit.data.audit.audit`, "telling_words": see
    `telling_words`, "odd_rows": see `odd_rows`, "entities": see `entity_types`, "suspects": see
    `diagnostics.suspected_labels`}; the last two are empty where a task has none.
    Raises UsageError when the tokenizer cannot be read.
    """
    rows = [(split, example) for split in SPLITS for example in data.splits[split]]
    texts = [data.task.text(example.input) for _, example in rows]
    classes = [class_of(data.task, example) for _, example in rows]
    seen = [i for i, (split, _) in enumerate(rows) if split != "test"]
    about = {"name": data.name, "task": data.task.name, "fingerprint": data.fingerprint, "notes": list(data.notes)}
    with counted(told_to(listen), "looking at", len(rows)) as work, uncounted():
        lengths = text_lengths(texts, classes, tokenizer)  # first: a tokenizer that cannot be read is said at once
        work.reached(LENGTHS * len(rows))
        audit = audit_dataset(data)
        work.reached(AUDIT * len(rows))
        telling = telling_words([texts[i] for i in seen], [classes[i] for i in seen])
        work.reached(WORDS * len(rows))
        odd = odd_rows(rows, texts, audit)
        work.reached(ODD * len(rows))
        suspects = suspected_labels(data, seed=0) if data.task.classifies else {}
    return {
        "format": FORMAT,
        "dataset": about,
        "rows": {split: len(data.splits[split]) for split in SPLITS},
        "classes": class_groups(data),
        "lengths": lengths,
        "audit": audit,
        "telling_words": telling,
        "odd_rows": odd,
        "entities": entity_types(data),
        "suspects": suspects,
    }


def write_page(findings: dict[str, Any], path: Path) -> None:
    """Draw findings as one self-contained HTML file. Raises SlmfitError when it cannot be written."""
    from slmfit.exploring.page import draw

    storage.make_folder(path.parent)
    storage.write_output(path, draw(findings))
