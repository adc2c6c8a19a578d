"""What a worker says of its run once it is loaded: what it answers, and what validation looked like."""

from __future__ import annotations

import calendar
import time
from functools import cache
from typing import Any

from slmfit import tasks
from slmfit.methods.base import Remote
from slmfit.records import Input, Pair, Question
from slmfit.runs.run import Run
from slmfit.serving.answering import KINDS
from slmfit.serving.drift import of_validation

FEW_CHARACTERS = 4096  # about 1,000 tokens, padding included: a batch of a transformer on a CPU
MANY_CHARACTERS = 1 << 16


@cache
def writer_of(run: Run) -> Any:
    """What writes chats; None for a run that has no language model here."""
    if run.record.method not in ("causal", "seq2seq"):
        return None
    from slmfit.serving.writing import Writer

    return Writer.of(run.method)


def warm(run: Run) -> None:
    """Ask it once or twice, so that nobody's first answer waits for imports; nothing that asks a server."""
    if run.record.remote or isinstance(run.method, Remote) or getattr(run.method, "remote", False):
        return
    task, pair, question = run.task, Pair("a", "b"), Question("a", {"A": "b", "B": "c"})
    sample: Input = pair if task.texts else "a" if task.classifies or task.marks else question
    for many in (1, 16):  # `linear` has a way for one text and one for many
        run.predict([sample] * many)


def described(run: Run) -> dict[str, Any]:
    """JSON as it stands. batch: characters that are answered together, the longest times how many."""
    record = run.record
    method: Any = run.method
    max_length = getattr(method, "max_length", None) or getattr(getattr(method, "head", None), "max_length", None)
    return {
        "id": record.id,
        "method": record.method,
        "base_model": record.base_model,
        "task": run.task.name,
        "kind": KINDS[run.task.name],
        "names": {kind: list(names) for kind, names in tasks.names_of(run.task).items()},
        "texts": list(run.task.texts),
        "created": calendar.timegm(time.strptime(record.created, "%Y-%m-%dT%H:%M:%SZ")),
        "max_length": max_length,
        "chat": writer_of(run) is not None,
        "batch": MANY_CHARACTERS if max_length is None else FEW_CHARACTERS,
        "validation": of_validation(run),
    }
