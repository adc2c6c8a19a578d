"""The demo's data: support tickets, written in one stream of chance so that the same seed gives the same bytes.

write_tickets()[0]
# {"id": "tickets-0001", "text": "Hi, where is my parcel?", "label": "delivery", "true_label": "delivery", ...}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random
from typing import Any

from slmfit.data.dataset import Dataset
from slmfit.data.load import load_data
from slmfit.errors import UsageError
from slmfit.generating.chance import allot, pick, shuffled
from slmfit.generating.recipe import Recipe, read_recipe
from slmfit.generating.templates import TemplateWriter

Row = dict[str, Any]  # id, text, label, true_label (another than label where the recipe plants a wrong one), form


def write_tickets(n: int = 3000, seed: int = 0) -> list[Row]:
    """The data of `slmfit demo`: n support tickets in 7 categories; the same seed gives the same bytes."""
    return write_rows(read_recipe("tickets"), n, seed)


def demo_data(seed: int = 0) -> Dataset:
    """The data of `slmfit demo`, split as there: 3,000 support tickets in 7 categories, written from a recipe.

    About 2 % of the labels are wrong on purpose. seed: of the texts and of the split.
    """
    rows = [{name: row[name] for name in ("id", "text", "label")} for row in write_tickets(seed=seed)]
    return load_data(rows, name="tickets", seed=seed)


def write_rows(recipe: Recipe, n: int, seed: int) -> list[Row]:
    """n rows in random order; labels come in exactly their shares before wrong ones are planted.

    No two texts are the same, nor do any two differ only in numbers, case or punctuation.
    Raises UsageError when n < 1 or the recipe cannot write so many different texts.
    """
    if n < 1:
        raise UsageError(f"cannot write {n} rows", fix="ask for at least 1")
    rng, writer = Random(seed), TemplateWriter(recipe)
    seen: set[str] = set()
    rows: list[Row] = []
    for number, label in enumerate(shuffled(rng, allot(n, recipe.shares)), start=1):
        form, text = _new_text(writer, label, rng, seen)
        row_id = f"{recipe.name}-{number:04}"
        rows.append({"id": row_id, "text": text, "label": label, "true_label": label, "form": form})
    plant_wrong_labels(rows, recipe.shares, recipe.wrong_label, rng)
    return rows


def _new_text(writer: TemplateWriter, label: str, rng: Random, seen: set[str]) -> tuple[str, str]:
    for _ in range(200):
        form, text = writer.text(rng, label)
        key = re.sub(r"[\W\d_]+", " ", text.text.lower())
        if key not in seen:
            seen.add(key)
            return form, text.text
    raise UsageError(
        f"the recipe {writer.recipe.name!r} ran out of different texts for {label!r} after {len(seen)} rows",
        fix="ask for fewer rows or give the recipe more phrases",
    )


def plant_wrong_labels(rows: list[Row], shares: Mapping[str, float], share: float, rng: Random) -> None:
    """Give that share of the rows another label; `true_label` keeps the right one."""
    for row in shuffled(rng, rows)[: round(share * len(rows))]:
        row["label"] = pick(rng, [name for name in shares if name != row["true_label"]])
