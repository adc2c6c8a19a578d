"""`google/flan-t5-base`, which `seq2seq` starts from where no base model is named, from a stand-in of the hub."""

import os
from pathlib import Path

from test_hub import before_the_hub, hub, run  # noqa: F401, two are fixtures

import tiny

TESTS = str(Path(tiny.__file__).parent)
CODE = """
from pathlib import Path
from conftest import make_dataset
from slmfit.data.recipe import TextRecipe
from slmfit.methods import create
from slmfit.methods.base import Context
from slmfit.methods.saved import load_model, save_model
out = {}
for task in ("text-classification", "token-classification", "multiple-choice"):
    data = make_dataset(task, sizes=(24, 8, 8))
    method = create("seq2seq", {"epochs": 1, "max_length": 64})
    method.fit(data.task, data.train, data.validation, Context(metric=data.task.metric))
    folder = Path("made") / task
    folder.mkdir(parents=True)
    save_model(folder, data.task, TextRecipe(), "seq2seq", method)
    inputs = [e.input for e in data.test]
    answers, again = method.predict(inputs), load_model(folder)[2].predict(inputs)
    out[task] = [answers == again, sorted({a.outcome for a in answers}), method.chosen["base"]["name"]]
"""


def test_end_to_end_on_every_task(hub, tmp_path, monkeypatch):  # noqa: F811
    hub.models["google/flan-t5-base"] = Path(tiny.seq2seq(tmp_path / "flan"))
    monkeypatch.chdir(tmp_path)
    path = os.pathsep.join([TESTS, os.environ.get("PYTHONPATH", "")])
    out = run(hub, tmp_path / "home", CODE, PYTHONPATH=path, SLMFIT_CACHE=str(tmp_path / "cache"))
    assert set(out) == {"text-classification", "token-classification", "multiple-choice"}
    assert all(told == [True, ["ok"], "google/flan-t5-base"] for told in out.values()), out
    assert hub.asked("model.safetensors") == (tmp_path / "flan" / "model.safetensors").stat().st_size  # once
