"""`slmfit export --format onnx`: the same answers without torch; a broken export is refused."""

import dataclasses
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch

import slmfit
import tiny
from conftest import WORDS, make_dataset
from slmfit.errors import UsageError
from slmfit.exporting import timing, traced
from slmfit.exporting.gate import GateRefused
from slmfit.exporting.record import read_export
from slmfit.exporting.tracing import Tuned
from slmfit.runs import measuring

pytest.importorskip("onnxruntime", reason="the extra `export` is not installed")
onnx = pytest.importorskip("onnx", reason="the extra `export` is not installed")
pytest.importorskip("onnxscript", reason="the extra `export` is not installed")

DATA = make_dataset(sizes=(240, 60, 30))
TAGGED = make_dataset("token-classification", sizes=(40, 24, 24))
QUICK = {"epochs": 1, "device": "cpu", "precision": "fp32"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = tmp_path_factory.mktemp("onnx")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLMFIT_CACHE", str(place / "cache"))
        patch.setattr(timing, "SECONDS", 0.05)
        yield place


@pytest.fixture(scope="module")
def run(place):
    """A model that has learnt all labels, and is sure of them."""
    settings = {"encoder": {**QUICK, "epochs": 6, "learning_rate": 2e-3}}
    base = tiny.encoder(place / "base", hidden_size=64)
    return slmfit.train(DATA, f"encoder={base}", settings=settings, out=place / "out")


@pytest.fixture(scope="module")
def folder(run, place):
    return slmfit.export(run, "onnx", place / "exact", data=DATA)


@pytest.fixture
def unmeasured(monkeypatch):
    """Without the fresh process that is timed, which takes longer than all else and is seen to work above."""
    monkeypatch.setattr(measuring, "measure", lambda *given, **more: measuring.Cost(None, None, None, None))


def apart(one, other):
    """The largest difference between the probabilities of two lists of answers, which have the same targets."""
    assert [a.target for a in one] == [a.target for a in other]
    return max(abs(p - b.probabilities[k]) for a, b in zip(one, other, strict=True) for k, p in a.probabilities.items())


def texts(data):
    return [e.input for e in data.test] + ["", "x" * 300, "a parcel " * 60]


def test_behind_a_server(run, folder):
    server = pytest.importorskip("slmfit.serving.server", reason="pip install 'slmfit[serve]'")
    from asking_over_http import ask

    own, served = run.predict(texts(DATA)), slmfit.load(folder)
    assert served.method.cuts_off(texts(DATA)) == run.method.cuts_off(texts(DATA))
    with server.running({"exported": str(folder)}) as serving:
        items = ask(f"{serving.url}/v1/classify", {"input": texts(DATA)}).json["data"]
        metrics = ask(f"{serving.url}/metrics").body.decode()
    assert [item["label"] for item in items] == [answer.target for answer in own]
    assert [item["truncated"] for item in items] == run.method.cuts_off(texts(DATA))
    assert {item["truncated"] for item in items} == {True, False}
    assert 'slmfit_truncated_total{model="exported"} 1\n' in metrics


def test_the_same_answers(run, folder):
    served = slmfit.load(folder)
    assert len({answer.target for answer in run.predict(texts(DATA))}) > 1, "it has learnt something"
    assert apart(run.predict(texts(DATA)), served.predict(texts(DATA))) < 1e-4
    ours, theirs = run.record.scores["test"], served.record.scores["test"]
    assert theirs["accuracy"] == ours["accuracy"]
    assert {name: s.value for name, s in theirs.items()} == pytest.approx(
        {n: s.value for n, s in ours.items()}, abs=1e-5
    )
    assert served.record.rows_scored("test") == len(list(served.predictions())) - len(DATA.validation)
    record = read_export(folder)
    assert record.gate.passed and record.gate.agreement == 1 and record.about["quantised"] is None
    assert record.run["key"] == run.record.key and "model/model.onnx" in record.files
    assert sorted(path.name for path in folder.iterdir()) == ["export.json", "model", "predictions.jsonl", "run.json"]


def test_without_torch(run, folder, tmp_path):
    """In a process of its own, where torch and transformers cannot be imported."""
    rows = [{"text": e.input, "label": e.target} for e in DATA.test]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    code = (
        "import sys\n"
        "for name in ('torch', 'transformers', 'onnx', 'onnxscript'): sys.modules[name] = None\n"
        "import slmfit\n"
        "run = slmfit.load(sys.argv[1])\n"
        "print([a.target for a in run.predict(['invoice charged', 'parcel late'])])\n"
        "unasked = {'slmfit.data.load', 'slmfit.data.times', 'slmfit.finetune.windows', 'slmfit.runs.brief'}\n"
        "assert not unasked & sys.modules.keys(), 'whoever predicts waits for them'\n"
        "print(round(slmfit.evaluate(run, sys.argv[2]).values['accuracy'].value, 6))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, folder, tmp_path / "rows.jsonl"], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    said, score = done.stdout.splitlines()
    assert said == str([a.target for a in run.predict(["invoice charged", "parcel late"])])
    assert float(score) == round(run.record.scores["test"]["accuracy"].value, 6)
    assert [path.name for path in tmp_path.iterdir()] == ["rows.jsonl"], "it leaves nothing where it is run"


def test_eight_bits(run, folder, place, unmeasured, monkeypatch):
    monkeypatch.setattr(Tuned, "trace", lambda self, place: shutil.copy(folder / "model" / "model.onnx", place))
    small = slmfit.export(run, "onnx", place / "int8", quantise="int8", accept=True, data=DATA)
    record, served = read_export(small), slmfit.load(small)
    assert record.about["quantised"].startswith("int8") and len(record.candidates) == len(traced.EIGHT_BITS)
    assert record.gate.agreement > 0.9
    assert served.record.size_bytes < slmfit.load(folder).record.size_bytes
    assert served.record.id == f"{run.record.id}-onnx-int8"
    heat = record.about["temperature"]
    assert heat == served.method.head.temperature == served.record.chosen["temperature"]
    assert served.method.settings.quantised == record.about["quantised"]


def test_an_export_is_no_run_to_export(folder, tmp_path):
    with pytest.raises(UsageError, match="a run of onnx is not exported"):
        slmfit.export(folder, "onnx", tmp_path / "x")
    with pytest.raises(UsageError, match="a run of onnx is no model of transformers"):
        slmfit.export(folder, output=tmp_path / "x")
    with pytest.raises(UsageError, match="is not quantised to 'int4'"):
        slmfit.export(folder, "onnx", quantise="int4")


def test_entities_and_intents(place, unmeasured):
    base = tiny.encoder(place / "tagger")
    settings = {"encoder": {**QUICK, "epochs": 3, "learning_rate": 3e-3, "max_length": 12}}
    run = slmfit.train(TAGGED, f"encoder={base}", settings=settings, out=place / "tagged")
    served = slmfit.load(slmfit.export(run, "onnx", place / "tags", data=TAGGED))
    asked = [*(e.input for e in TAGGED.test), "", "to Rome on Monday " * 9]
    ours, theirs = run.predict(asked), served.predict(asked)
    assert apart(ours, theirs) < 1e-4
    for one, other in zip(ours, theirs, strict=True):
        assert one.span_probabilities == pytest.approx(other.span_probabilities, abs=1e-4)


def test_a_causal_classifier(place, unmeasured):
    base = tiny.causal(place / "causal")
    settings = {"causal": {**QUICK, "lora_rank": 2, "max_length": 16}}
    run = slmfit.train(DATA, f"causal={base}", settings=settings, out=place / "of causal")
    served = slmfit.load(slmfit.export(run, "onnx", place / "causal-onnx", data=DATA))
    assert apart(run.predict(texts(DATA)), served.predict(texts(DATA))) < 1e-4


def test_pairs(place, unmeasured, tmp_path):
    """Which of two texts is of a parcel: the kinds of the tokens tell the texts apart, and both are cut."""
    rows = [
        {"premise": text(a, i), "hypothesis": text(b, i + 1), "label": f"{a} first"}
        for i in range(80)
        for a, b in (("billing", "delivery"), ("delivery", "billing"))
    ]
    data = slmfit.load_data(rows)
    settings = {"encoder": {**QUICK, "epochs": 3, "learning_rate": 2e-2}}
    base = tiny.encoder(place / "of pairs", num_hidden_layers=1, initializer_range=0.1)
    run = slmfit.train(data, f"encoder={base}", settings=settings, out=place / "paired")
    served = slmfit.load(slmfit.export(run, "onnx", place / "pairs", data=data))
    assert "token_type_ids" in served.method.session.inputs
    asked = [e.input for e in data.test] + [("", ""), ("invoice " * 90, "parcel " * 70), ("", "parcel")]
    shares = [answer.probabilities["billing first"] for answer in run.predict(asked)]
    assert max(shares) - min(shares) > 1e-3, "the pairs are told apart"
    assert apart(run.predict(asked), served.predict(asked)) < 1e-4


def text(label, number):
    return " ".join(WORDS[label][(number + i) % len(WORDS[label])] for i in range(1 + number % 5))


def short(model):
    """The model with the first of its tokens alone, which says nothing: every text has the same answer."""
    ends = {"from": [0], "to": [1], "over": [1]}
    held = [onnx.numpy_helper.from_array(np.array(value, np.int64), name) for name, value in ends.items()]
    model.graph.initializer.extend(held)
    names = [one.name for one in model.graph.input]
    for node in model.graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = f"{name} cut" if name in names else name
    for name in names:
        model.graph.node.insert(0, onnx.helper.make_node("Slice", [name, *ends], [f"{name} cut"]))
    return model


def test_wrong_pooling_is_refused(run, folder, tmp_path, monkeypatch):
    def trace(self, place):
        onnx.save(short(onnx.load(folder / "model" / "model.onnx")), place / "model.onnx")

    monkeypatch.setattr(Tuned, "trace", trace)
    with pytest.raises(GateRefused, match="off the run's") as caught:
        slmfit.export(run, "onnx", tmp_path / "x", data=DATA)
    assert caught.value.exit_code == 4
    assert caught.value.judged.agreement < 0.5, "however a model was learnt: the labels are even"
    assert list(tmp_path.iterdir()) == []


def test_eight_bits_of_a_tensor_with_outliers_are_refused(run, tmp_path, monkeypatch):
    """One row of what is read from the tokens is large, and its weight afterwards small: the same model; but where all
    of a matrix have one scale, nothing of the other rows is left."""
    spoilt = slmfit.Run(run.folder)
    with torch.no_grad():
        for layer in spoilt.method.model.bert.encoder.layer:
            values, out = layer.attention.self.value, layer.attention.output.dense
            values.weight[0] *= 1e4
            values.bias[0] *= 1e4
            out.weight[:, 0] /= 1e4
    answers = {split: spoilt.predict([e.input for e in DATA.splits[split]]) for split in ("validation", "test")}
    assert len({a.target for a in answers["validation"]}) > 1
    told = dict(DATA.splits)
    for split, said in answers.items():
        told[split] = tuple(dataclasses.replace(e, target=a.target) for e, a in zip(told[split], said, strict=True))
    monkeypatch.setattr(spoilt, "answers", lambda split, examples: answers[split])
    monkeypatch.setattr("slmfit.exporting.onnx.rows_of", lambda run, data: dataclasses.replace(DATA, splits=told))
    monkeypatch.setattr(traced, "EIGHT_BITS", {"all of a tensor": {"signed": True, "per_channel": False}})
    with pytest.raises(GateRefused, match="worse by"):
        slmfit.export(spoilt, "onnx", tmp_path / "x", quantise="int8")
    assert list(tmp_path.iterdir()) == []
