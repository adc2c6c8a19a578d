"""One label for a text, as JSON.

form = Labels(("billing", "delivery"))
form.write("billing", "my card was charged twice")     # '{"label": "billing"}'
form.read("billing", "…").target                       # "billing": bare, or as it is written
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from slmfit.records import Input, Prediction, Target
from slmfit.tasks.forms.base import INVALID, Form
from slmfit.tasks.replies import json_object, json_object_schema


class Labels(Form):
    """See the module."""

    name = "json"
    prompt = "labels.txt"

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = tuple(labels)
        self._known = frozenset(labels)

    def write(self, target: Target, input: Input) -> str:
        return json.dumps({"label": target}, ensure_ascii=False)

    def read(self, said: str | Mapping[str, Any], input: Input) -> Prediction:
        """A label as it is, else but for space around it, else as {"label": …}: in that order, as a label may itself
        look like either.
        """
        word: Any = None
        if isinstance(said, str):
            word = next((w for w in (said, said.strip()) if w in self._known), None)
            said = {} if word is not None else json_object(said) or {}
        if said.keys() == {"label"}:
            word = said["label"]
        return Prediction(word) if isinstance(word, str) and word in self._known else INVALID

    def candidates(self, input: Input) -> tuple[str, ...]:
        return self.labels

    def schema(self, input: Input) -> dict[str, Any]:
        return json_object_schema({"label": {"type": "string", "enum": list(self.labels)}})
