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
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self, TypeAlias

import numpy as np

from slmfit.errors import DataError, UsageError, Where, did_you_mean
from slmfit.records import Entities, Example, Input, Outcome, Prediction, Score, Span, Target
from slmfit.statistic import bootstrap_sums, wilson
from slmfit.tasks import spans as sp
from slmfit.tasks.base import Components, Row, Scores
from slmfit.tasks.common import count_outcomes, find, json_object, json_object_schema
from slmfit.tasks.words import place, read_words


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
    metrics: ClassVar[tuple[str, ...]] = (
        "entity_f1", "entity_precision", "entity_recall", "intent_accuracy", "exact_match")  # fmt: skip
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
            names = find(row, self.roles["tag_names"])[1]
            found = () if tags is None else sp.read_tags(tags, names, offsets, where.at(tags_in))
            return _Read(text, intent, *found)
        if isinstance(text, str):
            found = () if tags is None else read_words(tags, text, where.at(tags_in))
            return _Read(text, intent, *found)
        raise DataError("there is no text", where=where.at(text_in), fix="give `text`, or `tokens` and `tags`")

    def _intent(self, row: Row, where: Where) -> str | None:
        column, intent = find(row, self.roles["intent"])
        if intent is not None and not (isinstance(intent, str) and intent.strip()):
            raise DataError(f"the intent is {intent!r}", where=where.at(column), fix="name it, or leave it out")
        return intent

    def repairs(self, row: Row, where: Where) -> tuple[sp.Repair, ...]:
        """What reading this row had to decide: mended tags, words that occur twice or nowhere, stray labels."""
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
        """The entities placed on the input as `words.place` does; `invalid` if one has no place or no known type."""
        answer = json_object(text)
        if answer is None or not answer.keys() <= {"entities", "intent"}:
            return "invalid"
        entities, intent = answer.get("entities"), answer.get("intent")
        if not isinstance(entities, list) or not (intent is None or isinstance(intent, str)):
            return "invalid"
        pairs = [(e["text"], e["label"]) for e in entities if isinstance(e, dict) and e.keys() == {"text", "label"}]
        if len(pairs) < len(entities) or not all(isinstance(part, str) for pair in pairs for part in pair):
            return "invalid"
        unknown = self.labels and any(label not in self.labels for _, label in pairs)
        if unknown or (self.intents and intent is not None and intent not in self.intents):
            return "invalid"
        try:
            offsets = place(str(input), [words for words, _ in pairs])
        except ValueError:
            return "invalid"
        return Entities(tuple(Span(*o, label) for o, (_, label) in zip(offsets, pairs, strict=True)), intent)

    def schema(self) -> dict[str, Any]:
        def one_of(names: Sequence[str]) -> dict[str, Any]:
            return {"type": "string", "enum": list(names)} if names else {"type": "string"}

        entity = json_object_schema({"text": {"type": "string"}, "label": one_of(self.labels)})
        intent = {"intent": one_of(self.intents)} if self.intents else {}
        return json_object_schema({"entities": {"type": "array", "items": entity}} | intent)

    # --- scores ---

    def components(self, metric: str, targets: Sequence[Target], predictions: Sequence[Prediction]) -> Components:
        """`entity_*`: what each row has right, found and true. Others: 0/1, and 1 for every row that counts.

        An entity is right when start, end and type are (CoNLL), micro-averaged; a failed answer found nothing.
        `exact_match` asks for all entities and, where the truth has one, the intent. Raises UsageError for another
        metric, and for `intent_accuracy` where no row has an intent.
        """
        pairs = _pairs(targets, predictions)
        if metric in COUNTED:
            counts = sp.count_spans(*_spans(pairs))[:, COUNTED[metric]]
            return Components(counts, sp.f1 if metric == "entity_f1" else _share)
        if metric == "exact_match":
            right = [a is not None and set(a.spans) == set(t.spans) and t.intent in (None, a.intent) for t, a in pairs]
            return _shares(right, [True] * len(pairs))
        asked = [t.intent is not None for t, _ in pairs]
        if metric == "intent_accuracy" and any(asked):
            return _shares([a is not None and a.intent == t.intent for t, a in pairs], asked)
        if metric in self.metrics:
            raise UsageError("there is no intent accuracy: no row has an intent", fix="choose another metric")
        raise UsageError(f"{self.name} has no metric {metric!r}", fix=did_you_mean(metric, self.metrics))

    def score(
        self,
        targets: Sequence[Target],
        predictions: Sequence[Prediction],
        seed: int = 0,
        inputs: Sequence[Input] | None = None,
    ) -> Scores:
        """`metrics` (the intent's only where rows have one); details: `rows`, `outcomes`, `per_type`, `per_intent`."""
        pairs = _pairs(targets, predictions)
        has_intent = any(t.intent is not None for t, _ in pairs)
        values = {
            metric: _with_interval(metric, self.components(metric, targets, predictions), seed)
            for metric in self.metrics
            if has_intent or metric != "intent_accuracy"
        }
        details = {
            "rows": len(pairs),
            "outcomes": count_outcomes(predictions),
            "per_type": _per_type(pairs),
            "per_intent": _per_intent(pairs),
        }
        return Scores(values, details)


COUNTED = {"entity_f1": [0, 1, 2], "entity_precision": [0, 1], "entity_recall": [0, 2]}  # columns of `count_spans`
Pairs: TypeAlias = Sequence[tuple[Entities, Entities | None]]  # truth, answer (None = failed)


def _pairs(targets: Sequence[Target], predictions: Sequence[Prediction]) -> Pairs:
    pairs = []
    for target, prediction in zip(targets, predictions, strict=True):
        assert isinstance(target, Entities)
        answer = prediction.target if prediction.outcome == "ok" else None
        pairs.append((target, answer if isinstance(answer, Entities) else None))
    return pairs


def _spans(pairs: Pairs) -> tuple[list[Sequence[Span]], list[Sequence[Span]]]:
    return [t.spans for t, _ in pairs], [a.spans if a else () for _, a in pairs]


def _share(sums: np.ndarray) -> np.ndarray:
    return sp.ratio(sums[..., 0], sums[..., 1])


def _shares(right: Sequence[bool], counted: Sequence[bool]) -> Components:
    """How many of the rows that count are right."""
    rows = np.column_stack([np.logical_and(right, counted), counted]).astype(np.float64)
    return Components(rows, _share, paired_mean=all(counted))


def _with_interval(metric: str, c: Components, seed: int) -> Score:
    """Wilson's interval for a share of rows; a bootstrap over rows for what is counted in entities."""
    if metric in COUNTED:
        return bootstrap_sums(c.rows, c.combine, seed=seed)
    return wilson(*c.rows.sum(axis=0).tolist())


def _per_type(pairs: Pairs) -> list[dict[str, Any]]:
    """Per entity type its scores, and how many entities were right, found, and in truth."""
    return [
        {
            "label": label,
            "precision": float(sp.precision(n)),
            "recall": float(sp.recall(n)),
            "f1": float(sp.f1(n)),
            "right": int(n[0]),
            "found": int(n[1]),
            "support": int(n[2]),
        }
        for label, n in sp.count_by_type(*_spans(pairs)).items()
    ]


def _per_intent(pairs: Pairs) -> list[dict[str, Any]]:
    """Per intent how often it was right, answered, and the truth; rows without an intent are left out."""
    rows = [(t.intent, a.intent if a else None) for t, a in pairs if t.intent is not None]
    right = Counter(t for t, a in rows if t == a)
    found, support = Counter(a for _, a in rows), Counter(t for t, _ in rows)
    names = sorted(name for name in found.keys() | support.keys() if name is not None)
    return [{"label": name, "right": right[name], "found": found[name], "support": support[name]} for name in names]
