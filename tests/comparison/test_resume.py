"""Kill -9 at random moments: the same command then ends as if nothing had happened, and no half run is ever listed.

`SLMFIT_KILLS=20 pytest tests/test_resume.py` kills more often than the default.
"""

import json
import multiprocessing
import os
import random
import signal
import time

import pytest

from conftest import make_dataset
from slmfit import storage
from slmfit.comparison.compare import Comparison, compare
from slmfit.errors import SlmfitError, UsageError
from slmfit.runs import fitting
from slmfit.runs.run import list_runs

KILLS = int(os.environ.get("SLMFIT_KILLS", "4"))
# What depends on the clock and not on the data.
TIMINGS = {
    "fit_seconds", "search_seconds", "load_seconds", "latency_ms", "rows_per_second", "peak_memory_bytes",
    "fit_peak_memory_bytes", "created", "reused", "measured", "seal",
}  # fmt: skip


def without_timings(value):
    if isinstance(value, dict):
        return {k: without_timings(v) for k, v in value.items() if k not in TIMINGS}
    return [without_timings(v) for v in value] if isinstance(value, list) else value


def contents(out):
    """Relative path -> what must be the same however often it was interrupted."""
    found = {}
    for path in sorted(out.rglob("*")):
        name = path.relative_to(out).as_posix()
        assert ".partial" not in name
        if not path.is_file() or path.name in (".lock", "events.jsonl", "report.html"):
            continue
        is_record = path.name in ("run.json", "comparison.json")
        found[name] = without_timings(json.loads(path.read_text())) if is_record else path.read_bytes()
    return found


def compare_in(out):
    compare(make_dataset(), "majority,linear,knn", out=out, prefer="cost")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    begin = time.perf_counter()
    compare_in(out)
    return contents(out), time.perf_counter() - begin


@pytest.mark.parametrize("kill", range(KILLS))
def test_killed_and_resumed(kill, undisturbed, tmp_path):
    expected, seconds = undisturbed
    out = tmp_path / "out"
    # A fork after the imports: what is killed is the work, not the start of Python.
    child = multiprocessing.get_context("fork").Process(target=compare_in, args=(out,))
    child.start()
    time.sleep(random.Random(kill).random() * seconds)
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    for run in list_runs(out):
        storage.verify_files(run.folder / "model", run.record.files)
        assert (run.folder / "predictions.jsonl").is_file()
    compare_in(out)
    assert contents(out) == expected


def test_the_same_command_fits_nothing_twice(tmp_path, data):
    heard = []
    compare(data, "majority", out=tmp_path / "o")
    again = compare(data, "majority", out=tmp_path / "o", listen=lambda kind, fields: heard.append(kind))
    assert heard == ["audit", "reuse"]
    assert again.record.methods[0].reused


def test_other_settings_keep_the_older_run_beside(tmp_path, data):
    out = tmp_path / "o"
    compare(data, "knn", settings={"knn": {"k": 3}}, out=out)
    compare(data, "knn", settings={"knn": {"k": 5}}, out=out)
    assert sorted(r.record.settings["k"] for r in list_runs(out)) == [3, 5]
    heard = []
    compare(data, "knn", settings={"knn": {"k": 3}}, out=out, listen=lambda kind, fields: heard.append(kind))
    assert heard == ["audit", "reuse"]
    assert Comparison(out).runs["knn"].record.settings["k"] == 3


def test_a_damaged_run_is_fitted_again(tmp_path, data):
    out = tmp_path / "o"
    compare(data, "majority", out=out)
    (out / "runs" / "majority" / "model" / "counts.json").write_text("[]")
    heard = []
    compare(data, "majority", out=out, listen=lambda kind, fields: heard.append(kind))
    assert "fit" in heard


@pytest.mark.parametrize("damage", ["cut", "gone", "short"])
def test_a_run_whose_predictions_are_damaged_is_fitted_again(tmp_path, data, damage):
    compare(data, "majority", out=tmp_path)
    path = tmp_path / "runs" / "majority" / "predictions.jsonl"
    whole = path.read_text()
    if damage == "gone":
        path.unlink()
    else:
        path.write_text(whole[:-9] if damage == "cut" else "".join(whole.splitlines(keepends=True)[:-1]))
    compare(data, "majority", out=tmp_path)
    assert path.read_text() == whole


@pytest.mark.parametrize("content", ["[]", "{}", '{"key'])
def test_damaged_findings_are_computed_again_and_a_damaged_split_is_told(tmp_path, data, content):
    compare(data, "majority", out=tmp_path)
    for name in ("diagnostics.json", "audit.json"):
        whole = (tmp_path / "data" / name).read_text()
        (tmp_path / "data" / name).write_text(content)
        compare(data, "majority", out=tmp_path)
        assert (tmp_path / "data" / name).read_text() == whole
    (tmp_path / "data" / "split.json").write_text(content)
    with pytest.raises(SlmfitError, match=r"split.json: (lacks|cannot be read)[^\0]*fix: delete it and run again"):
        compare(data, "majority", out=tmp_path)


def test_a_run_of_a_newer_slmfit_is_kept_beside(tmp_path, data):
    compare(data, "majority", out=tmp_path)
    record = tmp_path / "runs" / "majority" / "run.json"
    newer = record.read_text().replace("slmfit.run/1", "slmfit.run/9")
    record.write_text(newer)
    compare(data, "majority", out=tmp_path)
    assert (tmp_path / "runs" / "majority,unreadable" / "run.json").read_text() == newer
    assert '"slmfit.run/1"' in record.read_text()


def test_other_data_do_not_go_into_the_same_folder(tmp_path, data):
    compare(data, "majority", out=tmp_path / "o")
    with pytest.raises(UsageError, match="other data"):
        compare(make_dataset(seed=1), "majority", out=tmp_path / "o")


def test_two_at_once_in_one_folder(tmp_path, data):
    with storage.locked(tmp_path / "o"), pytest.raises(UsageError, match="another slmfit"):
        compare(data, "majority", out=tmp_path / "o")


def test_a_full_disk_leaves_no_run(tmp_path, data, monkeypatch):
    def full(*args, **kwargs):
        raise SlmfitError("could not be written: No space left on device", fix="free some space")

    monkeypatch.setattr(fitting, "write_predictions", full)
    result = compare(data, "majority", out=tmp_path / "o")
    assert result.record.methods[0].status == "failed"
    assert "No space left" in result.record.methods[0].reason
    assert list_runs(tmp_path / "o") == []
