"""The spans: the likeliest sequence of tags by a conditional random field. Each attribute of a word weighs for or
against each tag, and so does each step from one tag to the next.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from slmfit.ejecting.parts.bio import Spans, spans_of, tags_for
from slmfit.ejecting.parts.clusters import clusters_around
from slmfit.ejecting.parts.cutting import Places, places
from slmfit.ejecting.parts.linear import Classifier
from slmfit.methods.linear.words import attributes

REACH = "near"  # what a word is told of others: near, two words on each side; far, also the twelve before it
C1, C2 = 0.1, 0.01


def told(text: str, words: Places) -> list[list[str]]:
    """The attributes of each word of a text."""
    spelled = [text[start:end] for start, end in words]
    # [clusters]
    both = zip(attributes(spelled, REACH), clusters_around(spelled), strict=True)
    return [[*own, *more] for own, more in both]
    # [/clusters]
    # [plain]
    return attributes(spelled, REACH)
    # [/plain]


class Tagger:
    """The tags and attributes in crf.json, their weights in crf.safetensors."""

    def __init__(self, folder: Path) -> None:
        about = json.loads((folder / "crf.json").read_text(encoding="utf-8"))
        tensors = load_file(folder / "crf.safetensors")
        self.tags, self.steps = about["tags"], tensors["transitions"]  # steps: [from, to]
        self.number = {attribute: i for i, attribute in enumerate(about["attributes"])}
        # Attribute i has weights[starts[i]:starts[i + 1]], for the tags columns[starts[i]:starts[i + 1]].
        self.starts, self.columns, self.weights = tensors["starts"], tensors["columns"], tensors["weights"]
        # [intents]
        self.intents = Classifier(folder / "intent")
        # [/intents]

    def find(self, given: str | Sequence[str]) -> tuple[Spans, dict[str, float]]:
        """The spans of a text, or of tokens joined by spaces, and the probability of every intent."""
        words, text = places(given), given if isinstance(given, str) else " ".join(given)
        path = self._best(told(text, words)) if words else []
        shares: dict[str, float] = {}
        # [intents]
        [(_, shares)] = self.intents.predict([text])
        # [/intents]
        return spans_of([self.tags[tag] for tag in path], words), shares

    def _best(self, words: list[list[str]]) -> list[int]:
        """The likeliest tags (Viterbi)."""
        scores = np.zeros((len(words), len(self.tags)))
        for own, names in zip(scores, words, strict=True):
            for i in (self.number[name] for name in names if name in self.number):
                some = slice(self.starts[i], self.starts[i + 1])
                own[self.columns[some]] += self.weights[some]
        total, came = scores[0], []
        for own in scores[1:]:
            ways = total[:, None] + self.steps
            came.append(ways.argmax(axis=0))
            total = ways.max(axis=0) + own
        path = [int(total.argmax())]
        for before in reversed(came):
            path.append(int(before[path[-1]]))
        return path[::-1]


def train_spans(texts: Sequence[str], spans: Sequence[Spans], file: str = "spans.crfsuite") -> None:
    """Learn the weights anew with the values above, into a file that pycrfsuite.Tagger opens; needs python-crfsuite.

    slmfit also chooses these values on validation, and of rows that came as tokens learns both spellings.
    """
    import pycrfsuite

    trainer = pycrfsuite.Trainer(algorithm="lbfgs", params={"c1": C1, "c2": C2, "max_iterations": 60}, verbose=False)
    for text, theirs in zip(texts, spans, strict=True):
        if words := places(text):
            trainer.append(told(text, words), tags_for(theirs, words))
    trainer.train(file)
