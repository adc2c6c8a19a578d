"""A run's language model writes on behind a chat: token by token, sampled, stopped, under a schema if one is asked for.

    for piece in Writer(method).write(settings, stopped=lambda: False):
        piece           # {"text": "Hel", "tokens": […]} … then {"end": "stop", "usage": […]}

A run that was tuned to write answers as `predict` does where it is asked for what it was tuned for (`own_rows`);
whatever else is asked goes through the tokenizer's chat template, or message after message where it has none.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch

from slmfit.errors import UsageError
from slmfit.finetune import forward
from slmfit.finetune.steps import has_halves, steps_of
from slmfit.finetune.tokens import encodable
from slmfit.finetune.vocabulary import pieces_of
from slmfit.methods.finetuned import FineTuned
from slmfit.methods.finetuned.written import Written
from slmfit.serving.guide import allowed, guide_of, matcher_of
from slmfit.serving.own_rows import Row, own_row

Piece = dict[str, Any]


class Writer:
    """See the module."""

    def __init__(self, method: FineTuned) -> None:
        self.method, self.head = method, method.head
        self.tokenizer, self.device = method.backbone.tokenizer, method.backbone.device.exact()
        self.model = self.head.body(method.model)
        self.model.eval()

    @classmethod
    def of(cls, method: Any) -> Writer | None:
        """The writer of a method with a language model; None for any other."""
        fits = isinstance(method, FineTuned) and method.head.made_for in ("ForCausalLM", "ForSeq2SeqLM")
        return cls(method) if fits else None

    @property
    def limit(self) -> int:
        """Tokens of prompt and answer together."""
        said = getattr(self.model.config, "max_position_embeddings", None)
        return int(said) if said else 4096

    @cached_property
    def _ends(self) -> set[int]:
        """The tokens that end an answer."""
        said = getattr(self.model.generation_config, "eos_token_id", None)
        named = said if isinstance(said, list) else [said]
        return {int(token) for token in (*named, self.tokenizer.eos_token_id) if token is not None}

    def write(self, settings: dict[str, Any], stopped: Callable[[], bool]) -> Iterator[Piece]:
        """Pieces of text as they are written, and why and after how many tokens it ended.

        Raises UsageError for a prompt that is too long and for a schema that cannot be followed.
        """
        messages = settings["messages"]
        if (row := self._own_row(settings)) is not None:
            yield from self._predicted(row)
            return
        prompt = self._prompt(messages)
        room = self.limit if has_halves(self.model) else self.limit - len(prompt)
        if room < 1 or len(prompt) > self.limit:
            fix = "shorten it"
            raise UsageError(f"the prompt has {len(prompt):,} tokens, and the model reads {self.limit:,}", fix=fix)
        most = min(room, settings["most"] or room)
        under = matcher_of(self._guide, settings["schema"]) if settings["schema"] is not None else None
        with torch.inference_mode(), self.device.autocast():
            yield from self._sampled(prompt, most, settings, under, stopped)

    def _own_row(self, settings: dict[str, Any]) -> Row | None:
        if self.method.settings.epochs == 0:  # it has learnt nothing of its own
            return None
        return own_row(self.head.task, settings, writes=isinstance(self.head, Written))

    def _predicted(self, row: Row) -> Iterator[Piece]:
        said = row.said(self.method.predict([row.text])[0])
        count = [len(self.tokenizer(t, add_special_tokens=False).input_ids) for t in (row.text, said)]
        yield {"text": said, "tokens": []}
        yield {"end": "stop", "usage": count}

    def _prompt(self, messages: Sequence[dict[str, str]]) -> list[int]:
        if getattr(self.tokenizer, "chat_template", None):
            text = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
            return list(self.tokenizer(text, add_special_tokens=False).input_ids)
        text = "\n".join(message["content"] for message in messages)
        ids = list(self.tokenizer(encodable(text)).input_ids)
        if not has_halves(self.model):
            while ids and ids[-1] in self._ends:  # the model writes on there
                ids.pop()
        return ids or [self.tokenizer.bos_token_id or next(iter(self._ends))]

    @cached_property
    def _guide(self) -> Any:
        width = self.model.get_output_embeddings().weight.shape[0]
        return guide_of(self.tokenizer, width, self._ends, self._vocabulary)

    def _sampled(
        self, prompt: list[int], most: int, settings: dict[str, Any], under: Any, stopped: Callable[[], bool]
    ) -> Iterator[Piece]:
        made = {"input_ids": torch.tensor([prompt], device=self.device.name)}
        made["attention_mask"] = torch.ones_like(made["input_ids"])
        steps = steps_of(self.model)(self.model, made)
        choose = Choosing(settings, under)
        told = Telling(self._bytes, settings["stop"])
        for count in range(1, most + 1):
            logits = steps.logits()[0].float().cpu().numpy().astype(np.float64)
            token = choose(logits)
            if token in self._ends or stopped():
                yield from told.rest([])
                yield {"end": "stop", "usage": [len(prompt), count]}
                return
            text, over = told.add(token)
            about = [] if settings["alternatives"] is None else [self._about(logits, token, settings["alternatives"])]
            if text or about:
                yield {"text": text, "tokens": about}
            if over or (under is not None and under.is_stopped()):
                yield from told.rest([]) if not over else ()
                yield {"end": "stop", "usage": [len(prompt), count]}
                return
            steps.go_on([token])
        yield from told.rest([])
        yield {"end": "length", "usage": [len(prompt), most]}

    def _bytes(self, token: int) -> bytes:
        return self._vocabulary.get(token, b"")

    @cached_property
    def _vocabulary(self) -> dict[int, bytes]:
        return pieces_of(self.tokenizer.backend_tokenizer)

    def _about(self, logits: np.ndarray, token: int, alternatives: int) -> dict[str, Any]:
        """A token's logarithm of its probability, and those of the likeliest, in OpenAI's form."""
        highest = logits.max()
        logs = logits - highest - np.log(np.exp(logits - highest).sum())
        best = np.argsort(-logs, kind="stable")[:alternatives]
        return {**self._told(token, logs), "top_logprobs": [self._told(int(one), logs) for one in best]}

    def _told(self, token: int, logs: np.ndarray) -> dict[str, Any]:
        raw = self._bytes(token)
        said = raw.decode("utf-8", "replace") or self.tokenizer.convert_ids_to_tokens(token) or ""
        return {"token": said, "logprob": max(-9999.0, float(logs[token])), "bytes": list(raw)}


class Choosing:
    """The next token: the likeliest at temperature 0, else one drawn, of those that are allowed."""

    def __init__(self, settings: dict[str, Any], under: Any) -> None:
        self.temperature, self.top_p, self.under = settings["temperature"], settings["top_p"], under
        self._random = np.random.default_rng(settings["seed"])

    def __call__(self, logits: np.ndarray) -> int:
        if self.under is not None:
            logits = np.where(allowed(self.under, len(logits)), logits, -np.inf)
        forward.finite(logits[int(logits.argmax())])
        token = int(logits.argmax()) if self.temperature == 0 else self._drawn(logits / self.temperature)
        if self.under is not None:
            self.under.consume_token(token)
        return token

    def _drawn(self, logits: np.ndarray) -> int:
        shares = np.exp(logits - logits.max())
        order = np.argsort(-shares, kind="stable")
        sums = np.cumsum(shares[order])
        last = int(np.searchsorted(sums, self.top_p * sums[-1]))  # those before it are less than top_p together
        kept = sums[: min(last, len(sums) - 1) + 1]
        return int(
            order[int(np.searchsorted(kept, self._random.random() * kept[-1], side="right").clip(0, len(kept) - 1))]
        )


class Telling:
    """Bytes to text that can be told: whole characters, and nothing that may be the begin of a stop."""

    def __init__(self, bytes_of: Callable[[int], bytes], stops: Sequence[str]) -> None:
        self.bytes_of, self.stops = bytes_of, stops
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""

    def add(self, token: int) -> tuple[str, bool]:
        """What can be told now, and whether a stop has come."""
        self._held += self._decoder.decode(self.bytes_of(token))
        places = [place for stop in self.stops if (place := self._held.find(stop)) >= 0]
        if places:
            told, self._held = self._held[: min(places)], ""
            return told, True
        held = max((n for stop in self.stops for n in range(1, len(stop)) if self._held.endswith(stop[:n])), default=0)
        told, self._held = self._held[: len(self._held) - held], self._held[len(self._held) - held :]
        return told, False

    def rest(self, tokens: list[Any]) -> Iterator[Piece]:
        """What was held back, at the end."""
        if left := self._held + self._decoder.decode(b"", True):
            yield {"text": left, "tokens": tokens}
        self._held = ""
