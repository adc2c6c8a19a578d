"""How somebody's own prompt has its answers written: told from a log, so that they can be read, and written again.

shape = Shape(form="object", label="category", values={"billing": "billing"})
shape.read('{"category": "billing", "why": "…"}', "charged twice")      # "billing"
shape.write("billing", "charged twice")                                 # '{"category": "billing"}'
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

from slmfit.records import Entities, Span, Target
from slmfit.tasks.forms.entities import Json
from slmfit.tasks.replies import unfenced, without_thought
from slmfit.tasks.wording import Wording, folded

Pairs = list[tuple[str, str]]  # words, type


def parsed(said: str) -> Any:
    """The object or list that an answer is, also between ```json and ```; None for any other answer."""
    words = without_thought(said).strip()
    if not words.startswith(("{", "[", "```")):
        return None
    try:
        value = json.loads(unfenced(words))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None


def name_of(value: Any) -> str:
    """A value of JSON as a label."""
    return value if isinstance(value, str) else json.dumps(value)


@dataclass(frozen=True, kw_only=True)
class SpanShape:
    """How entities are written. key: of the object's member that holds them; None = they are all that is answered.

    types: where they stand under their types, each type -> whether its words are a list; else every entity is an
    object, whose members are `words`, `label`, `start` and `end`, as far as it has them.
    """

    key: str | None = None
    types: Mapping[str, bool] = field(default_factory=dict)
    words: str | None = None
    label: str | None = None
    start: str | None = None
    end: str | None = None
    rest: Mapping[str, Any] = field(default_factory=dict)  # members of every entity that nobody fills -> what they hold

    def read(self, value: Any, text: str) -> Entities | None:
        """The entities in their places; None for what is written otherwise."""
        if self.types:
            return _placed(list(_typed(value)), text) if isinstance(value, dict) else None
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            return None
        labels = [item.get(str(self.label)) for item in value]
        if not all(isinstance(label, str) and label for label in labels):
            return None
        spans = [self._span(item, text) for item in value]
        if self.start is not None and None not in spans:
            found = sorted(span for span in spans if span is not None)
            if all(one[1] <= two[0] for one, two in pairwise(found)):
                return Entities(tuple(Span(*span) for span in found))
        words = [item.get(str(self.words)) for item in value]
        if not all(isinstance(word, str) for word in words):
            return None
        return _placed([(str(word), str(label)) for word, label in zip(words, labels, strict=True)], text)

    def _span(self, item: Mapping[str, Any], text: str) -> tuple[int, int, str] | None:
        match item.get(str(self.start)), item.get(str(self.end)):
            case int(start), int(end) if 0 <= start < end <= len(text):
                said = item.get(self.words) if self.words is not None else text[start:end]
                return (start, end, str(item[str(self.label)])) if said == text[start:end] else None
        return None

    def write(self, answer: Entities, text: str) -> Any:
        """The entities as they stand in the answers of the log."""
        if self.types:
            found = {name: [text[s.start : s.end] for s in answer.spans if s.label == name] for name in self.types}
            return {name: words if self.types[name] else next(iter(words), None) for name, words in found.items()}
        return [self._item(span, text) for span in answer.spans]

    def _item(self, span: Span, text: str) -> dict[str, Any]:
        known = {self.words: text[span.start : span.end], self.label: span.label, self.start: span.start,
                 self.end: span.end}  # fmt: skip
        return {name: value for name, value in known.items() if name is not None} | dict(self.rest)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """form: "text", the label and nothing else; "object"; "list", of entities and nothing else.

    label: the object's member that holds the label, or of entities the intent. values: label -> what the log has for
    it. rest: the other members -> what is written there, as nothing here answers them. fenced: between ``` and ```.
    frames: what is said around a label now and then, folded, before and after it. sure: the member that says how sure
    the answer is, as a share of `most`, 1 or 100.
    """

    form: str
    label: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    spans: SpanShape | None = None
    order: Sequence[str] = ()
    rest: Mapping[str, Any] = field(default_factory=dict)
    fenced: bool = False
    frames: Sequence[Sequence[str]] = ()
    sure: str | None = None
    most: int = 1

    @property
    def task(self) -> str:
        return "text-classification" if self.spans is None else "token-classification"

    def read(self, said: str, text: str) -> Target | None:
        """The label or the entities that an answer states; None for one that states none."""
        if self.form == "text":
            return self._wording.label_of(without_thought(said))
        value = parsed(said)
        if value is None or isinstance(value, dict) != (self.form == "object"):
            return None
        label = None
        if self.label is not None:
            label = self._label(value.get(self.label))
            if label is None or self.spans is None:
                return label
        assert self.spans is not None
        found = self.spans.read(value if self.spans.key is None else value.get(self.spans.key), text)
        return None if found is None else Entities(found.spans, label, found.unplaced)

    def _label(self, value: Any) -> str | None:
        if isinstance(value, dict | list):
            return None
        name = name_of(value)
        if name in self.values:
            return name
        return self._wording.label_of(name) if isinstance(value, str) else None

    @cached_property
    def _wording(self) -> Wording:
        spelled = {folded(label): label for label in self.values}
        return Wording(spelled | {folded(name_of(v)): label for label, v in self.values.items()}, self.frames)

    def spelled(self, said: str) -> Any:
        """The label as an answer that has one writes it."""
        return without_thought(said).strip() if self.form == "text" else parsed(said)[self.label]

    def write(self, target: Target, text: str, sure: float | None = None) -> str:
        """An answer as the log has them. sure: how sure the method is of it, 0 to 1."""
        if self.form == "text":
            return str(self.values.get(str(target), target))
        label = target.intent if isinstance(target, Entities) else target
        value: Any = dict(self.rest)
        if self.label is not None:
            value[self.label] = self.values.get(str(label), label)
        if self.sure is not None and sure is not None:
            value[self.sure] = round(sure, 2) if self.most == 1 else round(self.most * sure)
        if self.spans is not None:
            assert isinstance(target, Entities)
            spans = self.spans.write(target, text)
            if self.spans.key is not None:
                value[self.spans.key] = spans
            else:
                value = spans if self.form == "list" else value | spans
        if isinstance(value, dict):
            value = {key: value[key] for key in (*self.order, *value) if key in value}
        words = json.dumps(value, ensure_ascii=False)
        return f"```json\n{words}\n```" if self.fenced else words


def _typed(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Words and type of what stands under its type."""
    for label, words in value.items():
        for word in words if isinstance(words, list) else [words]:
            if isinstance(word, str) and word.strip():
                yield word, label


def _placed(pairs: Pairs, text: str) -> Entities | None:
    """The entities where they stand in the text: in the order given, or where more are found then in the text's."""
    form = Json((), ())
    found: list[Entities] = []
    for order in (pairs, sorted(pairs, key=lambda pair: (text.find(pair[0]), -len(pair[0])))):
        target = form.placed(order, None, text).target
        assert isinstance(target, Entities)
        found.append(target)
        if not target.unplaced:
            break
    return min(found, key=lambda target: len(target.unplaced))
