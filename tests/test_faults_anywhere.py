"""The disk refuses, or the process dies, at any fsync, rename or removal: the same command then ends as undisturbed.

Children are forked after the imports, so that a kill costs no start.
"""

import errno
import json
import os
import re
import signal
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pytest

import slmfit
from conftest import make_dataset
from slmfit.errors import SlmfitError
from slmfit.generating import generate

OURS, OTHER = 7, 9  # exit codes of a child: an error of ours, any other
DATA = make_dataset(sizes=(40, 12, 12))
TIMES = re.compile(r"(_seconds|seconds|_ms|p50|p95|rows_per_second|memory_bytes|created|opened|at)$")


@contextmanager
def watched(at=None, error=None):
    """Count what touches the disk for good; at the one asked for be killed, or raise OSError(error)."""
    seen = []

    def counted(kind, real):
        def call(*args, **kwargs):
            seen.append(kind)
            if len(seen) - 1 == at:
                if error is None:
                    os.kill(os.getpid(), signal.SIGKILL)
                raise OSError(error, os.strerror(error))
            return real(*args, **kwargs)

        return call

    with contextmanager_of(counted):
        yield seen


@contextmanager
def contextmanager_of(counted):
    names = ("fsync", "rename", "replace", "unlink", "mkdir")
    with mock.patch.multiple(os, **{name: counted(name, getattr(os, name)) for name in names}):
        yield


def child(work, at=None, error=None, count=None):
    """The exit code of `work` in a process of its own."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    code = OTHER
    try:
        with watched(at, error) as seen:
            work()
        if count:
            count.write_text(" ".join(seen))
        code = 0
    except SlmfitError:
        code = OURS
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


def without_times(value):
    if isinstance(value, dict):
        return {
            k: without_times(v)
            for k, v in value.items()
            if not TIMES.search(k) and k not in ("environment", "made", "reused", "measured")
        }
    return [without_times(v) for v in value] if isinstance(value, list) else value


def left(folder):
    """What stands in a folder, but for times: name -> text."""
    found = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.endswith(".partial")):
        name, text = path.relative_to(folder).as_posix(), path.read_bytes()
        if path.suffix == ".json":
            found[name] = without_times(json.loads(text))
        elif path.suffix == ".jsonl" and path.name != "events.jsonl":
            found[name] = [without_times(json.loads(line)) for line in text.splitlines()]
        elif path.suffix not in (".html", ".jsonl", ".md", ".lock"):
            found[name] = text
        else:
            found[name] = "is there"
    return found


def generating(folder):
    return lambda: generate("emails", n=12, output=folder / "o" / "emails.jsonl")


def comparing(folder):
    return lambda: slmfit.compare(DATA, "majority", out=folder / "o")


WORKS = {
    "generate": (generating, 12),
    "compare": (comparing, 4),
}  # what is done, and at how many points it is disturbed


@pytest.mark.parametrize("name", WORKS)
def test_whatever_fails_the_same_command_ends_as_undisturbed(name, tmp_path):
    def run(n, **fault):
        folder = tmp_path / str(n)
        return folder, child(work(folder), **fault)

    work, points = WORKS[name]

    whole, code = run("whole", count=tmp_path / "seen")
    assert code == 0
    kinds = (tmp_path / "seen").read_text().split()
    expected = left(whole)
    # The n-th point is met with the n-th of three faults, so that all of them meet every kind of point.
    step = max(1, len(kinds) // points)
    for at in range(0, len(kinds), step):
        for error in ((None, errno.ENOSPC, errno.EIO)[at // step % 3],):
            folder, code = run(f"{at}", at=at, error=error)
            assert code in ((-signal.SIGKILL,) if error is None else (0, OURS)), (
                f"{code} at {at} ({kinds[at]}, {error})"
            )
            assert run(f"{at}")[1] == 0, f"not resumed after {at} ({kinds[at]}, {error})"
            assert left(folder) == expected, f"another end after {at} ({kinds[at]}, {error})"


def test_predictions_are_whole_or_not_there(tmp_path):
    run = slmfit.train(DATA, "majority", out=tmp_path / "o").folder
    (tmp_path / "in.csv").write_text("text\n" + "my invoice\n" * 20)
    output = tmp_path / "out.csv"

    def work():
        slmfit.predict_file(slmfit.load(run), tmp_path / "in.csv", output=output)

    assert child(work, count=tmp_path / "seen") == 0
    expected = output.read_bytes()
    for at in range(len((tmp_path / "seen").read_text().split())):
        for error in (None, errno.ENOSPC, errno.EIO):
            output.unlink(missing_ok=True)
            code = child(work, at=at, error=error)
            assert code in (-signal.SIGKILL, OURS, 0)
            assert not output.exists() or output.read_bytes() == expected
            assert child(work) == 0 and output.read_bytes() == expected
    assert Path(output).exists()
