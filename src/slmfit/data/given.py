"""Answers the user already has, from a model they already paid say, matched to the test rows.

    answers = read_answers(Path("gpt.jsonl"), data, notes=notes)      # {"id": "17", "prediction": "billing"} a line
    notes                                                             # ["gpt.jsonl: answers from 'prediction', …"]

They are matched by `id` where the file has that column, and a text beside it must then be the test row's, else by the
text. Entities are given as in rows of data (`spans`, or `tokens` with `tags`, and `intent`), as `predict` writes them,
or as a reply that names their words. Which column holds the answers is `answer_column.py`'s matter.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from pathlib import Path
from typing import Any

from slmfit.data.annotated import answers_of_prodigy
from slmfit.data.answer_column import ANSWER_COLUMNS, PREDICTION, answer_column, intent_column, other_truths
from slmfit.data.audit.entities import offset_notes
from slmfit.data.columns import no_column, pair_columns
from slmfit.data.dataset import Dataset
from slmfit.data.label_cells import label_text, parsed
from slmfit.data.readers.rows import is_table, read_rows
from slmfit.errors import DataError, UsageError, Where, did_you_mean
from slmfit.records import OUTCOMES, SPLITS, Entities, Example, Input, Pair, Prediction
from slmfit.tasks.answers import Row, answer_first, read_back, stood_at
from slmfit.tasks.common import find
from slmfit.tasks.spans import read_list, read_tokens
from slmfit.text.cells import guarded
from slmfit.text.figures import listed, number_of

_SCORES = {"score", "probability", "confidence"}

Placed = tuple[Where, Row]


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
    asked = _named(columns or {}, rows, path)
    key = _key_column(rows, asked, data, path)
    by_key = _by_key(rows, key, data)
    matched = _matched(by_key, key, data, path)

    intent = intent_column(matched, data, path) if data.task.marks else None
    if intent is not None:
        matched = [(where, {**row, "intent": row.get(intent)}) for where, row in matched]

    def read(row: Row, column: str, input: Input, where: Where | None = None) -> Prediction:
        return _answer(row, column, where or Where(str(path)), data, input)

    column = asked.get(PREDICTION) or answer_column(matched, data, path, read)
    answers = [read(row, column, e.input, where) for e, (where, row) in zip(data.test, matched, strict=True)]
    _refuse_two(rows, by_key, column, key, data)
    if notes is not None:
        counted = " (rows of the data, counted from 1)" if _is_id(key, data) and data.origin.ids == "numbers" else ""
        named = stood_at(column, {name for _, row in read_so for name in row})
        beside = "" if intent is None else f", intents from {intent!r}"
        notes.append(f"{path.name}: answers from column {named!r}{beside}, matched by {key}{counted}.")
        if answers_of_prodigy(row for _, row in rows):
            notes.append(f"{path.name}: Prodigy's column 'answer' is not used: what was rejected is an answer, too.")
        marked = [replace(e, target=a.target) for e, a in zip(data.test, answers, strict=True) if a.target is not None]
        notes += offset_notes(path.name, marked)
        notes += _strange_ids(by_key, key, data, path)
        if (other := other_truths(column, matched, data, read)) is not None:
            notes.append(
                f"{path.name}: in {other[1]} of {len(matched)} rows {other[0]!r} is not the truth of the test row that "
                f"the {key} names: are these answers to other rows?"
            )
        if len(answers) > 1 and all(a.target == e.target for a, e in zip(answers, data.test, strict=True)):
            notes.append(f"{path.name}: every answer in {column!r} equals the truth: is it the truth itself?")
    return answers


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


# --- which row is meant ---


def _named(columns: Mapping[str, str], rows: Sequence[Placed], path: Path) -> Mapping[str, str]:
    """The columns as asked for. Raises UsageError for a role that answers do not have, DataError for no such column."""
    known = (PREDICTION, "id", "text")
    for role, column in columns.items():
        if role not in known:
            raise UsageError(f"answers have no column for {role!r}", fix=did_you_mean(role, known))
        if not any(column in row for _, row in rows):
            raise no_column(column, list(rows[0][1]), str(path))
    return columns


def _key_column(rows: Sequence[Placed], asked: Mapping[str, str], data: Dataset, path: Path) -> str:
    """The column that rows are matched by: an id, unless the data's own tell no rows apart, else the text."""
    first = rows[0][1]
    names = [asked["text"]] if "text" in asked else data.task.roles.get("text", ())
    used = data.origin.columns.get("text")
    text = next((name for name in (used, *names) if name in first), None)
    id = asked.get("id") or ("id" if "id" in first else None)
    if id and "text" not in asked and (data.origin.ids != "repeated" or text is None):
        if data.origin.ids == "repeated":
            what = "the ids of the data stand on several rows, so they do not say which row an answer is for"
            raise DataError(what, where=Where(str(path), 1), fix="give the texts beside the answers, or mend the ids")
        return id
    if text is None:
        fix = "add a column 'id' with the ids of the test rows, or 'text' with their texts"
        if (column := _with_ids(rows, data)) is not None:
            fix = f"the column {column!r} holds the ids of the test rows: call it 'id'"
        raise DataError("its rows cannot be matched to the test rows", where=Where(str(path), 1), fix=fix)
    return text


def _by_key(rows: Sequence[Placed], key: str, data: Dataset) -> dict[str, Placed]:
    """What rows are matched by -> the first row that has it. Raises DataError for ids that are no row's."""
    found: dict[str, Placed] = {}
    numbers = _numbers(data) if _is_id(key, data) else None
    for where, row in rows:
        word = _word(row.get(key), key, data)
        if numbers is not None and row.get(key) is not None and word not in numbers:
            what = f"{word!r} is no row of these data, which have no ids: their rows are counted from 1"
            fix = "count the answers' rows from 1 too, or give the texts and no ids"
            raise DataError(what, where=where.at(key), fix=fix)
        found.setdefault(word, (where, row))
    if numbers is not None and not any(name in rows[0][1] for name in _text_names(data)):
        _refuse_other_ids(found.keys(), rows[0][0].file, key, data)
    return found


def _refuse_other_ids(ids: Set[str], file: str, key: str, data: Dataset) -> None:
    """Raise DataError where another column of the data has these ids too: then they are hardly numbers of rows."""
    column = next((column for column, names in data.other_ids.items() if names <= ids), None)
    if column is not None:
        what = f"the data's column {column!r} has these ids too, but no column is called 'id', so rows would be counted"
        fix = f"call the column {column!r} of the data 'id', or give the texts beside the answers"
        raise DataError(what, where=Where(file).at(key), fix=fix)


def _strange_ids(by_key: Mapping[str, Placed], key: str, data: Dataset, path: Path) -> Iterator[str]:
    """That ids of answers are no row's, as they are where rows were counted anew, from 0 or through all files."""
    if not _is_id(key, data) or data.origin.ids != "column":
        return
    known = {name for split in SPLITS for example in data.splits[split] for name in _names(example.id, split)}
    if strange := [word for word in by_key if word not in known]:
        some = f"{number_of(len(strange), 'answer')} of {len(by_key):,}"
        ids = listed(strange[:2])
        yield f"{path.name}: {some} have an id that no row has ({ids}): are they counted as the data count theirs?"


def _text_names(data: Dataset) -> tuple[str, ...]:
    used = data.origin.columns.get("text")
    return (*data.task.roles.get("text", ()), *([used] if used else []))


def _numbers(data: Dataset) -> set[str] | None:
    """The ids that rows can be called by, where they are the numbers of the rows; None where the data have ids."""
    if data.origin.ids != "numbers":
        return None
    return {name for split in SPLITS for example in data.splits[split] for name in _names(example.id, split)}


def _names(id: str, split: str) -> tuple[str, str]:
    """What a row may be called: also as it stood in the user's file, before the split was put before it."""
    return id, id.removeprefix(f"{split}:")


def _matched(by_key: Mapping[str, Placed], key: str, data: Dataset, path: Path) -> list[Placed]:
    """The row of each test row, in order. Raises DataError where one is missing, or has another text."""
    found, missing = [], []
    told = {word for example in data.test for word in _told(example, data)}
    for example in data.test:
        names = _names(example.id, "test") if _is_id(key, data) else _texts(data, example)
        placed = next((by_key[name] for name in names if name in by_key), None)
        if placed is None:
            missing.append(example.id)
            continue
        if _is_id(key, data):
            _refuse_other_text(placed, example, data, told)
            _refuse_other_order(placed, example, data)
        found.append(placed)
    if missing:
        what = f"{len(missing)} of {len(data.test)} test rows have no answer, the first is {missing[0]!r}"
        counted = " (rows are counted from 1)" if _is_id(key, data) and data.origin.ids == "numbers" else ""
        fix = f"match by {key}{counted}: give an answer to every row of the test split"
        if len(missing) == len(data.test):
            fix += f", where they have others, such as {listed(list(by_key)[:2])}"
            if (column := _with_ids(list(by_key.values()), data)) is not None:
                fix = f"the column {column!r} holds the ids of the test rows: call it 'id', in place of {key!r}"
        raise DataError(what, where=str(path), fix=fix)
    return found


def _with_ids(rows: Sequence[Placed], data: Dataset) -> str | None:
    """A column that holds the ids of all test rows, where the data have ids of their own."""
    if data.origin.ids != "column":
        return None
    ids = {example.id.removeprefix("test:") for example in data.test}
    columns = dict.fromkeys(name for _, row in rows for name in row)
    return next((c for c in columns if ids <= {str(row.get(c)).strip() for _, row in rows}), None)


def _texts(data: Dataset, example: Example) -> tuple[str, str]:
    """A row's text, also as it is written where a spreadsheet must not run it."""
    text = data.task.text(example.input)
    return text, guarded(text)


def _told(example: Example, data: Dataset) -> list[str]:
    """What can tell a test row by its words: its text, or its question."""
    row = data.task.unparse(example)
    return [row[name] for name in ("text", "text_pair", "question", *data.task.texts) if isinstance(row.get(name), str)]


def _refuse_other_text(placed: Placed, example: Example, data: Dataset, told: Set[str]) -> None:
    """Raise DataError for a row with the id of this example and another text where texts stand, or another row's text
    anywhere. told: of all test rows.
    """
    where, row = placed
    column = data.origin.columns.get("text", "text")
    text = row.get(column)
    if "text" in data.task.roles and isinstance(text, str) and data.recipe(text) != data.task.text(example.input):
        fix = "match by text: remove the column 'id'; or give the answers to these test rows"
        raise DataError(f"its text is not that of the test row {example.id!r}", where=where.at(column), fix=fix)
    own = {*_told(example, data), *data.task.labels}
    for name in row:
        word = data.recipe(cell) if isinstance(cell := row.get(name), str) else ""
        if word in told and word not in own:
            fix = "match by text: remove the column 'id'; or give each answer the id of its own row"
            raise DataError(f"its text is that of another row than {example.id!r}", where=where.at(name), fix=fix)


def _refuse_other_order(placed: Placed, example: Example, data: Dataset) -> None:
    """Raise DataError for a row with the options of this question in another order, where a letter is another one."""
    where, row = placed
    ours = data.task.unparse(example)
    others = ("question", "context", "answer")
    shown = {name for role, names in data.task.roles.items() if role not in others for name in names}
    theirs = {name.lower(): cell for name, cell in row.items() if name.lower() in shown}
    if data.task.offered(example.input) is None or not theirs:
        return
    try:
        input, _ = data.task.seen({**{k: v for k, v in ours.items() if k != "options"}, **theirs}, {}, where)
    except DataError:  # columns that hold something else
        return
    lines, known = (data.task.text(one).split("\n") for one in (input, example.input))
    if lines != known and sorted(lines) == sorted(known):
        what = f"its options are those of the test row {example.id!r} in another order, so its letter is another one"
        raise DataError(what, where=where, fix="give the letter that the answer has in the data's order of options")


def _refuse_two(rows: Sequence[Placed], by_key: Mapping[str, Placed], column: str, key: str, data: Dataset) -> None:
    """Raise DataError where two rows that are matched alike answer differently."""
    said = (column, "intent") if data.task.marks else (column,)
    for where, row in rows:
        first, other = by_key[_word(row.get(key), key, data)]
        if any(row.get(c) != other.get(c) for c in said):
            what = f"another answer to the same {key} as on line {first.line}"
            by_id = "" if _is_id(key, data) else ", or match by id: add a column 'id'"
            raise DataError(what, where=where, fix=f"keep one of them{by_id}")


def _is_id(key: str, data: Dataset) -> bool:
    return key not in data.task.roles.get("text", ()) and key != data.origin.columns.get("text")


def _word(cell: Any, key: str, data: Dataset) -> str:
    return str(cell).strip() if _is_id(key, data) else data.recipe(cell if isinstance(cell, str) else str(cell))


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
        cell = _best(cell)
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


def _best(cell: Any) -> Any:
    """The label of {"label": …, "score": …}, as pipelines of transformers answer; of a list of these, the one with the
    highest score. They may be written out. Anything else as it is.
    """
    read = parsed(cell) if isinstance(cell, str) and cell.lstrip()[:1] in ("{", "[") else cell
    if isinstance(read, tuple) and len(read) == 1 and isinstance(read[0], str):
        return read[0]
    scored = [one for one in (read if isinstance(read, list) else [read]) if isinstance(one, Mapping)]
    if not scored or not all(one.keys() & _SCORES and "label" in one for one in scored):
        return cell
    if len(scored) == 1 or not all(isinstance(_score(one), int | float) for one in scored):
        return scored[0]["label"] if len(scored) == 1 else cell
    return max(scored, key=_score)["label"]


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
