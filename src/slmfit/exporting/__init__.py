"""A run's model in a form that others read.

    export("compared/runs/causal", output="tickets-model")      # the merged, ordinary transformers folder
    export("compared/runs/encoder", "onnx", quantise="int8")    # small and quick, predicts without torch

    wishes.py    what may be asked of an export
    folder.py    the form `folder`
    onnx.py      the form `onnx`
    rows.py      the rows that a run was chosen on, read again
    gate.py      how an export does on them beside the run, and what is refused
    record.py    export.json

A further form is one more row here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from slmfit import storage
from slmfit.data.dataset import Dataset
from slmfit.errors import UsageError, did_you_mean
from slmfit.exporting.folder import write_folder
from slmfit.exporting.gguf import QUANTISED, write_gguf
from slmfit.exporting.page import write_page
from slmfit.exporting.wishes import Wishes
from slmfit.runs.run import Run, load


@dataclass(frozen=True)
class Form:
    """One row: what writes it into an empty folder; what --quantise may be."""

    write: Callable[[Run, Path, Wishes], None]
    quantised: tuple[str, ...] = ()


FORMS: dict[str, Form] = {
    "folder": Form(write_folder),
    "gguf": Form(write_gguf, QUANTISED),
    "html": Form(write_page),
}


def export(
    run: str | Path | Run,
    format: str = "folder",
    output: str | Path | None = None,
    *,
    quantise: str | None = None,
    accept: bool = False,
    data: str | Path | Dataset | None = None,
) -> Path:
    """Write a run's model in another form; it appears whole or not at all. Returns where.

    run: a run's folder, or a comparison's for its pick. format: "folder", a transformers folder that needs neither
    slmfit nor peft nor the base model; "onnx", a run that predicts without torch (extra `onnx`).
    output: where it goes; None = a folder here, called as run and format.
    quantise: of "onnx", "int8" for weights of eight bits: a quarter of the size, quicker, other probabilities.
    None = the model as it is.
    accept: write what the gate refuses all the same. data: where the run's data are by now, or the dataset; None =
    where they were.
    Raises UsageError for a method that has no such form and for a place that is taken, UnsafeError for what the gate
    refuses, DataError where it has no rows to judge by, and what loading the run raises.
    """
    if format not in FORMS:
        raise UsageError(f"there is no form {format!r}", fix=did_you_mean(format, FORMS))
    form, wishes = FORMS[format], Wishes(quantise, accept, data)
    if quantise is not None and quantise not in form.quantised:
        known = ", ".join(form.quantised)
        fix = f"it takes {known}" if known else "leave --quantise out"
        raise UsageError(f"the form {format!r} is not quantised to {quantise!r}", fix=fix)
    opened = run if isinstance(run, Run) else load(run)
    place = Path(f"{storage.file_name(opened.record.id)}-{format}") if output is None else storage.named(output)
    if place.exists() or place.is_symlink():
        raise UsageError("is there already", where=str(place), fix="choose another place with --output")
    partial = storage.partial(place)
    with storage.refusals(place):
        storage.remove(partial)
        storage.make_folder(partial)
        try:
            form.write(opened, partial, wishes)
            storage.publish(place)
        except BaseException:
            storage.remove(partial)
            raise
    return place
