"""How the answers to one prompt are written, told from the answers themselves and the schema of the request.

    shape_of(['{"category": "billing"}', …], ["my card was charged twice", …], None)
    # Shape(form="object", label="category", values={"billing": "billing", …})

A label is what takes few values; entities are words that stand in the text. What is neither is no task of ours, and the
reason is said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from slmfit.leaving.labels import FREE, Labels, labels_of
from slmfit.tasks.replies import without_thought
from slmfit.tasks.reply_shapes import Shape, SpanShape, parsed

NEARLY = 0.9  # the share of the answers that must be so
_PLACED = 0.75  # the share of the words of entities that must stand in their texts; the others are counted
_SHARES = ("confiden", "probab", "certain", "sure")
_SURENESS = (*_SHARES, "score")


def shape_of(
    answers: Sequence[str], texts: Sequence[str], schema: Mapping[str, Any] | None, named: str = ""
) -> Shape | str:
    """The shape of these answers to these texts, or why they are no task of ours.

    answers: those that ended well. named: what the prompt says.
    """
    values = [parsed(said) for said in answers]
    objects = [(value, text) for value, text in zip(values, texts, strict=True) if value is not None]
    if len(objects) < NEARLY * len(answers):
        return _of_words(answers, named)
    fenced = sum("```" in said for said in answers) * 2 > len(answers)
    lists = [(value, text) for value, text in objects if isinstance(value, list)]
    if len(lists) >= NEARLY * len(objects):
        spans = _listed_spans(lists, _Hints.of(schema).items)
        return Shape(form="list", spans=spans, fenced=fenced) if isinstance(spans, SpanShape) else FREE
    dicts = [(value, text) for value, text in objects if isinstance(value, dict)]
    found = _of_objects(dicts, _resolved(schema, schema), named)
    return replace(found, fenced=fenced) if isinstance(found, Shape) else found


def _of_words(answers: Sequence[str], named: str) -> Shape | str:
    """Labels and nothing else."""
    found = labels_of([without_thought(said).strip() for said in answers], named=named)
    return found if isinstance(found, str) else Shape(form="text", values=found.values, frames=found.frames)


# --- objects ---


@dataclass(frozen=True)
class _Hints:
    """What a schema says of a member: the values it may have, of a list what its items are."""

    allowed: Sequence[Any] = ()
    items: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, schema: Mapping[str, Any] | None) -> _Hints:
        schema = schema or {}
        allowed = [*schema["enum"]] if isinstance(schema.get("enum"), list) else []
        allowed += [schema["const"]] if "const" in schema else []
        items = schema.get("items")
        return cls(allowed, items if isinstance(items, Mapping) else None)


def _resolved(schema: Any, root: Any, depth: int = 0) -> Any:
    """A schema without references, and of `anyOf` with null the other one."""
    if not isinstance(schema, Mapping) or depth > 12:
        return schema
    if isinstance(at := schema.get("$ref"), str) and at.startswith("#/"):
        inner = root
        for key in at[2:].split("/"):
            inner = inner.get(key) if isinstance(inner, Mapping) else None
        return _resolved(inner, root, depth + 1)
    for key in ("anyOf", "allOf", "oneOf"):
        options = schema.get(key)
        some = [one for one in options if one != {"type": "null"}] if isinstance(options, list) else []
        if len(some) == 1:
            return _resolved(some[0], root, depth + 1)
    return {
        key: {name: _resolved(one, root, depth + 1) for name, one in value.items()}
        if key == "properties" and isinstance(value, Mapping)
        else _resolved(value, root, depth + 1)
        if key == "items"
        else value
        for key, value in schema.items()
    }


def _of_objects(objects: Sequence[tuple[Mapping[str, Any], str]], schema: Any, named: str) -> Shape | str:
    """Of objects: the member that is a label, and the one that holds entities."""
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    hints = {name: _Hints.of(one) for name, one in (properties or {}).items() if isinstance(one, Mapping)}
    counts = Counter(key for value, _ in objects for key in value)
    order = [*hints, *(key for key in counts if key not in hints)]
    often = [key for key in order if counts[key] >= NEARLY * len(objects)]
    if types := _types(objects):
        return Shape(form="object", spans=SpanShape(types=types), order=list(types))
    spans: dict[str, SpanShape] = {}
    labels: dict[str, Labels] = {}
    same: list[str] = []
    for key in order:
        cells = [(value[key], text) for value, text in objects if value.get(key) is not None]
        hint = hints.get(key, _Hints())
        if found := _spans(cells, hint):
            spans[key] = replace(found, key=key)
            continue
        closed = labels_of([cell for cell, _ in cells], hint.allowed, named) if key in often else FREE
        if isinstance(closed, Labels):
            labels[key] = closed
        elif closed != FREE:
            same.append(closed)
    chosen = {key for key in labels if not key.casefold().startswith(_SURENESS)}
    if len(spans) > 1 or len(chosen) > 1:
        several = sorted([*spans, *chosen])
        return f"answers several things at once ({', '.join(several[:5])}), and a method here answers one"
    label = next(iter(chosen), None)
    if not spans and label is None:
        return same[0] if same else FREE
    of_spans = next(iter(spans.values()), None)
    taken = {label, of_spans.key if of_spans else None}
    shares = {key: most for key in often if key not in taken and (most := _most([v.get(key) for v, _ in objects], key))}
    return Shape(
        form="object",
        label=label,
        values=labels[label].values if label is not None else {},
        frames=labels[label].frames if label is not None else (),
        spans=of_spans,
        order=often if of_spans is None else [key for key in order if key in often or key in spans],
        rest={key: _filler([value.get(key) for value, _ in objects]) for key in often if key not in taken},
        sure=next(iter(shares), None),
        most=next(iter(shares.values()), 1),
    )


def _most(cells: Sequence[Any], key: str) -> int | None:
    """1 or 100, where a member tells by its name and its numbers how sure an answer is, as a share of that."""
    if not key.casefold().startswith(_SHARES):
        return None
    numbers = [cell for cell in cells if type(cell) in (int, float)]
    if len(numbers) < len(cells) or not all(0 <= number <= 100 for number in numbers):
        return None
    if max(numbers) > 1:  # up to 10 it may be a scale of another kind, such as 1 to 5
        return 100 if max(numbers) > 10 else None
    return 1 if any(0 < number < 1 for number in numbers) else None


def _filler(cells: Sequence[Any]) -> Any:
    """What stands where nothing here answers: nothing, in the kind that the log has there."""
    first = next((cell for cell in cells if cell is not None), None)
    if isinstance(first, str) and isinstance(closed := labels_of(cells), Labels):
        return max(closed.values, key=lambda name: sum(cell == name for cell in cells))
    empty = {str: "", bool: False, int: 0, float: 0.0, list: [], dict: {}}
    return empty.get(type(first))


# --- entities ---


def _spans(cells: Sequence[tuple[Any, str]], hint: _Hints) -> SpanShape | None:
    """The shape of a member that holds entities."""
    if not cells:
        return None
    if all(isinstance(cell, dict) for cell, _ in cells) and (types := _types(cells)):
        return SpanShape(types=types)
    if all(isinstance(cell, list) for cell, _ in cells):
        found = _listed_spans(cells, hint.items)
        return found if isinstance(found, SpanShape) else None
    return None


def _types(cells: Sequence[tuple[Mapping[str, Any], str]]) -> dict[str, bool]:
    """Type -> whether its words are a list, of objects whose members are the types of entities; else empty."""
    lists, texts, within, words = Counter[str](), Counter[str](), 0, 0
    for value, text in cells:
        for key, cell in value.items():
            some = cell if isinstance(cell, list) else [] if cell is None else [cell]
            if not all(isinstance(word, str) for word in some):
                return {}
            (lists if isinstance(cell, list) else texts)[key] += 1
            words += sum(bool(word.strip()) for word in some)
            within += sum(bool(word.strip()) and word in text for word in some)
    if not words or within < _PLACED * words or not (lists or len(texts) > 1):
        return {}
    return {key: lists[key] > 0 for key in sorted(lists | texts)}


def _listed_spans(cells: Sequence[tuple[Any, str]], schema: Mapping[str, Any] | None) -> SpanShape | str:
    """The shape of lists of entities, each an object with its words, its type and perhaps its place."""
    items = [(item, text) for value, text in cells for item in value]
    if not items or not all(isinstance(item, dict) for item, _ in items):
        return FREE
    properties = (schema or {}).get("properties")
    hints = {name: _Hints.of(one) for name, one in (properties or {}).items() if isinstance(one, Mapping)}
    counts = Counter(key for item, _ in items for key in item)
    keys = [key for key, count in counts.items() if count >= NEARLY * len(items)]
    within = {key: _share(isinstance(item.get(key), str) and item[key] in text for item, text in items) for key in keys}
    closed = {key: labels_of([item.get(key) for item, _ in items], hints.get(key, _Hints()).allowed) for key in keys}
    labels = [key for key, one in closed.items() if isinstance(one, Labels) and all(map(_is_text, one.values.values()))]
    labels = labels or [
        key for key, why in closed.items() if isinstance(why, str) and why != FREE and within[key] < 0.5
    ]
    said = sorted((key for key in keys if within[key] >= _PLACED and [key] != labels), key=lambda key: -within[key])
    whole = [key for key in keys if all(type(item.get(key)) is int for item, _ in items)]
    start = next((key for key in whole if "start" in key.casefold() or "begin" in key.casefold()), None)
    end = next((key for key in whole if "end" in key.casefold() and key != start), None)
    if not labels or (not said and (start is None or end is None)):
        return FREE
    words = said[0] if said else None
    label = next((key for key in labels if hints.get(key, _Hints()).allowed), None)
    label = label or next((key for key in labels if key != words and within[key] < 0.5), labels[0])
    if label == words:
        return FREE
    places = (start, end) if start is not None and end is not None else (None, None)
    rest = {key: _filler([item.get(key) for item, _ in items]) for key in keys if key not in (words, label, *places)}
    return SpanShape(words=words, label=label, start=places[0], end=places[1], rest=rest)


def _share(is_so: Iterable[bool]) -> float:
    found = list(is_so)
    return sum(found) / len(found) if found else 0.0


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
