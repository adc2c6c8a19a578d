"""Entities shown in their text: as columns of a row, and marked on a terminal.

    entity_columns("see you on 10 May", Prediction(Entities((Span(11, 17, "DATE"),), "confirm")))
    # {"spans": [{"start": 11, "end": 17, "label": "DATE", "text": "10 May"}], "intent": "confirm",
    #  "entities": {"DATE": ["10 May"]}}
    marked(row, Palette())       # 'confirm                       see you on [10 May DATE]', in colour

The columns are read back as data: `spans` is what a file of labelled rows has.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from rich.text import Text

from slmfit.records import Entities, Prediction
from slmfit.visible import visible
from slmfit.wording import percent

COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "bright_cyan", "bright_magenta", "bright_green", "bright_blue")


def entity_columns(text: str, prediction: Prediction) -> dict[str, Any]:
    """An answer as columns; null throughout where there is none.

    `spans` with their words and, where known, probabilities; `intent` with its probability; `entities`: the same words
    by type, in order; `unplaced`, where a method wrote its answer: what it named that is not in the text where it
    should be.
    """
    answer, intents = prediction.target, prediction.probabilities
    if not isinstance(answer, Entities):
        return {"spans": None, "intent": None, "entities": None}
    spans = [{"start": s.start, "end": s.end, "label": s.label, "text": text[s.start : s.end]} for s in answer.spans]
    if prediction.span_probabilities is not None:
        for span, chance in zip(spans, prediction.span_probabilities, strict=True):
            span["probability"] = round(chance, 6)
    columns: dict[str, Any] = {"spans": spans, "intent": answer.intent}
    if intents is not None:
        columns["intent_probability"] = round(intents.get(str(answer.intent), 0.0), 6)
    columns["entities"] = combined(text, answer)
    if prediction.raw is not None or answer.unplaced:
        columns["unplaced"] = [{"text": words, "label": label} for words, label in answer.unplaced]
    return columns


def combined(text: str, answer: Entities) -> dict[str, list[str]]:
    """Type -> the words of its entities, in order."""
    found: dict[str, list[str]] = {}
    for span in answer.spans:
        found.setdefault(span.label, []).append(text[span.start : span.end])
    return found


class Palette:
    """A colour for each type, in the order in which they are met."""

    def __init__(self) -> None:
        self._colours: dict[str, str] = {}

    def __getitem__(self, label: str) -> str:
        return self._colours.setdefault(label, COLOURS[len(self._colours) % len(COLOURS)])


def marked(row: Mapping[str, Any], palette: Palette) -> Text:
    """A row of `entity_columns` and `text` on one line: the intent, then the text with its entities in brackets."""
    line = Text(end="")
    if row["intent"] is not None:
        chance = percent(row["intent_probability"]) if "intent_probability" in row else ""
        line.append(f"{visible(row['intent']):20} {chance:>7}  ")
    text, spans = row["text"], row["spans"] or []
    edges = [0, *(edge for span in spans for edge in (span["start"], span["end"])), len(text)]
    for i, (start, end) in enumerate(pairwise(edges)):
        words = visible(text[start:end])
        line.append(words) if i % 2 == 0 else line.append_text(_entity(words, spans[i // 2], palette))
    for one in row.get("unplaced", ()):
        line.append("  not in the text: ", style="dim").append(visible(one["text"]), style="strike")
        line.append(f" {visible(one['label'])}", style=palette[one["label"]])
    if "outcome" in row:
        line.append(f"  no answer: {row['outcome']}", style="dim")
    return line


def _entity(words: str, span: Mapping[str, Any], palette: Palette) -> Text:
    colour = palette[span["label"]]
    chance = f" {100 * span['probability']:.0f} %" if "probability" in span else ""
    name = f" {visible(span['label'])}{chance}"
    return Text.assemble(("[", colour), (words, f"bold {colour}"), (name, colour), ("]", colour))
