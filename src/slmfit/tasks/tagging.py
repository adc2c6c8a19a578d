"""token-classification: the entities of a text, as character spans with a type, and optionally one intent.

    task = TokenClassification()
    task.parse({"text": "fly to Rome", "spans": [{"start": 7, "end": 11, "label": "CITY"}]}, Where("a.jsonl", 1), "1")

A row is one of these, each with an optional `intent`; a row without entities' columns has no target:

    text + spans          [{"start", "end", "label"}] or [[start, end, label]] (spaCy's `entities`; doccano's and Label
                          Studio's `label`)
    tokens + tags         BIO tags, one per token, by name, or as numbers with `tag_names`; with `text`, the tokens
                          are placed in it, else it is the tokens joined by single spaces
    text + labels         [{"word", "label"}]: entity words in reading order with BIO tags, others left out

Offsets count code points from 0, the end excluded. Spans do not overlap.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar, NamedTuple, Self

from slmfit.errors import DataError, UsageError, Where, did_you_mean
from slmfit.evidence.clusters import clusters_of
from slmfit.records import Entities, Example, Input, Prediction, Span, Target, Tokens
from slmfit.tasks import spans as sp
from slmfit.tasks.answers import entities_of, entity_columns
from slmfit.tasks.base import Components, Row, Scores
from slmfit.tasks.common import find, given_text, text_column
from slmfit.tasks.entity_scores import METRICS, Rows, score
from slmfit.tasks.forms.entities import FORMS, EntityForm
from slmfit.tasks.words import read_words

LABELS = ("label", "labels")  # columns that some programs write spans to
EDGES = (
    ("start", "end"), ("start_offset", "end_offset"), ("begin", "end"), ("start_char", "end_char"),
    ("start_idx", "end_idx"), ("span_start", "span_end"),
)  # fmt: skip
NAMES = ("label", "type", "entity", "tag", "entity_type", "category", "entity_label")
TOKENS = ("tokens", "words", "tokenized_text")
COUNTING_TOKENS = ("spans", "entities", "ner")  # what marks tokens beside them
_COUNTING = "{} beside tokens counts tokens, from 0, and whether its ends are included differs from tool to tool"
_INSTEAD = (
    "write a BIO tag for each token in a column 'tags', or 'text' and offsets of characters; or give each span its "
    'words, as in {"start": 1, "end": 3, "label": "X", "text": "New York"}'
)
LOOKED_AT = 200  # rows, by which it is judged whether they did


_LIST = re.compile(r"\s*\[\s*['\"].*\]\s*", re.DOTALL)  # as a table holds several intents


class _Read(NamedTuple):
    text: str
    intent: str | None
    spans: Sequence[Span] | None = None  # None = not said
    repairs: Sequence[sp.Repair] = ()


@dataclass(frozen=True)
class TokenClassification:
    """The task of the module's docstring.

    labels: entity types, sorted. intents: sorted; empty where rows have none.
    """

    labels: tuple[str, ...] = ()
    intents: tuple[str, ...] = ()

    name: ClassVar[str] = "token-classification"
    metrics: ClassVar[tuple[str, ...]] = METRICS
    roles: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "text": ("text", "sentence", "data"),
        "spans": ("spans", "entities"),
        "tokens": ("tokens", "words"),
        "tags": ("tags", "ner_tags", "labels"),
        "tag_names": ("tag_names",),
        "intent": ("intent",),
    }
    required: ClassVar[tuple[str, ...]] = ()
    texts: ClassVar[tuple[str, ...]] = ()
    noun: ClassVar[str] = "text"
    classifies: ClassVar[bool] = False
    marks: ClassVar[bool] = True

    @property
    def metric(self) -> str:
        """Where rows have intents, the share of them with entities and intent right; else F1 of the entities."""
        return "exact_match" if self.intents else "entity_f1"

    def recognises(self, columns: Sequence[str]) -> bool:
        """Text with spans, tokens with tags, or the words form with its intent."""
        lower = {column.lower() for column in columns}
        has = {role: bool(lower & set(names)) for role, names in self.roles.items()}
        words = {"text", "labels", "intent"} <= lower
        return (has["text"] and has["spans"]) or (has["tokens"] and has["tags"]) or words

    def shown_by(self, roles: Mapping[str, str], rows: Iterable[Row]) -> dict[str, str]:
        """role -> column, where spans stand under a label's name, as doccano and Label Studio have it; else empty."""
        if "text" not in roles or "spans" in roles:
            return {}
        cells: dict[str, list[Any]] = {}
        for row in islice(rows, LOOKED_AT):
            for column in row:
                if column.lower() in LABELS and row[column] not in (None, "", [], "[]"):
                    cells.setdefault(column, []).append(row[column])
        spans = next((column for column, filled in cells.items() if all(map(sp.holds_spans, filled))), None)
        return {} if spans is None else {role: c for role, c in roles.items() if c != spans} | {"spans": spans}

    def bare(self, roles: Mapping[str, str], rows: Iterable[Row]) -> bool:
        """Whether no row has a span, a tag or an intent."""
        columns = [roles[role] for role in ("spans", "tags", "intent") if role in roles]
        return all(row.get(column) in (None, "", [], "[]") for row in rows for column in columns)

    def overlooked(self, columns: Sequence[str]) -> str:
        """What to do with tokens beside spans, which must count them; else empty."""
        lower = {column.lower() for column in columns}
        edges = next((pair for pair in EDGES if lower.issuperset(pair)), None)
        if edges is not None and not lower.isdisjoint(self.roles["text"]) and not lower.isdisjoint(NAMES):
            return (
                f"{edges[0]!r} and {edges[1]!r} beside a label may be those of an entity, a row each: to find these, "
                'write a row for each text, {"text": …, "spans": [{"start": 0, "end": 4, "label": "X"}, …]}'
            )
        if "spans" in lower and lower.isdisjoint({*self.roles["text"], *TOKENS}):
            return "the entities in 'spans' need their text: name its column, --column text=NAME"
        marked = next((name for name in COUNTING_TOKENS if name in lower), None)
        if marked is None or lower.isdisjoint(TOKENS) or not lower.isdisjoint(self.roles["text"]):
            return ""
        return _COUNTING.format(repr(marked)) + ": " + _INSTEAD

    def spoken(self, role: str) -> str:
        return role

    def parse(self, row: Row, where: Where, id: str) -> Example:
        """One row, keyed by role or by any name of it. Raises DataError naming file, line and column."""
        read = self._read(row, where)
        known = read.spans is not None or read.intent is not None
        return Example(id, read.text, Entities(tuple(read.spans or ()), read.intent) if known else None)

    def _read(self, row: Row, where: Where) -> _Read:
        text_in, text = find(row, self.roles["text"])
        tokens_in, tokens = find(row, self.roles["tokens"])
        spans_in, spans = find(row, self.roles["spans"])
        tags_in, tags = find(row, self.roles["tags"])
        intent = self._intent(row, where)
        if isinstance(text, str) and spans is not None:
            return _Read(text, intent, sp.read_spans(spans, text, where.at(spans_in)))
        if isinstance(text, str | None) and tokens is not None and spans is None:
            text, offsets = sp.read_tokens(tokens, text, where.at(tokens_in))
            text = Tokens(text, offsets)
            names_in, names = find(row, self.roles["tag_names"])
            names = None if names is None else sp.read_list(names, where.at(names_in))
            if tags is not None:
                return _Read(text, intent, *sp.read_tags(tags, names, offsets, where.at(tags_in)))
            return _Read(text, intent, None, _unsaid(intent))
        if isinstance(text, str):
            if tags is not None:
                return _Read(text, intent, *read_words(tags, text, where.at(tags_in)))
            return _Read(text, intent, None, _unsaid(intent))
        if tokens is not None and spans is not None:
            raise DataError(_COUNTING.format(repr(spans_in)), where=where.at(spans_in), fix=_INSTEAD)
        raise DataError("there is no text", where=where.at(text_in), fix="give `text`, or `tokens` and `tags`")

    def _intent(self, row: Row, where: Where) -> str | None:
        column, intent = find(row, self.roles["intent"])
        if intent is not None and not (isinstance(intent, str) and intent.strip() and not _LIST.fullmatch(intent)):
            raise DataError(f"the intent is {intent!r}", where=where.at(column), fix="name it, or leave it out")
        return intent

    def repairs(self, row: Row, where: Where) -> tuple[sp.Repair, ...]:
        """What reading this row had to decide: mended tags, words that occur twice or nowhere, stray labels, an intent
        without a word on entities.
        """
        return tuple(self._read(row, where).repairs)

    def unparse(self, example: Example) -> dict[str, Any]:
        """text + spans, and the intent if there is one."""
        row: dict[str, Any] = {"id": example.id, "text": example.input}
        if isinstance(example.target, Entities):
            row["spans"] = [{"start": s.start, "end": s.end, "label": s.label} for s in example.target.spans]
            if example.target.intent is not None:
                row["intent"] = example.target.intent
        return row

    def with_labels(self, targets: Iterable[Target]) -> Self:
        """The same task with the types and intents that occur in these targets."""
        known = [t for t in targets if isinstance(t, Entities)]
        labels = {span.label for target in known for span in target.spans}
        intents = {target.intent for target in known if target.intent is not None}
        return type(self)(tuple(sorted(labels)), tuple(sorted(intents)))

    def text(self, input: Input) -> str:
        return str(input)

    def label(self, target: Target) -> str:
        """The intent; else the type of the first entity; else `O`."""
        assert isinstance(target, Entities)
        return target.intent or (target.spans[0].label if target.spans else "O")

    def form(self, name: str | None = None, grain: str = "words") -> EntityForm:
        """`json` or `lines`. grain: see `EntityForm`."""
        if name is not None and name not in FORMS:
            raise UsageError(f"there is no form {name!r} here", fix=did_you_mean(name, FORMS))
        return FORMS[name or "json"](self.labels, self.intents, grain)

    # --- inputs and answers ---

    def given(self, value: Any) -> Input:
        return given_text(value)

    def seen(self, row: Row, columns: Mapping[str, str], where: Where) -> tuple[Input, dict[str, Any]]:
        """Its text, or its tokens where it has none: the text they make is then a column more."""
        found = text_column(row, self.roles, columns, where, among=("text", "tokens"))
        role = "tokens" if found == columns.get("tokens") or found in self.roles["tokens"] else "text"
        input = self.parse({role: row[found]}, where, "").input
        return input, {"text": input} if role == "tokens" else {}

    def columns(self, prediction: Prediction, input: Input) -> dict[str, Any]:
        return entity_columns(prediction, str(input))

    def offered(self, input: Input) -> None:
        return None

    def floor(self, target: Target) -> Target:
        """The intent, with no entities."""
        return Entities(intent=entities_of(target).intent)

    def class_of(self, target: Target) -> str | None:
        return entities_of(target).intent

    def counted(self, target: Target) -> Iterable[tuple[str, str]]:
        found = entities_of(target)
        yield from () if found.intent is None else [("intent", found.intent)]
        yield from (("entity type", span.label) for span in found.spans)

    def agreed(self, target: Target) -> str:
        """Intent and entity types, in order."""
        found = entities_of(target)
        return " ".join([*filter(None, [found.intent]), *(span.label for span in found.spans)])

    # --- scores ---

    def components(self, metric: str, targets: Sequence[Target], predictions: Sequence[Prediction]) -> Components:
        """As `entity_scores.Rows.components`. Raises UsageError for another metric, and for `intent_accuracy` where no
        row has an intent.
        """
        return Rows(targets, predictions, self.labels).components(metric)

    def score(
        self,
        targets: Sequence[Target],
        predictions: Sequence[Prediction],
        seed: int = 0,
        inputs: Sequence[Input] | None = None,
    ) -> Scores:
        """`metrics` with intervals, and the details that `entity_scores.score` names."""
        return score(Rows(targets, predictions, self.labels), seed, clusters_of(map(self.text, inputs or ())))


def _unsaid(intent: str | None) -> tuple[sp.Repair, ...]:
    """That a row with an intent does not say what entities it has."""
    return () if intent is None else (sp.Repair("unsaid entities", intent),)
