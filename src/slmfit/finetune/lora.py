"""Low-rank adapters: only a small product of two matrices beside each weight is trained.

    model = with_adapters(model, fresh, "SEQ_CLS", rank=64, alpha=16, dropout=0.05)
    save_adapters(model, folder)         # loads with plain peft
    model = merged(model)                # the base model's own class again, adapters added into the weights

LoRA is Hu et al. (2021); its rank-stabilised scaling, alpha / sqrt(rank), is Kalajdzievski (2023).
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import torch


def with_adapters(
    model: torch.nn.Module, fresh: set[str], task: str, *, rank: int, alpha: float, dropout: float, seed: int
) -> Any:
    """Adapters on every linear layer; the head, and what else the checkpoint did not have, is trained whole.

    fresh: names of the weights that the checkpoint did not have. task: what peft calls it, such as "SEQ_CLS".
    """
    from peft import LoraConfig, TaskType, get_peft_model

    whole = sorted({name.rpartition(".")[0] for name in fresh})
    config = LoraConfig(
        task_type=TaskType(task),
        r=rank,
        lora_alpha=alpha,  # type: ignore[arg-type]
        lora_dropout=dropout,
        use_rslora=True,
        target_modules="all-linear",
        exclude_modules=whole or None,
        modules_to_save=whole or None,
    )
    with torch.random.fork_rng([]), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what peft says of its own calls, and of layouts it puts right itself
        torch.manual_seed(seed)
        return get_peft_model(model, config)


def save_adapters(model: Any, folder: Path) -> None:
    """Adapters and head, as `peft.PeftModel.from_pretrained` reads them."""
    # Embeddings are not trained here; asked to find that out, peft looks the base model up on the hub.
    model.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)  # a form to be filled in; the model's own card says it all
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    for name in ("target_modules", "modules_to_save"):  # sets, in any order
        config[name] = config[name] and sorted(config[name])
    path.write_text(json.dumps(config, indent=1, sort_keys=True), encoding="utf-8")


def merged(model: Any) -> torch.nn.Module:
    """The base model with the adapters added into its weights, if they are not yet."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that they are already
        return model.merge_and_unload()
