"""Rows that are no ordinary text: empty, very long, mostly something else than letters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from slmfit.data.audit.findings import EXAMPLES, excerpt
from slmfit.records import Example
from slmfit.tasks.answers import target_to_json

FEW_LETTERS = 0.5  # of the visible characters
VISIBLE = 8  # characters that a text must have before its share of letters means something


def odd_rows(rows: Sequence[tuple[str, Example]], texts: Sequence[str], audit: dict[str, Any]) -> list[dict[str, Any]]:
    """Kinds of odd rows: {"kind": empty, very_long or few_letters, "count", "message", "examples": [{"id", "split",
    "label", "text", …}]}. rows, texts: of all splits. Empty and very long are what the audit found.
    """
    found = []
    for kind, name in ("empty_text", "empty"), ("long_text", "very_long"):
        for finding in audit["findings"]:
            if finding["kind"] == kind:
                examples = [
                    {**row, **{k: v for k, v in example.items() if k != "rows"}}
                    for example in finding["examples"]
                    for row in example["rows"]
                ]
                found.append(
                    {"kind": name, "count": finding["count"], "message": finding["message"], "examples": examples}
                )
    shares = _letters(texts)
    few = np.flatnonzero(shares < FEW_LETTERS)
    if len(few):
        few = few[np.argsort(shares[few], kind="stable")]
        verb = "is" if len(few) == 1 else "are"
        message = f"{len(few):,} of {len(texts):,} texts {verb} mostly digits, punctuation or symbols."
        shown = few[:EXAMPLES].tolist()
        examples = [{**_example(rows[k], texts[k]), "letters": round(float(shares[k]), 3)} for k in shown]
        found.append({"kind": "few_letters", "count": len(few), "message": message, "examples": examples})
    return found


def _letters(texts: Sequence[str]) -> np.ndarray:
    """The share of letters and their marks among the visible characters [n]; 1 where these are too few."""
    import polars as pl

    column = pl.Series([text.encode("utf-8", "replace").decode() for text in texts], dtype=pl.String)
    visible = column.str.count_matches(r"\S").to_numpy().astype(float)
    letters = column.str.count_matches(r"[\p{L}\p{M}]").to_numpy().astype(float)
    return np.where(visible >= VISIBLE, letters / np.maximum(visible, 1), 1.0)


def _example(row: tuple[str, Example], text: str) -> dict[str, Any]:
    split, example = row
    target = target_to_json(example.target)
    label = target if isinstance(target, str) else target and target["intent"]
    return {"id": example.id, "split": split, "label": label, "text": excerpt(text)}
