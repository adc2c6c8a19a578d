"""The gate of an export: its rows are the run's own, read again; what is worse, no quicker or another model is out."""

import json
from dataclasses import replace

import pytest

import slmfit
from conftest import make_dataset
from slmfit.errors import DataError
from slmfit.exporting.gate import Gate, GateRefused, let_through
from slmfit.exporting.record import ExportRecord, read_export, write_export
from slmfit.records import Prediction, from_plain, to_plain
from slmfit.runs.rows import rows_of

DATA = make_dataset(sizes=(60, 60, 30))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = tmp_path_factory.mktemp("gate")
    rows = [DATA.task.unparse(e) for split in ("train", "validation", "test") for e in DATA.splits[split]]
    (place / "tickets.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return place


@pytest.fixture(scope="module")
def run(place):
    return slmfit.train(slmfit.load_data(place / "tickets.jsonl", seed=3), "majority", out=place / "out")


@pytest.fixture
def gate(run):
    return Gate.of(run, rows_of(run))


def right(gate):
    return [Prediction(e.target, probabilities={e.target: 1.0}) for e in gate.examples]


def test_rows_are_read_again(run, place, tmp_path):
    known = slmfit.load_data(place / "tickets.jsonl", seed=3)
    assert rows_of(run).hashes == known.hashes
    moved = tmp_path / "old.jsonl"
    moved.write_bytes((place / "tickets.jsonl").read_bytes())
    assert rows_of(run, moved).hashes == rows_of(run, tmp_path).hashes == known.hashes
    assert rows_of(run, known) is known


def test_other_rows_are_refused(run, place, tmp_path):
    with pytest.raises(DataError, match="validation rows are not those"):
        rows_of(run, slmfit.load_data(place / "tickets.jsonl", seed=4))
    gone = replace_files(run, tmp_path)
    with pytest.raises(DataError, match="are not there as they were") as caught:
        rows_of(gone)
    assert "--data FILE" in str(caught.value)


def replace_files(run, tmp_path):
    """The run, as if its file had been moved."""
    other = slmfit.Run(run.folder)
    source = dict(run.record.dataset["source"])
    source["files"] = [{**file, "file": str(tmp_path / "gone.jsonl")} for file in source["files"]]
    other.record = replace(run.record, dataset={**run.record.dataset, "source": source})
    return other


def test_the_same_answers_pass_and_better_ones(gate):
    judged = gate.judge("it", gate.answers, exact=True)
    assert (judged.passed, judged.agreement, judged.probability_gap, judged.difference.value) == (True, 1, 0, 0)
    assert let_through(judged, accept=False) is judged
    better = gate.judge("it", right(gate))
    assert better.passed and better.difference.value < 0
    assert "the run's own" in better.sentence


def test_worse_is_refused_and_may_be_accepted(gate):
    better = Gate(gate.run, gate.examples, right(gate))
    spoiled = right(gate)
    spoiled[0] = Prediction(next(e.target for e in gate.examples if e.target != gate.examples[0].target))
    judged = better.judge("int8", spoiled)
    assert judged.difference.value == pytest.approx(1 / len(gate.examples))
    with pytest.raises(GateRefused, match="worse by") as caught:
        let_through(judged, accept=False)
    assert caught.value.exit_code == 4 and "--accept" in str(caught.value)
    assert let_through(judged, accept=True).accepted
    assert better.judge("int8", spoiled, margin=0.2).passed, "so little is allowed then"


def test_no_quicker_is_refused(gate):
    assert gate.judge("int8", gate.answers, seconds=0.001, against=0.002).passed
    with pytest.raises(GateRefused, match="no quicker"):
        let_through(gate.judge("int8", gate.answers, seconds=0.002, against=0.002), accept=False)


def test_the_same_model_has_the_same_probabilities(gate):
    moved = [replace(a, probabilities={k: p + 0.01 for k, p in (a.probabilities or {}).items()}) for a in gate.answers]
    assert gate.judge("int8", moved).passed
    assert "off the run's" in str(gate.judge("fp32", moved, exact=True).reasons)
    assert "answers" in str(gate.judge("fp32", right(gate), exact=True).reasons)


def test_the_record(gate, tmp_path):
    judged = gate.judge("it", gate.answers)
    assert from_plain(type(judged), json.loads(json.dumps(to_plain(judged)))) == judged
    (tmp_path / "a.bin").write_bytes(b"x")
    record = ExportRecord.of(gate.run, form="html", gate=judged, packages={"onnx": "1.0", "none": None})
    write_export(tmp_path, record)
    found = read_export(tmp_path)
    assert found.files.keys() == {"a.bin"} and found.gate == judged
    assert found.run["id"] == gate.run.record.id and found.environment["packages"]["onnx"] == "1.0"


def test_scores_on_rows_that_were_learnt_from_say_so(tmp_path):
    data = make_dataset()
    run = slmfit.train(data, "linear", settings={"linear": {"C": "1", "features": "words"}}, out=tmp_path / "refitted")
    learnt = Gate.of(run, data)
    assert "the run learnt from these rows" in learnt.judge("the same", learnt.answers).sentence
    given = make_dataset(validation_given=True)
    own = Gate.of(slmfit.train(given, "majority", out=tmp_path / "given"), given)
    assert "learnt" not in own.judge("the same", own.answers).sentence
