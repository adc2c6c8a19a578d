"""token-classification: the entities of a text, as character spans with a type, and optionally one intent.

    task = TokenClassification()
    task.parse({"text": "fly to Rome", "spans": [{"start": 7, "end": 11, "label": "CITY"}]}, Where("a.jsonl", 1), "1")

A row is one of these, each with an optional `intent`; a row without entities' columns has no target:

    text + spans          [{"start", "end", "label"}] or [[start, end, label]] (spaCy's `entities`)
    tokens + tags         BIO tags, one per token, by name, or as numbers with `tag_names`; with `text`, the tokens
                          are placed in it, else it is the tokens joined by single spaces
    text + labels         [{"word", "label"}]: entity words in reading order with BIO tags, others left out

Offsets count code points from 0, the end excluded. Spans do not overlap.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

from slmfit.errors import DataError, Where
from slmfit.evidence.clusters import clusters_of
from slmfit.records import Entities, Example, Input, Outcome, Prediction, Span, Target
from slmfit.tasks import spans as sp
from slmfit.tasks.base import Components, Row, Scores
from slmfit.tasks.common import find, json_object, json_object_schema
from slmfit.tasks.entity_scores import METRICS, Rows, score
from slmfit.tasks.forms import FORMS, Form
from slmfit.tasks.words import place, placeable, read_words


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
    metric: ClassVar[str] = "entity_f1"
    metrics: ClassVar[tuple[str, ...]] = METRICS
    roles: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "text": ("text", "sentence"),
        "spans": ("spans", "entities"),
        "tokens": ("tokens", "words"),
        "tags": ("tags", "ner_tags", "labels"),
        "tag_names": ("tag_names",),
        "intent": ("intent",),
    }
    required: ClassVar[tuple[str, ...]] = ()

    def recognises(self, columns: Sequence[str]) -> bool:
        """Text with spans, tokens with tags, or the words form with its intent."""
        lower = {column.lower() for column in columns}
        has = {role: bool(lower & set(names)) for role, names in self.roles.items()}
        words = {"text", "labels", "intent"} <= lower
        return (has["text"] and has["spans"]) or (has["tokens"] and has["tags"]) or words

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
            names_in, names = find(row, self.roles["tag_names"])
            names = None if names is None else sp.read_list(names, where.at(names_in))
            if tags is not None:
                return _Read(text, intent, *sp.read_tags(tags, names, offsets, where.at(tags_in)))
            return _Read(text, intent, None, _unsaid(intent))
        if isinstance(text, str):
            if tags is not None:
                return _Read(text, intent, *read_words(tags, text, where.at(tags_in)))
            return _Read(text, intent, None, _unsaid(intent))
        raise DataError("there is no text", where=where.at(text_in), fix="give `text`, or `tokens` and `tags`")

    def _intent(self, row: Row, where: Where) -> str | None:
        column, intent = find(row, self.roles["intent"])
        if intent is not None and not (isinstance(intent, str) and intent.strip()):
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

    # --- codec: entities by their words, in reading order ---

    def prompt(self, input: Input) -> str:
        types = f" ({', '.join(self.labels)})" if self.labels else ""
        intent = f" Name the intent ({', '.join(self.intents)})." if self.intents else ""
        form = {"entities": [{"text": "…", "label": "…"}]} | ({"intent": "…"} if self.intents else {})
        return (
            f"Copy the entities{types} out of the text, word for word and in reading order.{intent}\n"
            f"Answer with JSON: {json.dumps(form, ensure_ascii=False)}\n\nText: {input}\nAnswer: "
        )

    def write(self, target: Target, input: Input) -> str:
        """{"entities": [{"text", "label"}], "intent"}; the text is needed, as a target holds only offsets.

        `read` gives the target back unless a span's words occur, just as whole, between it and the one before
        (10 of the 26,045 rows of SNIPS, ATIS and WNUT-17).
        """
        assert isinstance(target, Entities) and isinstance(input, str)
        answer: dict[str, Any] = {
            "entities": [{"text": input[s.start : s.end], "label": s.label} for s in target.spans]
        }
        if target.intent is not None:
            answer["intent"] = target.intent
        return json.dumps(answer, ensure_ascii=False)

    def read(self, text: str, input: Input) -> Target | Outcome:
        """The entities placed on the input in order, as many as can be; those that cannot are `unplaced`.

        `invalid` for what is not written as the schema says, types and intents that the task does not have among it.
        """
        answer = json_object(text)
        if answer is None or not answer.keys() <= {"entities", "intent"}:
            return "invalid"
        entities, intent = answer.get("entities"), answer.get("intent")
        if not isinstance(entities, list) or not (intent is None or isinstance(intent, str)):
            return "invalid"
        pairs = [(e["text"], e["label"]) for e in entities if isinstance(e, dict) and e.keys() == {"text", "label"}]
        if len(pairs) < len(entities) or not all(isinstance(part, str) for pair in pairs for part in pair):
            return "invalid"
        return self.placed(pairs, intent, str(input))

    def placed(self, pairs: Sequence[tuple[str, str]], intent: str | None, text: str) -> Entities | Outcome:
        """The answer that names these (words, type) in the order of the text; see `read`."""
        unknown = self.labels and any(label not in self.labels for _, label in pairs)
        if unknown or (self.intents and intent is not None and intent not in self.intents):
            return "invalid"
        kept = placeable(text, [words for words, _ in pairs])
        offsets = place(text, [pairs[i][0] for i in kept])
        spans = tuple(Span(*offset, pairs[i][1]) for i, offset in zip(kept, offsets, strict=True))
        return Entities(spans, intent, tuple(pair for i, pair in enumerate(pairs) if i not in set(kept)))

    def schema(self) -> dict[str, Any]:
        def one_of(names: Sequence[str]) -> dict[str, Any]:
            return {"type": "string", "enum": list(names)} if names else {"type": "string"}

        entity = json_object_schema({"text": {"type": "string"}, "label": one_of(self.labels)})
        intent = {"intent": one_of(self.intents)} if self.intents else {}
        return json_object_schema({"entities": {"type": "array", "items": entity}} | intent)

    def form(self, name: str, grain: str = "words") -> Form:
        """How a model that was trained for it writes answers: `lines` or `json`. grain: see `forms.Form`."""
        return FORMS[name](self, grain)

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
