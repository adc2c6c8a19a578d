"""Many rows into a folder of part files: the same answers as in one file, whatever is killed, and over nothing."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from unittest import mock

import pytest

from conftest import make_dataset
from slmfit.comparison.compare import train
from slmfit.errors import DataError, SlmfitError, UsageError
from slmfit.runs import part_files
from slmfit.runs.part_files import Answered, predict_files
from slmfit.runs.predicting import predict_file

WORDS = "invoice parcel password refund courier login late again".split()


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train(make_dataset(), "linear", out=tmp_path_factory.mktemp("out"))


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(part_files, "ROWS", 10)


def text(i):
    rng = random.Random(i)
    return f"{' '.join(rng.choices(WORDS, k=5))} {i}"


@pytest.fixture
def files(tmp_path):
    """Three of JSON lines; a key stands in the last file alone, and so does a column of an answer's name."""
    folder = tmp_path / "new"
    folder.mkdir()
    for n, size in enumerate((25, 10, 7)):
        more = {"prediction": "mine", "seen": 3} if n == 2 else {}
        rows = ({"id": f"{n}.{i}", "text": text(100 * n + i), **more} for i in range(size))
        (folder / f"{n}.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return folder


def content(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*")) if not path.name.startswith(".")}


def joined(folder):
    return b"".join(path.read_bytes() for path in sorted(folder.glob("part-*")))


@pytest.mark.parametrize("processes", [1, 2])
def test_all_parts_are_the_answers_of_one_file(run, files, tmp_path, processes):
    notes = []
    done = predict_files(run, f"{files}/*.jsonl", tmp_path / "out", processes=processes, notes=notes)
    assert done == Answered(tmp_path / "out", 42, 5, 0)
    whole = tmp_path / "whole.jsonl"
    whole.write_bytes(b"".join(path.read_bytes() for path in sorted(files.iterdir())))
    predict_file(run, whole, tmp_path / "one.jsonl")
    assert joined(tmp_path / "out") == (tmp_path / "one.jsonl").read_bytes()
    first = json.loads((tmp_path / "out" / "part-000001.jsonl").read_text().splitlines()[0])
    assert "slmfit_prediction" in first  # decided by a row of the last file


def test_tables_go_to_tables_of_all_columns(run, tmp_path):
    (tmp_path / "a.csv").write_text("text,who\n" + "".join(f"{text(i)},me\n" for i in range(15)))
    (tmp_path / "b.csv").write_text("text,when,outcome\n" + "".join(f'"{text(i)}, ""x""",now,=1+1\n' for i in range(4)))
    predict_files(run, str(tmp_path / "?.csv"), tmp_path / "out")
    parts = [path.read_text().splitlines() for path in sorted((tmp_path / "out").glob("part-*.csv"))]
    assert [len(lines) for lines in parts] == [11, 6, 5]
    assert {lines[0] for lines in parts} == {
        "text,who,when,outcome,slmfit_outcome,slmfit_prediction,slmfit_probability"
    }
    assert parts[2][1].startswith(f'"{text(0)}, ""x""",,now,=1+1,ok,')


def test_an_annotation_tools_rows_get_suggestions(run, tmp_path):
    tasks = [{"id": i, "data": {"text": text(i)}} for i in range(23)]
    (tmp_path / "tasks.json").write_text(json.dumps(tasks))
    notes = []
    predict_files(run, str(tmp_path / "tasks.json"), tmp_path / "out", processes=2, notes=notes)
    predict_file(run, tmp_path / "tasks.json", tmp_path / "one.jsonl")
    assert joined(tmp_path / "out") == (tmp_path / "one.jsonl").read_bytes()
    assert b'"model_version"' in joined(tmp_path / "out") and any("suggestions" in note for note in notes)


def test_parts_end_early_where_texts_are_long(run, tmp_path, monkeypatch):
    monkeypatch.setattr(part_files, "CHARACTERS", 100)
    rows = [{"text": "late " * (40 if i == 3 else 1)} for i in range(8)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    predict_files(run, str(tmp_path / "a.jsonl"), tmp_path / "out")
    assert json.loads((tmp_path / "out" / "answered.json").read_text())["input"][0]["parts"] == [4, 4]


# Slowly, so that whoever is to kill it in the middle has a middle to do so, on a busy machine too.
KILLED = """
import sys, time
from pathlib import Path
from slmfit.runs import part_files
from slmfit.runs.run import load
packed = part_files.packed
part_files.packed = lambda *given, **more: (time.sleep(0.01), packed(*given, **more))[1]
part_files.ROWS = 10
part_files.predict_files(load(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), processes=int(sys.argv[4]))
"""


def started(run, files, out, processes):
    words = [sys.executable, "-c", KILLED, str(run.folder), f"{files}/*.jsonl", str(out), str(processes)]
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_killed_at_random_moments_and_resumed_no_row_is_lost_or_doubled(run, files, tmp_path):
    big = files / "3.jsonl"
    big.write_text("".join(json.dumps({"id": f"3.{i}", "text": text(1000 + i)}) + "\n" for i in range(400)))
    reference = tmp_path / "reference"
    predict_files(run, f"{files}/*.jsonl", reference)
    expected, rng, halves = content(reference), random.Random(4), set()
    for trial in range(3):
        out, processes = tmp_path / f"out{trial}", 1 + trial % 2
        for _ in range(3):
            child = started(run, files, out, processes)
            wanted = rng.randrange(len(expected))  # so many files are there, and then a moment more
            while child.poll() is None and len(list(out.glob("[!.]*"))) < wanted:
                time.sleep(0.001)
            time.sleep(rng.random() * 0.02)
            if child.poll() is None:
                child.send_signal(signal.SIGKILL)
            child.wait()
            there = content(out)
            halves.add(len(there))
            assert there.items() <= expected.items()
        done = predict_files(run, f"{files}/*.jsonl", out, processes=processes)
        assert content(out) == expected and done.rows == 442
    assert len(halves & set(range(1, len(expected)))) > 1  # some were killed in the middle


def test_a_resumed_folder_answers_only_what_is_missing(run, files, tmp_path):
    given, out = f"{files}/*.jsonl", tmp_path / "out"
    predict_files(run, given, out)
    before = content(out)
    (out / "part-000002.jsonl").unlink()
    (out / ".part-000002.jsonl.999999.partial").write_text("half")
    times = {path.name: path.stat().st_mtime_ns for path in out.glob("part-*")}
    with mock.patch.object(part_files, "looked_at", side_effect=AssertionError("read again")):
        assert predict_files(run, given, out).reused == 4
    assert content(out) == before and not list(out.glob(".part-*"))
    assert all((out / name).stat().st_mtime_ns == time for name, time in times.items())


def test_another_run_input_or_column_is_refused_with_the_difference(run, files, tmp_path):
    given, out = f"{files}/*.jsonl", tmp_path / "out"
    predict_files(run, given, out)
    before = content(out)
    other = train(make_dataset(seed=1), "linear", out=tmp_path / "other")
    with pytest.raises(UsageError, match=r"another state of the run\n.*another --output"):
        predict_files(other, given, out)
    with pytest.raises(UsageError, match="another state of --column"):
        predict_files(run, given, out, columns={"text": "id"})
    with pytest.raises(UsageError, match="another state of the input, which was 3 files and is 1"):
        predict_files(run, str(files / "0.jsonl"), out)
    newer = mock.patch.object(part_files, "code_version", return_value="0.0.9+abc")
    with newer, pytest.raises(UsageError, match="another state of slmfit"):
        predict_files(run, given, out)
    with (files / "1.jsonl").open("a") as file:
        file.write('{"id": "x", "text": "one more"}\n')
    with pytest.raises(UsageError, match=r"another state of .*1\.jsonl"):
        predict_files(run, given, out)
    assert content(out) == before


def test_nothing_is_written_over(run, files, tmp_path):
    given = f"{files}/*.jsonl"
    before = content(files)
    with pytest.raises(UsageError, match="lies in the folder of the output"):
        predict_files(run, given, files)
    with pytest.raises(UsageError, match="lies in the folder of the output"):
        predict_files(run, given, tmp_path)
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "part-000001.jsonl").write_text("of the user")
    with pytest.raises(UsageError, match=r"holds other files \(part-000001\.jsonl\)"):
        predict_files(run, given, theirs)
    (tmp_path / "file").write_text("x")
    for name in ("file", "out.jsonl"):
        with pytest.raises(UsageError, match="write into a folder"):
            predict_files(run, given, tmp_path / name)
    with pytest.raises(UsageError, match="no file has such a name"):
        predict_files(run, f"{files}/*.csv", tmp_path / "out")
    assert content(files) == before and content(theirs) == {"part-000001.jsonl": b"of the user"}
    assert not (tmp_path / "out").exists() and not (tmp_path / "out.jsonl").exists()


def test_a_row_without_a_text_stops_it_before_anything_is_answered(run, files, tmp_path):
    (files / "4.jsonl").write_text('{"text": "fine"}\n{"text": null}\n')
    with pytest.raises(DataError, match=r"4\.jsonl, line 2"):
        predict_files(run, f"{files}/*.jsonl", tmp_path / "out")
    assert content(tmp_path / "out") == {}


@pytest.mark.parametrize("processes", [1, 2])
def test_what_goes_wrong_in_a_part_is_said(run, files, tmp_path, processes):
    shutil.copytree(files, tmp_path / "copy")
    real = part_files._plan

    def changed(*args):
        plan = real(*args)
        (files / "1.jsonl").write_text("".join(json.dumps({"text": "x", "new": 1}) + "\n" for _ in range(10)))
        return plan

    with mock.patch.object(part_files, "_plan", changed), pytest.raises(DataError, match=r"1\.jsonl, line 1: changed"):
        predict_files(run, f"{files}/*.jsonl", tmp_path / "out", processes=processes)
    shutil.copytree(tmp_path / "copy", files, dirs_exist_ok=True)
    predict_files(run, f"{files}/*.jsonl", tmp_path / "out", processes=processes)
    assert len(content(tmp_path / "out")) == 6


def test_a_process_that_is_killed_is_no_hang(run, files, tmp_path):
    real = part_files.Workers.each

    def each(workers, parts):
        for process in workers._started:
            os.kill(process.pid, signal.SIGKILL)
        return real(workers, parts)

    with mock.patch.object(part_files.Workers, "each", each), pytest.raises(SlmfitError, match="has ended"):
        predict_files(run, f"{files}/*.jsonl", tmp_path / "out", processes=2)


def test_processes_are_one_or_more_and_one_where_a_server_is_asked(run, files, tmp_path):
    with pytest.raises(UsageError, match="--processes cannot be 0"):
        predict_files(run, f"{files}/*.jsonl", tmp_path / "out", processes=0)
    asking = mock.Mock(record=mock.Mock(remote=True))
    with pytest.raises(UsageError, match="asks a server"):
        predict_files(asking, f"{files}/*.jsonl", tmp_path / "out", processes=2)


def cli(*words, cwd):
    return subprocess.run([sys.executable, "-m", "slmfit", *words], cwd=cwd, capture_output=True, text=True)


def test_the_command(run, files, tmp_path):
    words = ["predict", str(run.folder), "--input", "new/*.jsonl", "--output", "answered"]
    done = cli(*words, cwd=tmp_path)
    assert done.returncode == 0 and "42 rows answered in 3 files: answered" in done.stderr, done.stderr
    again = cli(*words, "--processes", "2", cwd=tmp_path)
    assert "42 rows answered in 3 files, 3 of which were there already" in again.stderr
    (files / "odd[1].jsonl").write_text('{"text": "a name like a pattern"}\n')
    one = cli("predict", str(run.folder), "--input", "new/odd[1].jsonl", "--output", "one.csv", cwd=tmp_path)
    assert one.returncode == 0 and (tmp_path / "one.csv").is_file(), one.stderr
    for wrong in (
        ["--input", "new/*.jsonl"],
        ["--input", "new/0.jsonl", "--processes", "2"],
        ["a", "--processes", "2"],
    ):
        refused = cli("predict", str(run.folder), *wrong, cwd=tmp_path)
        assert refused.returncode == 2 and "fix: add --" in refused.stderr, refused.stderr


@pytest.mark.parametrize("planted", ["link", "folder"])
def test_what_only_has_a_parts_name_is_no_part(run, files, tmp_path, planted):
    out = tmp_path / "out"
    predict_files(run, f"{files}/*.jsonl", out)
    part = sorted(out.glob("part-*"))[1]
    part.unlink()
    part.symlink_to(tmp_path / "nowhere") if planted == "link" else part.mkdir()
    with pytest.raises(UsageError, match="is not a part that was written here"):
        predict_files(run, f"{files}/*.jsonl", out)


@pytest.mark.parametrize("changed", [{"sheet": {"kind": "x/../../evil.csv"}}, {"input": [1, 2]}])
def test_a_record_that_somebody_changed_leads_nowhere(run, files, tmp_path, changed):
    out = tmp_path / "out"
    predict_files(run, f"{files}/*.jsonl", out)
    record = json.loads((out / part_files.RECORD).read_text())
    for name, value in changed.items():
        record[name] = {**record[name], **value} if isinstance(value, dict) else value
    (out / part_files.RECORD).write_text(json.dumps(record))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SlmfitError):
        predict_files(run, f"{files}/*.jsonl", out)
    assert sorted(tmp_path.rglob("*")) == before
