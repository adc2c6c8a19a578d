"""Files that appear whole or not at all, in UTF-8 whatever is in them; what is no file stays what it is."""

import errno
import json
import os
import signal
import stat
import subprocess
import sys
import threading

import pytest

from conftest import make_dataset
from slmfit import storage
from slmfit.comparison import folder
from slmfit.comparison.compare import compare, train
from slmfit.errors import SlmfitError, UsageError
from slmfit.generating import generate
from slmfit.runs.predicting import predict_file
from slmfit.runs.run import load


def node(path, minor):
    """A character device: 3 is null, 7 is full. The test is left out where making one needs more rights."""
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, minor))
    except (OSError, AttributeError):
        pytest.skip("making a device takes root, on Linux")
    return path


def test_half_a_character_is_kept_in_a_file_that_is_utf_8(tmp_path):
    value = {"out": "caf\udce9", "smile": "\U0001f642"}
    storage.write_json(tmp_path / "x.json", value)
    assert json.loads((tmp_path / "x.json").read_bytes().decode("utf-8")) == value
    assert storage.read_json(tmp_path / "x.json") == value
    assert len(storage.hash_json(value)) == 64


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# --- what a user named with --output ---


def test_a_device_stays_one(tmp_path):
    null = node(tmp_path / "null", 3)
    storage.write_output(null, "page")
    assert stat.S_ISCHR(null.stat().st_mode) and names(tmp_path) == ["null"]


def test_a_full_device_is_told(tmp_path):
    full = node(tmp_path / "full", 7)
    with pytest.raises(SlmfitError, match=r"full: could not be written: No space left[^\0]*fix: free some space"):
        storage.write_output(full, "page" * 9999)
    assert stat.S_ISCHR(full.stat().st_mode)


def test_a_pipe_is_written_into(tmp_path):
    pipe, got = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    storage.write_output(pipe, "größe")
    reader.join()
    assert got == ["größe".encode()] and stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("there", [True, False], ids=["old", "dangling"])
def test_of_a_link_the_target_is_written(tmp_path, there):
    (tmp_path / "to").mkdir()
    target, link, second = tmp_path / "to" / "page", tmp_path / "link", tmp_path / "second"
    if there:
        target.write_text("old")
    link.symlink_to("to/page")
    second.symlink_to("link")
    storage.write_output(second, "new")
    assert link.is_symlink() and second.is_symlink() and target.read_text() == "new"
    assert names(tmp_path / "to") == ["page"]


def test_a_link_s_target_is_whole_or_not_at_all(tmp_path):
    target, link = tmp_path / "page", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    with pytest.raises(SlmfitError, match="No space left"), storage.output(link) as file:
        file.write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert target.read_text() == "old" and names(tmp_path) == ["link", "page"]


def test_a_link_to_itself_and_a_folder_are_refused(tmp_path):
    (tmp_path / "link").symlink_to("link")
    with pytest.raises(SlmfitError, match="could not be written"):
        storage.write_output(tmp_path / "link", "page")
    with pytest.raises(UsageError, match="is a folder"):
        storage.write_output(tmp_path, "page")
    assert names(tmp_path) == ["link"]


def test_a_file_of_ours_is_never_written_through_a_link(tmp_path):
    theirs, ours = tmp_path / "theirs", tmp_path / "report.html"
    theirs.write_text("theirs")
    ours.symlink_to(theirs)
    beside = tmp_path / f".report.html.{os.getpid()}.partial"
    beside.symlink_to(theirs)
    storage.write_text(ours, "page")
    assert theirs.read_text() == "theirs" and ours.read_text() == "page" and not ours.is_symlink()


@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"])
def test_stdout_by_any_name_keeps_what_was_said_before(tmp_path, name):
    if name.startswith("/proc") and sys.platform != "linux":
        pytest.skip("no /proc here")
    (tmp_path / "link").symlink_to("/dev/stdout")
    code = (
        "import sys; from pathlib import Path; from slmfit import storage\n"
        "print('before')\n"
        "storage.write_output(Path(sys.argv[1]), 'page')\n"
        "print(' after')\n"
    )
    with (tmp_path / "both").open("w") as both:  # opened by its name, this file would be cut to nothing
        subprocess.run([sys.executable, "-P", "-c", code, name], stdout=both, cwd=tmp_path, check=True)
    assert (tmp_path / "both").read_text() == "before\npage after\n"
    assert names(tmp_path) == ["both", "link"]


# --- what a killed process leaves of it ---


def dead_process():
    """The number of a process that is over."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_what_a_killed_process_left_of_a_file_goes_when_it_is_written_again(tmp_path):
    """And nothing else: neither what another process may be writing, nor a journal, nor a name that is not ours."""
    pid = os.fork()
    if not pid:
        try:
            with storage.output(tmp_path / "out.csv") as file:
                file.write(b"half")
                file.flush()
                os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(1)
    assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGKILL
    assert names(tmp_path) == [f".out.csv.{pid}.partial"]
    dead = dead_process()
    linked = tmp_path / f".link.csv.{dead}.partial"
    living, huge = f".out.csv.{os.getppid()}.partial", f".out.csv.{10**12}.partial"
    others = [".out.csv.partial", ".out.csv.0.partial", living, huge]
    others += [f".out.csv.1.{dead}.partial", f".out.csv.0{dead}.partial", f".out.csv.-{dead}.partial"]
    others += [f"out.csv.{dead}.partial", f".outxcsv.{dead}.partial", f".out.csv.gz.{dead}.partial"]
    others += [f".out.csv.{dead}.partial.bak"]
    for name in others:
        (tmp_path / name).write_text("mine")
    linked.symlink_to(tmp_path / others[0])
    (tmp_path / f".folder.csv.{dead}.partial").mkdir()
    for name in ("out.csv", "link.csv", "folder.csv"):
        storage.write_output(tmp_path / name, "whole")
    written = ["out.csv", "link.csv", "folder.csv", linked.name, f".folder.csv.{dead}.partial"]
    assert names(tmp_path) == sorted([*others, *written])
    assert {(tmp_path / name).read_text() for name in others} == {"mine"}


def test_predict_and_generate_sweep_what_they_left(tmp_path, data):
    run = train(data, "majority", out=tmp_path / "o").folder
    (tmp_path / "in.csv").write_text("text\nmy invoice\n")
    output, dead = tmp_path / "to" / "out.csv", dead_process()
    output.parent.mkdir()
    for name in ("out.csv", "e.jsonl", "e.jsonl.about.json", "e.jsonl.rejected.jsonl"):
        (output.parent / f".{name}.{dead}.partial").write_text("half")
    predict_file(load(run), tmp_path / "in.csv", output=output)
    generate("emails", n=3, output=output.with_name("e.jsonl"))
    assert names(output.parent) == ["e.jsonl", "e.jsonl.about.json", "e.jsonl.rejected.jsonl", "out.csv"]


# --- what a command clears away in --out ---


def test_what_a_killed_process_left_half_written_goes_with_the_next_command(tmp_path, data):
    compare(data, "majority", out=tmp_path)
    run = storage.partial(tmp_path / "runs" / "linear")
    run.mkdir(parents=True)
    (run / "key").write_text("k")
    for place, name in ((tmp_path, "comparison.json"), (tmp_path / "data", "audit.json"), (run, "predictions.jsonl")):
        (place / f".{name}.7.partial").write_text("[")
    (tmp_path / "notes").mkdir()
    theirs = [tmp_path / ".notes.partial", tmp_path / ".notes.7.partial", tmp_path / "notes" / ".run.json.7.partial"]
    for path in theirs:
        path.write_text("mine")
    with folder.held(tmp_path, data):
        left = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.partial") if p.is_file()}
    assert left == {p.relative_to(tmp_path).as_posix() for p in theirs} and (run / "key").is_file()


@pytest.mark.parametrize(
    "file",
    ["notes.txt", "data/test.jsonl", "data/train.csv", "runs/mine/run.json", "runs/notes", "home/.notes.partial"],
)
def test_a_folder_that_is_not_ours_is_left_as_it_is(tmp_path, data, file):
    out = tmp_path / "out"
    (out / file).parent.mkdir(parents=True)
    for path in (out / file, out / ".notes.7.partial", out / ".run.json.7.partial"):
        path.write_text("mine")
    before = sorted(out.rglob("*"))
    with pytest.raises(UsageError, match="holds other files"):
        compare(data, "majority", out=out)
    assert sorted(out.rglob("*")) == before and (out / file).read_text() == "mine"


def test_data_of_another_comparison_are_refused_before_anything_is_swept(tmp_path, data):
    compare(data, "majority", out=tmp_path)
    (tmp_path / ".comparison.json.7.partial").write_text("[")
    with pytest.raises(UsageError, match="other data"):
        compare(make_dataset(seed=1), "majority", out=tmp_path)
    assert (tmp_path / ".comparison.json.7.partial").is_file()
