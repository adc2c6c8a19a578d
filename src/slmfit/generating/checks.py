"""What an example must be before it is kept, and the reason when it is not.

flaw(Draft("cancel", Marked("Cancel Friday", (Span(7, 10, "DATE"),))), recipe)      # "misplaced mark"
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slmfit.data.audit.near import UNSPACED
from slmfit.generating.marked import Marked, write_marks
from slmfit.generating.recipe import Recipe
from slmfit.tasks.words import in_word, is_whole, words_from_spans

# reason -> what it means; in the order in which they are looked for
REASONS = {
    "broken reply": "the answer could not be read, so the examples asked for are missing",
    "not asked for": "more examples in one answer than were asked for",
    "broken text": "empty, or with characters that are no text",
    "broken mark": "brackets that make no mark [TYPE|words]",
    "unknown label": "a label or intent that the recipe does not have",
    "unknown entity": "an entity type that the recipe does not have",
    "too short": "fewer characters than the recipe's `length` allows",
    "too long": "more characters than the recipe's `length` allows",
    "misplaced mark": "a mark that cuts a word, or has spaces or commas at its edges",
    "unmarked entity": "the words of an entity also stand unmarked in the same text",
    "lost in words": "the entities could not be told by their words in reading order",
    "copied row": "a row of the data to avoid, or at most one word in ten away from one",
    "duplicate": "a text that is there already, but for case, spaces and punctuation",
    "near duplicate": "at most one word in ten away from a text that is there already",
    "over quota": "enough examples of this label, or with or without this type, are there already",
}  # fmt: skip
LONGEST_REJECTED = 4000  # characters that are kept of what was not
_EDGES = ",;:!?\"“”'’()"


@dataclass(frozen=True, slots=True)
class Draft:
    """An example as its writer hands it over.

    flaw: a reason that the writer has found itself, with what was written in `raw`.
    """

    label: str
    text: Marked
    form: str
    flaw: str | None = None
    raw: str | None = None

    @property
    def types(self) -> frozenset[str]:
        return frozenset(span.label for span in self.text.spans)

    def to_json(self) -> dict[str, Any]:
        """What was written, for people who look at what was rejected."""
        written = write_marks(self.text) if self.raw is None else self.raw
        if len(written) > LONGEST_REJECTED:
            written = written[:LONGEST_REJECTED] + "…"
        return {"text": written, "label": self.label, "form": self.form}


def flaw(draft: Draft, recipe: Recipe) -> str | None:
    """The first reason why this example cannot be kept, whatever else there is; None if there is none."""
    text, spans = draft.text.text, draft.text.spans
    least, most = recipe.length
    if draft.flaw:
        return draft.flaw
    if not text.strip() or any(not (c.isprintable() or c in "\n\t") for c in text):
        return "broken text"
    if draft.label not in recipe.labels:
        return "unknown label"
    if not draft.types <= recipe.entities.keys():
        return "unknown entity"
    if not least <= len(text) <= most:
        return "too short" if len(text) < least else "too long"
    if not all(well_placed(text, span.start, span.end) for span in spans):
        return "misplaced mark"
    if _stands_unmarked(draft.text):
        return "unmarked entity"
    try:
        words_from_spans(text, spans)
    except ValueError:
        return "lost in words"
    return None


def well_placed(text: str, start: int, end: int) -> bool:
    """Whether these are whole words (characters, where a script writes no spaces), without spaces or commas around."""
    words = text[start:end]
    return bool(words) and words == words.strip().strip(_EDGES) and not any(_cuts(text, edge) for edge in (start, end))


def _cuts(text: str, edge: int) -> bool:
    around = text[max(edge - 1, 0) : edge + 1]
    return 0 < edge < len(text) and all(map(in_word, around)) and not UNSPACED.search(around)


def _stands_unmarked(marked: Marked) -> bool:
    """Whether the words of an entity occur, as whole words, where nothing is marked."""
    for words in set(marked.words):
        for match in re.finditer(re.escape(words), marked.text):
            free = all(match.end() <= span.start or span.end <= match.start() for span in marked.spans)
            if free and is_whole(marked.text, *match.span()):
                return True
    return False


def row_of(draft: Draft, recipe: Recipe, number: int) -> dict[str, Any]:
    """The row that is kept: text and label, or text, spans and intent."""
    row: dict[str, Any] = {"id": f"{recipe.name}-{number:04}", "text": draft.text.text}
    if recipe.tagged:
        row["spans"] = [{"start": s.start, "end": s.end, "label": s.label} for s in draft.text.spans]
        row |= {"intent": draft.label} if draft.label else {}
    else:
        row["label"] = draft.label
    return row | {"form": draft.form}


def label_of(row: Mapping[str, Any]) -> str:
    """A row's label or intent; the one label of recipes without intents where it has none."""
    return str(row.get("label", row.get("intent", "")))
