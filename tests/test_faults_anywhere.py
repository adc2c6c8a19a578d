"""The disk refuses, or the process dies, at any fsync, rename or removal: the same command then ends as undisturbed.

`SLMFIT_FAULTS=all pytest -n0 tests/test_faults_anywhere.py` tries every fault at every point.
"""

import json
import signal
import subprocess
import sys
import urllib.request
from collections import Counter

import pytest

import slmfit
from disk_faults import FAULTS, OURS, Clean, left, points, small

# what is done, and at how many points it is disturbed
WORKS = {"generating": 12, "comparing": 3, "training": 3, "tuning": 1}


@pytest.fixture(scope="module")
def clean():
    with Clean() as process:
        yield process


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    """The process that tunes, and the base model."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    import tiny

    base = tiny.encoder(tmp_path_factory.mktemp("base") / "model", num_hidden_layers=1)
    with Clean("slmfit.methods.encoder", "tiny") as process:
        yield process, str(base)


def others(folder):
    """Files that are not ours, beside those that are."""
    folder.mkdir(parents=True, exist_ok=True)
    found = [folder / name for name in ("thesis.txt", ".thesis.txt.7.partial", ".o.partial")]
    for path in found:
        path.write_text("mine")
    return found


@pytest.mark.parametrize("work", WORKS)
def test_whatever_fails_the_same_command_ends_as_undisturbed(work, tmp_path, request):
    if work == "tuning":
        clean, *more = request.getfixturevalue("tuned")
    else:
        clean, more = request.getfixturevalue("clean"), []
    others(tmp_path / "whole")
    code, kinds = clean.child(work, tmp_path / "whole", *more)
    assert code == 0
    expected = left(tmp_path / "whole" / "o")
    for at, error in points(kinds, WORKS[work]):
        folder, where = tmp_path / f"{at}-{error}", f"{at} of {len(kinds)} ({kinds[at]}, {error})"
        theirs = others(folder)
        code, _ = clean.child(work, folder, *more, at=at, error=error)
        assert code in ((-signal.SIGKILL,) if error is None else (0, OURS)), f"{code} at {where}"
        assert clean.child(work, folder, *more)[0] == 0, f"not resumed after {where}"
        assert {path.read_text() for path in theirs} == {"mine"}
        assert left(folder / "o") == expected, f"another end after {where}"


# --- a large model ---


class Asked:
    """A scripted server in a process of its own, which no fork takes along."""

    def __init__(self):
        command = [sys.executable, "-P", "-m", "slmfit.testing", "--latency", "0.004"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()

    @property
    def calls(self):
        with urllib.request.urlopen(f"{self.url.removesuffix('/v1')}/stats") as reply:
            return json.loads(reply.read())["calls"]


@pytest.fixture
def server():
    asked = Asked()
    yield asked
    asked.process.kill()
    asked.process.communicate()


def ledger(folder):
    """The whole lines of the ledger: ids of those answered, and whether it was found out what the server takes."""
    data = b"".join(path.read_bytes() for path in (folder / "cache" / "answers").glob("*.jsonl"))
    lines = [json.loads(line) for line in data[: data.rfind(b"\n") + 1].splitlines()]
    return Counter(line["id"] for line in lines if "answer" in line), any("found" in line for line in lines)


def test_no_answer_that_was_paid_for_is_lost(tmp_path, server, clean):
    """It writes in a thread of its own, so a point may be another in the next run, or not met at all."""
    rows = len(small().test)
    others(tmp_path / "whole")
    code, kinds = clean.child("asking", tmp_path / "whole", server.url)
    assert code == 0
    expected, probes, met = left(tmp_path / "whole" / "o"), server.calls - rows, Counter()
    for at, error in points(kinds, 6):
        folder, where = tmp_path / f"{at}-{error}", f"{at} of {len(kinds)} ({error})"
        theirs = others(folder)
        code, _ = clean.child("asking", folder, server.url, at=at, error=error)
        assert code in ((-signal.SIGKILL, 0) if error is None else (0, OURS)), f"{code} at {where}"
        met[code] += 1
        (answered, found), before = ledger(folder), server.calls
        assert clean.child("asking", folder, server.url)[0] == 0, f"not resumed after {where}"
        unanswered = rows - len(answered)
        assert server.calls - before == unanswered + (probes if unanswered and not found else 0), where
        assert ledger(folder)[0] == Counter(map(str, range(rows))), f"lost or twice after {where}"
        assert {path.read_text() for path in theirs} == {"mine"}
        assert left(folder / "o") == expected, f"another end after {where}"
    assert met[-signal.SIGKILL]


def test_predictions_are_whole_or_not_there(tmp_path, clean):
    slmfit.train(small(), "majority", out=tmp_path / "o")
    (tmp_path / "in.csv").write_text("text\n" + "my invoice\n" * 20)
    output = tmp_path / "out.csv"
    code, kinds = clean.child("predicting", tmp_path)
    assert code == 0
    expected = output.read_bytes()
    for at in range(len(kinds)):
        for error in FAULTS:
            output.unlink(missing_ok=True)
            code, _ = clean.child("predicting", tmp_path, at=at, error=error)
            assert code in (-signal.SIGKILL, OURS, 0)
            assert not output.exists() or output.read_bytes() == expected
            assert clean.child("predicting", tmp_path)[0] == 0 and output.read_bytes() == expected
    assert not list(tmp_path.glob(".*.partial"))
