"""Weights that are no numbers, or become none, and checkpoints that are not this training's: said, never used."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import tiny
from conftest import make_dataset
from slmfit import storage
from slmfit.embeddings.sentence import Sentence
from slmfit.errors import SlmfitError, UnsafeError
from slmfit.finetune import loop
from slmfit.methods.base import Context
from slmfit.methods.causal import Causal
from slmfit.methods.causal import Settings as CausalSettings
from slmfit.methods.encoder import Encoder
from slmfit.methods.encoder import Settings as EncoderSettings

DATA = make_dataset(sizes=(40, 12, 8))
KINDS = {"encoder": (Encoder, EncoderSettings, tiny.encoder), "causal": (Causal, CausalSettings, tiny.causal)}


@pytest.fixture(scope="module", params=KINDS)
def kind(request, tmp_path_factory):
    method, settings, make = KINDS[request.param]
    base = make(tmp_path_factory.mktemp("base") / request.param, num_hidden_layers=1)
    return lambda **given: method(settings(**{"base_model": base, "epochs": 1, "batch_tokens": 200, **given})), base


def fit(method, **given):
    method.fit(DATA.task, DATA.train, DATA.validation, Context(**given))
    return method


def with_weights(base, folder, change):
    shutil.copytree(base, folder)
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return str(folder)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_base_model_that_holds_no_number_is_refused(kind, tmp_path, value):
    make, base = kind

    def change(tensors):  # one row of a word that train may never hold
        next(t for name, t in tensors.items() if "word_embeddings" in name or "embed_tokens" in name)[-1] = value

    poisoned = with_weights(base, tmp_path / "base", change)
    with pytest.raises(UnsafeError, match="holds what is no finite number"):
        fit(make(base_model=poisoned))
    if "encoder" in base:
        with pytest.raises(UnsafeError, match="holds what is no finite number"):
            Sentence(Path(poisoned)).embed(["a text"])


@pytest.mark.parametrize("rate", [1e10, 1e30])
def test_a_training_that_diverges_has_no_winner(kind, rate):
    make, _ = kind
    try:
        method = fit(make(learning_rate=rate))
    except SlmfitError as error:
        assert "diverged" in str(error) and "lower the learning rate" in str(error)
    else:  # it ended with weights that were good once, by validation
        assert all(weight.isfinite().all() for weight in method.model.parameters())
        for answer in method.predict([e.input for e in DATA.test]):
            assert sum(answer.probabilities.values()) == pytest.approx(1, abs=1e-5)


def test_a_run_whose_weights_overflow_does_not_answer(kind, tmp_path):
    make, _ = kind
    method = fit(make(epochs=1, keep="whole"))
    (tmp_path / "model").mkdir()
    method.save(tmp_path / "model")

    def change(tensors):
        for tensor in tensors.values():
            tensor.mul_(1e30)

    folder = Path(with_weights(tmp_path / "model", tmp_path / "changed", change))
    try:
        answers = type(method).load(folder, DATA.task, method.settings).predict(["my invoice"])
    except SlmfitError as error:
        assert "no finite number" in str(error)
    else:
        assert method.kind == "causal"  # whose layers are normed once more at the end
        assert sum(answers[0].probabilities.values()) == pytest.approx(1, abs=1e-5)


def checkpointed(kind, work, monkeypatch):
    """A training that wrote checkpoints; the folder of the newest."""
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(loop, "CHECKPOINT_SHARE", 0)
    fit(kind[0](), work=work, key="this")
    return max((work / "checkpoints").iterdir())


def changed(folder, change):
    """A checkpoint changed, with a hash that fits."""
    from safetensors import safe_open

    path = folder / "state.safetensors"
    with safe_open(path, framework="pt") as file:
        about = json.loads(file.metadata()["about"])
    tensors = load_file(path)
    change(tensors, about)
    save_file(tensors, path, metadata={"about": json.dumps(about)})
    (folder / "sha256").write_text(storage.hash_file(path))


def _named(tensors, part):
    """One of a part; before the first evaluation there are no best ones."""
    matrices = [name for name, tensor in tensors.items() if tensor.ndim == 2]
    return next((name for name in matrices if name.startswith(part)), matrices[0])


def _cut(tensors, about):
    name = _named(tensors, "weights/")
    tensors[name] = tensors[name][:1].clone()  # one row would be copied into all


CHANGES = {
    "NaN": lambda tensors, about: tensors[_named(tensors, "weights/")].fill_(float("nan")),
    "NaN in the best": lambda tensors, about: tensors[_named(tensors, "best/")].fill_(float("nan")),
    "infinite moments": lambda tensors, about: tensors[_named(tensors, "exp_avg/")].fill_(float("inf")),
    "cut": _cut,
    "gone": lambda tensors, about: tensors.pop(_named(tensors, "weights/")),
    "more": lambda tensors, about: tensors.update({"weights/evil": torch.zeros(1)}),
    "another run's": lambda tensors, about: about.update(of="another"),
    "position": lambda tensors, about: about["progress"].update(position=10**6),
    "step": lambda tensors, about: about["progress"].update(step=10**30),
    "seconds": lambda tensors, about: about["progress"].update(seconds=-1e300),
    "best": lambda tensors, about: about["progress"].update(best=float("nan")),
    "no progress": lambda tensors, about: about.update(progress=[1]),
    "field": lambda tensors, about: about["progress"].update(evil=1),
}


def test_a_checkpoint_that_is_not_of_this_training_is_passed_over(kind, tmp_path, monkeypatch):
    newest = checkpointed(kind, tmp_path / "work", monkeypatch)
    for name, change in list(CHANGES.items())[: len(CHANGES) if "encoder" in kind[1] else 2]:
        work, said = tmp_path / name, []
        shutil.copytree(tmp_path / "work", work)
        for folder in (work / "checkpoints").iterdir():
            changed(folder, change)
        fit(kind[0](), work=work, key="this", event=lambda kind, said=said, **f: said.append((kind, f.get("text", ""))))
        assert ("resume", "") not in said, name
        assert any("starting over" in text for _, text in said), name
        shutil.rmtree(work)
    assert newest.name != "step-00000000"
