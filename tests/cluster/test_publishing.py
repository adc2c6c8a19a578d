"""What comes from a node is published as it was asked for, or refused. No Ray is started."""

import json

import pytest

from conftest import make_dataset
from slmfit.cluster import nodes
from slmfit.cluster.fitting import files_of, fit_here, fit_on, publish
from slmfit.cluster.nodes import differences, joined
from slmfit.cluster.predicting import answer_here, forget, open_here
from slmfit.comparison.asked import Asked
from slmfit.comparison.compare import train
from slmfit.comparison.parts import every
from slmfit.environment import code_version
from slmfit.errors import MissingPart, UnsafeError, UsageError
from slmfit.runs.part_files import predict_files
from slmfit.runs.run import Run


class Heard:
    """In the place of the actor to which nodes tell what happens."""

    def __init__(self):
        self.events, self.tell = [], self

    def remote(self, kind, fields):
        self.events.append((kind, fields))


@pytest.fixture(scope="module")
def data():
    return make_dataset()


@pytest.fixture
def sent(data, tmp_path):
    """An experiment, a spec, and the files of its run as a node sends them."""
    asked = Asked.of(data, "majority", out=tmp_path / "out")
    ((experiment, spec),) = every(asked)
    heard = Heard()
    files = fit_here(data, experiment.terms, spec, code_version(), heard)
    assert {fields["run"] for _, fields in heard.events} == {"majority"}
    return experiment, spec, files


def test_a_run_travels_whole_and_is_measured_again(sent):
    experiment, spec, files = sent
    publish(experiment, spec, files)
    place = experiment.folder / "runs" / "majority"
    assert {
        path.relative_to(place).as_posix(): path.read_bytes() for path in place.rglob("*") if path.is_file()
    } == files
    assert experiment.kept(spec) == place and Run(place).record.id == "majority"
    assert list(json.loads((experiment.folder / "merged.json").read_text())) == ["majority"]
    assert not (experiment.folder / "parts").exists()


@pytest.mark.parametrize("name", ["../../evil.py", "model/../../evil.py", "notes.txt", "/tmp/evil.py"])
def test_files_that_no_run_has_are_refused(sent, tmp_path, name):
    experiment, spec, files = sent
    with pytest.raises(UnsafeError):
        publish(experiment, spec, files | {name: b"x"})
    assert not (experiment.folder / "runs").exists() and not list(tmp_path.rglob("evil.py"))


def test_what_was_changed_on_the_way_is_refused(sent):
    experiment, spec, files = sent
    name = next(name for name in files if name.startswith("model/"))
    with pytest.raises(UnsafeError, match="was changed after the run was written"):
        publish(experiment, spec, files | {name: files[name] + b" "})
    with pytest.raises(UsageError, match="was changed after it was fitted"):
        publish(experiment, spec, files | {"predictions.jsonl": b""})
    assert not (experiment.folder / "runs").exists()


def test_another_run_than_was_asked_for_is_refused(sent):
    experiment, spec, _ = sent
    other = make_dataset(seed=1)
    files = fit_here(other, experiment.terms, spec, code_version(), Heard())
    with pytest.raises(UnsafeError, match="fitted another majority"):
        publish(experiment, spec, files)
    assert not (experiment.folder / "runs").exists()


def test_other_code_fits_nothing(data):
    with pytest.raises(UsageError, match=r"slmfit is .* there and 0\.0\.9 here"):
        fit_here(data, None, None, "0.0.9", Heard())


def test_what_two_machines_differ_in_is_said():
    here = {"slmfit": "1", "python": "3.11.7", "packages": {"numpy": "2.1", "torch": "2.9"}, "cores": 2}
    there = {"slmfit": "1", "python": "3.11.9", "packages": {"numpy": "2.1"}, "cores": 64}
    assert list(differences(here, there)) == [
        "python is 3.11.9 there and 3.11.7 here", "torch is None there and 2.9 here"
    ]  # fmt: skip
    assert list(differences(here, here | {"cores": 8})) == []


@pytest.mark.parametrize("address", ["10.0.0.1", "ray://10.0.0.1:10001", "head:port", "", "local"])
def test_no_address(address, monkeypatch):
    monkeypatch.setattr(nodes, "missing", lambda *_: [])
    with pytest.raises(UsageError, match="--cluster cannot be"), joined(address):
        pass


def test_nobody_is_there(monkeypatch):
    monkeypatch.setattr(nodes, "missing", lambda *_: [])
    with pytest.raises(UsageError, match="no Ray cluster can be joined there"), joined("127.0.0.1:1"):
        pass


def test_without_ray_the_line_that_brings_it_is_said(monkeypatch):
    monkeypatch.setattr(nodes, "missing", lambda *_: ["ray"])
    with pytest.raises(MissingPart, match=r"pip install 'slmfit\[cluster\]'"), joined("auto"):
        pass


@pytest.mark.parametrize("method", ["majority", "knn"])
def test_a_part_answered_on_a_node_is_that_of_here(data, tmp_path, method):
    run = train(data, method, out=tmp_path / "out")
    tasks = [{"id": i, "data": {"text": f"my card {i}"}} for i in range(25)]
    (tmp_path / "tasks.json").write_text(json.dumps(tasks))
    predict_files(run, str(tmp_path / "tasks.json"), tmp_path / "here")

    def on_a_node(run, asked, parts):
        for part in parts:
            (tmp_path / "tasks.json").rename(tmp_path / "away.json")  # no node needs it
            open_here(files_of(run.folder), run.record.key, asked.method)
            rows, content = answer_here([], run.record.key, code_version(), asked, part.line)
            (tmp_path / "away.json").rename(tmp_path / "tasks.json")
            (asked.folder / part.name).write_bytes(content)
            yield rows

    done = predict_files(run, str(tmp_path / "tasks.json"), tmp_path / "there", elsewhere=on_a_node)
    forget()
    assert done.rows == 25
    parts = [sorted((tmp_path / name).glob("part-*")) for name in ("here", "there")]
    assert [path.read_bytes() for path in parts[0]] == [path.read_bytes() for path in parts[1]]


def test_a_budget_is_refused_and_what_asks_a_server_stays_here(data, tmp_path):
    with pytest.raises(UsageError, match="a budget is for all runs together"):
        fit_on("127.0.0.1:1", Asked.of(data, "majority", out=tmp_path / "out", budget_seconds=60))
    assert not (tmp_path / "out").exists()
