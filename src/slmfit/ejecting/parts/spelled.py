"""Words: where a text is cut."""

from __future__ import annotations

from collections.abc import Sequence

from slmfit.tasks.splitting import split_by

GRAIN = "words"

Places = Sequence[tuple[int, int]]


def places(text: str) -> Places:
    """Where the words of a text stand."""
    return split_by(text, GRAIN)
