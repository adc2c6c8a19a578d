"""Files to examples, as `compare` reads them but for what it asks of a whole data set, such as a few rows a label."""

from slmfit.data.annotated import accepted
from slmfit.data.columns import task_and_roles
from slmfit.data.layout import read_parts
from slmfit.data.load import load_rows
from slmfit.data.nested import with_nested
from slmfit.records import Source


def read(path, asked=()):
    """The task that its columns tell, its examples, and what was noted. asked: `--text` -> its column, and so on."""
    notes = []
    columns = {option.removeprefix("--"): column for option, column in dict(asked).items()}
    parts = read_parts(path, None, None, notes)
    known = {split: accepted(with_nested(part, [*columns.values()]), [], []) for split, part in parts.items()}
    task, _ = task_and_roles(known, None, columns, [])
    rows = [
        row for split, part in parts.items() for row in load_rows(part, task, Source(), columns, notes, split=split)
    ]
    return task.name, [row.example for row in rows], notes
