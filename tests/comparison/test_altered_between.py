"""Somebody alters a comparison's folder, and then the same command runs again: an error of ours, or the same figures.

`SLMFIT_ALTERED=200 pytest -n0 tests/comparison/test_altered_between.py` alters more often than the default.
"""

import json
import os
import shutil

import pytest
from test_resume import without_timings

import altering
from conftest import make_dataset
from slmfit.comparison.compare import compare
from slmfit.errors import SlmfitError
from slmfit.runs.run import read_run, unchanged

DATA = make_dataset(sizes=(60, 20, 20))
ALTERED = int(os.environ.get("SLMFIT_ALTERED", "10"))
# figures that were taken from the file as they stood there
FIGURES = [("size_bytes", 1), ("scores.test.accuracy.value", 0.99), ("latency_ms.p50", 0.001), ("fit_seconds", 0.0),
           ("details.test.outcomes", {"ok": 7})]  # fmt: skip


def compared(out):
    return compare(DATA, "majority,linear", out=out)


def figures(out):
    """All that the comparison says, but for times."""
    found = {"record": without_timings(json.loads((out / "comparison.json").read_text()))}
    for path in sorted((out / "data").glob("*.json*")):
        found[path.name] = path.read_text()
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "o"
    compared(folder)
    return folder, figures(folder)


@pytest.mark.parametrize("seed", range(ALTERED))
def test_what_was_altered_is_refused_or_made_anew(whole, seed, tmp_path):
    folder, expected = whole
    sent = shutil.copytree(folder, tmp_path / "o")
    what = altering.altered(sent, seed)
    try:
        compared(sent)
    except SlmfitError as error:
        assert str(error)
    else:
        assert figures(sent) == expected, what


@pytest.mark.parametrize(("way", "value"), FIGURES, ids=[way for way, _ in FIGURES])
def test_no_figure_is_taken_from_a_record_that_was_altered(whole, way, value, tmp_path):
    folder, expected = whole
    sent = shutil.copytree(folder, tmp_path / "o")
    altering.put(sent / "runs" / "majority" / "run.json", way, value)
    assert not unchanged(sent / "runs" / "majority")
    heard = []
    compare(DATA, "majority,linear", out=sent, listen=lambda kind, fields: heard.append((kind, fields.get("run"))))
    assert ("fit", "majority") in heard and ("reuse", "linear") in heard
    assert figures(sent) == expected


@pytest.mark.parametrize("name", ["diagnostics.json", "audit.json", "test.jsonl"])
def test_what_is_said_of_the_data_is_said_anew(whole, name, tmp_path):
    folder, expected = whole
    sent = shutil.copytree(folder, tmp_path / "o")
    path = sent / "data" / name
    path.write_text(path.read_text().replace("1", "2"))
    compared(sent)
    assert figures(sent) == expected


def test_runs_of_before_there_were_seals_are_used_again(whole, tmp_path):
    folder, _ = whole
    sent = shutil.copytree(folder, tmp_path / "o")
    for path in sent.glob("runs/*/run.json"):
        plain = json.loads(path.read_text())
        del plain["seal"]
        path.write_text(json.dumps(plain))
    assert all(row.reused for row in compared(sent).record.methods)
    assert read_run(sent / "runs" / "linear").scores
