"""The classifier: the language model reads the text and then each label; the label that it finds the likeliest is the
answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from slmfit.ejecting.parts.loading import base, loaded
from slmfit.ejecting.parts.run import MODEL
from slmfit.ejecting.parts.tuning import configured, tuned

# How likely a label is can be read in several ways; validation told which is the best here. text: the log-likelihood of
# the label after the text; mean: by token; characters: by character; pmi: less what it has where nothing is asked;
# letter: of its letter, the labels shown.
READING = "text"


@cache
def known() -> list[str]:
    """The labels."""
    return json.loads((MODEL / "slmfit.json").read_text(encoding="utf-8"))["task"]["labels"]


def asked(text: str) -> tuple[str, list[str]]:
    """What is read before an answer, and how each label would go on from there."""
    if READING == "letter":
        shown = "".join(f"{letter}. {label}\n" for letter, label in zip(ascii_uppercase, known(), strict=False))
        return f"{text}\n\n{shown}Answer:", [f" {letter}" for letter in ascii_uppercase[: len(known())]]
    return f"{text}\n\nAnswer:", [f" {label}" for label in known()]


def examples() -> str:
    """Rows of training that stand before every text, asked and answered."""
    found = ""
    # [shots]
    for line in (MODEL / "examples.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        prompt, options = asked(row["text"])
        found += f"{prompt}{options[known().index(row['label'])]}\n\n"
    # [/shots]
    return found


class Classifier:
    """The model and tokenizer in a folder of transformers."""

    def __init__(self, folder: Path) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = loaded(AutoModelForCausalLM)
        self.before = examples()

    def predict(self, texts: Sequence[str]) -> list[tuple[str, dict[str, float]]]:
        """The label of each text, and the probability of every label."""
        found = []
        for text in texts:
            with torch.inference_mode():
                shares = scores(self.model, self.tokenizer, text, self.before).softmax(-1).tolist()
            found.append((known()[shares.index(max(shares))], dict(zip(known(), shares, strict=True))))
        return found


def scores(model: Any, tokenizer: Any, text: str, before: str) -> torch.Tensor:
    """How well each label fits a text, float64 [labels]."""
    prompt, options = asked(text)
    found, tokens = likelihoods(model, tokenizer, before + prompt, options)
    if READING == "mean":
        return found / tokens
    if READING == "characters":
        return found / torch.tensor([max(1, len(label.strip())) for label in known()])
    if READING == "pmi":
        return found - likelihoods(model, tokenizer, "Answer:", options)[0]
    return found


def likelihoods(model: Any, tokenizer: Any, prompt: str, options: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """The log-likelihood of each option after a prompt, and how many tokens it has."""
    framed = tokenizer("a", return_special_tokens_mask=True)["special_tokens_mask"]
    tail = framed[::-1].index(0)  # special tokens behind a text: the option goes on before them

    def ids_of(text: str) -> list[int]:
        ids = tokenizer(text)["input_ids"]
        return ids[: len(ids) - tail]

    begun, told = ids_of(prompt), []
    for option in options:
        whole = ids_of(prompt + option)
        apart = whole[: len(begun)] != begun or len(whole) == len(begun)  # a token stretches over the border
        told.append(tokenizer(option, add_special_tokens=False)["input_ids"] if apart else whole[len(begun) :])
    limit = tokenizer.model_max_length
    told = [ids[: limit - 1] for ids in told]
    begun = begun[-(limit - max(map(len, told))) :]  # what stands last, the question, is what counts
    longest = max(map(len, told))
    rows = torch.tensor([begun + ids + [0] * (longest - len(ids)) for ids in told])  # what fills up is seen by none
    logits = model(rows).logits[:, len(begun) - 1 : -1].float()
    each = logits.log_softmax(-1).gather(-1, rows[:, len(begun) :, None]).squeeze(-1).double()
    counts = torch.tensor([len(ids) for ids in told])
    return torch.where(torch.arange(longest) < counts[:, None], each, 0.0).sum(1), counts


# [trained]
def train(texts: Sequence[str], labels: Sequence[str]) -> Callable[[Sequence[str]], list[str]]:
    """What answers texts with labels, learnt anew from these rows, from the base model on."""
    tokenizer = AutoTokenizer.from_pretrained(MODEL)
    model = base(AutoModelForCausalLM, configured(tokenizer))

    def loss_of(rows: Sequence[tuple[str, str]]) -> torch.Tensor:
        found = torch.stack([scores(model, tokenizer, text, "") for text, _ in rows])
        return torch.nn.functional.cross_entropy(found, torch.tensor([known().index(label) for _, label in rows]))

    tuned(model, list(zip(texts, labels, strict=True)), loss_of)
    return lambda others: [known()[int(scores(model, tokenizer, text, "").argmax())] for text in others]


# [/trained]
