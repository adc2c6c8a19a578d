"""`slmfit export --hub-folder`: a run with its card in front, which predicts where it was fetched to."""

import json
import sys

import pytest

import slmfit
from conftest import make_dataset
from slmfit.__main__ import main

DATA = make_dataset(sizes=(60, 20, 20))


def test_it_predicts_and_tells_nothing_of_here(tmp_path, monkeypatch):
    rows = [DATA.task.unparse(e) for split in ("train", "validation", "test") for e in DATA.splits[split]]
    (tmp_path / "secret").mkdir()
    path = tmp_path / "secret" / "tickets.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    run = slmfit.train(slmfit.load_data(path), "majority", out=tmp_path / "out")
    place = tmp_path / "repository"
    monkeypatch.setattr(sys, "argv", ["slmfit", "export", str(run.folder), "--hub-folder", "--output", str(place)])
    with pytest.raises(SystemExit) as left:
        main()
    assert not left.value.code
    assert {path.name for path in place.iterdir()} == {"README.md", "run.json", "model", ".gitattributes"}
    assert (place / "README.md").read_text().startswith("---\nlibrary_name")
    assert "secret" not in (place / "run.json").read_text()
    texts = [e.input for e in DATA.test]
    assert [a.target for a in slmfit.load(place).predict(texts)] == [a.target for a in run.predict(texts)]


def test_one_form_at_a_time(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["slmfit", "export", "RUN", "--hub-folder", "--format", "html"])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2 and "two forms" in capsys.readouterr().err


def test_transformers_reads_the_repository(tmp_path, monkeypatch):
    """A fine-tuned model's is a folder of transformers: its own pipeline gives the run's labels and probabilities."""
    pytest.importorskip("torch", reason="needs the extra train")
    from transformers import pipeline

    import tiny

    settings = {"encoder": {"epochs": 3, "learning_rate": 2e-3, "device": "cpu", "precision": "fp32"}}
    run = slmfit.train(DATA, f"encoder={tiny.encoder(tmp_path / 'base')}", settings=settings, out=tmp_path / "out")
    place = slmfit.export(run, "hub", tmp_path / "repository")
    assert "*.safetensors filter=lfs" in (place / ".gitattributes").read_text()
    assert (place / "README.md").read_text().startswith("---\n")
    assert not [path.name for path in place.iterdir() if str(tmp_path).encode() in path.read_bytes()]
    texts = [e.input for e in DATA.test] + ["a parcel " * 90]
    classify = pipeline("text-classification", model=str(place), truncation=True, top_k=None)
    for ours, theirs in zip(run.predict(texts), classify(texts), strict=True):
        assert theirs[0]["label"] == ours.target
        assert {a["label"]: a["score"] for a in theirs} == pytest.approx(dict(ours.probabilities), abs=1e-5)
