"""Trains a CRF with python-crfsuite (extra `entities`), and takes its weights over.

crf = train([[["w=fly"], ["w=rome"]]], [["O", "B-CITY"]], c1=0.1, c2=0.01, iterations=50)

Of the data CRFsuite sees numbers only, so no attribute and no tag can hold what its format lacks (a NUL, half a
surrogate pair).
"""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from slmfit.environment import install, missing
from slmfit.errors import MissingPart, SlmfitError
from slmfit.methods.linear.crf import Crf, Words

# Of CRFsuite's model file (lib/crf/src/crf1d_model.c): its header, in it where five chunks begin, first the features.
MAGIC, VERSION, HEADER, OFFSET_AT, CHUNK = b"lCRF", 100, 48, 28, 12
FEATURE = np.dtype([("kind", "<u4"), ("source", "<u4"), ("tag", "<u4"), ("weight", "<f8")])
STATE, TRANSITION = 0, 1


def require() -> None:
    """Raise MissingPart, with the line that enables it, unless python-crfsuite is here."""
    if missing("pycrfsuite"):
        raise MissingPart("python-crfsuite is missing, which trains on entities", fix=install("entities"))


def train(
    texts: Sequence[Words],
    tags: Sequence[Sequence[str]],
    *,
    c1: float,
    c2: float,
    iterations: int,
    tell: Callable[[int, float], None] = lambda iteration, loss: None,
) -> Crf:
    """The CRF of least loss on these texts and their tags, one for each word.

    c1, c2: weight of the sum of absolute and of half the squared weights. iterations: of L-BFGS, at most. tell: called
    with each iteration and its loss. Raises MissingPart without python-crfsuite.
    """
    require()
    import pycrfsuite

    class Trainer(pycrfsuite.Trainer):
        def message(self, message: str) -> None:  # its own hands nothing on unless it prints all of it
            if self.logparser.feed(message) == "iteration":
                info = self.logparser.last_iteration
                tell(int(info["num"]), float(info["loss"]))

    names = _Names(), _Names()
    trainer = Trainer(verbose=False)
    trainer.select("lbfgs")
    trainer.set_params({"c1": c1, "c2": c2, "max_iterations": iterations})
    for words, answers in zip(texts, tags, strict=True):
        trainer.append([[names[0].number(a) for a in word] for word in words], list(map(names[1].number, answers)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        trainer.train(str(path))
        return _taken_over(path, list(names[0].known), list(names[1].known))


class _Names:
    """Names numbered as they come, the numbers written as CRFsuite's names."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}

    def number(self, name: str) -> str:
        return self.known.setdefault(name, str(len(self.known)))


def _taken_over(path: Path, attributes: Sequence[str], tags: Sequence[str]) -> Crf:
    """The weights of a model file, bit for bit; python-crfsuite itself tells them to six decimals only."""
    import pycrfsuite

    data = path.read_bytes()
    if not _is_whole(data):  # CRFsuite overlooks a disk that is full, and crashes on what it then reads
        fix = "free some space there, or set TMPDIR to another folder"
        raise SlmfitError("the trained CRF could not be written whole", where=tempfile.gettempdir(), fix=fix)
    if data[:4] != MAGIC or struct.unpack_from("<I", data, 12) != (VERSION,):
        raise SlmfitError("this python-crfsuite writes another format", fix="pip install 'python-crfsuite<0.10'")
    with pycrfsuite.Tagger().open(str(path)) as tagger:
        about = tagger.info()
    (at,) = struct.unpack_from("<I", data, OFFSET_AT)
    (count,) = struct.unpack_from("<I", data, at + CHUNK - 4)
    features = np.frombuffer(data, FEATURE, count, at + CHUNK)
    states, moves = (features[features["kind"] == kind] for kind in (STATE, TRANSITION))
    states = states[np.argsort(states["source"], kind="stable")]
    transitions = np.zeros((len(about.labels), len(about.labels)))
    transitions[moves["source"], moves["tag"]] = moves["weight"]
    sizes = np.bincount(states["source"], minlength=len(about.attributes))
    return Crf(
        tuple(tags[int(name)] for name in _in_order(about.labels)),
        tuple(attributes[int(name)] for name in _in_order(about.attributes)),
        np.concatenate(([0], np.cumsum(sizes))).astype(np.int32),
        states["tag"].astype(np.int32),
        states["weight"].astype(np.float64),
        transitions,
    )


def _is_whole(data: bytes) -> bool:
    """Whether a model file has all its five chunks, each of which begins with a name and its size in bytes."""
    if len(data) < HEADER:
        return False
    begins = struct.unpack_from("<5I", data, OFFSET_AT)
    return all(HEADER <= at <= len(data) - CHUNK and _size(data, at) <= len(data) - at for at in begins)


def _size(data: bytes, at: int) -> int:
    return int(struct.unpack_from("<I", data, at + 4)[0])


def _in_order(numbers: dict[str, str]) -> list[str]:
    """Names by the number that CRFsuite gave each."""
    return sorted(numbers, key=lambda name: int(numbers[name]))
