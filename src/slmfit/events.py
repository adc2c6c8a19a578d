"""What happens: told to whoever listens, and written into events.jsonl.

with recorded(run / "events.jsonl", named(listen, "knn")) as event:
    event("fit", rows=2000)
"""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from slmfit.environment import now

Listener = Callable[[str, dict[str, Any]], None]
KEPT = "SLMFIT_EVENTS"  # the variable that names a file in which all that a command tells is kept, too


def named(listen: Listener | None, id: str) -> Listener | None:
    """The listener, told with everything that happens whose it is."""
    return (lambda kind, fields: listen(kind, {"run": id, **fields})) if listen else None


@contextmanager
def recorded(path: Path, listen: Listener | None) -> Iterator[Callable[..., None]]:
    """Append what happens to events.jsonl, and tell the listener; an error is kept there with its traceback."""
    with path.open("a", encoding="utf-8") as file:

        def event(kind: str, **fields: Any) -> None:
            line = {"time": now(), "event": kind, **fields}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            file.flush()
            if listen:
                listen(kind, fields)

        try:
            yield event
        except Exception as error:
            event("failed", reason=str(error), traceback=traceback.format_exc())
            raise


@contextmanager
def kept_too(listen: Listener) -> Iterator[Listener]:
    """The listener; where a file is asked for, all that it is told is written there as well."""
    path = os.environ.pop(KEPT, None)  # this process's alone, not that of those it starts
    if path is None:
        yield listen
        return
    with recorded(Path(path), listen) as event:
        yield lambda kind, fields: event(kind, **fields)
