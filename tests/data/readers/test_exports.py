"""Exports of annotation tools and chats: read as they are meant, in every way that rows come, or left for a refusal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slmfit.data import load_data
from slmfit.data.readers.exports import flat
from slmfit.errors import DataError
from slmfit.records import Entities


def text(i: int) -> str:
    return f"Rome{i} {'amber azure beige black'.split()[i % 4]} is number {i}"


def studio(i: int, kind: str, value: dict[str, Any]) -> dict[str, Any]:
    found = [{"from_name": "x", "to_name": "text", "type": kind, "value": value}, {"type": "relation", "from_id": "x"}]
    return {"id": i, "data": {"text": text(i)}, "annotations": [{"id": i, "was_cancelled": False, "result": found}]}


def label(i: int) -> str:
    return ("pos", "neg")[i % 2]


def end(i: int) -> int:
    return len(f"Rome{i}")


CLASSES: dict[str, Any] = {
    "label studio": lambda i: studio(i, "choices", {"choices": [label(i)]}),
    "in data": lambda i: {"id": i, "data": {"text": text(i), "label": label(i)}},
    "text in data": lambda i: {"data": {"text": text(i)}, "label": label(i)},
    "openai": lambda i: {"messages": [{"role": "system", "content": "Classify."}, {"role": "user", "content": text(i)},
                                      {"role": "assistant", "content": f" {label(i)}"}]},
    "sharegpt": lambda i: {"conversations": [{"from": "human", "value": text(i)}, {"from": "gpt", "value": label(i)}]},
    "spacy": lambda i: {"text": text(i), "cats": {"pos": 1.0 - i % 2, "neg": float(i % 2)}},
    "viewer": lambda i: {"row_idx": i, "row": {"text": text(i), "label": label(i)}, "truncated_cells": []},
}  # fmt: skip
MARKS: dict[str, Any] = {
    "label studio": lambda i: studio(i, "labels", {"start": 0, "end": end(i), "text": f"Rome{i}", "labels": ["CITY"]}),
    "rasa": lambda i: {"text": text(i), "intent": label(i),
                       "entities": [{"start": 0, "end": end(i), "value": f"Rome{i}", "entity": "CITY"}]},
    "doccano": lambda i: {"text": text(i), "label": [[0, end(i), "CITY"]]},
}  # fmt: skip


def sources(path: Path, rows: list[Any]) -> list[Any]:
    """The same rows as JSON lines, as a list, under a key, under two, and held."""
    (path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (path / "a.json").write_text(json.dumps(rows, indent=1))
    (path / "b.json").write_text(json.dumps({"features": [{"name": "text"}], "rows": rows}))
    (path / "c.json").write_text(json.dumps({"nlu": {"common": {"examples": rows}}}))
    return [path / "a.jsonl", path / "a.json", path / "b.json", path / "c.json", rows]


@pytest.mark.parametrize("name", CLASSES)
def test_one_class_a_row_is_read(tmp_path: Path, name: str) -> None:
    for source in sources(tmp_path, [CLASSES[name](i) for i in range(40)]):
        data = load_data(source)
        for example in (example for split in data.splits.values() for example in split):
            i = int(str(example.input).rpartition(" ")[2])
            assert (str(example.input), example.target) == (text(i), label(i))


@pytest.mark.parametrize("name", MARKS)
def test_entities_are_read(tmp_path: Path, name: str) -> None:
    for source in sources(tmp_path, [MARKS[name](i) for i in range(40)]):
        data = load_data(source)
        for example in (example for split in data.splits.values() for example in split):
            i = int(str(example.input).rpartition(" ")[2])
            assert isinstance(example.target, Entities)
            assert [(s.start, s.end, s.label) for s in example.target.spans] == [(0, end(i), "CITY")]


@pytest.mark.parametrize("row", [
    {"data": {"text": "a"}, "annotations": [{"result": []}, {"result": [{"type": "relation"}]}, {"result": [1]}]},
    {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}] * 2},
    {"text": "a", "cats": {"x": 0.4, "y": 0.6}}, {"text": "a", "data": {"label": "b"}}, {"id": 1, "data": {"id": 2}},
])  # fmt: skip
def test_what_may_mean_two_things_is_left_as_it_is(row: dict[str, Any]) -> None:
    found, _ = flat(row)
    assert "label" not in found and "spans" not in found


def test_two_answers_of_one_row_are_refused(tmp_path: Path) -> None:
    rows = [studio(i, "choices", {"choices": [label(i), "both"] if i == 7 else [label(i)]}) for i in range(40)]
    with pytest.raises(DataError, match="several labels"):
        load_data(rows)
    rows[7] = {**rows[8], "annotations": rows[8]["annotations"] + rows[9]["annotations"]}
    with pytest.raises(DataError, match="this task has 2 annotations that differ"):
        load_data(rows)


KEYS = st.sampled_from("data text label annotations result value type messages role content cats".split())
CELLS = st.none() | st.booleans() | st.integers() | st.text(max_size=3)


@given(st.recursive(CELLS, lambda some: st.lists(some, max_size=3) | st.dictionaries(KEYS, some, max_size=4)))
def test_any_row_comes_through(value: Any) -> None:
    row = value if isinstance(value, dict) else {"messages": value}
    found, form = flat(row)
    assert form or found is row


def test_entities_in_another_form_than_trains_are_not_called_missing() -> None:
    rows = [MARKS["doccano"](i) for i in range(40)]
    train = [{"text": row["text"], "spans": row["label"]} for row in rows]
    test = [{"tokens": row["text"].split(), "tags": ["B-CITY", "O", "O", "O", "O"]} for row in rows]
    with pytest.raises(DataError, match="its entities are in 'tags', and those of data in 'spans'"):
        load_data(train, test=test)
