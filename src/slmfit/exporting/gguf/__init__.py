"""The form `gguf`: a model that writes its answers, for llama.cpp and Ollama.

write_gguf(run, folder, Wishes(quantise="q8_0"))      # folder/model.gguf, Modelfile and export.json

llama.py    the weights and the tokenizer      modelfile.py    how Ollama is to ask
gbnf.py     what may be answered               server.py       llama.cpp's own server, which answers validation
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slmfit import storage
from slmfit.environment import install, missing
from slmfit.errors import DataError, MissingPart, UsageError
from slmfit.exporting.gate import Gate, let_through
from slmfit.exporting.gguf import llama
from slmfit.exporting.gguf.gbnf import gbnf
from slmfit.exporting.gguf.modelfile import modelfile, template
from slmfit.exporting.gguf.server import complete, serving
from slmfit.exporting.instead import instead
from slmfit.exporting.record import ExportRecord, write_export
from slmfit.exporting.wishes import Wishes
from slmfit.methods import unavailable
from slmfit.records import Input, Prediction
from slmfit.runs.rows import rows_of
from slmfit.runs.run import Run
from slmfit.timing.work import advance

if TYPE_CHECKING:
    from slmfit.methods.finetuned.written import Written

MODEL = "model.gguf"
QUANTISED = ("q8_0",)


def write_gguf(run: Run, folder: Path, wishes: Wishes) -> None:
    """Write the model and its Modelfile, once llama.cpp has answered every validation row with it, no worse.

    Where there is no llama.cpp or there are no rows, `wishes.accept` writes it unchecked, and the record says so.
    Raises UsageError for a run that writes no answers and for another family than Llama, GateRefused where it is
    worse, MissingPart without a package, DataError without the rows.
    """
    head, kind = _writer(run), wishes.quantise or "f16"
    path, tokenizer = folder / MODEL, head.backbone.tokenizer
    method: Any = run.method
    end = tokenizer.convert_ids_to_tokens(head.vocabulary.end)
    asked = template(head.asked, str(run.folder))
    write_model(run, path, kind)
    storage.write_text(folder / "Modelfile", modelfile(asked, MODEL, end, method.max_length))
    about: dict[str, Any] = {"model": MODEL, "weights": kind}
    judged = None
    try:
        gate = Gate.of(run, rows_of(run, wishes.data))
        with wishes.checking(len(gate.inputs)):
            answered = answers(head, path, gate.inputs, method.max_length)
        judged = let_through(gate.judge(f"{MODEL} ({kind})", answered), wishes.accept)
    except (MissingPart, DataError) as error:
        if not wishes.accept:
            raise type(error)(error.what, fix=f"{error.fix}; or --accept writes it unchecked, recorded") from None
        about["unchecked"] = error.what
    write_export(folder, ExportRecord.of(run, form="gguf", gate=judged, about=about))


def write_model(run: Run, path: Path, kind: str) -> None:
    """The run's model alone, adapters added in, as a GGUF file. kind: of its weights, "f16" or "q8_0"."""
    head, method = _writer(run), run.method
    whole = path.with_name("whole")
    storage.make_folder(whole)
    method.save_whole(whole)  # type: ignore[attr-defined]
    llama.write_model(whole, path, kind, head.vocabulary.end)
    storage.remove(whole)


def _writer(run: Run) -> Written:
    """What asks and writes. Raises UsageError for a run that writes no entities, and for a model of no known kind."""
    where, name = str(run.folder), run.record.method
    if name != "causal":
        fix = "it takes runs of causal that write their answers" + (
            "; `slmfit export` writes this one as a folder, --format onnx as one that needs no torch"
            if name in ("encoder", "seq2seq")
            else f"; {instead(run, '--format html takes linear and knn; `slmfit predict` uses any run as it is')}"
        )
        raise UsageError(f"a run of {name} is no model that llama.cpp runs", where=where, fix=fix)
    if reason := unavailable(name) or (install("gguf") if missing("gguf") else None):
        raise MissingPart("writing a GGUF file needs the extras train and gguf", where=where, fix=reason)
    from slmfit.methods.finetuned.written import Written

    method: Any = run.method
    head = method.head
    if type(head) is not Written:
        what = "its answers are not written by the model, and llama.cpp does nothing else"
        raise UsageError(what, where=where, fix="--format onnx takes a classifier's head; `slmfit export` the folder")
    llama.check(head.body(method.model).config, head.backbone.tokenizer, where)
    return head


def answers(head: Written, path: Path, inputs: Sequence[Input], size: int) -> list[Prediction]:
    """What llama.cpp answers with a model of this head, one input after the other, under the grammar of each.

    size: tokens that a text and its answer may have."""
    found = []
    with serving(path, context=size) as url:
        for input in inputs:
            text = head.cut_to(input, size)
            said, ended = complete(url, head.asked(text), gbnf(head.form, text), size)
            found.append(head.form.read(said, text) if ended else Prediction(None, "truncated", raw=said))
            advance(1)
    return found
