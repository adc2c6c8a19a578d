"""The run: where its model is, from this file on, and what everything random began with."""

from __future__ import annotations

from pathlib import Path

FOLDER = "model"
SEED = 0
MODEL = Path(__file__).resolve().parent / FOLDER
