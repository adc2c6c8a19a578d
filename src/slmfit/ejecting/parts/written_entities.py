"""The spans: the language model reads the text and writes the intent and the entities after it, which are then looked
up in the text. It can write words of the text only, in their order.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transformers import AutoModelForCausalLM, AutoTokenizer

from slmfit.ejecting.parts.as_lines import spelled, strings, told, untold
from slmfit.ejecting.parts.asking import asked, prompt_of
from slmfit.ejecting.parts.bio import Spans
from slmfit.ejecting.parts.loading import loaded
from slmfit.ejecting.parts.run import MODEL
from slmfit.ejecting.parts.spelled import places
from slmfit.ejecting.parts.teaching import taught
from slmfit.ejecting.parts.writing import Rules, Writer
from slmfit.tasks.words import place, placeable


def examples() -> str:
    """Rows of training that stand before every text, asked and answered."""
    found = ""
    # [shots]
    for line in (MODEL / "examples.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        spans = [(span["start"], span["end"], span["label"]) for span in row["spans"]]
        found += f"{asked(row['text'])}{told(row['text'], spans, row.get('intent'))}\n"
    # [/shots]
    return found


def rules_of(text: str, lead: bytes) -> Rules:
    """What may be written after a text."""
    characters = [spelled(character).encode() for character in text]
    at = [0]
    for character in characters:
        at.append(at[-1] + len(character))
    words = places(text)
    first, then = strings()
    begun = {lead + string.encode() if string or copies else b"": copies for string, copies in first.items()}
    later = {string.encode(): copies for string, copies in then.items()}
    return Rules(begun, later, b"".join(characters), [at[start] for start, _ in words], [at[end] for _, end in words])


class Tagger:
    """The model and tokenizer in a folder of transformers."""

    def __init__(self, folder: Path) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.writer = Writer(loaded(AutoModelForCausalLM), self.tokenizer)
        self.before = examples()

    def find(self, text: str) -> tuple[Spans, str | None]:
        """The spans of a text, and its intent."""
        text, prompt = prompt_of(self.tokenizer, text, self.before)
        pairs, intent = untold(self.writer.write(prompt, rules_of(text, self.writer.lead)))
        # [lines]
        text = spelled(text)
        # [/lines]
        kept = placeable(text, [words for words, _ in pairs])
        found = place(text, [pairs[i][0] for i in kept])
        return [(start, end, pairs[i][1]) for i, (start, end) in zip(kept, found, strict=True)], intent


# [trained]
def train(texts: Sequence[str], spans: Sequence[Spans], intents: Sequence[str | None]) -> Any:
    """The model that writes, learnt anew from these rows, from the base model on; `Writer` asks it."""
    replies = [told(*row) for row in zip(texts, spans, intents, strict=True)]
    return taught(AutoTokenizer.from_pretrained(MODEL), texts, replies)


# [/trained]
