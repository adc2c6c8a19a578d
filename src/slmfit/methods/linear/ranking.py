"""The option of a question that looks most like the right ones of train: a linear ranker.

    method = Ranker(Settings())
    method.fit(task, train, validation, Context())
    method.predict([Question("Ice is", {"A": "cold", "B": "hot"})])[0].target    # "A"

An option's score is a weighted sum over what is seen of it, and weights are learnt from pairs, the right option minus a
wrong one of the same question (Joachims, "Optimizing Search Engines using Clickthrough Data", 2002). What is not seen
of a question cannot help: so `reads=options` and `reads=lengths` show what a data set gives away without its questions.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Self
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from slmfit.errors import UsageError
from slmfit.methods.base import Context, Method, must
from slmfit.methods.linear.settings import READS, Settings
from slmfit.methods.linear.solver import LARGEST, Floats
from slmfit.methods.ranked import best, fitted_sharpness, offsets_of, ranked, right_of
from slmfit.records import Example, Input, Prediction, Question
from slmfit.tasks.base import Task
from slmfit.tasks.forms.letters import question_of
from slmfit.text.cutting import words_of
from slmfit.timing.work import counted

SIZE = 2**20  # columns that words and pairs of words share; of OpenBookQA's 300,000 pairs a tenth meet another
CS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
MOST_WORDS = 400  # of a question and its context, of which each is paired with each of an option
TOLERANCE = 0.1
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # Fibonacci hashing
LENGTHS, ECHO = 6, 3  # columns of plain numbers, behind the shared ones


class Ranker(Method):
    """See the module's docstring."""

    Settings = Settings
    refits = True

    reads: str
    C: float
    sharpness: float  # of the scores, as probabilities
    weights: NDArray[np.float16]  # [SIZE + LENGTHS + ECHO]

    def fit(self, task: Task, train: Sequence[Example], validation: Sequence[Example], context: Context) -> None:
        """Choose what is read and C on validation, then fit train with them."""
        held = [example for example in validation if example.target is not None]
        inputs = [e.input for e in held]
        offsets, right = offsets_of(inputs), right_of(held)
        tried: list[tuple[float, str, float]] = []
        every_reads = [self.settings.reads] if self.settings.reads else READS
        every_c = [self.settings.C] if self.settings.C else CS
        with counted(context.event, "searching", len(every_reads) * len(every_c), unit="settings") as work:
            for reads in every_reads:
                seen = _seen(train, reads)
                others = _matrix(inputs, reads)
                for C in every_c:
                    scores = others @ _trained(seen, train, C, context.seed).astype(np.float64)
                    share = float(np.mean(best(scores, offsets) == right)) if held else 0.0
                    tried.append((share, reads, C))
                    self.search.append({"reads": reads, "C": C, "accuracy": share})
                    work.advance(1)
        # On a tie what reads least, and keeps weights smallest: they were tried first.
        _, self.reads, self.C = max(tried, key=lambda one: one[0])
        begin = time.perf_counter()
        self._learn(train, context.seed)
        self.fit_seconds = time.perf_counter() - begin
        scores = _matrix(inputs, self.reads) @ self.weights.astype(np.float64)
        self.sharpness = fitted_sharpness(scores, offsets, right)
        self.chosen = {"reads": self.reads, "C": self.C, "sharpness": self.sharpness}
        self.rows_used = {"fitted": "train", "settings_chosen": "validation", "calibrated": "validation"}
        context.event("search", **self.chosen)

    def refit(self, task: Task, examples: Sequence[Example], context: Context) -> None:
        self._learn(examples, context.seed)

    def predict(self, inputs: Sequence[Input]) -> list[Prediction]:
        scores = _matrix(inputs, self.reads) @ self.weights.astype(np.float64)
        return ranked(inputs, scores, self.sharpness)

    def explain(self, text: str, label: str, top: int = 10) -> list[tuple[str, float]]:
        """Raises UsageError: pairs of words share columns, so no weight is one term's."""
        raise UsageError("a ranker of options has no terms to show", fix="explain a run that gives texts a label")

    def save(self, folder: Path) -> None:
        from safetensors.numpy import save_file

        used = np.flatnonzero(self.weights).astype(np.int32)
        save_file({"columns": used, "weights": self.weights[used]}, folder / "ranker.safetensors")
        (folder / "ranker.json").write_text(json.dumps(self.chosen, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, task: Task, settings: Any) -> Self:
        from safetensors.numpy import load_file

        method, tensors = cls(settings), load_file(folder / "ranker.safetensors")
        method.chosen = json.loads((folder / "ranker.json").read_text(encoding="utf-8"))
        method.reads, method.C = method.chosen["reads"], method.chosen["C"]
        method.sharpness = method.chosen["sharpness"]
        columns, weights = tensors["columns"], tensors["weights"]
        must(columns.dtype == np.int32 and columns.shape == weights.shape and columns.ndim == 1, "odd columns")
        must(not len(columns) or 0 <= columns.min() <= columns.max() < SIZE + LENGTHS + ECHO, "a column too many")
        must(weights.dtype == np.float16, "weights of another kind")
        method.weights = np.zeros(SIZE + LENGTHS + ECHO, np.float16)
        method.weights[columns] = weights
        return method

    def check(self, task: Task) -> None:
        must(self.reads in READS, "it reads what there is not")
        must(type(self.sharpness) in (int, float) and 0 < self.sharpness < 1e9, "no proper sharpness")
        must(np.isfinite(self.weights.astype(np.float64)).all(), "a weight that is no number")

    def _learn(self, examples: Sequence[Example], seed: int) -> None:
        self.weights = _trained(_seen(examples, self.reads), examples, self.C, seed)


# --- what is seen of an option ---


def _matrix(inputs: Sequence[Input], reads: str) -> Any:
    """CSR float64 [options of all questions, columns]: blocks of length 1 each, and plain numbers."""
    from scipy.sparse import csr_matrix

    ids: list[NDArray[np.int64]] = []
    values: list[Floats] = []
    ends = [0]
    for input in inputs:
        for columns, numbers in _options(question_of(input), reads):
            ids.append(columns)
            values.append(numbers)
            ends.append(ends[-1] + len(columns))
    flat = (np.concatenate(one) if one else np.zeros(0) for one in (values, ids))
    return csr_matrix((*flat, ends), shape=(len(ends) - 1, SIZE + LENGTHS + ECHO))


def _options(question: Question, reads: str) -> Iterator[tuple[NDArray[np.int64], Floats]]:
    """Columns and values of each option, in the order shown."""
    texts = list(question.options.values())
    words = [words_of(text, shortest=1) for text in texts]
    asked = words_of(f"{question.context or ''} {question.question}", shortest=1)
    asked_hashes = _hashes(list(dict.fromkeys(asked))[-MOST_WORDS:])  # the question stands behind its context
    lengths, known = _lengths(texts, words), set(asked)
    for row, own in enumerate(words):
        blocks = [(np.arange(SIZE, SIZE + LENGTHS), lengths[row])]
        if reads != "lengths":
            hashes = _hashes(own)
            blocks.append(_block(np.concatenate([hashes, _mixed(hashes[:-1], hashes[1:])])))
        if reads == "question":
            blocks.append((np.arange(SIZE + LENGTHS, SIZE + LENGTHS + ECHO), _echo(own, known, words)))
            blocks.append(_block(_mixed(asked_hashes[:, None], _hashes(sorted(set(own)))[None] + np.uint64(1)).ravel()))
        yield np.concatenate([columns for columns, _ in blocks]), np.concatenate([numbers for _, numbers in blocks])


def _block(hashes: NDArray[np.uint64]) -> tuple[NDArray[np.int64], Floats]:
    columns = np.unique(hashes % np.uint64(SIZE)).astype(np.int64)
    return columns, np.full(len(columns), 1 / np.sqrt(max(len(columns), 1)))


def _lengths(texts: Sequence[str], words: Sequence[Sequence[str]]) -> Floats:
    """[options, LENGTHS]: characters and words against the question's mean, and whether it is the longest, shortest."""
    found = []
    for counts in (np.array([len(text) for text in texts]), np.array([len(own) for own in words])):
        off = np.log1p(counts) - np.log1p(counts).mean()
        found += [off, (counts == counts.max()) / 2, (counts == counts.min()) / 2]
    return np.stack(found, axis=1).astype(np.float64)


def _echo(own: Sequence[str], asked: set[str], every: Sequence[Sequence[str]]) -> Floats:
    """The share of an option's words that the question has, that no other option has, and whether it has all."""
    if not own:
        return np.zeros(ECHO)
    shared = sum(word in asked for word in own) / len(own)
    alone = sum(sum(word in other for other in every) == 1 for word in own) / len(own)
    return np.array([shared, alone, float(shared == 1)])


@lru_cache(maxsize=200_000)
def _hash(word: str) -> int:
    return crc32(word.encode("utf-8", "surrogatepass"))


def _hashes(words: Sequence[str]) -> NDArray[np.uint64]:
    return np.array([_hash(word) for word in words], np.uint64)


def _mixed(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A hash of each pair, of which the low bits are used."""
    return (((first * _SPREAD) ^ second) * _SPREAD) >> np.uint64(32)


# --- learning ---


def _seen(examples: Sequence[Example], reads: str) -> Any:
    return _matrix([e.input for e in examples], reads)


def _trained(seen: Any, examples: Sequence[Example], C: float, seed: int) -> NDArray[np.float16]:
    """Weights by which right options score above wrong ones; zeros where there is no pair."""
    offsets, right = offsets_of([e.input for e in examples]), right_of(examples)
    counts = np.diff(offsets)
    better = np.repeat(offsets[:-1] + right, counts)
    worse = np.arange(offsets[-1])
    pairs = (better != worse) & np.repeat(right >= 0, counts)
    weights = np.zeros(seen.shape[1], np.float16)
    if not pairs.any():
        return weights
    import warnings

    from sklearn.svm import LinearSVC

    signs = np.where(np.arange(pairs.sum()) % 2, 1.0, -1.0)  # a pair says the same the other way round
    differences = (seen[better[pairs]] - seen[worse[pairs]]).multiply(signs[:, None]).tocsr()
    used = np.unique(differences.indices)
    if not len(used) or pairs.sum() < 2:
        return weights
    machine = LinearSVC(C=C, tol=TOLERANCE, dual=True, fit_intercept=False, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # sweeps ran out
        machine.fit(differences[:, used], signs)
    weights[used] = np.clip(machine.coef_[0], -LARGEST, LARGEST)
    return weights
