"""The classifier: the language model reads the text and writes a label after it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from transformers import AutoModelForCausalLM, AutoTokenizer

from slmfit.ejecting.parts.asking import asked, prompt_of, task
from slmfit.ejecting.parts.loading import loaded
from slmfit.ejecting.parts.run import MODEL
from slmfit.ejecting.parts.teaching import taught
from slmfit.ejecting.parts.writing import Rules, Writer


def examples() -> str:
    """Rows of training that stand before every text, asked and answered."""
    found = ""
    # [shots]
    for line in (MODEL / "examples.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        found += f"{asked(row['text'])}{row['label']}\n"
    # [/shots]
    return found


class Classifier:
    """The model and tokenizer in a folder of transformers."""

    def __init__(self, folder: Path) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.writer = Writer(loaded(AutoModelForCausalLM), self.tokenizer)

    def predict(self, texts: Sequence[str]) -> list[tuple[str, dict[str, float]]]:
        """The label of each text; there are no probabilities."""
        rules = Rules({self.writer.lead + label.encode(): False for label in task()["labels"]}, {}, b"", [], [])
        before = examples()
        return [(self.writer.write(prompt_of(self.tokenizer, text, before)[1], rules), {}) for text in texts]


# [trained]
def train(texts: Sequence[str], labels: Sequence[str]) -> Callable[[Sequence[str]], list[str]]:
    """What answers texts with labels, learnt anew from these rows, from the base model on."""
    tokenizer = AutoTokenizer.from_pretrained(MODEL)
    writer = Writer(taught(tokenizer, texts, labels), tokenizer)
    rules = Rules({writer.lead + label.encode(): False for label in set(labels)}, {}, b"", [], [])
    return lambda others: [writer.write(prompt_of(tokenizer, text)[1], rules) for text in others]


# [/trained]
