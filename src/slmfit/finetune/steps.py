"""One token after another: how a model reads prompts, and what of them it keeps while it writes on.

    steps = steps_of(model)(model, batch)       # a batch of prompts, filled up on the left
    steps.logits()                              # float [rows, vocabulary], of the next token
    steps.keep([0, 2])                          # the other rows have ended
    steps.go_on([17, 4])                        # the tokens that were chosen

What was read is kept (the cache of keys and values), so a step computes one token a row. A causal model reads on from
its prompts, and its positions count from each row's first real token; an encoder-decoder reads them once, and its
answers begin with a token of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch

from slmfit.finetune import forward


class Steps(Protocol):
    """See the module."""

    def logits(self) -> torch.Tensor: ...

    def keep(self, going: Sequence[int]) -> None: ...

    def go_on(self, tokens: Sequence[int]) -> None: ...


class Causal:
    """Steps of a causal model."""

    def __init__(self, model: Any, made: dict[str, torch.Tensor]) -> None:
        self.model, self.cache = model, None
        self.ids, self.mask = made["input_ids"], made["attention_mask"]
        self.places = (self.mask.cumsum(1) - 1).clamp(min=0)
        self.takes = forward.takes_of(model)

    def logits(self) -> torch.Tensor:
        more = {"position_ids": self.places, "logits_to_keep": 1}
        output = self.model(
            input_ids=self.ids,
            attention_mask=self.mask,
            past_key_values=self.cache,
            use_cache=True,
            **{name: value for name, value in more.items() if name in self.takes},
        )
        self.cache = output.past_key_values
        return output.logits[:, -1]

    def keep(self, going: Sequence[int]) -> None:
        kept = torch.tensor(going, dtype=torch.int64, device=self.ids.device)
        self.mask, self.places = self.mask[kept], self.places[kept]
        _reorder(self.cache, kept)

    def go_on(self, tokens: Sequence[int]) -> None:
        self.ids = torch.tensor(tokens, dtype=torch.int64, device=self.ids.device).unsqueeze(1)
        self.mask = torch.cat([self.mask, self.mask.new_ones(len(tokens), 1)], dim=1)
        self.places = self.places[:, -1:] + 1


class EncoderDecoder:
    """Steps of a model that has read the prompts, whole, before it writes."""

    def __init__(self, model: Any, made: dict[str, torch.Tensor]) -> None:
        self.model, self.cache = model, None
        self.mask = made["attention_mask"]
        self.read = encoded(model, made)
        self.ids = begun(model, len(self.mask), self.mask.device)

    def logits(self) -> torch.Tensor:
        return self._all_logits()[:, -1]

    def foresee(self, tokens: torch.Tensor) -> torch.Tensor:
        """Logits after each of these tokens, int64 [rows, tokens], read in one."""
        self.ids = tokens
        return self._all_logits()

    def _all_logits(self) -> torch.Tensor:
        output = self.model(
            encoder_outputs=(self.read,),
            attention_mask=self.mask,
            decoder_input_ids=self.ids,
            past_key_values=self.cache,
            use_cache=True,
        )
        self.cache = output.past_key_values
        logits: torch.Tensor = output.logits
        return logits

    def keep(self, going: Sequence[int]) -> None:
        """Go on with these rows alone; one that is named twice is gone on with twice."""
        kept = torch.tensor(going, dtype=torch.int64, device=self.ids.device)
        self.mask, self.read = self.mask[kept], self.read[kept]
        _reorder(self.cache, kept)

    def go_on(self, tokens: Sequence[int]) -> None:
        self.ids = torch.tensor(tokens, dtype=torch.int64, device=self.ids.device).unsqueeze(1)


def steps_of(model: Any) -> type[Causal] | type[EncoderDecoder]:
    return EncoderDecoder if has_halves(model) else Causal


def has_halves(model: Any) -> bool:
    """Whether a model reads with one half, the encoder, and writes with the other."""
    return "decoder_input_ids" in forward.takes_of(model)


def encoded(model: Any, made: dict[str, torch.Tensor]) -> torch.Tensor:
    """What the encoder makes of prompts: [rows, tokens, width]."""
    read: torch.Tensor = forward.body_of(model).get_encoder()(**made).last_hidden_state
    return read


def begun(model: Any, rows: int, device: torch.device) -> torch.Tensor:
    """The token that every answer begins with: int64 [rows, 1]."""
    return torch.full((rows, 1), start_of(model), dtype=torch.int64, device=device)


def start_of(model: Any) -> int:
    config = forward.body_of(model).config
    start = config.decoder_start_token_id
    return int(config.pad_token_id if start is None else start)  # T5 begins with what fills up its rows


def has_cache(model: Any) -> bool:
    """Whether the model keeps what it read in the form that writing needs; purely recurrent ones do not."""
    ids = torch.zeros((1, 1), dtype=torch.int64)
    with torch.inference_mode():
        made = model(input_ids=ids, use_cache=True, **({"decoder_input_ids": ids} if has_halves(model) else {}))
    return getattr(made, "past_key_values", None) is not None


def _reorder(cache: Any, kept: torch.Tensor) -> None:
    cache.reorder_cache(kept)  # as for beams: layers of every kind know it, of batch_select_indices not
