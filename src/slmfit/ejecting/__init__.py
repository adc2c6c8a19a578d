"""A run as one readable script: plain numpy, scikit-learn or transformers that load its folder and predict.

    eject("compared/runs/linear")                       # linear.py
    eject("compared", "tickets.py")

contents.py     which parts a run's script is made of
composing.py    parts made one script
recipe.py       its first comment: how to call it, and how the run was made
parts/          the parts, each a module

A script imports nothing of slmfit, and answers as the run does.
"""

from __future__ import annotations

import os
from pathlib import Path

from slmfit import storage, streams
from slmfit.ejecting.composing import composed
from slmfit.ejecting.contents import contents
from slmfit.ejecting.recipe import head
from slmfit.errors import UsageError
from slmfit.runs.run import Run, load


def eject(run: str | Path | Run, output: str | Path | None = None) -> Path:
    """Write a run as a Python script that predicts without slmfit; returns where it is.

    run: a run's folder, or a comparison's for its pick; one of linear, knn, encoder or causal that classifies texts or
    finds entities. The script reads the run's model where it lies, and holds how it was made and how to train it anew.
    output: the script; None = a file here, called as the run; `-` = stdout.
    Raises UsageError for a run that has no script and for a place that is taken, and what reading the run raises.
    """
    opened = run if isinstance(run, Run) else load(run)
    made = contents(opened)
    place = Path(f"{storage.file_name(opened.record.id)}.py") if output is None else storage.named(output)
    if not streams.is_stream(place) and (place.exists() or place.is_symlink()):
        raise UsageError(
            "is there already, and may hold changes of yours", where=str(place), fix="name another --output"
        )
    made.values["FOLDER"] = _from(place.parent, opened.folder / "model")
    script = composed(made.parts, made.has, made.values)
    storage.write_output(place, f"{head(opened, place.name, script)}\n{script}")
    return place


def _from(here: Path, folder: Path) -> str:
    """The folder as it is reached from `here`; its whole path where it is on another drive."""
    try:
        return Path(os.path.relpath(folder.resolve(), here.resolve())).as_posix()
    except ValueError:
        return folder.resolve().as_posix()
