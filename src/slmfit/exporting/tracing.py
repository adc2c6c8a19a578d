"""A fine-tuned run's model as an export needs it: on the CPU, whole, with what its head reads and means.

tuned = Tuned.of(run)
tuned.trace(folder)                    # folder/model.onnx
tuned.ways["torch"](texts)             # what the run itself answers
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from slmfit.errors import UsageError
from slmfit.exporting.traced import Served, ServedPairs, traced
from slmfit.finetune.device import Device, choose
from slmfit.finetune.pairs import stand_in_of
from slmfit.methods.exported import MODEL
from slmfit.methods.exported.head import CLASSES, TAGS, Head
from slmfit.methods.finetuned import FineTuned
from slmfit.methods.finetuned.classes import Classes
from slmfit.methods.finetuned.entities import EntityTags
from slmfit.records import Example, Input, Prediction
from slmfit.runs.run import Run


@dataclass(frozen=True)
class Tuned:
    """method: the run's, on the CPU. head: as it is written down. backend: the tokenizer, of the library tokenizers."""

    method: FineTuned
    head: Head
    backend: Any

    @classmethod
    def of(cls, run: Run) -> Tuned:
        """Raises UsageError for a run that writes or ranks its answers, and what loading the run raises."""
        method = run.method
        assert isinstance(method, FineTuned)
        if not isinstance(method.head, Classes | EntityTags):
            what = f"this run of {run.record.method} writes or scores its answers, and no head tells them"
            fix = "--format folder writes it for transformers; gguf for llama.cpp where it writes"
            raise UsageError(what, where=str(run.folder), fix=fix)
        if method.settings.bits or method.backbone.device.name != "cpu":
            own: dict[str, Any] = {"device": "cpu"} | ({"quantise": None} if method.settings.bits else {})
            method = type(method).load(run.folder / "model", run.task, replace(method.settings, **own))
        return cls(method, _head(method), method.backbone.tokenizer.backend_tokenizer)

    @property
    def ways(self) -> dict[str, Callable[[list[Input]], list[Prediction]]]:
        """How torch serves it here: as the run does, and in bf16 where this processor multiplies that itself."""
        found: dict[str, Callable[[list[Input]], list[Prediction]]] = {"torch": self.method.predict}
        if choose("cpu").precision == "bf16":
            found["torch bf16"] = self._in_bf16
        return found

    def answers(self, examples: Sequence[Example]) -> list[Prediction]:
        return self.method.predict([example.input for example in examples])

    def trace(self, folder: Path) -> None:
        """The model, in a folder of its own."""
        kind = ServedPairs if (self.head.frame or {}).get("types") else Served
        served = kind(self.method.model, tags=self.head.kind == TAGS, intents=bool(self.head.intents))
        backbone, head = self.method.backbone, self.head
        traced(served, limit=backbone.limit, vocabulary=head.vocabulary, pad=head.pad, path=folder / MODEL)

    def _in_bf16(self, inputs: list[Input]) -> list[Prediction]:
        head = copy.copy(self.method.head)
        head.backbone = replace(head.backbone, device=Device("cpu", "bf16"))
        return head.answers(self.method.model, inputs, self.method.max_length)


def _head(method: FineTuned) -> Head:
    own, backbone = method.head, method.backbone
    vocabulary = method.head.body(method.model).get_input_embeddings().num_embeddings
    common: dict[str, Any] = {"pad": backbone.pad, "vocabulary": vocabulary, "max_length": method.max_length}
    if isinstance(own, EntityTags):
        return Head(kind=TAGS, names=own.tags, intents=own.intents, fine=bool(own.fine), **common)
    assert isinstance(own, Classes)
    frame = None if own.frame is None else asdict(own.frame)
    return Head(kind=CLASSES, names=own.labels, fill=stand_in_of(backbone.tokenizer), frame=frame, **common)
