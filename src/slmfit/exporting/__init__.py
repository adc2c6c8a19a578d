"""A run's model in a format that other tools read.

    export("compared/runs/causal", output="tickets-model")      # the merged, ordinary transformers folder
    export("compared/runs/encoder", "onnx", quantise="int8")    # small and quick, predicts without torch
    export("compared/runs/linear", "html")                      # one page that is the classifier
    export("compared/runs/causal", "gguf")                      # for llama.cpp and Ollama

    wishes.py    what may be asked of an export
    instead.py   the way out for a run that a form does not take
    folder.py    the form `folder`
    onnx.py      the form `onnx`: candidates, the gate, the record of a run
    hub.py       the form `hub`: a repository with its card
    gguf/        the form `gguf`: the file, its Modelfile, llama.cpp's own server to judge it
    page/        the form `html`: the page, and a real browser to judge it
    tracing.py   a fine-tuned run as an export needs it
    traced.py    as an ONNX file, and with weights of eight bits
    timing.py    how long each takes, side by side
    calibrating.py  probabilities of what is served
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
from slmfit.events import Listener
from slmfit.exporting.folder import write_folder
from slmfit.exporting.gguf import QUANTISED, write_gguf
from slmfit.exporting.hub import write_hub
from slmfit.exporting.onnx import write_onnx
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
    "hub": Form(write_hub),
    "onnx": Form(write_onnx, quantised=("int8",)),
    "gguf": Form(write_gguf, quantised=QUANTISED),
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
    listen: Listener | None = None,
) -> Path:
    """Write a run's model in another form; it appears whole or not at all. Returns where.

    run: a run's folder, or a comparison's for its pick. format: "folder", a transformers folder that needs neither
    slmfit nor peft nor the base model; "onnx", a run that predicts without torch (extra `onnx`); "gguf", a Llama that
    writes entities, for llama.cpp and Ollama (extra `gguf`); "html", one page that is the classifier, for any browser;
    "hub", a repository of the Hugging Face hub with its card.
    output: where it goes; None = a folder here, called as run and format.
    quantise: weights of eight bits, "int8" of "onnx" (a quarter of the size, quicker, other probabilities) and "q8_0"
    of "gguf" (half the size). None = the model as it is; a GGUF has 16 bits then.
    accept: write what the gate refuses all the same, and a page or GGUF that nothing here can judge.
    data: where the run's data are by now, or the dataset; None = where they were. listen: told how far it is.
    Raises UsageError for a method that has no such form and for a place that is taken, UnsafeError for what the gate
    refuses, DataError where it has no rows to judge by, and what loading the run raises.
    """
    if format not in FORMS:
        shown = [name for name in FORMS if name != "hub"]  # which the command line calls --hub-folder
        raise UsageError(f"there is no format {format!r}", fix=did_you_mean(format, shown))
    form, wishes = FORMS[format], Wishes(quantise, accept, data, listen)
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
