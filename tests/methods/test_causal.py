import dataclasses
import json

import numpy as np
import pytest
import torch
import transformers
from finetuned import fit_classes, logits, texts
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

import tiny
from conftest import make_dataset
from slmfit.data.load import load_data
from slmfit.errors import UsageError
from slmfit.finetune import pretrained
from slmfit.finetune.forward import inputs
from slmfit.finetune.rows import Rows
from slmfit.generating import write_tickets
from slmfit.methods.causal import Causal, Settings

QUICK = {"epochs": 3, "learning_rate": 3e-3, "lora_rank": 8}
MILLIONS = {"hidden_size": 256, "num_hidden_layers": 4, "intermediate_size": 688, "num_attention_heads": 8}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The demo's tickets; of the rows to fit and to answer a part, as a Llama of millions of weights is not quick."""
    path = tmp_path_factory.mktemp("data") / "tickets.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in write_tickets()))
    whole = load_data(path)
    parts = {"train": whole.train[:96], "validation": whole.validation[:32], "test": whole.test[::4]}
    return dataclasses.replace(whole, splits=parts)


@pytest.fixture(scope="module")
def base(data, tmp_path_factory):
    return tiny.causal(
        tmp_path_factory.mktemp("base"), texts=[row["text"] for row in write_tickets()], words=2000, **MILLIONS
    )


@pytest.fixture(scope="module")
def fitted(base, data, tmp_path_factory):
    return fit(data, tmp_path_factory.mktemp("fitted"), base_model=base, keep="whole", **{**QUICK, "epochs": 1})


def fit(data, folder, **given):
    return fit_classes(Causal(Settings(**given)), data, folder)


def by_transformers(folder, texts, side="right"):
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side=side)
    batch = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
    batch.pop("token_type_ids", None)
    with torch.inference_mode():
        return model(**batch).logits.numpy()


def test_it_learns_with_lora_by_default(tmp_path):
    """On easy data: what random weights can learn of the demo's takes too many steps."""
    data = make_dataset(sizes=(240, 60, 60))
    method = fit(data, None, base_model=tiny.causal(tmp_path), **QUICK)
    answers = method.predict(texts(data))
    assert np.mean([a.target == e.target for a, e in zip(answers, data.test, strict=True)]) > 0.6
    assert method.settings.lora
    assert method.chosen["why"]["learning_rate"] == "asked for"


@pytest.mark.parametrize("batch", [1, 32])
@pytest.mark.parametrize("left", [False, True])
def test_padding_side_and_batch_change_nothing(fitted, data, left, batch):
    """The right answer is each text alone, without any padding."""
    tokens = fitted.head._tokens(texts(data), None).at_most(fitted.max_length)
    made = Rows(tokens, "cpu", fitted.backbone.tokenizer.pad_token_id, left=left)
    logits = []
    with torch.inference_mode():
        for begin in range(0, len(tokens), batch):
            rows = np.arange(begin, min(begin + batch, len(tokens)))
            logits.append(fitted.model(**inputs(made, rows)).logits.numpy())
    found = np.concatenate(logits)
    assert np.abs(found - fitted.base_logits).max() < 1e-4
    assert (found.argmax(1) == fitted.base_logits.argmax(1)).all()


def test_adapters_load_with_plain_peft_and_merged_equals_unmerged(fitted, base, data):
    """`base_logits` are of the model before its adapters were added into the weights; without them they are others."""
    import warnings

    from peft import PeftModel

    assert np.abs(logits(fitted, texts(data)) - fitted.base_logits).max() < 1e-4
    config = AutoConfig.from_pretrained(
        base, num_labels=len(data.task.labels), pad_token_id=fitted.backbone.tokenizer.pad_token_id
    )
    with pretrained.quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft's own call
        plain = AutoModelForSequenceClassification.from_pretrained(base, config=config)
        model = PeftModel.from_pretrained(plain, fitted.folder / "adapter").eval()
    tokens = fitted.head._tokens(texts(data), None).at_most(fitted.max_length)
    made = Rows(tokens, "cpu", fitted.backbone.pad)
    with torch.inference_mode():
        told = model(**inputs(made, np.arange(len(texts(data))))).logits.numpy()
        for name, weights in model.named_parameters():
            weights.mul_(0 if "lora_B" in name else 1)
        without = model(**inputs(made, np.arange(len(texts(data))))).logits.numpy()
    assert np.abs(told - fitted.base_logits).max() < 1e-4
    assert np.abs(without - fitted.base_logits).max() > 0.01


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_folder_is_a_plain_transformers_model(fitted, data, side):
    assert np.abs(by_transformers(fitted.folder, texts(data), side) - fitted.base_logits).max() < 1e-4
    config = AutoConfig.from_pretrained(fitted.folder)
    assert config.id2label == dict(enumerate(data.task.labels))
    assert config.pad_token_id == fitted.backbone.tokenizer.pad_token_id
    assert AutoTokenizer.from_pretrained(fitted.folder).padding_side == "right"


def test_loaded_it_answers_the_same(fitted, data):
    again = Causal.load(fitted.folder, data.task, fitted.settings)
    assert again.predict(texts(data)) == fitted.predict(texts(data))


def test_empty_texts_and_texts_that_hold_the_padding_token(fitted):
    asked = ["", "invoice", "invoice<|endoftext|>", "<|endoftext|>", "<|endoftext|>invoice"]
    together = logits(fitted, [*asked, "a longer text that makes all the others need padding"])[: len(asked)]
    alone = np.concatenate([logits(fitted, [text]) for text in asked])
    assert np.abs(together - alone).max() < 1e-5


def test_an_encoder_is_refused(tmp_path, data):
    transformers.BertConfig(architectures=["BertForMaskedLM"]).save_pretrained(tmp_path)
    with pytest.raises(UsageError, match=r"is a encoder model|use encoder="):
        fit(data, None, base_model=str(tmp_path))


@pytest.mark.parametrize("family", list(tiny.FAMILIES))
def test_other_families(family, data, tmp_path):
    tiny.of_family(tmp_path / "base", family)
    small = make_dataset(sizes=(60, 20, 20))
    (tmp_path / "out").mkdir()
    method = fit(small, tmp_path / "out", base_model=str(tmp_path / "base"), keep="whole", **{**QUICK, "epochs": 1})
    assert np.abs(logits(method, texts(small)) - method.base_logits).max() < 1e-4
    assert np.abs(by_transformers(tmp_path / "out", texts(small)) - method.base_logits).max() < 1e-4
