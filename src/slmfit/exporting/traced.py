"""A fine-tuned model as an ONNX file, by torch's exporter, and the same with weights of eight bits.

traced(served, limit=512, vocabulary=30522, pad=0, path=folder / "model.onnx")
quantised(folder / "model.onnx", other / "model.onnx", EIGHT_BITS["signed, per channel"])
"""

from __future__ import annotations

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

from slmfit.errors import UsageError
from slmfit.finetune.quietly import quiet

OPSET = 20
MOST_BYTES = 2_000_000_000  # of a file of protobuf; weights in further files are never read here
EXAMPLE = 17  # tokens: odd, so that no shape is one by chance
# What a processor likes differs: with instructions for eight bits (VNNI) signed weights are the quickest, without them
# sums of signed ones overflow unless their range is halved. So each is timed and judged where it is to run.
EIGHT_BITS: Mapping[str, Mapping[str, bool]] = MappingProxyType({
    "signed, per channel": {"signed": True, "per_channel": True},
    "signed, per channel, half range": {"signed": True, "per_channel": True, "reduce_range": True},
    "unsigned, per channel": {"signed": False, "per_channel": True},
})  # fmt: skip


class Served(torch.nn.Module):
    """A classifier or tagger, called by names, that returns its logits alone, and a tagger's those of the intents."""

    def __init__(self, model: Any, *, tags: bool, intents: bool) -> None:
        super().__init__()
        self.model, self.tags, self.intents = model, tags, intents

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Any:
        return self._answer(input_ids=input_ids, attention_mask=attention_mask)

    def _answer(self, **inputs: torch.Tensor) -> Any:
        made = self.model(**inputs)
        if not self.tags:
            return made.logits
        return made if self.intents else made[0]

    @property
    def outputs(self) -> list[str]:
        return ["tags", "intents"][: 1 + self.intents] if self.tags else ["logits"]


class ServedPairs(Served):
    """The same, of a model that is told which of two texts a token is of."""

    def forward(  # type: ignore[override]
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor
    ) -> Any:
        return self._answer(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)


def traced(served: Served, *, limit: int, vocabulary: int, pad: int, path: Path) -> None:
    """Write the model to a file that takes any number of rows of any length up to what it reads.

    limit: tokens that it reads at most. Raises UsageError for a model that is too large, or that torch cannot trace.
    """
    held = sum(weight.numel() * weight.element_size() for weight in served.state_dict().values())
    if held > MOST_BYTES:
        fix = "export it with --format folder, or as gguf where it writes its answers"
        raise UsageError(f"its weights take {held / 1e9:.1f} GB, and an ONNX file holds 2 GB", fix=fix)
    length = min(EXAMPLE, limit)
    ids = torch.arange(3 * length).reshape(3, length) * 7 % max(2, vocabulary)
    mask = torch.ones(3, length, dtype=torch.int64)
    mask[1, length // 2 :] = 0
    ids = torch.where(mask > 0, torch.where(ids == pad, (pad + 1) % vocabulary, ids), pad)
    given = {"input_ids": ids, "attention_mask": mask}
    if isinstance(served, ServedPairs):
        given["token_type_ids"] = torch.zeros_like(ids)
    shape = {0: torch.export.Dim("rows", min=1), 1: torch.export.Dim("tokens", min=1)}
    try:
        with silent():
            torch.onnx.export(
                served.eval(),
                tuple(given.values()),
                str(path),
                input_names=list(given),
                output_names=served.outputs,
                dynamo=True,
                dynamic_shapes=dict.fromkeys(given, shape),
                opset_version=OPSET,
                external_data=False,
                verbose=False,
            )
    except Exception as error:
        said = str(error).strip().partition("\n")[0][:200] or type(error).__name__
        kind = served.model.config.model_type
        fix = "serve the run as it is, or --format folder and another exporter"
        raise UsageError(f"torch cannot export a model of the type {kind!r}: {said}", fix=fix) from error


def quantised(source: Path, target: Path, how: Mapping[str, bool]) -> None:
    """The model of a file with matrices of eight bits, written to another."""
    with silent():
        import onnx
        from onnxruntime.quantization import QuantType, quantize_dynamic

        model = onnx.load(source)
        del model.graph.value_info[:]  # shapes that the exporter noted, by names that quantising gives to others
        quantize_dynamic(
            model,
            target,
            weight_type=QuantType.QInt8 if how["signed"] else QuantType.QUInt8,
            per_channel=how["per_channel"],
            reduce_range=how.get("reduce_range", False),
        )


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Without what these libraries say of themselves; what goes wrong is raised."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), quiet(), contextlib.redirect_stdout(None):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
