"""The answer as it is written: `intent: book`, then a line for every entity, `B-CITY: New York`."""

from __future__ import annotations

from slmfit.ejecting.parts.asking import task
from slmfit.ejecting.parts.bio import Spans


def spelled(text: str) -> str:
    """The text as it stands in an answer: a line there holds one entity."""
    return text.replace("\r", " ").replace("\n", " ")


def told(text: str, spans: Spans, intent: str | None) -> str:
    """The answer that names these."""
    lines = [] if intent is None else [f"intent: {intent}"]
    lines += [f"B-{label}: {spelled(text)[start:end]}" for start, end, label in spans]
    return "".join(f"{line}\n" for line in lines)


def untold(answer: str) -> tuple[list[tuple[str, str]], str | None]:
    """The reverse: words and labels, and the intent."""
    intent, pairs = None, []
    for line in answer.removesuffix("\n").split("\n") if answer else ():
        name, _, words = line.partition(": ")
        if name == "intent":
            intent = words
        else:
            pairs.append((words, name.removeprefix("B-")))
    return pairs, intent


def strings() -> tuple[dict[str, bool], dict[str, bool]]:
    """What an answer begins with, and goes on with after words; with whether words of the text follow."""
    entities = [f"B-{label}: " for label in task()["labels"]]
    begins = [f"intent: {intent}\n" for intent in task()["intents"]] or [""]
    first = dict.fromkeys(begins, False) | {begin + entity: True for begin in begins for entity in entities}
    return first, {"\n": False} | {f"\n{entity}": True for entity in entities}
