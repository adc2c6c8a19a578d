"""Base models, by folder or hub name: refused by their configuration before any weight is fetched, errors in words.

    base = "distilbert-base-uncased"
    folder = fetched(base, lambda config: check_kind(config, base, "encoder"))
    config = read_config(folder)
    tokenizer = load_tokenizer(folder, config)
    model, fresh = load_with_head(folder, config, "ForSequenceClassification", ["no", "yes"], seed=0)

Code that comes with a checkpoint is never run.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from slmfit.errors import UnsafeError, UsageError
from slmfit.finetune import converted, lora, quantised
from slmfit.finetune.quietly import quiet
from slmfit.hub import bases, checkpoint, gguf, snapshots
from slmfit.hub.border import in_words
from slmfit.hub.tokenizers import set_right

FITTING = {  # kind -> one that fits
    "encoder": "distilbert-base-uncased",
    "causal": "HuggingFaceTB/SmolLM2-135M-Instruct",
    "seq2seq": "google/flan-t5-base",
}
T5 = ("t5", "mt5", "umt5")  # the encoder-decoders whose ways are known here: no positions, one token begins an answer
NOTHING: Mapping[str, Any] = {}
MOST_FRESH = 20_000_000  # parameters of a head, and buffers
AGAIN = "fetch the model again, from a source that you trust"
# How a model is called and answers here, whatever its configuration says.
ANSWERING = {"return_dict": True, "output_hidden_states": False, "output_attentions": False,
             "chunk_size_feed_forward": 0}  # fmt: skip
# What a checkpoint may have been trained for, beside the task itself, when a head is to be put on it.
HEADS = {
    "encoder": ("Model", "ForMaskedLM", "ForPreTraining"),
    "causal": ("Model", "ForCausalLM", "LMHeadModel"),
    "seq2seq": ("Model", "ForConditionalGeneration"),
}


def fetched(base: str, check: Callable[[Any], None]) -> str:
    """The folder of a base model; one on the hub is fetched where needed, and a GGUF file is read into plain weights.

    check: called with its configuration before any weight is fetched; it raises for a model that does not fit.
    Raises UsageError when it is no model, MissingPart when it is out of reach.
    """

    def fits(folder: Path) -> None:
        check(read_config(str(folder), base))

    if source := gguf.source_of(base):
        folder = converted.plain(source, fits)
    else:
        folder = snapshots.model_folder(base, fits, whole=False)
    checkpoint.check_folder(folder)
    if (folder / bases.FILE).is_file():
        fix = "write it whole first, `slmfit export RUN --output DIR`, and give DIR"
        raise UsageError("is a run's model, which keeps adapters alone", where=base, fix=fix)
    if not any(folder.glob("*.safetensors")):
        fix = "use a model with safetensors weights; `slmfit models` lists some"
        raise UsageError("has no safetensors weights", where=base, fix=fix)
    return str(folder)


def base_of(name: str, folder: str) -> bases.Base:
    """What a run says of the base model that `fetched` gave this folder for; it is found by its hash from now on."""
    source = gguf.source_of(name)
    base = bases.described(name, Path(folder), source)
    bases.remember(base, source or Path(folder))
    return base


def read_config(folder: str, base: str | None = None) -> Any:
    """The configuration in a folder. Raises UsageError when there is none; base: what the error calls the folder."""
    from transformers import AutoConfig

    base = base or folder
    if not (Path(folder) / "config.json").is_file():
        fix = "give a folder with config.json, tokenizer.json and model.safetensors, or a hub name"
        raise UsageError("is no transformers checkpoint: it has no config.json", where=base, fix=fix)
    checkpoint.check_config(Path(folder))
    with quiet(), in_words(base):
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        for part in (config, config.get_text_config()):
            for name, value in ANSWERING.items():
                if hasattr(part, name):
                    setattr(part, name, value)
    return config


def check_kind(config: Any, base: str, kind: str, head: str = "ForSequenceClassification") -> None:
    """Raise UsageError unless a model of this kind (one of FITTING) with such a head can be made of it."""
    fits = FITTING[kind]
    found = kind_of(config, head)
    if found is None and kind_of(config) == kind:
        what = f"the base model is of the type {config.model_type!r}, for which transformers has no class {head}"
        raise UsageError(what, where=base, fix=f"for example {kind}={fits}")
    if found != kind:
        fix = f"use {found}={base}, or {kind}={fits}" if found else f"for example {kind}={fits}"
        what = f"a {found} model" if found else f"of the type {config.model_type!r}"
        raise UsageError(f"the base model is {what}, which {kind!r} cannot use", where=base, fix=fix)
    made_for = (config.architectures or ["Model"])[0]
    if not made_for.endswith((*HEADS[kind], head)):
        fix = f"use the checkpoint it was made from, or {kind}={fits}"
        raise UsageError(f"the base model is a {made_for}, made for another task", where=base, fix=fix)


def kind_of(config: Any, head: str = "ForSequenceClassification") -> str | None:
    """ "encoder", "causal", "seq2seq" whatever the head, or None for what transformers has no such head for."""
    from transformers.models.auto import modeling_auto as auto

    having = {
        "ForSequenceClassification": auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES,
        "ForTokenClassification": auto.MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES,
        "ForMultipleChoice": auto.MODEL_FOR_MULTIPLE_CHOICE_MAPPING_NAMES,
        "ForCausalLM": auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    }
    name = config.model_type
    if getattr(config, "is_encoder_decoder", False):
        return "seq2seq" if name in T5 else None
    if name not in having.get(head, ()):
        return None
    if name in auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES:
        return "encoder"
    return "causal" if name in auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES else None


def load_tokenizer(folder: str, config: Any) -> Any:
    """The tokenizer in a folder, with a padding token. Raises UsageError when it has no tokenizer.json form."""
    from transformers import AutoTokenizer

    with quiet(), in_words(folder):
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    if not getattr(tokenizer, "is_fast", False):
        raise UsageError("its tokenizer has no tokenizer.json", where=folder, fix="use a checkpoint that has one")
    if len(tokenizer) <= len(set(tokenizer.all_special_ids)):  # what transformers makes up where there is no file
        raise UsageError("has no tokenizer.json", where=folder, fix="use a checkpoint that has one")
    size = getattr(config.get_text_config(), "vocab_size", None)
    size = size if isinstance(size, int) else len(tokenizer)
    set_right(tokenizer.backend_tokenizer, size, folder)
    if tokenizer.pad_token_id is None or tokenizer.pad_token_id >= size:
        known = config.pad_token_id
        inside = isinstance(known, int) and 0 <= known < min(size, len(tokenizer))
        other = tokenizer.eos_token or tokenizer.unk_token
        tokenizer.pad_token = tokenizer.convert_ids_to_tokens(known) if inside else other
    if tokenizer.pad_token_id is None:
        fix = "use a checkpoint with a pad_token in its tokenizer_config.json"
        raise UsageError("its tokenizer has no padding token", where=folder, fix=fix)
    return tokenizer


def longest(config: Any, tokenizer: Any) -> int:
    """The most tokens the model reads at once; 4096 where neither it nor its tokenizer names a limit."""
    said = [getattr(config, "max_position_embeddings", None), tokenizer.model_max_length]
    # RoBERTa's positions begin after its padding id.
    if config.model_type in ("roberta", "xlm-roberta", "camembert", "xlm-roberta-xl", "xmod", "mpnet"):
        said[0] = said[0] and said[0] - 2
    return min([int(n) for n in said if n and 0 < n < 1_000_000] or [4096])


def own_labels(config: Any, labels: Sequence[str]) -> list[str] | None:
    """`labels` in the order of the head that the checkpoint already has; None when it has no head for just these."""
    if not (config.architectures or [""])[0].endswith("ForSequenceClassification"):
        return None
    folded = {label.casefold(): label for label in labels}
    named = [str(config.id2label[i]).casefold() for i in range(len(config.id2label))]
    fits = len(named) == len(labels) == len(folded) and set(named) == set(folded)
    return [folded[name] for name in named] if fits else None


def dropouts(config: Any) -> dict[str, float]:
    """The shares that a configuration drops in training, by name."""
    named = {k: v for k, v in config.to_dict().items() if "dropout" in k or k.endswith("pdrop")}
    return {k: v for k, v in named.items() if isinstance(v, int | float) and not isinstance(v, bool)}


def load_with_head(
    folder: str,
    config: Any,
    head: str,
    labels: Sequence[str],
    seed: int,
    dropout: float | None = None,
    packed: Mapping[str, Any] = NOTHING,
) -> tuple[Any, set[str]]:
    """A model with a head for `labels` in this order, fp32, and the names of its new weights.

    head: "ForSequenceClassification" or "ForTokenClassification". The new weights are a function of the seed.
    dropout: the share dropped wherever the checkpoint drops any, None = as much as it does; what the model's
    configuration says of it stays. packed: of `quantised.options`.
    """
    config.id2label = dict(enumerate(labels))
    config.label2id = {label: i for i, label in enumerate(labels)}
    return load_model(folder, config, head, seed, dropout, packed)


def load_model(
    folder: str, config: Any, head: str, seed: int, dropout: float | None = None, packed: Mapping[str, Any] = NOTHING
) -> tuple[Any, set[str]]:
    """As `load_with_head`, for a head that has no labels, such as "ForCausalLM"."""
    own = dropouts(config)
    check_size(folder, config, head)
    if dropout is not None:
        config.update(dict.fromkeys(own, dropout))
    with quiet(), in_words(folder), torch.random.fork_rng([]):
        torch.manual_seed(seed)
        model, info = _auto(head).from_pretrained(
            folder, config=config, ignore_mismatched_sizes=True, output_loading_info=True, **_SAFE, **packed
        )
    if packed:
        quantised.stay_differentiable(model)
    model.config.update(own)
    fresh = set(info["missing_keys"]) | {entry[0] for entry in info["mismatched_keys"]}
    fresh &= {name for name, _ in model.named_parameters()}
    lacking = sorted(n for n in fresh if n.startswith(f"{model.base_model_prefix}.") and ".pooler." not in n)
    if lacking:
        what = f"its weights lack {lacking[0]} of the right shape, and {len(lacking) - 1} more"
        raise UsageError(what, where=folder, fix="config.json and the weights are of different models: fetch it again")
    check_works(model, folder)
    return model, fresh


def check_works(model: Any, where: str) -> None:
    """Raise UnsafeError for weights that are no finite numbers, UsageError for a model that cannot read two tokens."""
    check_finite(model, where)
    with quiet(), in_words(where, "cannot read a text"), torch.inference_mode():
        embeddings, training = model.get_input_embeddings(), model.training
        ids = torch.tensor([[0, embeddings.num_embeddings - 1]], device=embeddings.weight.device)
        model.eval()
        options = type(model).__name__.endswith("ForMultipleChoice")  # it reads [questions, options, tokens]
        also = {"decoder_input_ids": ids} if model.config.is_encoder_decoder else {}
        model(input_ids=ids.unsqueeze(0) if options else ids, **also)
        model.train(training)


def check_size(folder: str, config: Any, head: str) -> None:
    """Raise UnsafeError where the configuration wants more parameters than the weights hold; allocates none of them.

    What a new head takes is let through; it may be some of a small model.
    """
    held = checkpoint.shapes(Path(folder))
    if not held:  # that they are missing, whoever loads them says
        return
    layers = getattr(config.get_text_config(), "num_hidden_layers", 0) or 0
    numbers = sum(math.prod(shape) for shape in held.values())
    wanted = layers
    if layers <= len(held):
        with quiet(), in_words(folder), torch.device("meta"), torch.random.fork_rng([]):
            model = _auto(head).from_config(config, trust_remote_code=False)
            wanted = sum(tensor.numel() for tensor in (*model.parameters(), *model.buffers()))
    if layers > len(held) or wanted > 2 * numbers + MOST_FRESH:
        what = f"its configuration wants {wanted:,} {'parameters' if layers <= len(held) else 'layers'}"
        found = f"{numbers:,} numbers" if layers <= len(held) else f"{len(held):,} tensors"
        fix = "config.json and the weights are of different models: fetch the model again"
        raise UnsafeError(f"{what}, and its weights hold {found}", where=folder, fix=fix)


def save_config(body: Any, folder: Path) -> None:
    """The configuration of a model, beneath adapters too, as `save_pretrained` of the whole would write it; of one with
    quantised weights, that of the base model.
    """
    model = body.get_base_model() if hasattr(body, "get_base_model") else body
    model.config.architectures = [type(model).__name__]
    config = copy.deepcopy(model.config)
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    config.save_pretrained(folder)


def load_saved(folder: Path, head: str, packed: Mapping[str, Any] = NOTHING) -> Any:
    """A model that was saved with its head, fp32; one that was saved as adapters with these added to its base model,
    or beside its weights where these are packed, see `quantised`.

    Raises MissingPart where the base model is not here, UnsafeError where it is another one by now.
    """
    checkpoint.check_folder(folder)
    config = read_config(str(folder))
    if (base := bases.read(folder)) is not None:
        return _load_adapted(folder, config, head, base, packed)
    check_size(str(folder), config, head)
    with quiet(), in_words(str(folder)):
        model = _auto(head).from_pretrained(folder, config=config, **_SAFE)
    check_works(model, str(folder))
    return model


def _load_adapted(folder: Path, config: Any, head: str, base: bases.Base, packed: Mapping[str, Any]) -> Any:
    place = converted.known(base.files[base.gguf]) if base.gguf else None
    whole = str(place) if place else fetched(str(bases.found(base, folder)), lambda config: None)
    model, fresh = load_model(whole, config, head, seed=0, packed=packed)
    learnt = set[str]()
    if (adapters := folder / "adapter").is_dir():
        model, learnt = lora.beside(model, fresh, adapters) if packed else (model, lora.add(model, adapters))
    if lacking := sorted(fresh - learnt):
        fix = "fit the run again"
        raise UnsafeError(f"its adapters lack {lacking[0]}, and {len(lacking) - 1} more", where=str(folder), fix=fix)
    check_works(model, str(folder))
    return model


def check_finite(model: torch.nn.Module, where: str) -> None:
    """Raise UnsafeError where a weight is NaN or infinite: the model would still answer, always the same."""
    for name, weight in model.named_parameters():
        if not weight.isfinite().all():
            fix = "fetch the model again, or fit it again"
            raise UnsafeError(f"its weights are damaged: {name} holds what is no finite number", where=where, fix=fix)


_SAFE: dict[str, Any] = {
    "dtype": torch.float32,
    "local_files_only": True,
    "trust_remote_code": False,
    "use_safetensors": True,
}


def _auto(head: str) -> Any:
    import transformers

    return getattr(transformers, f"AutoModel{head}")
