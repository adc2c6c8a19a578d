"""The answer: a label for each text."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from slmfit.data.clean import clean
from slmfit.ejecting.parts.linear import Classifier
from slmfit.ejecting.parts.run import MODEL

STRIP = ("html",)  # what is taken out of texts before they are read


def answers(texts: Sequence[str]) -> list[dict[str, Any]]:
    """Each text with its label, and the probability of every label."""
    read = list(texts)
    # [strip]
    read = [clean(text, STRIP) for text in texts]
    # [/strip]
    found = Classifier(MODEL).predict(read)
    # [shares]
    return [
        {"text": text, "prediction": label, "probability": shares[label], "probabilities": shares}
        for text, (label, shares) in zip(texts, found, strict=True)
    ]
    # [/shares]
    # [written]
    return [{"text": text, "prediction": label} for text, (label, _) in zip(texts, found, strict=True)]
    # [/written]


if __name__ == "__main__":
    for answer in answers(sys.argv[1:] or [line.rstrip("\n") for line in sys.stdin]):
        print(json.dumps(answer, ensure_ascii=False))
