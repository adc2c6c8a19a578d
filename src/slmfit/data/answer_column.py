"""Which column of a file holds the answers, where its name does not say so: never the truth while another can be meant.

answer_column(rows, data, Path("gpt.csv"), read)        # "gpt", of id, label, gpt
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from slmfit.data.annotated import answers_of_prodigy
from slmfit.data.dataset import Dataset
from slmfit.errors import DataError, Where
from slmfit.records import Input, Prediction
from slmfit.tasks import names_of
from slmfit.tasks.answers import APART, entities_of
from slmfit.text.figures import listed

PREDICTION = "prediction"
ANSWER_COLUMNS = (
    PREDICTION, "predicted", "predicted_label", "predicted_class", "pred", "y_pred", "yhat", "model_answer",
    "model_output", "completion", "answer", "output", "response",
)  # fmt: skip
ASIDE = ("id", "outcome", "probability", "probabilities", "intent_probability", "confidence", "score", "scores",
         "split", "raw", "usage", "unplaced")  # fmt: skip
TRUTHS = ("label", "spans", "tags", "intent", "answer")  # roles
_TRUE = {"gold", "true", "truth", "expected", "reference", "ref", "target", "correct"}  # words in the names of truths
LOOKED_AT = 200  # rows

Placed = tuple[Where, dict[str, Any]]
Read = Callable[[dict[str, Any], str, Input], Prediction]


def answer_column(rows: Sequence[Placed], data: Dataset, path: Path, read: Read) -> str:
    """The column whose cells are the answers, of the rows matched to the test rows, in their order.

    One with a name that answers go by, if no other has such cells; else the only one whose cells can be read as
    answers, also by a name that truths go by if the truth's own is there; else the columns that hold answers in data
    (`label`, `spans` …), unless they equal the truth in every row while there is another column.
    Raises DataError where none or several can be meant.
    """
    columns = list(dict.fromkeys(name for _, row in rows for name in row))
    if answers_of_prodigy(row for _, row in rows):
        columns.remove("answer")
    used = data.origin.columns
    truths = _truth_columns(data)
    used_truths = {used[role] for role in TRUTHS if role in used and role in data.task.roles}
    named = next((c for c in ANSWER_COLUMNS if c in columns and c not in {used.get(role) for role in used}), None)
    known = {column for names in data.task.roles.values() for column in names} | set(used.values())
    others = [column for column in columns if column not in known.union(ASIDE, truths)]
    meant = [column for column in others if _reads(column, rows, data, read)]
    if own := next((column for column in truths if column in used_truths and column in columns), None):
        beside = [c for c in truths if c in columns and c not in used_truths and _reads(c, rows, data, read)]
        beside = beside[:1] if data.task.marks else beside
        if _equal(own, rows, data, read):  # then another column by a truth's name may be no truth
            meant += beside
        elif beside and not any(_equal(column, rows, data, read) for column in beside):
            meant += [own, *beside]
    if named is not None:
        if meant and not _reads(named, rows, data, read):
            what = f"no answer in {named!r} can be read, and {listed(meant)} could be meant"
            raise DataError(what, where=Where(str(path), 1), fix="name it: --column prediction=NAME")
        if rivals := _rivals(named, meant, rows, data, read):
            what = f"several columns could hold the answers: {listed([named, *rivals])}"
            raise DataError(what, where=Where(str(path), 1), fix="name it: --column prediction=NAME")
        return named
    true = [column for column in meant if _is_truth(column) or _equal(column, rows, data, read)]
    if meant and len(true) == len(meant):  # of what stands beside them, that by a truth's name is the answer
        by_name = [c for c in truths if c in columns and c not in meant and _reads(c, rows, data, read)]
        if by_name and not _equal(by_name[0], rows, data, read):
            return by_name[0]
    meant = [column for column in meant if not _is_truth(column)] or meant
    if len(meant) == 1:
        return meant[0]
    truth = next((column for column in truths if column in columns), None)
    where, fix = Where(str(path), 1), "name it: --column prediction=NAME"
    if len(meant) > 1:
        raise DataError(f"several columns could hold the answers: {listed(meant)}", where=where, fix=fix)
    if truth is None:
        what = f"no column of answers was found; the columns are: {listed(columns, 20, quoted=False)}"
        raise DataError(what, where=where, fix=f"{fix}, or call it 'prediction'")
    if others and _equal(truth, rows, data, read):
        what = f"{truth!r} is the truth in every row, and {listed(others)} could be meant"
        raise DataError(what, where=where, fix=fix)
    return truth


def _rivals(named: str, meant: Sequence[str], rows: Sequence[Placed], data: Dataset, read: Read) -> list[str]:
    """Columns that could hold the answers as well as the one whose name says so; none beside `prediction`, which is our
    own, unless that is the truth.
    """
    beside = [column for column in also_read(named, rows, data, read) if not _equal(column, rows, data, read)]
    if _equal(named, rows, data, read):
        beside = list(dict.fromkeys([*beside, *(c for c in meant if c != named and not _is_truth(c))]))
        return [column for column in beside if not column.startswith(APART)]  # which were read as `named`
    return beside if named != PREDICTION else []


def also_read(column: str, rows: Sequence[Placed], data: Dataset, read: Read) -> list[str]:
    """Columns beside the one that is read whose cells are answers all, and not the truth's by their names."""
    if data.task.marks:
        return []
    known = {*_truth_columns(data), *data.origin.columns.values(), *ASIDE, column}
    names = [name for name in dict.fromkeys(name for _, row in rows for name in row) if name not in known]
    first = list(zip(rows[:LOOKED_AT], data.test, strict=False))

    def answers(name: str) -> bool:
        try:
            return all(read(row, name, example.input).outcome == "ok" for (_, row), example in first)
        except DataError:
            return False

    return [name for name in names if not _is_truth(name) and answers(name)]


def other_truths(column: str, rows: Sequence[Placed], data: Dataset, read: Read) -> tuple[str, int] | None:
    """The data's own column of truths beside the answers, and in how many rows it has another truth than the test row:
    then the answers are hardly for these rows. None where there is no such row or column.
    """
    own = next((c for c in _truth_columns(data) if c in data.origin.columns.values() and c != column), None)
    if own is None or own == data.origin.columns.get("intent"):
        return None
    others = 0
    for (_, row), example in zip(rows, data.test, strict=True):
        if row.get(own) in (None, ""):
            continue
        try:
            told = read(row, own, example.input).target
        except DataError:  # spans of another text
            others += 1
            continue
        same = (
            entities_of(told).spans == entities_of(example.target).spans if data.task.marks else told == example.target
        )
        others += told is not None and not same
    return (own, others) if others else None


def _truth_columns(data: Dataset) -> list[str]:
    """Columns that hold answers in rows of data, those of these data first."""
    used = data.origin.columns
    roles = [role for role in TRUTHS if role in data.task.roles]
    return [column for role in roles for column in (used.get(role), *data.task.roles[role]) if column is not None]


def _is_truth(column: str) -> bool:
    return not _TRUE.isdisjoint(re.split(r"[\W_]+", column.lower()))


def _reads(column: str, rows: Sequence[Placed], data: Dataset, read: Read) -> bool:
    """Whether any cell can be read as an answer."""
    for (_, row), example in zip(rows[:LOOKED_AT], data.test, strict=False):
        try:
            if row.get(column) not in (None, "") and read(row, column, example.input).outcome == "ok":
                return True
        except DataError:
            continue
    return False


def _equal(column: str, rows: Sequence[Placed], data: Dataset, read: Read) -> bool:
    try:
        pairs = zip(rows, data.test, strict=True)
        return all(read(row, column, example.input).target == example.target for (_, row), example in pairs)
    except DataError:
        return False


def intent_column(rows: Sequence[Placed], data: Dataset, path: Path) -> str | None:
    """The column of intents beside answered spans that is not called `intent`, as `predicted_intent`: `intent` may hold
    the truth there. None where no other column can be meant; raises DataError where several can.
    """
    intents = set(names_of(data.task).get("intents", ()))
    columns = dict.fromkeys(name for _, row in rows for name in row if name not in ("intent", *ASIDE))
    words = {column: set(re.split(r"[\W_]+", column.lower())) for column in columns}
    meant = [c for c in columns if "intent" in words[c] and not _is_truth(c) and intents & _texts_in(c, rows)]
    if len(meant) > 1:
        what = f"several columns could hold the intents: {listed(meant)}"
        raise DataError(
            what, where=Where(str(path), 1), fix="call the one that is meant 'intent', and leave the others out"
        )
    return meant[0] if meant else None


def _texts_in(column: str, rows: Sequence[Placed]) -> set[str]:
    return {cell for _, row in rows if isinstance(cell := row.get(column), str)}
