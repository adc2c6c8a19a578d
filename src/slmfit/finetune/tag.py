"""Entities and an intent from one model: a tag for every word and one intent for the text, learnt together.

    model = Joint(tagger, intents=7)
    job = Tag(made, tags, intents, ..., device=device, tokens=1024)
    scores, shares = answer(model, made, device, tokens=1024)

The two heads read the same encoder, as in JointBERT (Chen et al., 2019); the intent's reads the mean of all tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from slmfit.finetune import forward
from slmfit.finetune.device import Device
from slmfit.finetune.rows import Rows
from slmfit.finetune.windows import Answers, Piece, Windows, put_together

NONE = -100  # a target that is not there


class Joint(torch.nn.Module):
    """A token classifier of transformers and, where there are intents, a head for them on the mean of its last layer.

    Called with `input_ids` and, unless nothing is padded, `attention_mask`, it returns the logits of the tags
    [rows, length, tags] and of the intents [rows, intents], the latter with no columns where there are none.
    """

    def __init__(self, tagger: Any, intents: int) -> None:
        super().__init__()
        self.tagger = tagger
        self.config = tagger.config
        self.intent = None
        if intents:
            self.intent = torch.nn.Linear(tagger.config.hidden_size, intents)
            torch.nn.init.normal_(self.intent.weight, std=0.02)
            torch.nn.init.zeros_(self.intent.bias)

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        inputs = {"input_ids": input_ids} | ({} if attention_mask is None else {"attention_mask": attention_mask})
        made = self.tagger(**inputs, output_hidden_states=self.intent is not None)
        if self.intent is None:
            return made.logits, made.logits.new_zeros(len(input_ids), 0)
        last = made.hidden_states[-1]
        if attention_mask is None:
            mean = last.mean(dim=1)
        else:
            mask = attention_mask.unsqueeze(-1).to(last.dtype)
            mean = (last * mask).sum(dim=1) / mask.sum(dim=1)
        return made.logits, self.intent(mean)


@dataclass
class Tagged:
    """Windows with what they should be answered with.

    made: the windows. tags: int64 [words], places in the list of tags. intents: int64 [windows], places in the list
    of intents; NONE where a window does not begin its text, or its text has none.
    """

    made: Windows
    tags: np.ndarray
    intents: np.ndarray


class Tag:
    """The job of a tagger. `score` gets the answers on validation and gives scores, higher is better."""

    def __init__(
        self,
        train: Tagged,
        validation: Tagged,
        score: Callable[[Answers], dict[str, float]],
        device: Device,
        pad: int,
        tokens: int,
    ) -> None:
        """pad: the id that fills up rows. tokens: of a batch in validation."""
        self.train, self.validation, self.score = train, validation, score
        self.device, self.pad, self.tokens = device, pad, tokens
        self.rows = Rows(train.made.tokens, device.name, pad, step=device.length_step)
        self.lengths = train.made.tokens.lengths
        self.strata: np.ndarray | None = train.intents if (train.intents != NONE).any() else None
        self._marks = Rows(train.made.marks, device.name, -1, step=device.length_step)
        # One more than there are words, for the tokens that speak for none: their number is -1.
        self._tags = torch.from_numpy(np.append(train.tags, NONE)).to(device.name)
        self._intents = torch.from_numpy(train.intents).to(device.name)
        self._words = max(1.0, train.made.count / max(1, len(self.lengths)))

    def loss(self, model: torch.nn.Module, rows: np.ndarray) -> torch.Tensor:
        """Cross-entropy of the tags, as much of it as of an average row, and of the intents; summed over the rows."""
        tags, intents = model(**forward.inputs(self.rows, rows))
        wanted = self._tags[self._marks.batch(rows)["input_ids"]]
        loss = F.cross_entropy(tags.float().flatten(0, 1), wanted.flatten(), ignore_index=NONE, reduction="sum")
        loss = loss / self._words
        if intents.shape[1]:
            intended = self._intents[torch.from_numpy(rows).to(self.device.name)]
            loss = loss + F.cross_entropy(intents.float(), intended, ignore_index=NONE, reduction="sum")
        return loss

    def rehearse(self, model: torch.nn.Module, rows: np.ndarray) -> None:
        """As much work as predicting these rows."""
        model(**forward.inputs(self.rows, rows))

    def validate(self, model: torch.nn.Module, check: Callable[[], None]) -> dict[str, float]:
        """Mean cross-entropy of the tags by word, plus that of the intents, and the scores."""
        held = self.validation
        found = answer(model, held.made, self.device, self.pad, self.tokens, check)
        tags, intents = (torch.from_numpy(one) for one in found)
        loss = F.nll_loss(tags, torch.from_numpy(held.tags)) if len(held.tags) else torch.zeros(())
        if intents.shape[1] and (held.intents != NONE).any():
            loss = loss + F.cross_entropy(intents, torch.from_numpy(held.intents), ignore_index=NONE)
        return {"loss": float(loss), **self.score(found)}


def answer(
    model: torch.nn.Module,
    made: Windows,
    device: Device,
    pad: int,
    tokens: int,
    check: Callable[[], None] = lambda: None,
) -> Answers:
    """What the model says of every word and every window, in order. tokens: of one batch."""
    rows = Rows(made.tokens, device.name, pad, step=device.length_step)
    marks = Rows(made.marks, device.name, -1, step=device.length_step)

    def pieces() -> Iterator[Piece]:
        for batch, (tags, intent) in forward.outputs(model, rows, device, tokens, check):
            spoken = marks.batch(batch)["input_ids"]
            said = torch.log_softmax(tags[spoken >= 0].float(), dim=-1)
            yield batch, spoken[spoken >= 0].cpu().numpy(), said.cpu().numpy(), intent.float().cpu().numpy()

    return put_together(made, pieces())
