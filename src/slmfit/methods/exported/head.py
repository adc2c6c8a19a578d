"""What an exported model reads and what its answers mean: `head.json`, and the two heads, in numpy.

head = Head(kind="classes", names=["billing", "delivery"], pad=0, vocabulary=30522, max_length=128, fill=101)
answers(head, backend, session, ["my card was charged twice"])
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from slmfit.finetune import batches
from slmfit.finetune.logits import finite, labelled, marked
from slmfit.finetune.tokens import PlainRows, Tokens, longer_than, tokenise
from slmfit.methods.exported.session import Session
from slmfit.records import Input, Pair, Prediction
from slmfit.tasks.base import Task
from slmfit.timing.work import advance

CLASSES, TAGS = "classes", "tags"


@dataclass(frozen=True, kw_only=True)
class Head:
    """What `head.json` holds.

    kind: classes, or tags with or without an intent. names: labels or tags, in the order of the output. intents: of
    the second output. pad: the id that fills up rows. vocabulary: how many tokens the model knows. max_length: tokens
    of a text, or of a window. fill: the id of a text without tokens. frame: what stands around and between two texts,
    where an input is a pair. fine: whether words end at punctuation, too. temperature: logits are divided by it.
    """

    kind: str
    names: Sequence[str]
    intents: Sequence[str] = ()
    pad: int
    vocabulary: int
    max_length: int
    fill: int | None = None
    frame: Mapping[str, Any] | None = None
    fine: bool = False
    temperature: float = 1.0

    @property
    def widths(self) -> tuple[int, ...]:
        """How wide the outputs are."""
        return (len(self.names), len(self.intents)) if self.intents else (len(self.names),)


def answers(head: Head, backend: Any, session: Session, task: Task, inputs: Sequence[Input]) -> list[Prediction]:
    """One per input, in order. backend: the tokenizer. Raises ValueError where the model fails."""
    work = _tagged if head.kind == TAGS else _classed
    return work(head, SimpleNamespace(backend_tokenizer=backend), session, task, inputs)


def cut_off(head: Head, backend: Any, inputs: Sequence[Input]) -> list[bool] | None:
    """Of each text whether its end is not read; None where all is, in windows, and of pairs."""
    if head.kind == TAGS or head.frame is not None:
        return None
    return longer_than(SimpleNamespace(backend_tokenizer=backend), list(map(str, inputs)), head.max_length)


def _classed(head: Head, tokenizer: Any, session: Session, task: Task, inputs: Sequence[Input]) -> list[Prediction]:
    rows = PlainRows(_tokens(head, tokenizer, task, inputs).at_most(head.max_length), head.pad)
    logits = np.empty((len(inputs), len(head.names)), np.float32)
    for batch, (said, *_) in _outputs(session, rows):
        logits[batch] = said
    return labelled(finite(logits) / head.temperature, head.names)


def _tokens(head: Head, tokenizer: Any, task: Task, inputs: Sequence[Input]) -> Tokens:
    if head.frame is None:
        return tokenise(tokenizer, [str(i) for i in inputs], head.max_length, fill=head.fill)
    known: dict[str, Any] = {n: tuple(ids) if isinstance(ids, list) else ids for n, ids in head.frame.items()}
    from slmfit.finetune.pairs import Frame, tokenise_pairs

    frame = Frame(**known)
    pairs = [pair for i in inputs if isinstance(pair := task.given(i), Pair)]
    return tokenise_pairs(tokenizer, [(pair.first, pair.second) for pair in pairs], head.max_length, frame)


def _tagged(head: Head, tokenizer: Any, session: Session, task: Task, inputs: Sequence[Input]) -> list[Prediction]:
    from slmfit.finetune.windows import Piece, encode, put_together
    from slmfit.tasks.splitting import split

    texts = [str(i) for i in inputs]
    words = [split(text, fine=head.fine) for text in texts]
    made = encode(tokenizer, texts, words).windows(head.max_length)
    marks = PlainRows(made.marks, -1)

    def pieces() -> Iterator[Piece]:
        for batch, (tags, *more) in _outputs(session, PlainRows(made.tokens, head.pad)):
            spoken = marks.batch(batch)["input_ids"]
            intents = more[0] if more else np.zeros((len(batch), 0), np.float32)
            yield batch, spoken[spoken >= 0], _log_softmax(tags[spoken >= 0]), intents

    tags, intents = put_together(made, pieces())
    shares = intents[made.first] / head.temperature if head.intents else intents
    return marked(tags, shares, head.names, head.intents, words)


def _outputs(session: Session, rows: PlainRows) -> Iterator[tuple[np.ndarray, list[Any]]]:
    """What the model says to every batch of rows, with the rows of it; longest first."""
    lengths = rows.tokens.lengths
    each = len(lengths) / max(1, int(lengths.sum()))
    for batch in batches.by_length(lengths, batches.ON_A_CPU, rows.step):
        yield batch, session.run(rows.batch(batch))
        advance(each * int(lengths[batch].sum()))


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
