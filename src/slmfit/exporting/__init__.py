"""A run's model in a form that others read.

    export("compared/runs/causal", output="tickets-model")      # the merged, ordinary transformers folder

`folder.py` is one form; a further form is one more row here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from slmfit import storage
from slmfit.errors import UsageError, did_you_mean
from slmfit.exporting.folder import write_folder
from slmfit.runs.run import Run, load

FORMS: dict[str, Callable[[Run, Path], None]] = {"folder": write_folder}


def export(run: str | Path | Run, format: str = "folder", output: str | Path | None = None) -> Path:
    """Write a run's model in another form; it appears whole or not at all. Returns where.

    run: a run's folder, or a comparison's for its pick. format: "folder", a transformers folder that needs neither
    slmfit nor peft nor the base model. output: where it goes; None = a folder here, called as run and format.
    Raises UsageError for a method that has no such form and for a place that is taken, and what loading the run raises.
    """
    if format not in FORMS:
        raise UsageError(f"there is no form {format!r}", fix=did_you_mean(format, FORMS))
    opened = run if isinstance(run, Run) else load(run)
    place = Path(f"{storage.file_name(opened.record.id)}-{format}") if output is None else storage.named(output)
    if place.exists() or place.is_symlink():
        raise UsageError("is there already", where=str(place), fix="choose another place with --output")
    partial = storage.partial(place)
    with storage.refusals(place):
        storage.remove(partial)
        storage.make_folder(partial)
        try:
            FORMS[format](opened, partial)
            storage.publish(place)
        except BaseException:
            storage.remove(partial)
            raise
    return place
