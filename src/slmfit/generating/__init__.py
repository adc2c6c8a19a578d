"""Labelled data written from a recipe.

    made = generate("emails", n=200, output="emails.jsonl")      # 200 e-mails with their entities and intents
    rows = write_tickets()              # 3,000 support tickets: {"id", "text", "label", "true_label", "form"}

A recipe is a TOML file: recipe.py says how one is read, docs/recipes.md how one is written.
"""

from __future__ import annotations

from slmfit.generating.recipe import read_recipe
from slmfit.generating.tickets import demo_data, write_tickets
from slmfit.generating.writing import Made, generate

__all__ = ["Made", "demo_data", "generate", "read_recipe", "write_tickets"]
