"""A linear-chain conditional random field: the best tags of a text's words, and how sure they are.

    crf = Crf.load(folder)
    scores, = crf.scores([[["w=fly"], ["w=to"], ["w=rome", "-1=to"]]])    # float64 [words, tags]
    path = crf.best(scores)                                               # [0, 0, 1]: places in crf.tags
    Chances(scores, crf.transitions).of(path, 2, 3)                       # of tag 1 on the third word

A text's tags y weigh sum(scores[t, y[t]]) + sum(transitions[y[t - 1], y[t]]), and their probability is the exponential
of that over the sum for all sequences (Lafferty, McCallum and Pereira, "Conditional random fields", ICML 2001). Numpy
alone. Sums run in the order in which CRFsuite's do, on the same float64 weights, so the best tags are the same to the
last tie, and one text gets the same bits as many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from slmfit import storage

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Words = Sequence[Sequence[str]]  # of one text: the attributes of each word

AT_ONCE = 4_000_000  # scores that are added up together


@dataclass(frozen=True)
class Crf:
    """Tags, attributes and their weights.

    tags: sorted by first appearance. attributes: those with a weight. The weights of attribute i are
    weights[starts[i]:starts[i + 1]], for the tags columns[starts[i]:starts[i + 1]]. transitions: [from, to].
    """

    tags: tuple[str, ...]
    attributes: tuple[str, ...]
    starts: NDArray[np.int32]  # [attributes + 1]
    columns: NDArray[np.int32]
    weights: Floats
    transitions: Floats  # [tags, tags]

    def scores(self, texts: Sequence[Words]) -> list[Floats]:
        """What the attributes of each word say for each tag: [words, tags] of every text."""
        found: list[Floats] = []
        most = max(1, AT_ONCE // max(1, len(self.tags)))
        part: list[Words] = []
        size = 0
        for text in texts:
            if size + len(text) > most:
                found += self._scores(part)
                part, size = [], 0
            part.append(text)
            size += len(text)
        return found + self._scores(part)

    def best(self, scores: Floats) -> Ints:
        """The likeliest tags (Viterbi), int64 [words]; of equally likely ones those that come first."""
        length = len(scores)
        path = np.zeros(length, np.int64)
        if length == 0:
            return path
        came = np.empty((length, len(self.tags)), np.int64)
        every = np.arange(len(self.tags))
        total = scores[0]
        for t in range(1, length):
            ways = self._arriving + total  # [to, from]
            came[t] = ways.argmax(axis=1)
            total = ways[every, came[t]] + scores[t]
        path[-1] = total.argmax()
        for t in range(length - 1, 0, -1):
            path[t - 1] = came[t, path[t]]
        return path

    def save(self, folder: Path) -> None:
        from safetensors.numpy import save_file

        tensors: dict[str, NDArray] = {"starts": self.starts, "columns": self.columns, "weights": self.weights}
        save_file({**tensors, "transitions": self.transitions}, folder / "crf.safetensors")
        storage.write_json(folder / "crf.json", {"tags": self.tags, "attributes": self.attributes})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """As it was saved."""
        from safetensors.numpy import load_file

        about = storage.read_json(folder / "crf.json", "tags", "attributes")
        return cls(tuple(about["tags"]), tuple(about["attributes"]), **load_file(folder / "crf.safetensors"))

    def _scores(self, texts: Sequence[Words]) -> list[Floats]:
        lengths = [len(text) for text in texts]
        numbers = self._numbers
        known = [[n for a in word if (n := numbers.get(a)) is not None] for text in texts for word in text]
        rows = np.array([n for word in known for n in word], np.int64)
        counts = self.starts[rows + 1] - self.starts[rows]
        words = np.repeat(np.repeat(np.arange(len(known)), [len(word) for word in known]), counts)
        places = np.repeat(self.starts[rows] - (np.cumsum(counts) - counts), counts) + np.arange(len(words))
        cells = words * len(self.tags) + self.columns[places]
        sums = np.bincount(cells, self.weights[places], len(known) * len(self.tags))
        return np.split(sums.reshape(-1, len(self.tags)), np.cumsum(lengths)[:-1]) if texts else []

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {attribute: i for i, attribute in enumerate(self.attributes)}

    @cached_property
    def _arriving(self) -> Floats:
        """[to, from]"""
        return np.ascontiguousarray(self.transitions.T)


class Chances:
    """Probabilities of stretches of tags, all other words left open: forward-backward, scaled at each word.

    scores: [words, tags] of one text. transitions: [from, to].
    """

    def __init__(self, scores: Floats, transitions: Floats) -> None:
        self.states = np.exp(scores - scores.max(axis=1, keepdims=True))
        self.steps = np.exp(transitions - transitions.max())
        self.before, self.scales = self._forward()
        self.after = self._backward()

    def of(self, path: Sequence[int] | Ints, begin: int, end: int, not_then: Sequence[int] = ()) -> float:
        """That the words from `begin` up to `end` have the tags path[begin:end], and the next none of `not_then`."""
        share = self.before[begin, path[begin]]
        for t in range(begin + 1, end):
            share *= self.steps[path[t - 1], path[t]] * self.states[t, path[t]] / self.scales[t]
        if end == len(self.states) or not len(not_then):
            return float(share * self.after[end - 1, path[end - 1]])
        ahead = self.steps[path[end - 1]] * self.states[end] * self.after[end] / self.scales[end]
        ahead[list(not_then)] = 0
        return float(share * ahead.sum())

    def _forward(self) -> tuple[Floats, Floats]:
        """[words, tags]: the share of each tag by all words up to its own. [words]: what each was divided by."""
        found, scales = np.empty_like(self.states), np.empty(len(self.states))
        for t, state in enumerate(self.states):
            found[t] = state if t == 0 else (found[t - 1] @ self.steps) * state
            scales[t] = found[t].sum()
            found[t] /= scales[t]
        return found, scales

    def _backward(self) -> Floats:
        """[words, tags]: what the words after it make of each share."""
        found = np.ones_like(self.states)
        for t in range(len(self.states) - 1, 0, -1):
            found[t - 1] = self.steps @ (self.states[t] * found[t] / self.scales[t])
        return found
