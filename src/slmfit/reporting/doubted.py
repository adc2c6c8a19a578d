"""Test rows that every method answers alike, and not as they are labelled: mistakes of all, or of the labels.

against_labels(source)      # (212, 3607)
"""

from __future__ import annotations

from typing import Any

from slmfit.reporting.disk import Source, read_lines
from slmfit.reporting.headline import real
from slmfit.text.figures import number_of, percent, verb_of

CEILING = "How often two people would agree, and so what score can be reached, this page does not know."


def against_labels(source: Source) -> tuple[int, int] | None:
    """How many, of how many that all methods answered; None where fewer than two methods' answers are at hand."""
    ids = [row.id for row in real(source) if row.id in source.folders]
    if len(ids) < 2:
        return None
    answered: list[dict[str, Any]] = []
    truth: dict[str, Any] = {}
    for id in ids:
        answered.append(said := {})
        for one in read_lines(source.folders[id] / "predictions.jsonl"):
            if one["split"] == "test":
                truth[one["id"]] = one["target"]
                said[one["id"]] = one["prediction"] if one["outcome"] == "ok" else None
    first, *others = answered
    shared = [row for row in first if all(row in said for said in others)]
    wrong = [row for row in shared if first[row] is not None and first[row] != truth[row]]
    return sum(all(said[row] == first[row] for said in others) for row in wrong), len(shared)


def doubted(source: Source) -> str:
    """What is known of the labels of the test rows, and that their own ceiling is not; empty where nothing is."""
    found = against_labels(source)
    if not found or not found[0]:
        return ""
    count, of = found
    methods = len(real(source))
    every = "both" if methods == 2 else f"all {methods}"
    return (
        f"{number_of(count, 'test text')} ({percent(count / of)}) {verb_of(count, 'are')} answered alike by "
        f"{every} methods, and not as labelled: they are hard, or the label is wrong. {CEILING}"
    )
