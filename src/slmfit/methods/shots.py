"""Examples that are shown to a model before its row, from train only: the same for every row, or those most like it.

shots = PerClass.of(task, train, 8, seed=0)
shots = Nearest.of(task, train, 8, seed=0)
shots.before(["my card was charged twice"])[0]      # at most 8 examples with their targets
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Protocol, Self

from slmfit import embeddings, storage
from slmfit.embeddings import Embedding, Index
from slmfit.errors import Where
from slmfit.records import Example, Input
from slmfit.tasks.base import Task

FILE = "examples.jsonl"


class Shots(Protocol):
    """Where the examples come from."""

    def before(self, inputs: Sequence[Input]) -> list[Sequence[Example]]:
        """The examples to show before each of the inputs, in the order in which to show them."""
        ...

    def save(self, folder: Path) -> None:
        """Write all that `load` needs into an existing folder."""
        ...


class PerClass:
    """The same before every row: one of each class in turn, until there are enough."""

    def __init__(self, task: Task, examples: Sequence[Example]) -> None:
        self.task, self.examples = task, examples

    @classmethod
    def of(cls, task: Task, train: Sequence[Example], n: int, seed: int) -> Self:
        """Draw n examples, as many of each class as of another; which classes have one more is drawn too."""
        rng = Random(seed)
        by_class: dict[str, list[Example]] = {}
        for example in train:
            if example.target is not None:
                by_class.setdefault(task.label(example.target), []).append(example)
        classes = [by_class[name] for name in sorted(by_class)]
        rng.shuffle(classes)
        for members in classes:
            rng.shuffle(members)
        turns = max(map(len, classes), default=0)
        drawn = [members[turn] for turn in range(turns) for members in classes if turn < len(members)]
        return cls(task, drawn[:n])

    def before(self, inputs: Sequence[Input]) -> list[Sequence[Example]]:
        return [self.examples] * len(inputs)

    def save(self, folder: Path) -> None:
        _write(self.task, self.examples, folder)

    @classmethod
    def load(cls, task: Task, folder: Path) -> Self:
        return cls(task, _read(task, folder))


class Nearest:
    """The n train rows that are most like the row by LSA; the most like it last, where it is freshest in mind."""

    def __init__(self, task: Task, examples: Sequence[Example], n: int, embedding: Embedding, index: Index) -> None:
        self.task, self.examples, self.n, self.embedding, self.index = task, examples, n, embedding, index

    @classmethod
    def of(cls, task: Task, train: Sequence[Example], n: int, seed: int) -> Self:
        """Learn the embedding from train, and index it."""
        examples = [e for e in train if e.target is not None]
        texts = [task.text(e.input) for e in examples]
        embedding, vectors = embeddings.LSA.fit_embed(texts, seed=seed)
        return cls(task, examples, n, embedding, Index.of(vectors))

    def before(self, inputs: Sequence[Input]) -> list[Sequence[Example]]:
        ids, _ = self.index.search(self.embedding.embed([self.task.text(i) for i in inputs]), self.n)
        return [[self.examples[i] for i in reversed(row)] for row in ids.tolist()]

    def save(self, folder: Path) -> None:
        from safetensors.numpy import save_file

        _write(self.task, self.examples, folder)
        (folder / "embedding").mkdir()
        self.embedding.save(folder / "embedding")
        save_file({"rows": self.index.rows}, folder / "rows.safetensors")

    @classmethod
    def load(cls, task: Task, folder: Path, n: int) -> Self:
        from safetensors.numpy import load_file

        index = Index(load_file(folder / "rows.safetensors")["rows"])
        return cls(task, _read(task, folder), n, embeddings.load(folder / "embedding"), index)


def _write(task: Task, examples: Sequence[Example], folder: Path) -> None:
    rows = (json.dumps(task.unparse(e), ensure_ascii=False) for e in examples)
    storage.write_text(folder / FILE, "".join(row + "\n" for row in rows))


def _read(task: Task, folder: Path) -> list[Example]:
    place = folder / FILE
    return [task.parse(row, Where(str(place), n), str(row["id"])) for n, row in enumerate(storage.read_jsonl(place), 1)]
