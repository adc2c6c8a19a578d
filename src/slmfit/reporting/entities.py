"""The entities of the test rows as the page reads them: where they stand in the text as it is shown, and how the
answers pair with the truth.

    shown, at = placed("\\t👩 in Rome", {5, 9})      # " 👩 in Rome", {0: 0, 5: 6, 9: 10, …}
    columns(EntityRows(["CITY"], ["book"], truth, {"linear": answers}), places)       # for entities.js

In the page a text is a JavaScript string, of UTF-16, with signs for what nobody may see; so places are counted anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

from slmfit.records import Entities, Span
from slmfit.reporting.disk import Source
from slmfit.tasks import marks
from slmfit.tasks.entity_scores import found_spans
from slmfit.tasks.matching import matched
from slmfit.text.visible import units, visible

Places: TypeAlias = Mapping[int, int]  # an edge in the user's text -> where it is in the page's


@dataclass(frozen=True)
class EntityRows:
    """Truth and answers of the rows to show, in order. types, intents: those that occur, as the page numbers them.

    found: method id -> its answers; None = no usable one.
    """

    types: list[str]
    intents: list[str]
    truth: list[Entities]
    found: Mapping[str, list[Entities | None]]

    def edges(self, row: int) -> set[int]:
        """Where any entity of a row begins or ends."""
        answers = [self.truth[row], *(some[row] for some in self.found.values())]
        return {edge for answer in answers if answer for span in answer.spans for edge in (span.start, span.end)}


def is_tagged(source: Source) -> bool:
    """Whether these runs mark entities."""
    return any(marks(record.task) for record in source.records.values())


def types(source: Source) -> list[str]:
    """Every type that is in truth or was found on test, sorted."""
    return _labels(source, "per_type")


def intents(source: Source) -> list[str]:
    """Every intent that is the truth or was answered on test, sorted."""
    return _labels(source, "per_intent")


def _labels(source: Source, part: str) -> list[str]:
    return sorted({row["label"] for id in source.records for row in source.details(id).get(part, ())})


def confusion(source: Source, id: str) -> list[list[int]] | None:
    """[true type, found type, entities, those with the right bounds]; the last number is spurious, or missed."""
    cells = source.details(id).get("confusion")
    number: dict[str | None, int] = {label: i for i, label in enumerate(types(source))}
    number[None] = len(number)
    return cells and [[number[c["true"]], number[c["found"]], c["count"], c["exact"]] for c in cells]


def placed(text: str, edges: Iterable[int]) -> tuple[str, Places]:
    """The text as the page shows it, and where each edge is in it."""
    cuts = sorted({0, len(text), *edges})
    shown, at, length = [], {0: 0}, 0
    for start, end in pairwise(cuts):
        piece = visible(text[start:end])
        length += units(piece)
        shown.append(piece)
        at[end] = length
    return "".join(shown), at


def columns(rows: EntityRows, places: Sequence[Places] | None) -> dict[str, Any]:
    """JSON for entities.js: columns with one value a row; those of answers hold such a column for each method.

    places: as `placed` gives them; None = texts are not shown, and places stay those of the user's text.
    marks: the true entities, start, end and type one after the other. found: the answers' likewise, 0 where they
    are the same. pairs: true and found type of each pair as one number, 0 where all are right. lost: [words, type] of
    entities without a place, 0 where there are none. intent, said: numbers of intents, -1 for none.
    """
    of_type = {label: i for i, label in enumerate(rows.types)}
    intent = {label: i for i, label in enumerate(rows.intents)}
    every = range(len(rows.truth))

    def flat(row: int, spans: Sequence[Span]) -> list[int]:
        at = places[row] if places else None
        edges = [(at[s.start], at[s.end]) if at else (s.start, s.end) for s in spans]
        return [part for (start, end), s in zip(edges, spans, strict=True) for part in (start, end, of_type[s.label])]

    def found(row: int, answer: Entities | None) -> Any:
        spans = answer.spans if answer else ()
        return 0 if set(spans) == set(rows.truth[row].spans) else flat(row, spans)

    def pairs(row: int, answer: Entities | None) -> Any:
        spans, true = found_spans(answer), rows.truth[row].spans
        if set(spans) == set(true):
            return 0
        none, width = len(of_type), len(of_type) + 1
        both = matched(true, spans, "type")
        return [(of_type[t.label] if t else none) * width + (of_type[f.label] if f else none) for t, f in both]

    def lost(answer: Entities | None) -> Any:
        unplaced = answer.unplaced if answer else ()
        return [[visible(words)[:300], of_type[label]] for words, label in unplaced] or 0

    answers = list(rows.found.values())
    return {
        "marks": [flat(row, rows.truth[row].spans) for row in every],
        "found": [[found(row, some[row]) for row in every] for some in answers],
        "pairs": [[pairs(row, some[row]) for row in every] for some in answers],
        "lost": [[lost(some[row]) for row in every] for some in answers],
        "intent": [intent.get(str(true.intent), -1) for true in rows.truth],
        "said": [[intent.get(str(answer.intent), -1) if answer else -1 for answer in some] for some in answers],
    }
