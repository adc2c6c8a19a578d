"""The form `hub`: any run as a repository of the Hugging Face hub holds it, its card in front.

A model of transformers becomes the whole folder, as the form `folder` writes it. Any other run stays a run, which
slmfit reads; its record goes without what says where on this machine its data were, and without its answers.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any

from slmfit import storage
from slmfit.errors import UsageError
from slmfit.exporting.folder import write_folder
from slmfit.exporting.wishes import Wishes
from slmfit.methods import TABLE
from slmfit.records import RUN_FORMAT, RunRecord, to_plain
from slmfit.runs.run import Run

LARGE = ("*.safetensors", "*.onnx", "*.gguf")
CARD = "README.md"


def write_hub(run: Run, folder: Path, wishes: Wishes) -> None:
    """Write it into an empty folder. Raises UsageError for a run that has no model."""
    method = TABLE.get(run.record.method)
    if method is not None and method.extra == "train" and method.place:
        write_folder(run, folder, wishes)
    else:
        _write_run(run, folder)
    lines = "".join(f"{pattern} filter=lfs diff=lfs merge=lfs -text\n" for pattern in LARGE)
    storage.write_text(folder / ".gitattributes", lines)


def _write_run(run: Run, folder: Path) -> None:
    model = run.folder / "model"
    if run.record.remote or not model.is_dir():
        fix = "share its settings: `slmfit compare --methods llm=MODEL` asks the same server"
        raise UsageError("a server answers for this run, and no file here is a model", where=str(run.folder), fix=fix)
    storage.verify_files(model, run.record.files)
    shutil.copytree(model, folder / "model")
    card = (model / CARD).read_text(encoding="utf-8")
    card = card.replace("# RUN: the folder above this one", "# RUN: the folder that this repository was fetched to")
    storage.write_text(folder / CARD, card)
    storage.write_json(folder / "run.json", {"format": RUN_FORMAT, **to_plain(_shared(run.record))})


def _shared(record: RunRecord) -> RunRecord:
    """The record without the folders that the data lay in, and without notes, which name them and words of rows."""
    dataset: dict[str, Any] = {**record.dataset, "notes": []}
    source = dict(dataset.get("source", {}))
    if "files" in source:
        source["files"] = [{**file, "file": PurePath(str(file["file"])).name} for file in source["files"]]
    return replace(record, dataset={**dataset, "source": source})
