"""Rows as annotation tools and chat models write them, an object in an object, to rows with a cell for each thing.

    flat({"id": 7, "data": {"text": "Hi"}, "label": "greeting"})
    # ({"id": 7, "text": "Hi", "label": "greeting"}, "columns inside an object")

Only where one meaning is possible; any other row stays as it is, and is refused where its columns are looked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Row = dict[str, Any]

CANCELLED = "was_cancelled"  # of an annotation that its annotator skipped
DIFFERING = "annotations_that_differ"  # in place of the label, or the spans: how many there are
_AROUND = ("data", "row", "fields")  # what holds the columns: Label Studio, the hub's viewer, Argilla
_ASKS, _ANSWERS = {"user", "human"}, {"assistant", "gpt", "model"}


def flat(row: Row) -> tuple[Row, str]:
    """The row with its own columns at hand, and as what it was read; unchanged and "" where nothing is in it."""
    for name, read in _FORMS.items():
        if (found := read(row)) is not None:
            inner, _ = flat(found)
            return inner, name
    return row, ""


def _lifted(row: Row) -> Row | None:
    """What an object of the row holds, as columns of the row, where none of them is there already."""
    for key in _AROUND:
        inner = row.get(key)
        if isinstance(inner, Mapping) and inner and not inner.keys() & row.keys() and "text" not in row:
            return {**{name: cell for name, cell in row.items() if name != key}, **inner}
    return None


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
        return {name: cell for name, cell in row.items() if name != "annotations"} | {CANCELLED: True}
    answers = [one["result"] for one in given if isinstance(one.get("result"), list) and not one.get(CANCELLED)]
    read = [_marked(answer) for answer in answers]
    rest = {name: cell for name, cell in row.items() if name != "annotations"}
    if not read or read[0] is None:
        return None
    first = [sorted(map(str, part)) for part in read[0]]
    if any(one is None or [sorted(map(str, part)) for part in one] != first for one in read):
        return rest | {DIFFERING: len(read)}
    label, spans = read[0]
    if label and spans:
        return rest | {"intent": label[0] if len(label) == 1 else label, "spans": spans}
    return rest | ({"label": label} if label else {"spans": spans})


def _marked(answer: list[Any]) -> tuple[list[Any], list[Any]] | None:
    """What one person chose, and marked; None where it is of another kind."""
    label: list[Any] = []
    spans: list[Any] = []
    if not all(isinstance(one, Mapping) for one in answer):
        return None
    for one in answer:
        value = {} if one.get("type") == "relation" else one.get("value")
        if not isinstance(value, Mapping):
            return None
        if one.get("type") == "choices":
            label += value.get("choices") or []
        elif isinstance(value.get("labels"), list) and {"start", "end"} <= value.keys():
            marked = {key: cell for key, cell in value.items() if key in ("start", "end", "text")}
            spans += [marked | {"label": name} for name in value["labels"]]
    return label, spans


def _spoken(row: Row) -> Row | None:
    """A chat of one question and one answer as text and label; what the system is told is kept beside them."""
    key = next((key for key in ("messages", "conversations") if isinstance(row.get(key), list)), None)
    if key is None or "text" in row or not all(isinstance(turn, Mapping) for turn in row[key]):
        return None
    turns = [(str(turn.get("role", turn.get("from"))), turn.get("content", turn.get("value"))) for turn in row[key]]
    asked = [said for who, said in turns if who in _ASKS]
    answered = [said for who, said in turns if who in _ANSWERS]
    system = [said for who, said in turns if who == "system"]
    if len(asked) != 1 or len(answered) > 1 or len(turns) != len(asked) + len(answered) + len(system):
        return None
    if not all(isinstance(said, str) for _, said in turns):
        return None
    rest = {name: cell for name, cell in row.items() if name != key}
    return rest | {"text": asked[0]} | ({"label": answered[0].strip()} if answered else {}) | (
        {"system": "\n".join(system)} if system else {}
    )  # fmt: skip


def _chosen(row: Row) -> Row | None:
    """spaCy's `cats` of which one is true as the label."""
    cats = row.get("cats")
    if not isinstance(cats, Mapping) or "label" in row or not all(cell in (0, 1) for cell in cats.values()):
        return None
    chosen = [name for name, cell in cats.items() if cell]
    return {**{name: cell for name, cell in row.items() if name != "cats"}, "label": chosen}


def _batched(row: Row) -> Row | None:
    """An answer of a batch as OpenAI and Anthropic hand it out: under the id that the user gave, what was said."""
    response, result = row.get("response"), row.get("result")
    if "custom_id" not in row or not isinstance(response if result is None else result, Mapping | None):
        return None
    if "response" not in row and "result" not in row:
        return None
    given = {"id": row["custom_id"]}
    body = (response or {}).get("body") if result is None else result.get("message")
    if not isinstance(body, Mapping) or (result is None and response.get("status_code", 200) != 200):  # type: ignore[union-attr]
        return given | {"prediction": None, "outcome": "error"}
    said, ended = _said(body)
    outcome = _ENDS.get(ended, "ok") if said is not None else "error"
    return given | {"prediction": said} | ({} if outcome == "ok" else {"outcome": outcome})


_ENDS = {"length": "truncated", "max_tokens": "truncated", "incomplete": "truncated", "content_filter": "filtered",
         "refusal": "refused"}  # fmt: skip


def _said(body: Mapping[str, Any]) -> tuple[str | None, Any]:
    """The text of a chat completion, a response or a message, and why it ended; None where there is none."""
    match body:
        case {"choices": [{"message": {"refusal": str()}}, *_]}:
            return "", "refusal"
        case {"choices": [{"message": {"content": str(said)}, **choice}, *_]}:
            return said, choice.get("finish_reason")
        case {"output": [*items]}:
            parts = [part for item in items if isinstance(item, Mapping) for part in item.get("content") or ()]
        case {"content": [*parts]}:
            pass
        case _:
            return None, None
    texts = [part["text"] for part in parts if isinstance(part, Mapping) and isinstance(part.get("text"), str)]
    return "".join(texts) if texts else None, body.get("stop_reason", body.get("status"))


def _counted_otherwise(row: Row) -> Row | None:
    """Entities of LUIS, whose `endPos` is the last character of one, and of CLU, with `offset` and `length`."""
    entities = row.get("entities")
    if not isinstance(entities, list) or not entities or "spans" in row:
        return None
    spans = []
    for one in entities:
        match one:
            case {"startPos": int(start), "endPos": int(last), "entity": str(label)}:
                spans.append({"start": start, "end": last + 1, "label": label})
            case {"offset": int(start), "length": int(length), "category": str(label)}:
                spans.append({"start": start, "end": start + length, "label": label})
            case _:
                return None
    return {name: cell for name, cell in row.items() if name != "entities"} | {"spans": spans}


def _of_truthfulqa(row: Row) -> Row | None:
    """TruthfulQA's choices of which one is right, as columns."""
    match row.get("mc1_targets"):
        case {"choices": choices, "labels": labels} if "choices" not in row:
            rest = {name: cell for name, cell in row.items() if name not in ("mc1_targets", "mc2_targets")}
            return rest | {"choices": choices, "labels": labels}
    return None


_FORMS: Mapping[str, Callable[[Row], Row | None]] = {
    "what Label Studio marked": _annotated,
    "answers of a batch, by their custom_id": _batched,
    "LUIS' or CLU's utterances (endPos is an entity's last character)": _counted_otherwise,
    "TruthfulQA's mc1_targets": _of_truthfulqa,
    "a chat of one question and one answer": _spoken,
    "spaCy's categories": _chosen,
    "columns inside an object": _lifted,
}
