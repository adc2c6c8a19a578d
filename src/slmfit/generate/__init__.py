"""Labelled data written from a recipe.

    rows = write_tickets()      # 3,000 support tickets: {"id", "text", "label", "true_label", "form"}

A recipe is a TOML file of word lists and templates in `recipes/`; `recipe.py` says how to read one.
"""

from __future__ import annotations

from slmfit.generate.recipe import read_recipe
from slmfit.generate.templates import Row, TemplateWriter

__all__ = ["Row", "TemplateWriter", "read_recipe", "write_tickets"]


def write_tickets(n: int = 3000, seed: int = 0) -> list[Row]:
    """The data of `slmfit demo`: n support tickets in 7 categories; the same seed gives the same bytes."""
    return TemplateWriter(read_recipe("tickets")).write(n, seed)
