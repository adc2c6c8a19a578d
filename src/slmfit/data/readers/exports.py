"""Rows as annotation tools and chat models write them, an object in an object, to rows with a cell for each thing.

    flat({"id": 7, "data": {"text": "Hi"}, "label": "greeting"})
    # ({"id": 7, "text": "Hi", "label": "greeting"}, "columns inside an object")

Only where one meaning is possible; any other row stays as it is, and is refused where its columns are looked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from slmfit.data.readers.chats import batched, spoken
from slmfit.data.readers.token_spans import with_tags

Row = dict[str, Any]

CANCELLED = "was_cancelled"  # of an annotation that its annotator skipped
UNDONE = "annotations"  # an empty list where nobody annotated the row
MARKED = "annotated_texts"  # which of several texts of a task was annotated
DIFFERING = "annotations_that_differ"  # in place of the label, or the spans: how many there are
_OF_STUDIO = ("annotations", "predictions", "drafts")  # what a task holds besides its columns
AROUND = ("data", "row", "fields")  # what holds the columns: Label Studio, the hub's viewer, Argilla


def flat(row: Row) -> tuple[Row, str]:
    """The row with its own columns at hand, and as what it was read; unchanged and "" where nothing is in it."""
    for name, read in _FORMS.items():
        if (found := read(row)) is not None:
            inner, _ = flat(found)
            return inner, name
    return row, ""


def _lifted(row: Row) -> Row | None:
    """What an object of the row holds, as columns of the row, where none of them is there already."""
    for key in AROUND:
        inner = row.get(key)
        if isinstance(inner, Mapping) and inner and not inner.keys() & row.keys() and "text" not in row:
            return {**{name: cell for name, cell in row.items() if name != key}, **inner}
    return None


def _of_task(row: Row) -> Row:
    """The columns of a task of Label Studio: its own, such as `id` and `meta`, and before them those of its `data`."""
    data = row.get("data")
    inner = data if isinstance(data, Mapping) else {}
    return {name: cell for name, cell in row.items() if name not in _OF_STUDIO and cell is not inner} | {**inner}


def _annotated(row: Row) -> Row | None:
    """Label Studio's choices as the label, its marks as spans, where there is one answer, or all agree."""
    given = row.get("annotations")
    if (
        not isinstance(given, list)
        or "label" in row
        or "spans" in row
        or not all(isinstance(a, Mapping) for a in given)
    ):
        return None
    if given and all(one.get(CANCELLED) for one in given):
        return _of_task(row) | {CANCELLED: True}
    answers = [one["result"] for one in given if isinstance(one.get("result"), list) and not one.get(CANCELLED)]
    read = [_marked(answer) for answer in answers]
    rest = _of_task(row)
    if not given and isinstance(row.get("data"), Mapping):
        return rest | {UNDONE: []}
    if not read or read[0] is None:
        return None
    first = [sorted(map(str, part)) for part in read[0]]
    if any(one is None or [sorted(map(str, part)) for part in one] != first for one in read):
        return rest | {DIFFERING: len(read)}
    label, spans = read[0]
    rest |= _annotated_texts(row.get("data"), answers)
    if label and spans:
        return rest | {"intent": label[0] if len(label) == 1 else label, "spans": spans}
    return rest | ({"label": label} if label else {"spans": spans})


def _annotated_texts(data: Any, answers: list[list[Any]]) -> Row:
    """The keys of the texts that answers are of, where a task has several and the answers say it."""
    texts = [key for key, cell in data.items() if isinstance(cell, str)] if isinstance(data, Mapping) else []
    results = (one for answer in answers for one in answer if one.get("type") != "relation")
    names = {name for one in results if isinstance(name := one.get("to_name"), str)}
    return {MARKED: sorted(names)} if len(texts) > 1 and names and names <= {*texts} else {}


def _marked(answer: list[Any]) -> tuple[list[Any], list[Any]] | None:
    """What one person chose, and marked; None where it is of another kind.

    What is said of a mark, such as a choice, is no answer for the text. One without a label stays, to be refused.
    """
    label: list[Any] = []
    marks: list[Any] = []
    if not all(isinstance(one, Mapping) for one in answer):
        return None
    for one in answer:
        value = {} if one.get("type") == "relation" else one.get("value")
        if not isinstance(value, Mapping):
            return None
        if {"start", "end"} <= value.keys():
            marks.append(value)
        elif one.get("type") == "choices" and isinstance(value.get("choices"), list):
            label += value["choices"]
        elif one.get("type") == "rating":
            label += [str(value.get("rating"))]
    return label, _labelled(marks)


def _labelled(marks: list[Mapping[str, Any]]) -> list[Any]:
    """A span for each label of a mark, and for a mark of which no result has one."""
    spans: list[Any] = []
    bare: list[Any] = []
    for value in marks:
        marked = {key: cell for key, cell in value.items() if key in ("start", "end", "text")}
        names = value.get("labels")
        if isinstance(names, list) and names:
            spans += [marked | {"label": name} for name in names]
        else:
            bare.append(marked)
    placed = [(span["start"], span["end"]) for span in spans]
    return spans + [mark for mark in bare if (mark["start"], mark["end"]) not in placed]


def _chosen(row: Row) -> Row | None:
    """spaCy's `cats` of which one is true as the label."""
    cats = row.get("cats")
    if not isinstance(cats, Mapping) or "label" in row or not all(cell in (0, 1) for cell in cats.values()):
        return None
    chosen = [name for name, cell in cats.items() if cell]
    rest = {name: cell for name, cell in row.items() if name != "cats"}
    return rest | {"label": chosen[0] if len(chosen) == 1 else chosen}


def _of_doc(row: Row) -> Row | None:
    """What spaCy's `Doc.to_json()` has beside the text: its tokens are places, and entities may lack where none is."""
    tokens = row.get("tokens")
    if "text" not in row or "spans" in row or not isinstance(tokens, list) or not {"ents", "sents"} & row.keys():
        return None
    if not all(isinstance(token, Mapping) and {"start", "end"} <= token.keys() for token in tokens):
        return None
    rest = {name: cell for name, cell in row.items() if name not in ("tokens", "sents", "ents")}
    return rest | {"entities": row.get("ents") or []}


def _counted_otherwise(row: Row) -> Row | None:
    """Entities of LUIS, whose `endPos` is the last character of one, and of CLU, with `offset` and `length`."""
    entities = row.get("entities")
    if not isinstance(entities, list) or not entities or "spans" in row:
        return None
    spans = []
    for one in entities:
        match one:
            case {"startPos": int(start), "endPos": int(last)}:
                spans.append({"start": start, "end": last + 1, "label": one.get("entity")})
            case {"offset": int(start), "length": int(length)}:
                spans.append({"start": start, "end": start + length, "label": one.get("category")})
            case _:
                return None
    return row | {"entities": spans}  # where it is in rows without any, too


def _of_truthfulqa(row: Row) -> Row | None:
    """TruthfulQA's choices of which one is right, as columns."""
    match row.get("mc1_targets"):
        case {"choices": choices, "labels": labels} if "choices" not in row:
            rest = {name: cell for name, cell in row.items() if name not in ("mc1_targets", "mc2_targets")}
            return rest | {"choices": choices, "labels": labels}
    return None


_FORMS: Mapping[str, Callable[[Row], Row | None]] = {
    "what Label Studio marked": _annotated,
    "answers of a batch, by their custom_id": batched,
    "LUIS' or CLU's utterances (endPos is an entity's last character)": _counted_otherwise,
    "TruthfulQA's mc1_targets": _of_truthfulqa,
    "chats, each with one answer": spoken,
    "spans that count tokens": with_tags,
    "spaCy's Doc.to_json()": _of_doc,
    "spaCy's categories": _chosen,
    "columns inside an object": _lifted,
}
