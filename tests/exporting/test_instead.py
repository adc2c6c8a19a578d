"""A run that a form does not take: what is said to do, and that it can be done."""

import pytest

import slmfit
from conftest import make_dataset
from slmfit.errors import UsageError

DATA = make_dataset(sizes=(80, 40, 20))


@pytest.fixture(scope="module")
def cascade(tmp_path_factory):
    place = tmp_path_factory.mktemp("cascade")
    return slmfit.train(DATA, "cascade=majority+linear", settings={"cascade": {"target": 0.8}}, out=place / "out")


@pytest.mark.parametrize("form", ["folder", "onnx", "gguf", "html"])
def test_a_cascade_is_exported_by_its_parts(form, cascade, tmp_path):
    with pytest.raises(UsageError, match="a run of cascade") as caught:
        slmfit.export(cascade, form, tmp_path / "x", data=DATA)
    assert "export the runs that it is made of" in str(caught.value) and "--hub-folder" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_or_whole(cascade, tmp_path):
    place = slmfit.export(cascade, "hub", tmp_path / "repository")
    texts = [e.input for e in DATA.test]
    ours, theirs = cascade.predict(texts), slmfit.load(place).predict(texts)
    assert [(a.target, a.by) for a in theirs] == [(a.target, a.by) for a in ours]


@pytest.mark.parametrize("form", ["folder", "onnx", "gguf", "html"])
def test_majority_is_no_model(form, tmp_path):
    run = slmfit.train(DATA, "majority", out=tmp_path / "out")
    with pytest.raises(UsageError, match="a run of majority holds no model"):
        slmfit.export(run, form, tmp_path / "x", data=DATA)
