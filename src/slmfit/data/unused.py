"""Columns beside those that are used, by whose names a file says more than is read of it.

list(unused(part, task, {"text": "text", "label": "label"}, {}))
# ["a.csv: the column 'label_2' may hold labels, too, and is not used: --label label_2 reads it."]
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from shlex import quote

from slmfit.data.columns import columns_of
from slmfit.data.readers.rows import Part
from slmfit.tasks.base import Task
from slmfit.text.figures import listed

_LABEL = re.compile(
    r"(gold|true|truth|final|majority|annotators?|annotation|rater|coder)?[ _-]?"
    r"(label|class|category|intent|topic|sentiment|target|annotation|classe|categorie)s?([ _-]?[a-z0-9])?"
    r"|(gold|truth|annotator|rater|coder)([ _-]?\d+)?",
    re.IGNORECASE,
)
_WEIGHT = {"weight", "weights", "sample_weight", "freq", "frequency"}
_TITLES = {"title", "subject", "headline", "heading", "summary", "description", "short_description", "abstract", "body"}
MOST_SHARE = 0.5  # different values to a row: with more, no column of labels


def unused(part: Part, task: Task, roles: Mapping[str, str], asked: Mapping[str, str]) -> Iterator[str]:
    """A sentence on each kind. asked: role -> column, as the user says; what is named there is meant."""
    columns = [column for column in columns_of(part) if column not in roles.values()]
    if task.classifies and "label" not in asked:
        label = roles["label"]
        if others := [c for c in columns if _LABEL.fullmatch(c) and _are_labels(part, c, label)]:
            verb, them = ("is", "it") if len(others) == 1 else ("are", "one of them")
            yield (
                f"{part.file}: {listed(others)} may hold labels, too, and {verb} not used: --label {quote(others[0])} "
                f"reads {them}, in place of {label!r}."
            )
    one_text = task.classifies and not task.texts and "text" not in asked
    if titles := [c for c in columns if one_text and c.lower() in _TITLES and _are_texts(part, c)]:
        yield (
            f"{part.file}: the texts in {titles[0]!r} are not used: --column text={quote(titles[0])} "
            f"--column text_pair={quote(roles['text'])} reads both."
        )
    if weights := [c for c in columns if c.lower() in _WEIGHT and _differ(part, c)]:
        yield f"{part.file}: the column {weights[0]!r} is not used: every row counts once."


def _are_labels(part: Part, column: str, label: str) -> bool:
    """Whether cells are names of several rows, and not those of the labels that are used, one for one."""
    pairs = {(str(cells.get(label)), str(cells[column])) for _, cells in part.rows if cells.get(column) is not None}
    names, used = {name for _, name in pairs}, {known for known, _ in pairs}
    return 1 < len(names) <= MOST_SHARE * len(part.rows) and not len(pairs) == len(names) == len(used)


def _are_texts(part: Part, column: str) -> bool:
    """Whether most cells are texts of several words, and hardly one is as another."""
    cells = [cell for _, row in part.rows if isinstance(cell := row.get(column), str) and " " in cell.strip()]
    return len(set(cells)) > MOST_SHARE * len(part.rows)


def _differ(part: Part, column: str) -> bool:
    return len({str(cells.get(column)) for _, cells in part.rows}) > 1
