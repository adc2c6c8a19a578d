"""The question: what a language model reads before it writes an answer, as it was trained to."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from slmfit.ejecting.parts.run import MODEL

ROOM: int | None = 64  # tokens that are kept for the answer


@cache
def task() -> dict[str, Any]:
    """The names of labels and intents."""
    return json.loads((MODEL / "slmfit.json").read_text(encoding="utf-8"))["task"]


def asked(text: str) -> str:
    return f"{text}\n\nAnswer:\n"


def prompt_of(tokenizer: Any, text: str, before: str = "") -> tuple[str, list[int]]:
    """The text, cut where it is too long, and the tokens of the question. before: examples, asked and answered."""
    framed = tokenizer("a", return_special_tokens_mask=True)["special_tokens_mask"]
    tail = framed[::-1].index(0)  # special tokens behind a text: the answer goes on before them
    size = tokenizer.model_max_length
    most = size - min(ROOM or size // 4, size // 2)
    while True:
        ids = tokenizer(before + asked(text))["input_ids"]
        ids = ids[: len(ids) - tail]
        if len(ids) <= most or not text:
            return text, ids
        places = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
        left = len(places) - (len(ids) - most)
        text = text[: min(places[left - 1][1], len(text) - 1)] if left > 0 else ""


def answered(tokenizer: Any, text: str, answer: str) -> tuple[list[int], list[int]]:
    """The tokens of a question, and of the answer that it should get."""
    end = tokenizer.pad_token_id if tokenizer.eos_token_id is None else tokenizer.eos_token_id
    return prompt_of(tokenizer, text)[1], [*tokenizer(answer, add_special_tokens=False)["input_ids"], end]
