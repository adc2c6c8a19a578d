"""The model: what was fine-tuned, in fp32."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from transformers import AutoConfig
from transformers.utils import logging

from slmfit.ejecting.parts.run import MODEL

BASE = "base-model"  # a name on the hub, or a folder
GGUF = "model.gguf"  # the file in that folder


def loaded(kind: Any) -> Any:
    """The run's model. kind: one of transformers' classes AutoModelFor…"""
    logging.disable_progress_bar()
    # [whole]
    return kind.from_pretrained(MODEL, dtype=torch.float32).eval()
    # [/whole]
    # [apart]
    logging.set_verbosity_error()  # it would warn of a head that is put in its place below
    model = base(kind, AutoConfig.from_pretrained(MODEL))
    # [adapters]
    add_adapters(model, MODEL / "adapter")
    # [/adapters]
    return model.eval()
    # [/apart]


def base(kind: Any, config: Any) -> Any:
    """The base model; what its checkpoint lacks, such as a head for these labels, begins at random."""
    # [folder]
    return kind.from_pretrained(BASE, config=config, dtype=torch.float32)
    # [/folder]
    # [gguf]
    return kind.from_pretrained(BASE, gguf_file=GGUF, config=config, dtype=torch.float32)
    # [/gguf]


def add_adapters(model: Any, folder: Path) -> None:
    """Add what LoRA learnt: to each weight the product of two slim matrices B and A, times alpha / sqrt(rank).

    What was trained whole, such as a head, takes the place of what the model has.
    """
    about = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    tensors = load_file(folder / "adapter_model.safetensors")
    weights = dict(model.named_parameters())
    with torch.no_grad():
        for name, tensor in tensors.items():
            place = name.removeprefix("base_model.model.")
            if place.endswith(".lora_A.weight"):
                module = place.removesuffix(".lora_A.weight")
                product = (
                    tensors[name.replace(".lora_A.", ".lora_B.")] @ tensor * about["lora_alpha"] / about["r"] ** 0.5
                )
                turned = type(model.get_submodule(module)).__name__ == "Conv1D"  # as GPT-2's weights are
                weights[f"{module}.weight"].add_(product.T if turned else product)
            elif not place.endswith(".lora_B.weight"):
                weights[place].copy_(tensor)
