"""knn: nothing is trained, what is nearest answers.

    method = Knn(Settings(embeddings="models/potion-base-4m-int8"))
    method.fit(task, train, validation, Context())
    method.predict(["my card was charged twice"])[0].target    # "billing"

What differs by task is a part of its own: `voting.py` (the labels of the nearest texts) and `matching.py` (the option
that is nearest to its question, or to what was right of questions like it).
"""

from __future__ import annotations

from collections.abc import Collection

from slmfit.methods.by_task import ByTask
from slmfit.methods.knn.matching import Matcher
from slmfit.methods.knn.settings import WEIGHTINGS, Settings
from slmfit.methods.knn.voting import Voter

__all__ = ["WEIGHTINGS", "Knn", "Settings"]


class Knn(ByTask):
    """Labels by vote, options by nearness."""

    Settings = Settings
    base_model_setting = "embeddings"
    parts = {"text-classification": Voter, "multiple-choice": Matcher}

    def idle(self, task: str) -> Collection[str]:
        unused = () if self.settings.embeddings is None else ("dimension",)
        return unused if self.parts[task] is Voter else (*unused, "weighting")
