"""The form `folder`: the whole model with tokenizer and card, as transformers reads it; adapters are added in."""

from __future__ import annotations

from pathlib import Path

from slmfit.errors import MissingPart, UsageError
from slmfit.exporting.instead import instead
from slmfit.exporting.wishes import Wishes
from slmfit.methods import TABLE, unavailable
from slmfit.runs.run import Run


def write_folder(run: Run, folder: Path, wishes: Wishes) -> None:
    """Write it into an empty folder. Raises UsageError for a method that is no model of transformers."""
    name = run.record.method
    known = [method for method, row in TABLE.items() if row.extra == "train" and row.place]
    if name not in known:
        way_out = instead(run, "`slmfit predict` and slmfit.load use this run as it is")
        fix = f"it takes runs of {' and '.join(known)}; {way_out}"
        raise UsageError(f"a run of {name} is no model of transformers", where=str(run.folder), fix=fix)
    if reason := unavailable(name):
        raise MissingPart(f"the method {name!r} cannot run here", where=str(run.folder), fix=reason)
    from slmfit.methods.finetuned import FineTuned

    method = run.method
    assert isinstance(method, FineTuned)
    method.save_whole(folder)
