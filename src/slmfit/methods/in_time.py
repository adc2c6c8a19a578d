"""Which rows a method on vectors reads, where making vectors is slow and time is short.

train, validation = rows_in_time(self.embedding, task, train, validation, context)
self.chosen |= left_out(train, every, context)           # {"rows_fitted": 9_216}, where there are fewer
"""

from __future__ import annotations

from collections.abc import Sequence

from slmfit.embeddings import Embedding
from slmfit.embeddings.affordable import affordable, known
from slmfit.methods.base import Context
from slmfit.records import Example
from slmfit.tasks.base import Task
from slmfit.timing.work import counted

Rows = Sequence[Example]


def rows_in_time(
    embedding: Embedding, task: Task, train: Rows, validation: Rows, context: Context
) -> tuple[Rows, Rows]:
    """As many rows of train, and then of validation, as there is time to embed: the first in a random order.

    Time for the rows that are predicted later is kept, as far as that is possible.
    """
    budget, later = context.budget, context.rows_to_predict
    texts = [task.text(e.input) for e in train]
    with counted(context.event, "embedding train", len(texts), budget):
        train = [train[i] for i in affordable(embedding, texts, budget, later)]
    if not validation:
        return train, validation
    texts = [task.text(e.input) for e in validation]
    part = budget.part(max(1.0, later / len(texts)))
    with counted(context.event, "embedding validation", len(texts), part):
        return train, [validation[i] for i in affordable(embedding, texts, part)]


def rows_known(embedding: Embedding, task: Task, rows: Rows, context: Context) -> Rows:
    """For fitting once more: all rows, or under a budget those whose vectors are there."""
    if not context.budget.limited:
        return rows
    return [rows[i] for i in known(embedding, [task.text(e.input) for e in rows])]


def left_out(fitted: Rows, every: Rows) -> dict[str, int]:
    """How many rows were fitted, where that is not all of them."""
    return {"rows_fitted": len(fitted)} if len(fitted) < len(every) else {}
