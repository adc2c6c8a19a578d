"""Answers the user already has, from a model they already paid say, matched to the test rows.

    answers = read_answers(Path("gpt.jsonl"), data, notes=notes)      # {"id": "17", "prediction": "billing"} a line
    notes                                                             # ["gpt.jsonl: answers from 'prediction', …"]

They are matched by `id` where the file has that column, and a text beside it must then be the test row's, else by the
text. Entities are given as in rows of data (`spans`, or `tokens` with `tags`, and `intent`), as `predict` writes them,
or as a reply that names their words. Which column holds the answers is `answer_column.py`'s matter, which test
row one is for `answer_rows.py`'s.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from slmfit.data.annotated import answers_of_prodigy
from slmfit.data.answer_column import ANSWER_COLUMNS, PREDICTION, also_read, answer_column, intent_column, other_truths
from slmfit.data.answer_rows import is_id, key_column, matched_rows, named_columns, refuse_two, rows_by_key
from slmfit.data.columns import pair_columns
from slmfit.data.dataset import Dataset
from slmfit.data.label_cells import label_text, parsed
from slmfit.data.other_rows import as_of_another_split, beside_the_test, of_test, refuse_other_rows
from slmfit.data.readers.rows import is_table, read_rows
from slmfit.errors import DataError, Where
from slmfit.records import OUTCOMES, Entities, Input, Pair, Prediction
from slmfit.tasks.answers import Row, answer_first, read_back, stood_at
from slmfit.tasks.common import find
from slmfit.tasks.spans import read_list, read_tokens
from slmfit.text.figures import listed

_TORN = 3  # stretches of a label, from which on truths are not sorted
_SCORES = {"score", "probability", "confidence", "logprob"}


def read_answers(
    path: Path, data: Dataset, *, columns: Mapping[str, str] | None = None, notes: list[str] | None = None
) -> list[Prediction]:
    """One prediction per test row, in order. An answer that is none of the labels is `invalid`, and scores as wrong.

    columns: "prediction", "id" or "text" -> its column, found by name where not given. notes: filled with a sentence on
    which column was read and how its rows were matched.
    Raises DataError when the file cannot be read, its column of answers cannot be told, it lacks the answer to a test
    row, gives two different ones, has another text beside a test row's id, or ids that cannot be these rows'.
    """
    back = read_back if is_table(path) else dict
    read_so = list(read_rows(path, []))
    rows = [(where, _with_text(answer_first(back(row)), where, data)) for where, row in read_so]
    asked = named_columns(columns or {}, rows, path)
    rows = of_test(rows, data, path, notes)
    key = key_column(rows, asked, data, path)
    by_key = rows_by_key(rows, key, data)
    refuse_other_rows(by_key, key, data)
    matched = matched_rows(by_key, key, data, path, rows)

    intent = intent_column(matched, data, path) if data.task.marks else None
    if intent is not None:
        matched = [(where, {**row, "intent": row.get(intent)}) for where, row in matched]

    def read(row: Row, column: str, input: Input, where: Where | None = None) -> Prediction:
        return _answer(row, column, where or Where(str(path)), data, input)

    column = asked.get(PREDICTION) or answer_column(matched, data, path, read)
    answers = [read(row, column, e.input, where) for e, (where, row) in zip(data.test, matched, strict=True)]
    refuse_two(rows, by_key, column, key, data)
    if notes is not None:
        counted = " (rows of the data, counted from 1)" if is_id(key, data) and data.origin.ids == "numbers" else ""
        named = stood_at(column, {name for _, row in read_so for name in row})
        beside = "" if intent is None else f", intents from {intent!r}"
        notes.append(f"{path.name}: answers from column {named!r}{beside}, matched by {key}{counted}.")
        if answers_of_prodigy(row for _, row in rows):
            notes.append(f"{path.name}: Prodigy's column 'answer' is not used: what was rejected is an answer, too.")
        if PREDICTION not in asked and (others := also_read(column, matched, data, read)):
            say = "holds answers, too" if len(others) == 1 else "hold answers, too"
            notes.append(f"{path.name}: {listed(others)} {say}; --column prediction={others[0]} reads them.")
        if counted and _are_sorted(answers, data):
            notes.append(
                f"{path.name}: the answers stand sorted, and the truth does not: were rows counted after sorting?"
            )
        notes += beside_the_test(by_key, key, data, path)
        notes += as_of_another_split(answers, key, data, path)
        if (other := other_truths(column, matched, data, read)) is not None:
            notes.append(
                f"{path.name}: in {other[1]} of {len(matched)} rows {other[0]!r} is not the truth of the test row that "
                f"the {key} names: are these answers to other rows?"
            )
    return answers


def _are_sorted(answers: Sequence[Prediction], data: Dataset) -> bool:
    """Whether rows with one answer stand together, and those with one truth do not."""
    said = [str(answer.target) for answer in answers]
    true = [str(example.target) for example in data.test]
    return 1 < len(set(said)) == _stretches(said) < len(set(true)) + 2 and _stretches(true) > _TORN * len(set(true))


def _stretches(names: Sequence[str]) -> int:
    return sum(one != two for one, two in pairwise(names)) + 1


def _with_text(row: Row, where: Where, data: Dataset) -> Row:
    """The row with both texts where the first stands, if the data are of pairs and the row has both; and with the text
    that its tokens are where no other is there.
    """
    if data.task.marks and not row.keys() & {"id", *data.task.roles["text"]}:
        name, tokens = find(row, data.task.roles["tokens"])
        return {**row, "text": read_tokens(tokens, None, where.at(name))[0]} if tokens else row
    both = pair_columns(data.task, list(row)).values()
    cells = [row[column] for column in both]
    if not both or not all(isinstance(cell, str) for cell in cells):
        return row
    return {**row, data.task.texts[0]: Pair(*cells)}


# --- what is answered ---


def _answer(row: Row, column: str, where: Where, data: Dataset, input: Input) -> Prediction:
    outcome = row.get("outcome") or "ok"
    if outcome not in OUTCOMES:
        fix = f"use one of {', '.join(OUTCOMES)}"
        raise DataError(f"there is no outcome {outcome!r}", where=where.at("outcome"), fix=fix)
    if outcome != "ok":
        return Prediction(None, outcome)
    cell = row.get(column)
    if data.task.marks:
        if isinstance(cell, str) and cell.lstrip().startswith("["):
            cell = read_list(cell, where.at(column))
        if column not in ANSWER_COLUMNS and column in {c for r in data.task.roles.values() for c in r}:
            return _entities(_without_others(row, column, data), where, data, input)
        if isinstance(cell, Mapping) and "spans" in cell:  # as predictions.jsonl has it
            return _entities(cell, where.at(column), data, input)
        if isinstance(cell, list):
            return _entities({**row, "spans": cell}, where.at(column), data, input)
    if data.task.classifies and cell not in data.task.labels:
        cell = _best(_with_scores(cell, row), data.task.labels)
    said = _said(cell)
    if said is None:
        return Prediction(None, "invalid", raw=None if cell is None else json.dumps(cell, ensure_ascii=False))
    merged = data.origin.merged
    if isinstance(said, str) and said in merged and data.task.classifies:
        said = merged[said]
    raw = cell if isinstance(cell, str) else json.dumps(cell, ensure_ascii=False)
    return replace(data.task.form().read(said, input), raw=raw)


def _without_others(row: Row, column: str, data: Dataset) -> Row:
    """The row without other spans and tags than those of the column."""
    roles = data.task.roles
    others = {*roles["spans"], *roles["tags"]} - {column}
    return {name: cell for name, cell in row.items() if name not in others}


def _best(cell: Any, labels: Collection[str]) -> Any:
    """The label of {"label": …, "score": …}, as pipelines of transformers answer; of a list of these, or of an object
    with a score for each of several labels, the one with the highest. They may be written out. Anything else as it is.
    """
    read = parsed(cell) if isinstance(cell, str) and cell.lstrip()[:1] in ("{", "[") else cell
    if isinstance(read, tuple) and len(read) == 1 and isinstance(read[0], str):
        return read[0]
    if isinstance(read, Mapping) and len(read) > 1 and set(read) <= set(labels):
        read = [{"label": label, "score": share} for label, share in read.items()]
    scored = [one for one in (read if isinstance(read, list) else [read]) if isinstance(one, Mapping)]
    if not scored or not all(one.keys() & _SCORES and "label" in one for one in scored):
        return cell
    if len(scored) == 1 or not all(isinstance(_score(one), int | float) for one in scored):
        return scored[0]["label"] if len(scored) == 1 else cell
    return max(scored, key=_score)["label"]


def _with_scores(cell: Any, row: Row) -> Any:
    """Labels with the scores that stand in a list beside theirs, as pipelines that know no labels answer."""
    labels, scores = (parsed(one) if isinstance(one, str) else one for one in (cell, row.get("scores")))
    if (
        not isinstance(labels, list | tuple)
        or not isinstance(scores, list | tuple)
        or not 1 < len(labels) == len(scores)
    ):
        return cell
    return [{"label": label, "score": score} for label, score in zip(labels, scores, strict=True)]


def _score(one: Mapping[str, Any]) -> Any:
    return next(one[name] for name in sorted(_SCORES) if name in one)


def _said(cell: Any) -> str | Mapping[str, Any] | None:
    """What a cell says; None where it says nothing. A list of one says that one, as a label's cell does."""
    if isinstance(cell, list) and len(cell) == 1:
        (cell,) = cell
    if cell is None or isinstance(cell, list) or (isinstance(cell, float) and not math.isfinite(cell)):
        return None
    return cell if isinstance(cell, str | Mapping) else label_text(cell, Where(""))


def _entities(row: Mapping[str, Any], where: Where, data: Dataset, input: Input) -> Prediction:
    """Entities as a row of data has them, on the test row's own text; `unplaced` as `predict` or a run wrote it.

    Raises DataError where they do not fit the text.
    """
    row = {name: cell for name, cell in row.items() if cell != ""}  # an empty cell of a CSV file says nothing
    target = data.task.parse({**row, "text": input}, where, "").target
    if target is None:
        return Prediction(None, "invalid")
    unplaced = read_list(row.get("unplaced") or [], where.at("unplaced"))
    lost = [tuple(one.values()) if isinstance(one, dict) else tuple(one) for one in unplaced]
    assert isinstance(target, Entities)
    return Prediction(replace(target, unplaced=tuple((str(words), str(label)) for words, label in lost)))
