"""Low-rank adapters: only a small product of two matrices beside each weight is trained.

    model = with_adapters(model, fresh, "SEQ_CLS", rank=64, alpha=16, dropout=0.05)
    save_adapters(model, folder)         # loads with plain peft
    model = merged(model)                # the base model's own class again, adapters added into the weights
    add(plain, folder)                   # the same to the bit, from the files; peft is not needed, nor asked
    model, names = beside(packed, fresh, folder)   # the adapters stay apart, as weights of 4 bits want them

LoRA is Hu et al. (2021); its rank-stabilised scaling, alpha / sqrt(rank), is Kalajdzievski (2023).
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from slmfit.errors import UnsafeError
from slmfit.hub import checkpoint

WEIGHTS, ABOUT = "adapter_model.safetensors", "adapter_config.json"
MOST_RANK = 10_000
_BEFORE = "base_model.model."


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


def add(model: torch.nn.Module, folder: Path) -> set[str]:
    """Add saved adapters into a plain model's weights, put what was trained whole in its place; the names of all.

    The files may be a stranger's: they are read here and not by peft, which imports modules that a configuration
    names. Raises UnsafeError for what does not fit the model.
    """
    scale = _scale(folder)
    checkpoint.header(folder / WEIGHTS)
    tensors = load_file(folder / WEIGHTS)
    weights, learnt = dict(model.named_parameters()), set[str]()
    with torch.no_grad():
        for name in tensors:
            if not name.startswith(_BEFORE):
                raise _unfit(folder, name)
            place = name.removeprefix(_BEFORE)
            if place.endswith(".lora_B.weight"):
                continue
            if place.endswith(".lora_A.weight"):
                module = place.removesuffix(".lora_A.weight")
                place = f"{module}.weight"
                delta = _product(tensors, name, scale, folder)
                if place in weights and type(model.get_submodule(module)).__name__ == "Conv1D":  # GPT-2's, turned
                    delta = delta.T
                _check_fits(weights, place, delta, folder)
                weights[place].add_(delta)
            else:
                _check_fits(weights, place, tensors[name], folder)
                weights[place].copy_(tensors[name])
            learnt.add(place)
    if lone := [n for n in tensors if n.endswith(".lora_B.weight") and n.replace("lora_B", "lora_A") not in tensors]:
        raise _unfit(folder, lone[0])
    return learnt


def beside(model: torch.nn.Module, fresh: set[str], folder: Path) -> tuple[Any, set[str]]:
    """The model with saved adapters beside its weights, what was trained whole in its place; the names of all.

    peft is given numbers that were looked at, no file. Raises UnsafeError for what does not fit the model.
    """
    from peft import set_peft_model_state_dict

    rank, alpha = _strength(folder)
    tensors = load_file(folder / WEIGHTS) if checkpoint.header(folder / WEIGHTS) else {}
    made = with_adapters(model, fresh, "FEATURE_EXTRACTION", rank=rank, alpha=alpha, dropout=0.0, seed=0)
    trained = ((name, weight.shape) for name, weight in made.named_parameters() if weight.requires_grad)
    wanted = {name.replace(".default", "").replace(".modules_to_save", ""): shape for name, shape in trained}
    found = {name: tensor.shape for name, tensor in tensors.items() if tensor.is_floating_point()}
    if odd := sorted(dict(wanted.items() ^ found.items())):
        raise _unfit(folder, odd[0])
    set_peft_model_state_dict(made, tensors)
    return made, {name.removeprefix(_BEFORE) for name in tensors}


def _scale(folder: Path) -> float:
    """What products are multiplied by. Raises as `_strength`."""
    rank, alpha = _strength(folder)
    return alpha / math.sqrt(rank)


def _strength(folder: Path) -> tuple[int, float]:
    """Rank and alpha. Raises UnsafeError for adapters of another kind than `with_adapters` makes."""
    about = checkpoint.read_object(folder / ABOUT, checkpoint.MOST_CONFIG)
    rank: Any = about.get("r")
    alpha: Any = about.get("lora_alpha")
    plain = about.get("peft_type") == "LORA" and about.get("use_rslora") is True and not about.get("use_dora")
    plain = plain and about.get("bias", "none") == "none"
    plain = plain and not any(about.get(name) for name in ("rank_pattern", "alpha_pattern"))
    known = type(alpha) in (int, float) and math.isfinite(alpha) and type(rank) is int and 1 <= rank <= MOST_RANK
    if not (plain and known):
        fix = "fit the run again"
        raise UnsafeError("are no adapters that slmfit writes", where=str(folder / ABOUT), fix=fix)
    return rank, float(alpha)


def _product(tensors: Mapping[str, torch.Tensor], name: str, scale: float, folder: Path) -> torch.Tensor:
    down, up = tensors[name], tensors.get(name.replace(".lora_A.", ".lora_B."))
    if up is None or down.ndim != 2 or up.ndim != 2 or up.shape[1] != down.shape[0] or down.shape[0] > MOST_RANK:
        raise _unfit(folder, name)
    if not (down.is_floating_point() and up.is_floating_point()) or up.shape[0] * down.shape[1] > 1 << 31:
        raise _unfit(folder, name)
    return (up.float() @ down.float()) * scale


def _check_fits(weights: Mapping[str, torch.Tensor], name: str, value: torch.Tensor, folder: Path) -> None:
    if name not in weights or weights[name].shape != value.shape or not value.is_floating_point():
        raise _unfit(folder, name)


def _unfit(folder: Path, name: str) -> UnsafeError:
    what = f"holds {name[:100]!r}, which does not fit its base model"
    return UnsafeError(what, where=str(folder / WEIGHTS), fix="fit the run again")
