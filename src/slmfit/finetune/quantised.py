"""A base model's weights in 8 or 4 bits, by bitsandbytes: memory is saved, not time.

    model, fresh = load_model(folder, config, "ForCausalLM", seed=0, packed=options("4bit", "cpu"))

8 bits are LLM.int8() (Dettmers et al., 2022), 4 bits the NF4 of QLoRA (Dettmers et al., 2023). Such weights are never
trained and never merged with: adapters stay beside them, and are added to the weights as the base model has them.
"""

from __future__ import annotations

import logging
from typing import Any

import torch

from slmfit.environment import install, missing
from slmfit.errors import MissingPart

WIDTHS = ("8bit", "4bit")


def options(width: str | None, device: str) -> dict[str, Any]:
    """What `from_pretrained` takes; nothing where no width is asked for. Raises MissingPart without bitsandbytes."""
    if width is None:
        return {}
    if missing("bitsandbytes"):
        raise MissingPart(f"weights of {width} need the package bitsandbytes", fix=install("quantise"))
    from transformers import BitsAndBytesConfig

    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # it tells of a cast with every product
    config = BitsAndBytesConfig(
        load_in_8bit=width == "8bit",
        load_in_4bit=width == "4bit",
        bnb_4bit_quant_type="nf4",
        bnb_4bit_compute_dtype=torch.bfloat16 if device == "cuda" else torch.float32,
    )
    return {"quantization_config": config, "device_map": {"": device}}


def stay_differentiable(model: Any) -> None:
    """Keep bitsandbytes 0.50 from laying 4-bit weights out for prediction, on processors with AVX512-BF16.

    It does so the first time a model answers, and what trains afterwards goes through a product without a gradient:
    no adapter below the last such layer would learn.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
