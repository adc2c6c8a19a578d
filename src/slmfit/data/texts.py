"""The texts of any data, without their answers.

load_texts("tickets", by_name("text-classification"))     # of train, validation and test alike
in_any_order(task, Pair("b", "a"))                        # "a\\nb": the same as of the pair turned round
"""

from __future__ import annotations

from pathlib import Path

from slmfit.data.columns import columns_of, find_column, no_column, text_columns
from slmfit.data.layout import read_parts
from slmfit.errors import Where
from slmfit.records import Example, Input, Pair
from slmfit.tasks.base import Task
from slmfit.tasks.spans import read_tokens


def in_any_order(task: Task, input: Input) -> str:
    """The text of a row, the same for a pair turned round and for a question whose options stand in another order."""
    if isinstance(input, Pair):
        return "\n".join(sorted((input.first, input.second), key=str.casefold))
    row = task.unparse(Example("", input)) if task.offered(input) else {}
    if "options" not in row:
        return task.text(input)
    ahead = filter(None, [row.get("context"), row["question"]])
    return "\n".join([*ahead, *sorted(row["options"].values(), key=str.casefold)])


def load_texts(path: str | Path, task: Task) -> list[str]:
    """The text of every row; where rows have tokens instead, these joined by single spaces.

    path: as for `load_data`. task: whose names for columns count.
    Raises DataError for data that cannot be read, and where no column holds texts.
    """
    texts = []
    for part in read_parts(path, None, None, []).values():
        columns = columns_of(part)
        text = find_column(task.roles["text"], columns)
        tokens = find_column(task.roles.get("tokens", ()), columns)
        both = text_columns(columns, text, {}) if "text_pair" in task.roles else {}
        if text is None and tokens is None and not both:
            raise no_column(task.roles["text"][0], columns, part.file)
        for where, cells in part.rows:
            if both:
                texts.append("\n".join(str(cells[c]) for c in both.values() if cells.get(c)))
            elif text is not None and cells.get(text) is not None:
                texts.append(str(cells[text]))
            elif tokens is not None:
                texts.append(read_tokens(cells.get(tokens), None, Where(where.file, where.line, tokens))[0])
    return texts
