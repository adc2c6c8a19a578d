"""An exported run is read without torch: it answers as its model says, and what was planted in it is never loaded."""

import json
import shutil

import pytest

import slmfit
from conftest import WORDS
from slmfit import storage
from slmfit.errors import UnsafeError
from slmfit.hub.onnx import check_onnx
from slmfit.records import Prediction

pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
pytest.importorskip("onnx", reason="the extra `export` is not installed")

import by_hand

from slmfit.exporting.calibrating import temperature


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return by_hand.exported(tmp_path_factory.mktemp("served"))


def test_it_answers(folder):
    run = slmfit.load(folder)
    for label, words in WORDS.items():
        alone, padded, *_ = run.predict([" ".join(words[:3]), "late", "no word of it knows", "", "x " * 400])
        assert (alone.target, padded.target) == (label, "delivery")
        assert alone.probabilities[label] == pytest.approx(2.718281828**3 / (2.718281828**3 + 2), abs=1e-5)
    assert run.predict([]) == []


def test_logits_are_divided_by_the_temperature(folder, tmp_path):
    sent = shutil.copytree(folder, tmp_path / "sent")
    head = json.loads((sent / "model" / "head.json").read_text())
    (sent / "model" / "head.json").write_text(json.dumps({**head, "temperature": 3.0}))
    rehashed(sent)
    (answer,) = slmfit.load(sent).predict(["parcel courier late"])
    assert answer.probabilities["delivery"] == pytest.approx(2.718281828 / (2.718281828 + 2), abs=1e-5)


def rehashed(folder):
    record = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**record, "files": storage.hash_files(folder / "model")}))


@pytest.mark.parametrize("what", by_hand.KINDS)
def test_doors(what, folder, tmp_path, monkeypatch):
    sent = shutil.copytree(folder, tmp_path / "sent")
    by_hand.planted(what, sent)
    monkeypatch.setattr("onnxruntime.InferenceSession", lambda *a, **k: pytest.fail("it was loaded"))
    with pytest.raises(UnsafeError) as caught:
        slmfit.load(sent).predict(["a parcel"])
    assert caught.value.exit_code == 4


def test_any_cut_is_an_error_of_ours(folder, tmp_path):
    data = (folder / "model" / "model.onnx").read_bytes()
    cut = tmp_path / "model.onnx"
    for size in (*range(40), len(data) // 2, len(data) - 1):
        cut.write_bytes(data[:size])
        with pytest.raises(UnsafeError):
            check_onnx(cut)
    cut.write_bytes(data)
    check_onnx(cut)


@pytest.mark.parametrize(
    "change",
    [{"names": ["a", "b", "c"]}, {"kind": "tags"}, {"names": ["account"]}, {"pad": 10**6}, {"temperature": 0.0},
     {"names": None}, {"max_length": -1}],
    ids=str,
)  # fmt: skip
def test_a_head_that_does_not_fit(change, folder, tmp_path):
    sent = shutil.copytree(folder, tmp_path / "sent")
    head = json.loads((sent / "model" / "head.json").read_text())
    (sent / "model" / "head.json").write_text(json.dumps(head | change))
    rehashed(sent)
    with pytest.raises(UnsafeError):
        slmfit.load(sent).predict(["a parcel"])


def test_a_temperature_is_fitted_where_it_holds_for_other_rows():
    sure = Prediction("yes", probabilities={"no": 0.01, "yes": 0.99})
    answers, truth = [sure] * 200, (["yes"] * 4 + ["no"]) * 40
    heat = temperature(answers, truth)
    assert heat == pytest.approx(3.3, abs=0.2)  # 0.99 becomes 0.8: log 99 / log 4
    assert temperature(answers[:10], truth[:10]) == 1.0, "too few"
    honest = [Prediction("yes", probabilities={"no": 0.2, "yes": 0.8})] * 200
    assert temperature(honest, truth) == pytest.approx(1.0, abs=0.05)
    assert temperature([Prediction("yes")] * 30, ["yes"] * 30) == 1.0
