"""One label for a text, as JSON.

form = Labels(("billing", "delivery"))
form.write("billing", "my card was charged twice")     # '{"label": "billing"}'
form.read("billing", "…").target                       # "billing": bare, or as it is written
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from slmfit.records import Input, Pair, Prediction, Target
from slmfit.tasks.common import label_among
from slmfit.tasks.forms.base import INVALID, Form
from slmfit.tasks.grammar import BYTES, Grammar, Pieces, Words
from slmfit.tasks.replies import json_object, json_object_schema


class Labels(Form):
    """See the module."""

    name = "json"
    prompt = "labels.txt"

    def __init__(self, labels: Sequence[str], texts: Sequence[str] = ()) -> None:
        """texts: what the two texts of an input are called, where it is a pair."""
        self.labels, self.texts = tuple(labels), tuple(texts)
        self._known = frozenset(labels)

    def words(self, input: Input) -> str:
        return "\n".join(self.parts(input))

    def parts(self, input: Input) -> list[str]:
        """What stands between tags of its own: the text, or each of a pair under its name."""
        if not isinstance(input, Pair):
            return [str(input)]
        return [f"{name}: {text}" for name, text in zip(self.texts, (input.first, input.second), strict=True)]

    def write(self, target: Target, input: Input) -> str:
        return json.dumps({"label": target}, ensure_ascii=False)

    def read(self, said: str | Mapping[str, Any], input: Input) -> Prediction:
        """A label as it is, else but for space around it or as another spelling (`label_among`), else as {"label": …}:
        in that order, as a label may itself look like any of them.
        """
        word: Any = None
        if isinstance(said, str):
            word = said if said in self._known else label_among(said.strip(), self._known)
            said = {} if word is not None else json_object(said) or {}
        if said.keys() == {"label"}:
            word = said["label"]
            word = json.dumps(word) if isinstance(word, bool | int | float) else word
            word = label_among(word, self._known) if isinstance(word, str) else None
        return INVALID if word is None else Prediction(word)

    def candidates(self, input: Input) -> tuple[str, ...]:
        return self.labels

    def schema(self, input: Input) -> dict[str, Any]:
        return json_object_schema({"label": {"type": "string", "enum": list(self.labels)}})


class Named(Labels):
    """A label as it is, for a model that is held to a grammar of all of them."""

    name = "text"

    def write(self, target: Target, input: Input) -> str:
        return str(target)

    def example(self) -> str:
        """What an answer looks like."""
        return self.labels[0]

    @cached_property
    def grammar(self) -> Grammar:
        """Any label, and nothing else."""
        return Grammar({label.encode(): False for label in self.labels}, {})

    def copied(self, input: Input, pieces: Pieces = BYTES) -> Words:
        """Nothing of the text."""
        return Words([], [], [], pieces)
