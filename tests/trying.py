"""A method whose score is known, for tests and benchmarks of tuning: `trying:Scripted`.

How often it is right depends on its settings alone, and on which rows on these and the seed.
"""

import json
from dataclasses import dataclass
from random import Random

from slmfit.methods.base import Method, setting
from slmfit.records import Prediction


@dataclass(frozen=True)
class Settings:
    place: float = setting(0.2, "Best at 0.8.", low=0, search=(0, 1))
    rows: int | None = setting(None, "Does nothing.", low=1, search=(1, 64, "log"))
    word: str = setting("plain", "Does nothing.", choices=("plain", "fancy"), search=("plain", "fancy"))
    height: float = setting(0.0, "What the best place is worth.", low=0)
    epochs: int = setting(0, "How often it tells a score while it trains.", low=0)
    broken: bool = setting(False, "Fail where `place` is above a half.")


class Scripted(Method):
    Settings = Settings
    trained = True

    def fit(self, task, train, validation, context):
        s = self.settings
        if s.broken and s.place > 0.5:
            raise RuntimeError("the place is too high")
        self.share = 0.6 + s.height * (1 - abs(s.place - 0.8))
        self.key = json.dumps([s.place, s.rows, s.word, context.seed])
        self.answers = {e.input: e.target for e in (*train, *validation)}
        self.labels = task.labels
        self.chosen = {"rows": s.rows or 8}
        for epoch in range(1, s.epochs + 1):
            score = {"accuracy": self.share * epoch / s.epochs, "loss": 1.0}
            context.event("loss", split="validation", measured="evaluated", epoch=float(epoch), **score)

    def predict(self, inputs):
        found = []
        for text in inputs:
            right, rng = self.answers.get(text, self.labels[0]), Random(f"{text} {self.key}")
            wrong = [label for label in self.labels if label != right]
            found.append(Prediction(right if rng.random() < self.share else rng.choice(wrong)))
        return found

    def save(self, folder):
        raise NotImplementedError

    @classmethod
    def load(cls, folder, task, settings):
        raise NotImplementedError
