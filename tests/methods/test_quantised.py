"""A base model in 8 or 4 bits: adapters are trained beside it, saved, loaded again and added to its own weights."""

import dataclasses

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

import tiny
from conftest import make_dataset
from slmfit.errors import UnsafeError, UsageError
from slmfit.methods import create
from slmfit.methods.base import Context
from slmfit.methods.saved import load_model, save_model

pytest.importorskip("bitsandbytes", reason="bitsandbytes is not installed")
KINDS = {"causal": tiny.causal, "seq2seq": tiny.seq2seq}


def made(folder):
    folder.mkdir()
    return folder


def inputs_of(data):
    return [example.input for example in data.test]


@pytest.fixture(scope="module")
def bases(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bases")
    return {
        kind: make(folder / kind, hidden_size=64) if kind == "causal" else make(folder / kind)
        for kind, make in KINDS.items()
    }


@pytest.mark.parametrize(("kind", "task", "width"), [
    ("causal", "text-classification", "4bit"), ("causal", "token-classification", "8bit"),
    ("causal", "multiple-choice", "4bit"), ("seq2seq", "multiple-choice", "8bit"),
])  # fmt: skip
def test_tuned_saved_and_loaded(kind, task, width, bases, tmp_path):
    data = make_dataset(task, sizes=(24, 8, 8))
    settings = {"epochs": 1, "lora": True, "lora_rank": 4, "quantise": width}
    method = create(kind, settings, bases[kind])
    method.fit(data.task, data.train, data.validation, Context(metric=data.task.metrics[0]))
    answers = method.predict(inputs_of(data))
    body = method.head.body(method.model)
    assert not any(getattr(m, "support_avx512bf16_for_cpu", False) for m in body.modules())  # see stay_differentiable
    assert any(p.dtype.itemsize == 1 and not p.is_floating_point() for p in body.parameters())
    save_model(folder := made(tmp_path / "model"), data.task, data.recipe, kind, method)
    _, _, again = load_model(folder)
    assert again.predict(inputs_of(data)) == answers
    again.save_whole(made(tmp_path / "whole"))
    whole = type(again).load(tmp_path / "whole", data.task, dataclasses.replace(again.settings, quantise=None))
    assert all(p.is_floating_point() for p in whole.model.parameters())
    near = [
        np.abs(np.array(list(a.probabilities.values())) - list(b.probabilities.values())).max()
        for a, b in zip(whole.predict(inputs_of(data)), answers, strict=True)
        if a.probabilities
    ]
    assert max(near, default=0.0) < 0.2


@pytest.mark.parametrize(("settings", "fix"), [
    ({"keep": "whole"}, "slmfit export"), ({"lora": False}, "lora=true"), ({"lora": False, "epochs": 2}, "epochs=0"),
])  # fmt: skip
def test_quantised_weights_are_neither_trained_nor_kept(settings, fix):
    with pytest.raises(UsageError) as refused:
        create("causal", {"quantise": "4bit", **settings})
    assert fix in refused.value.fix
    create("causal", {"quantise": "4bit", "lora": False, "epochs": 0})


@pytest.mark.parametrize("change", ["rank", "lacking", "foreign"])
def test_adapters_that_do_not_fit_are_refused(change, bases, tmp_path):
    data = make_dataset("text-classification", sizes=(12, 4, 4))
    method = create("causal", {"epochs": 1, "lora_rank": 4, "quantise": "4bit"}, bases["causal"])
    method.fit(data.task, data.train, data.validation, Context())
    save_model(folder := made(tmp_path / "model"), data.task, data.recipe, "causal", method)
    path = folder / "adapter" / "adapter_model.safetensors"
    tensors = load_file(path)
    first = min(tensors)
    if change == "rank":
        tensors[first] = tensors[first][:2].contiguous()
    else:
        moved = tensors.pop(first)
        tensors |= {first.replace("layers.0", "layers.9"): moved} if change == "foreign" else {}
    save_file(tensors, path)
    with pytest.raises(UnsafeError, match="does not fit its base model"):
        load_model(folder)
