"""The settings of `knn`, whatever its task; docs/settings.md and `slmfit explain` show what stands here."""

from __future__ import annotations

from dataclasses import dataclass

from slmfit import embeddings
from slmfit.methods.base import setting

WEIGHTINGS: dict[str, float | None] = {"uniform": None, "softmax-0.2": 0.2, "softmax-0.1": 0.1, "softmax-0.05": 0.05}


@dataclass(frozen=True)
class Settings:
    """What `--set knn.NAME=VALUE` sets."""

    embeddings: str | None = setting(None, embeddings.CHOICE)
    k: int | None = setting(
        None,
        "How many neighbours vote. none: the best of 1 to 100 on validation; for multiple choice also none at all, "
        "where an option is compared with its own question.",
        low=1,
        search=(1, 100, "log"),
    )
    weighting: str | None = setting(
        None,
        "What a vote weighs. uniform: one; softmax-T: exp((similarity - 1) / T), so a small T heeds only the nearest. "
        "none: the best on validation.",
        choices=tuple(WEIGHTINGS),
        search=tuple(WEIGHTINGS),
    )
    dimension: int = setting(
        384, "How many directions LSA keeps at most; more cost bytes and time.", low=1, search=(64, 768, "log")
    )
