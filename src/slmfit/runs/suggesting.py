"""Answers as an annotation tool takes suggestions: its own rows, with the answer where it looks for it.

    tool = tool_of(Path("tasks.json"), task)             # None where the rows are of no tool
    tool.written(task, row, {}, answer, "fly to Rome")
    # ({"id": 1, "data": {…}, "predictions": [{"model_version": "slmfit", "result": [{"type": "labels", …}]}]}, {})

What a person has marked or chosen is never replaced.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from slmfit.data.readers.rows import ending, read_rows
from slmfit.records import Entities, Prediction
from slmfit.tasks.answers import entities_of, rounded
from slmfit.tasks.base import Task
from slmfit.text.visible import units

Row = dict[str, Any]

STUDIO = "Label Studio"
_OF_PRODIGY = {"_input_hash", "_task_hash", "answer"}
_LOOKED_AT = 100  # rows, by which the tool is told
_EMPTY: tuple[Any, ...] = (None, [])


@dataclass(frozen=True)
class Tool:
    """path: of its file. name: whose form the rows have. tags: `labels`, `choices` -> what the labelling interface
    calls that, and the text beside it; as in its templates where no row says it.
    """

    path: Path
    name: str
    task: Task
    tags: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def rows(self) -> Iterator[Row]:
        """As the file has them, in the order in which they are answered."""
        return (row for _, row in read_rows(self.path, [], whole=True))

    def written(self, task: Row, row: Row, ours: Row, answer: Prediction, text: str) -> tuple[Row, Row]:
        """What is written of a row: its own cells, and the answer's beside them, which Label Studio takes none of.

        task: the row as the file has it; row: as it was read.
        """
        target = answer.target
        spans = _spans(entities_of(target), answer) if self.task.marks else None
        label = self.task.class_of(target) if target is not None else None
        if self.name == STUDIO:
            said = [] if target is None else [self._prediction(answer, spans, label, text)]
            return task | {"predictions": said}, {}
        if target is None:
            return row, ours
        return row | (_chosen(task, str(label)) if spans is None else _marked(task, spans)), ours

    def _prediction(self, answer: Prediction, spans: list[Row] | None, label: str | None, text: str) -> Row:
        result: list[Row] = []
        for span in spans or []:
            edges = {key: units(text[: span[key]]) for key in ("start", "end")}
            value = edges | {"text": text[span["start"] : span["end"]], "labels": [span["label"]]}
            result.append(self._region("labels", value, span.get("probability")))
        chances = answer.probabilities or {}
        score = rounded(chances[label]) if label is not None and label in chances else None
        if label is not None:
            result.append(self._region("choices", {"choices": [label]}, score))
        return {"model_version": "slmfit", "result": result} | ({} if score is None else {"score": score})

    def _region(self, kind: str, value: Row, score: float | None) -> Row:
        name, of = self.tags.get(kind, ("label" if kind == "labels" else "choice", "text"))
        region = {"from_name": name, "to_name": of, "type": kind, "value": value}
        return region if score is None else region | {"score": score}


def tool_of(path: Path, task: Task) -> Tool | None:
    """The tool whose rows a file of JSON holds; None for any other file. Raises DataError where it cannot be read."""
    if not (task.marks or task.classifies) or ending(path) not in ("json", "jsonl", "ndjson"):
        return None
    first = [row for _, row in islice(read_rows(path, [], whole=True), _LOOKED_AT)]
    names = {_name(row) for row in first}
    name = names.pop() if len(names) == 1 else None
    return None if name is None else Tool(path, name, task, _tags(first) if name == STUDIO else {})


def _name(row: Row) -> str | None:
    if isinstance(row.get("data"), Mapping):
        return STUDIO
    if not _OF_PRODIGY.isdisjoint(row):
        return "Prodigy"
    listed = isinstance(row.get("label"), list) or (isinstance(row.get("entities"), list) and "relations" in row)
    return "doccano" if listed and isinstance(row.get("text", row.get("data")), str) else None


def _tags(rows: list[Row]) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for row in rows:
        given = [one for key in ("annotations", "predictions", "drafts") for one in row.get(key) or []]
        for region in (region for one in given if isinstance(one, Mapping) for region in one.get("result") or []):
            match region:
                case {"type": str(kind), "from_name": str(name), "to_name": str(of)}:
                    found.setdefault(kind, (name, of))
    return found


def _spans(target: Entities, answer: Prediction) -> list[Row]:
    spans: list[Row] = [{"start": s.start, "end": s.end, "label": s.label} for s in target.spans]
    for span, chance in zip(spans, answer.span_probabilities or [], strict=False):
        span["probability"] = rounded(chance)
    return spans


def _marked(row: Row, spans: list[Row]) -> Row:
    """The spans where doccano or Prodigy have theirs."""
    plain = [{key: span[key] for key in ("start", "end", "label")} for span in spans]
    if isinstance(row.get("entities"), list):
        offsets = [{"id": n, "label": s["label"], "start_offset": s["start"], "end_offset": s["end"]}
                   for n, s in enumerate(plain)]  # fmt: skip
        return {"entities": offsets} if not row["entities"] else {}
    if "label" in row:
        return {"label": [[*span.values()] for span in plain]} if row["label"] in _EMPTY else {}
    return {"spans": plain} if row.get("spans") in _EMPTY else {}


def _chosen(row: Row, label: str) -> Row:
    """The label where doccano or Prodigy have theirs."""
    if "options" in row:
        return {"accept": [label]} if row.get("accept") in _EMPTY else {}
    if isinstance(row.get("label"), list):
        return {"label": [label]} if not row["label"] else {}
    return {"label": label} if row.get("label") is None else {}
