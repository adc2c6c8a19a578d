"""The answer: the spans of each text, and its intent."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from slmfit.data.clean import clean
from slmfit.ejecting.parts.crf import Tagger
from slmfit.ejecting.parts.run import MODEL

STRIP = ("html",)  # what is taken out of texts before they are read


def answers(texts: Sequence[str | Sequence[str]]) -> list[dict[str, Any]]:
    """Each text, or tokens joined by spaces, with its spans; their ends are those of Python's slices."""
    spelled = [text if isinstance(text, str) else " ".join(text) for text in texts]
    # [strip]
    texts = spelled = [clean(text, STRIP) for text in spelled]  # offsets are those of what is read
    # [/strip]
    tagger, found = Tagger(MODEL), []
    for given, text in zip(texts, spelled, strict=True):
        spans, told = tagger.find(given)
        named = [{"start": a, "end": b, "label": label, "text": text[a:b]} for a, b, label in spans]
        answer: dict[str, Any] = {"text": text, "spans": named}
        # [intents]
        # [shares]
        intent = max(told, key=told.__getitem__)
        answer |= {"intent": intent, "intent_probability": told[intent], "probabilities": told}
        # [/shares]
        # [written]
        answer["intent"] = told
        # [/written]
        # [/intents]
        found.append(answer)
    return found


def given(line: str) -> str | list[str]:
    """A text; or, where a line is a JSON list, the tokens of one."""
    return json.loads(line) if line.startswith('["') else line


if __name__ == "__main__":
    for answer in answers([given(line) for line in sys.argv[1:] or [line.rstrip("\n") for line in sys.stdin]]):
        print(json.dumps(answer, ensure_ascii=False))
