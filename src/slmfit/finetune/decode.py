"""Answers written token by token, each the likeliest that the grammar of its row allows; many rows at a time.

    answers = written(model, prompts, writing, limit=128, vocabulary=vocabulary, device=device, pad=0)
    answers[0].text

A row without a grammar is written freely, until it is said to have ended. How a model reads a prompt and goes on from
it is `steps.py`'s matter. A row never has more than `limit` tokens: under a grammar only those may come after which
there is room to end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from slmfit.finetune import batches, forward
from slmfit.finetune.device import Device
from slmfit.finetune.rows import Rows
from slmfit.finetune.steps import Steps, steps_of
from slmfit.finetune.tokens import Tokens
from slmfit.finetune.vocabulary import Vocabulary
from slmfit.tasks.grammar import State, Writing

AT_ONCE = 6  # times the tokens that are read at once: a step of writing computes one token a row


@dataclass
class Answer:
    """What was written. ends: where each token ends, in bytes; shares: its probability among those allowed.

    whole: whether it came to its end; one that is written freely may run out of room.
    """

    text: str = ""
    whole: bool = True
    ends: list[int] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)

    def share(self, begin: int, end: int) -> float:
        """The probability of what stands between two characters: the product of its tokens'."""
        first, last = len(self.text[:begin].encode()), len(self.text[:end].encode())
        kept = [share for at, share in zip(self.ends, self.shares, strict=True) if first < at <= last]
        return float(np.prod(kept))


class _Row:
    """A row while it is written under a grammar. room: the tokens it may still take."""

    def __init__(self, writing: Writing, room: int, vocabulary: Vocabulary) -> None:
        self.writing, self.room, self.vocabulary = writing, room, vocabulary
        self.state: State = writing.start
        self.written = b""
        self.answer = Answer()

    def add(self, logits: np.ndarray) -> int | None:
        """The next token, None when the answer has ended. logits: float32 [vocabulary]."""
        self.room -= 1
        nexts = self.vocabulary.nexts(self.writing, self.state)
        tokens = [token for token, later in nexts.items() if self.writing.rest(later) <= self.room]
        if self.writing.ends(self.state):
            tokens.append(self.vocabulary.end)
        scores = logits[tokens].astype(np.float64)
        best = int(scores.argmax())
        forward.finite(scores[best])  # of NaN and others NaN is the largest
        token = tokens[best]
        if token == self.vocabulary.end:
            self.answer.text = self.written[len(self.vocabulary.lead) :].decode()
            return None
        self.state = nexts[token]
        self.written += self.vocabulary.written[token]
        self.answer.ends.append(len(self.written) - len(self.vocabulary.lead))
        self.answer.shares.append(float(1 / np.exp(scores - scores[best]).sum()))
        return token


class _Free:
    """A row while it is written freely: until `ended` says so, the model does, or there is no room."""

    def __init__(self, ended: Callable[[str], bool], room: int, vocabulary: Vocabulary) -> None:
        self.ended, self.room, self.vocabulary = ended, room, vocabulary
        self.written, self.answer = b"", Answer(whole=False)

    def add(self, logits: np.ndarray) -> int | None:
        """The next token, None when the answer has ended. logits: float32 [vocabulary]."""
        self.room -= 1
        place = int(logits[self.vocabulary.plain].argmax())
        token = int(self.vocabulary.plain[place])
        forward.finite(logits[token])
        if token != self.vocabulary.end:
            self.written += self.vocabulary.written[token]
        self.answer.text = self.written[len(self.vocabulary.lead) :].decode("utf-8", "replace")
        self.answer.whole = token == self.vocabulary.end or self.ended(self.answer.text)
        return None if self.answer.whole or self.room <= 0 else token


def written(
    model: Any,
    prompts: Tokens,
    writing: Callable[[int], Writing | Callable[[str], bool]],
    limit: int,
    vocabulary: Vocabulary,
    device: Device,
    pad: int,
    check: Callable[[], None] = lambda: None,
    most: int = 1 << 30,
) -> list[Answer]:
    """One answer per prompt, in order.

    writing: makes what a row is written under, or what tells whether one that is written freely has ended.
    prompts: each shorter than `limit`, tokens of prompt and answer together, by the least that its grammar needs.
    pad: the id that fills up rows. check: called before every batch; what it raises ends the work. most: tokens of an
    answer.
    """
    rows = Rows(prompts, device.name, pad, step=device.length_step, left=True)
    steps = steps_of(model)
    answers = [Answer()] * len(prompts)

    def begin(row: int) -> _Row | _Free:
        room, under = min(most, limit - int(prompts.lengths[row])), writing(row)
        return (_Row if isinstance(under, Writing) else _Free)(under, room, vocabulary)  # type: ignore[arg-type]

    def work(batch: np.ndarray) -> list[Answer]:
        begun = [begin(i) for i in batch.tolist()]
        _write(steps(model, rows.batch(batch)), begun, check, device)
        return [row.answer for row in begun]

    with torch.inference_mode(), device.autocast():
        for batch in batches.by_length(prompts.lengths, AT_ONCE * forward.batch_tokens(device), rows.step):
            for part, made in forward.in_pieces(work, batch, device):
                for i, answer in zip(part.tolist(), made, strict=True):
                    answers[i] = answer
    return answers


def _write(steps: Steps, rows: list[_Row | _Free], check: Callable[[], None], device: Device) -> None:
    """Write all rows of a batch to their ends; those that have ended leave it."""
    while rows:
        check()
        device.sweep()  # each step has a cache of its own, a token longer than the last
        logits = steps.logits().float().cpu().numpy()
        tokens = [row.add(scores) for row, scores in zip(rows, logits, strict=True)]
        going = [i for i, token in enumerate(tokens) if token is not None]
        if len(going) < len(rows):
            rows = [rows[i] for i in going]
            steps.keep(going)
        steps.go_on([token for token in tokens if token is not None])
