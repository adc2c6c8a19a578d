"""Questions whose right option is named in two columns that do not agree.

list(unsettled(part, task, {"question": "question", "options": "options", "answer": "answer_idx"}))
# ["'answer' names another option than 'answer_idx', which is read, in 60 of 60 questions, …"]
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

from slmfit.data.readers.rows import Part
from slmfit.errors import DataError, Where
from slmfit.tasks.base import Task
from slmfit.text.figures import part_of

ALSO = ("answer_index",)  # names that are read in no other case


def unsettled(part: Part, task: Task, roles: Mapping[str, str]) -> Iterator[str]:
    """A sentence on each column that names another option than the one that is read."""
    read = roles.get("answer")
    others = [name for name in (*task.roles["answer"], *ALSO) if name not in roles.values()]
    known = {name for _, cells in part.rows for name in others if cells.get(name) is not None}
    for other in sorted(known) if read is not None else ():
        told, apart = 0, list[Where]()
        for where, cells in part.rows:
            keyed = {role: cells.get(column) for role, column in roles.items()}
            with contextlib.suppress(DataError):  # then it means something else
                meant = task.parse({**keyed, "answer": cells.get(other)}, where, "").target
                if meant is not None:
                    told += 1
                    apart += [where] if meant != task.parse(keyed, where, "").target else []
        if apart and (other != "label" or told == len(part.rows)):  # which may be about something else
            said = part_of(len(apart), told, "question", "name")
            yield (
                f"{said} another option in {other!r} than in {read!r}, which is read; the first in line "
                f"{apart[0].line}. --column answer={other} reads that one."
            )
