"""Base models of random weights and a tokenizer trained on the spot, small enough for any test.

encoder(folder), causal(folder) and seq2seq(folder) leave a checkpoint folder as the hub would hold it.
"""

import json
import string
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForMaskedLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
    T5Tokenizer,
)

from conftest import FILLER, WORDS

SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
FAMILIES = {
    "GPT2": ("GPT2LMHeadModel", {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64}),
    "Qwen3": ("Qwen3ForCausalLM", {**SMALL, "num_key_value_heads": 2, "head_dim": 8}),
    "Gemma3Text": ("Gemma3ForCausalLM", {**SMALL, "num_key_value_heads": 2, "head_dim": 8, "pad_token_id": 0}),
    "GPTNeoX": ("GPTNeoXForCausalLM", SMALL),
}
ONLY_WRITING = {  # transformers has no classifier of these; the second also remembers by convolution
    "Granite": ("GraniteForCausalLM", {**SMALL, "num_key_value_heads": 2, "pad_token_id": 0}),
    "Lfm2": ("Lfm2ForCausalLM", {**SMALL, "num_key_value_heads": 2, "pad_token_id": 0, "block_multiple_of": 16,
                                 "layer_types": ["conv", "full_attention"]}),
}  # fmt: skip

TEXTS = [" ".join(words) for words in (*WORDS.values(), FILLER)] * 20


def word_tokenizer(texts=TEXTS, size=400):
    """A WordPiece tokenizer with [CLS] and [SEP] around a text, as BERT's."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    backend = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=size, special_tokens=special, show_progress=False)
    backend.train_from_iterator(texts, trainer)
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    takes = ["input_ids", "token_type_ids", "attention_mask"]
    names |= {"mask_token": "[MASK]", "model_input_names": takes}
    return PreTrainedTokenizerFast(tokenizer_object=backend, model_max_length=64, **names)


def byte_tokenizer(texts=TEXTS, size=400):
    """A byte-level BPE tokenizer that adds nothing around a text and has no padding token, as SmolLM2's."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<|endoftext|>", "<|im_start|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    backend.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, model_max_length=128, eos_token="<|endoftext|>", bos_token="<|im_start|>"
    )


def t5_tokenizer(texts=TEXTS, size=400):
    """T5's own class: Unigram, "</s>" behind a text, any white space a single space, no line breaks and no braces."""
    backend = Tokenizer(models.Unigram())
    backend.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    trainer = trainers.UnigramTrainer(vocab_size=size, unk_token="<unk>", special_tokens=["<unk>"], show_progress=False)
    signs = [chr(i) for i in range(33, 127) if chr(i) not in "{}<\\^~`"]  # what T5's vocabulary lacks
    backend.train_from_iterator([*texts, *signs, *string.ascii_letters], trainer)
    pieces = [tuple(pair) for pair in json.loads(backend.to_str())["model"]["vocab"] if pair[0] != "<unk>"]
    special = [(name, 0.0) for name in ("<pad>", "</s>", "<unk>")]
    extra = [("<extra_id_0>", 0.0)]
    return T5Tokenizer(vocab=[*special, *pieces, *extra], extra_ids=1, model_max_length=128)


def encoder(folder, *, seed=0, **changes):
    """A BERT of two layers, pretrained on nothing."""
    tokenizer = word_tokenizer()
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    config = BertConfig(vocab_size=len(tokenizer), max_position_embeddings=64, **{**shape, **changes})
    return _save(folder, BertForMaskedLM, config, tokenizer, seed)


def causal(folder, *, seed=0, texts=TEXTS, words=400, **changes):
    """A Llama of two layers, pretrained on nothing; its tokenizer is made from texts."""
    tokenizer = byte_tokenizer(texts, words)
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    shape |= {"num_key_value_heads": 2, "max_position_embeddings": 128, "tie_word_embeddings": True}
    ids = {"bos_token_id": 1, "eos_token_id": 0}
    config = LlamaConfig(vocab_size=len(tokenizer), **ids, **{**shape, **changes})
    return _save(folder, LlamaForCausalLM, config, tokenizer, seed)


def seq2seq(folder, *, seed=0, texts=TEXTS, pieces=400, tied=False, **changes):
    """A T5 of two and two layers; as flan-T5 it has a head of its own in its file, tied as the first T5 had it none."""
    tokenizer = t5_tokenizer(texts, pieces)
    shape = {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4}
    shape |= {"feed_forward_proj": "relu" if tied else "gated-gelu", "decoder_start_token_id": 0}
    config = T5Config(vocab_size=len(tokenizer), **{**shape, **changes})
    _save(folder, T5ForConditionalGeneration, config, tokenizer, seed)
    if not tied:
        weights = Path(folder) / "model.safetensors"
        tensors = load_file(weights)
        head = torch.randn(tensors["shared.weight"].shape, generator=torch.Generator().manual_seed(seed))
        save_file(tensors | {"lm_head.weight": head * config.d_model**-0.5}, weights, {"format": "pt"})
        about = json.loads((Path(folder) / "config.json").read_text())
        about.pop("scale_decoder_outputs")
        (Path(folder) / "config.json").write_text(json.dumps(about | {"tie_word_embeddings": False}))
    return str(folder)


def of_family(folder, family, **changes):
    """A causal model of another family, with the tokenizer that `causal` has."""
    model_class, shape = (FAMILIES | ONLY_WRITING)[family]
    tokenizer = byte_tokenizer()
    ids = {"bos_token_id": 1, "eos_token_id": 0}
    config = getattr(transformers, f"{family}Config")(vocab_size=len(tokenizer), **{**ids, **shape, **changes})
    return _save(folder, getattr(transformers, model_class), config, tokenizer, 0)


def _save(folder, model_class, config, tokenizer, seed):
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        model = model_class(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)
