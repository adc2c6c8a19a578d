"""Which test row an answer is for: by its id where the file has that column, else by its text, and never by a guess.

rows = matched_rows(rows_by_key(rows, "id", data), "id", data, path, rows)   # one of the file per test row
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from slmfit.data.answer_column import PREDICTION
from slmfit.data.columns import no_column
from slmfit.data.dataset import Dataset
from slmfit.errors import DataError, UsageError, Where, did_you_mean
from slmfit.records import SPLITS, Example
from slmfit.tasks.answers import Row
from slmfit.text.cells import guarded
from slmfit.text.figures import listed

Placed = tuple[Where, Row]


def named_columns(columns: Mapping[str, str], rows: Sequence[Placed], path: Path) -> Mapping[str, str]:
    """The columns as asked for. Raises UsageError for a role that answers do not have, DataError for no such column."""
    known = (PREDICTION, "id", "text")
    for role, column in columns.items():
        if role not in known:
            raise UsageError(f"answers have no column for {role!r}", fix=did_you_mean(role, known))
        if not any(column in row for _, row in rows):
            raise no_column(column, list(rows[0][1]), str(path))
    return columns


def key_column(rows: Sequence[Placed], asked: Mapping[str, str], data: Dataset, path: Path) -> str:
    """The column that rows are matched by: an id, unless the data's own tell no rows apart, else the text."""
    first = rows[0][1]
    names = [asked["text"]] if "text" in asked else data.task.roles.get("text", ())
    used = data.origin.columns.get("text")
    text = next((name for name in (used, *names) if name in first), None)
    id = asked.get("id") or ("id" if "id" in first else None)
    if id and "text" not in asked and (data.origin.ids != "repeated" or text is None):
        if data.origin.ids == "repeated":
            what = "ids of the data stand on several rows, or rows have none, so they do not say which row is answered"
            raise DataError(what, where=Where(str(path), 1), fix="give the texts beside the answers, or mend the ids")
        return id
    if text is None:
        fix = "add a column 'id' with the ids of the test rows, or 'text' with their texts"
        if (column := _with_ids(rows, data)) is not None:
            fix = f"the column {column!r} holds the ids of the test rows: call it 'id'"
        raise DataError("its rows cannot be matched to the test rows", where=Where(str(path), 1), fix=fix)
    return text


def rows_by_key(rows: Sequence[Placed], key: str, data: Dataset) -> dict[str, Placed]:
    """What rows are matched by -> the first row that has it. Raises DataError for ids that are no row's."""
    found: dict[str, Placed] = {}
    numbers = _numbers(data) if is_id(key, data) else None
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


def _text_names(data: Dataset) -> tuple[str, ...]:
    used = data.origin.columns.get("text")
    return (*data.task.roles.get("text", ()), *([used] if used else []))


def _numbers(data: Dataset) -> set[str] | None:
    """The ids that rows can be called by, where they are the numbers of the rows; None where the data have ids."""
    if data.origin.ids != "numbers":
        return None
    return {name for split in SPLITS for example in data.splits[split] for name in (example.id, unmarked(example))}


def unmarked(example: Example) -> str:
    """A row's id as it stood in its file, of whatever split that was: validation may have been taken from train."""
    split, colon, bare = example.id.partition(":")
    return bare if colon and split in SPLITS else example.id


def names_of_row(example: Example, split: str) -> tuple[str, str]:
    """What a row may be called: also as it stood in the user's file, before the split was put before it."""
    return example.id, example.id.removeprefix(f"{split}:")


def matched_rows(
    by_key: Mapping[str, Placed], key: str, data: Dataset, path: Path, rows: Sequence[Placed]
) -> list[Placed]:
    """The row of each test row, in order; by_key has the first of all rows by their key. Raises DataError where one is
    missing, or has another text.
    """
    found, missing = [], []
    told = {word for split in SPLITS for example in data.splits[split] for word in told_by(example, data)}
    for example in data.test:
        names = names_of_row(example, "test") if is_id(key, data) else texts_of_row(data, example)
        placed = next((by_key[name] for name in names if name in by_key), None)
        if placed is None:
            missing.append(example.id)
            continue
        if is_id(key, data):
            _refuse_other_text(placed, example, data, told)
            _refuse_other_order(placed, example, data)
        found.append(placed)
    if missing:
        what = f"{len(missing)} of {len(data.test)} test rows have no answer, the first is {missing[0]!r}"
        counted = " (rows are counted from 1)" if is_id(key, data) and data.origin.ids == "numbers" else ""
        fix = f"match by {key}{counted}: give an answer to every row of the test split"
        if len(missing) == len(data.test):
            fix += f", where they have others, such as {listed(list(by_key)[:2])}"
            if (column := _with_ids(rows, data)) is not None:
                fix = f"the column {column!r} holds the ids of the test rows: call it 'id', in place of {key!r}"
            elif key in data.task.texts:
                fix = f"rows are told apart by both texts, {listed(data.task.texts)}: give both, or the ids"
        raise DataError(what, where=str(path), fix=fix)
    return found


def _with_ids(rows: Sequence[Placed], data: Dataset) -> str | None:
    """A column that holds the ids of all test rows, or their numbers where the data have no ids."""
    if data.origin.ids == "repeated":
        return None
    ids = {example.id.removeprefix("test:") for example in data.test}
    columns = dict.fromkeys(name for _, row in rows for name in row)
    return next((c for c in columns if ids <= {str(row.get(c)).strip() for _, row in rows}), None)


def texts_of_row(data: Dataset, example: Example) -> tuple[str, str]:
    """A row's text, also as it is written where a spreadsheet must not run it."""
    text = data.task.text(example.input)
    return text, guarded(text)


def told_by(example: Example, data: Dataset) -> list[str]:
    """What can tell a test row by its words: its text, or its question."""
    row = data.task.unparse(example)
    return [row[name] for name in ("text", "text_pair", "question", *data.task.texts) if isinstance(row.get(name), str)]


def _refuse_other_text(placed: Placed, example: Example, data: Dataset, told: Set[str]) -> None:
    """Raise DataError for a row with the id of this example and another text where texts stand, or another row's text
    anywhere. told: of all rows.
    """
    where, row = placed
    column = data.origin.columns.get("text", "text")
    text = row.get(column)
    if "text" in data.task.roles and isinstance(text, str) and data.recipe(text) != data.task.text(example.input):
        fix = "match by text: remove the column 'id'; or give the answers to these test rows"
        raise DataError(f"its text is not that of the test row {example.id!r}", where=where.at(column), fix=fix)
    own = {*told_by(example, data), *data.task.labels}
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


def refuse_two(rows: Sequence[Placed], by_key: Mapping[str, Placed], column: str, key: str, data: Dataset) -> None:
    """Raise DataError where two rows that are matched alike answer differently."""
    said = (column, "intent") if data.task.marks else (column,)
    for where, row in rows:
        first, other = by_key[_word(row.get(key), key, data)]
        if any(row.get(c) != other.get(c) for c in said):
            what = f"another answer to the same {key} as on line {first.line}"
            by_id = "" if is_id(key, data) else ", or match by id: add a column 'id'"
            raise DataError(what, where=where, fix=f"keep one of them{by_id}")


def is_id(key: str, data: Dataset) -> bool:
    return key not in data.task.roles.get("text", ()) and key != data.origin.columns.get("text")


def _word(cell: Any, key: str, data: Dataset) -> str:
    return str(cell).strip() if is_id(key, data) else data.recipe(cell if isinstance(cell, str) else str(cell))
