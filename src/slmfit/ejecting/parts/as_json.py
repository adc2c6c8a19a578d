"""The answer as it is written: `{"intent": "book", "entities": [{"text": "New York", "label": "CITY"}]}`."""

from __future__ import annotations

import json

from slmfit.ejecting.parts.asking import task
from slmfit.ejecting.parts.bio import Spans


def spelled(text: str) -> str:
    """The text as it stands in an answer."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def told(text: str, spans: Spans, intent: str | None) -> str:
    """The answer that names these."""
    entities = [{"text": text[start:end], "label": label} for start, end, label in spans]
    return json.dumps(({} if intent is None else {"intent": intent}) | {"entities": entities}, ensure_ascii=False)


def untold(answer: str) -> tuple[list[tuple[str, str]], str | None]:
    """The reverse: words and labels, and the intent."""
    read = json.loads(answer)
    return [(entity["text"], entity["label"]) for entity in read["entities"]], read.get("intent")


def strings() -> tuple[dict[str, bool], dict[str, bool]]:
    """What an answer begins with, and goes on with after words; with whether words of the text follow."""

    def quoted(name: str) -> str:
        return json.dumps(name, ensure_ascii=False)

    entity, closed = '{"text": "', [f'", "label": {quoted(label)}}}' for label in task()["labels"]]
    begins = [f'{{"intent": {quoted(intent)}, "entities": [' for intent in task()["intents"]] or ['{"entities": [']
    first = {f"{begin}]}}": False for begin in begins} | {begin + entity: True for begin in begins}
    return first, {f"{one}]}}": False for one in closed} | {f"{one}, {entity}": True for one in closed}
