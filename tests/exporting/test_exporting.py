"""`slmfit export`: a run of adapters becomes a folder that transformers reads, whole or not at all."""

import sys

import pytest
from transformers import pipeline

import slmfit
import tiny
from conftest import make_dataset
from slmfit.__main__ import main
from slmfit.errors import UsageError

DATA = make_dataset(sizes=(48, 12, 12))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    place = tmp_path_factory.mktemp("export")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLMFIT_CACHE", str(place / "cache"))
        base = tiny.causal(place / "base")
        settings = {"causal": {"epochs": 1, "lora_rank": 2, "max_length": 16}}
        yield slmfit.train(DATA, f"causal={base}", settings=settings, out=place / "out")


def test_size_counts_the_base_model(run):
    base = run.folder.parent.parent.parent / "base" / "model.safetensors"
    kept = sum(path.stat().st_size for path in (run.folder / "model").rglob("*") if path.is_file())
    readme = (run.folder / "model" / "README.md").stat().st_size
    assert run.record.size_bytes >= base.stat().st_size + kept - readme
    assert run.record.chosen["base"]["sha256"] in (run.folder / "model" / "README.md").read_text()


def test_the_folder_answers_as_the_run(run, tmp_path, monkeypatch, capsys):
    place = tmp_path / "whole"
    monkeypatch.setattr(sys, "argv", ["slmfit", "export", str(run.folder), "--output", str(place)])
    with pytest.raises(SystemExit) as left:
        main()
    assert not left.value.code
    assert capsys.readouterr().out.strip() == str(place)
    texts = [e.input for e in DATA.test]
    classify = pipeline("text-classification", model=str(place), truncation=True)
    assert [answer["label"] for answer in classify(texts)] == [answer.target for answer in run.predict(texts)]
    again = slmfit.train(DATA, f"causal={place}", settings={"causal": {"epochs": 0}}, out=tmp_path / "again")
    assert [a.target for a in again.predict(texts)] == [a.target for a in run.predict(texts)]
    with pytest.raises(UsageError, match="is there already"):
        slmfit.export(run, output=place)


def test_its_name_where_none_is_given(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert slmfit.export(run.folder).name == f"{run.record.id}-folder"


def test_refused(run, tmp_path):
    with pytest.raises(UsageError, match="there is no format 'foldr'") as caught:
        slmfit.export(run, "foldr")
    assert "did you mean 'folder'" in str(caught.value)
    linear = slmfit.train(DATA, "majority", out=tmp_path / "out")
    with pytest.raises(UsageError, match="no model of transformers"):
        slmfit.export(linear, output=tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_whole_or_not_at_all(run, tmp_path, monkeypatch):
    def failing(self, folder):
        (folder / "half").write_text("x")
        raise OSError(28, "No space left on device", str(folder / "model.safetensors"))

    monkeypatch.setattr("slmfit.methods.finetuned.FineTuned.save_whole", failing)
    with pytest.raises((OSError, slmfit.SlmfitError)):
        slmfit.export(run, output=tmp_path / "x")
    assert list(tmp_path.iterdir()) == []
