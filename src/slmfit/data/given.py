"""Answers the user already has, from a model they already paid say, matched to the test rows.

    answers = read_answers(Path("gpt.jsonl"), data)      # {"id": "17", "prediction": "billing"} a line

They are matched by `id` where the file has that column, and a text beside it must then be the test row's, else by the
text. Entities are given as in rows of data (`spans`, or `tokens` with `tags`, and `intent`), as `predict` writes them,
or as a reply that names their words.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from slmfit.data.dataset import Dataset
from slmfit.data.readers.rows import is_table, read_rows
from slmfit.errors import DataError, Where
from slmfit.records import OUTCOMES, Entities, Example, Prediction
from slmfit.tasks.answers import Row, answer_first, read_back
from slmfit.tasks.spans import read_list
from slmfit.text.cells import guarded

ANSWER_COLUMNS = ("prediction", "predicted", "predicted_label", "answer", "output", "response", "label")


def read_answers(path: Path, data: Dataset) -> list[Prediction]:
    """One prediction per test row, in order. An answer that is none of the labels is `invalid`, and scores as wrong.

    Raises DataError when the file cannot be read, has no column of answers, lacks the answer to a test row, gives two
    different ones, or has another text beside a test row's id.
    """
    back = read_back if is_table(path) else dict
    rows = [(where, answer_first(back(row))) for where, row in read_rows(path, [])]
    columns = rows[0][1].keys()
    column = next((c for c in _answer_columns(data) if c in columns), None)
    if column is None:
        fix = f"name the column 'prediction'; the columns are: {', '.join(columns)}"
        raise DataError("no column of answers was found", where=Where(str(path), 1), fix=fix)
    key = "id" if "id" in columns else next((c for c in data.task.roles.get("text", ()) if c in columns), None)
    if key is None:
        fix = "add a column 'id' with the ids of the test rows, or 'text' with their texts"
        raise DataError("its rows cannot be matched to the test rows", where=Where(str(path), 1), fix=fix)
    said = (column, "intent") if _marks(data) else (column,)
    by_key: dict[str, tuple[Where, Row]] = {}
    for where, row in rows:
        first = by_key.setdefault(_key(row.get(key), key, data), (where, row))
        if any(row.get(c) != first[1].get(c) for c in said):
            what = f"another answer to the same {key} as on line {first[0].line}"
            raise DataError(what, where=where, fix="keep one of them, or match by id: add a column 'id'")
    answers, missing = [], []
    for example in data.test:
        found = next((by_key[k] for k in _keys(example, key, data) if k in by_key), None)
        if found is None:
            missing.append(example.id)
        else:
            where, row = found
            if key == "id":
                _refuse_other_text(row, example, where, data)
            answers.append(_answer(row, column, where, data, example.input))
    if missing:
        what = f"{len(missing)} of {len(data.test)} test rows have no answer, the first is {missing[0]!r}"
        raise DataError(what, where=str(path), fix=f"match by {key}: give an answer to every row of the test split")
    return answers


def _refuse_other_text(row: Row, example: Example, where: Where, data: Dataset) -> None:
    """Raise DataError for a row with the id of this example and another text where texts stand."""
    column = data.source.get("columns", {}).get("text", "text")
    text = row.get(column)
    if "text" in data.task.roles and isinstance(text, str) and data.recipe(text) != data.task.text(example.input):
        fix = "match by text: remove the column 'id'; or give the answers to these test rows"
        raise DataError(f"its text is not that of the test row {example.id!r}", where=where.at(column), fix=fix)


def _answer_columns(data: Dataset) -> tuple[str, ...]:
    """The names that a column of answers goes by; those of entities come first."""
    roles = ("spans", "tags", "intent") if _marks(data) else ()
    return (*(column for role in roles for column in data.task.roles[role]), *ANSWER_COLUMNS)


def _marks(data: Dataset) -> bool:
    return data.task.name == "token-classification"


def _key(cell: Any, key: str, data: Dataset) -> str:
    return str(cell).strip() if key == "id" else data.recipe(str(cell))


def _keys(example: Example, key: str, data: Dataset) -> list[str]:
    """What the row may be called: an id also as it stood in the user's file, before the split was put before it."""
    text = data.task.text(example.input)
    return [example.id, example.id.removeprefix("test:")] if key == "id" else [text, guarded(text)]


def _answer(row: Row, column: str, where: Where, data: Dataset, input: Any) -> Prediction:
    outcome = row.get("outcome") or "ok"
    if outcome not in OUTCOMES:
        fix = f"use one of {', '.join(OUTCOMES)}"
        raise DataError(f"there is no outcome {outcome!r}", where=where.at("outcome"), fix=fix)
    if outcome != "ok":
        return Prediction(None, outcome)
    cell = row.get(column)
    if column not in ANSWER_COLUMNS:
        return _entities(row, where, data, input)
    if isinstance(cell, dict) and "spans" in cell:  # as predictions.jsonl has it
        return _entities(cell, where.at(column), data, input)
    raw = cell if isinstance(cell, str) else json.dumps(cell, ensure_ascii=False)
    target = data.task.read(raw, input)
    if isinstance(target, str) and target in OUTCOMES and target not in data.task.labels:
        return Prediction(None, target, raw=raw)
    return Prediction(target, raw=raw)


def _entities(row: Row, where: Where, data: Dataset, input: Any) -> Prediction:
    """Entities as a row of data has them, on the test row's own text; `unplaced` as `predict` or a run wrote it.

    Raises DataError where they do not fit the text.
    """
    row = {name: cell for name, cell in row.items() if cell != ""}  # an empty cell of a CSV file says nothing
    target = data.task.parse({**row, "text": input}, where, "").target
    if not isinstance(target, Entities):
        return Prediction(None, "invalid")
    unplaced = read_list(row.get("unplaced") or [], where.at("unplaced"))
    lost = [tuple(one.values()) if isinstance(one, dict) else tuple(one) for one in unplaced]
    return Prediction(replace(target, unplaced=tuple((str(words), str(label)) for words, label in lost)))
