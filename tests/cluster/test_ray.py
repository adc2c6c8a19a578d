"""Ray itself, on this machine: two nodes, one of which dies, an interrupt, other code, and who can reach `auto`."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ray_nodes import ALONE, ENVIRONMENT, Nodes
from slmfit.runs.run import Run, write_run

pytest.importorskip("ray", reason="needs the extra `cluster`")
pytestmark = pytest.mark.ray

SOURCE = Path(__file__).parent.parent.parent / "src"
QUICK = ["--set", "linear.features=words", "--set", "linear.C=1"]
MEASURED = "fit_seconds search_seconds load_seconds latency_ms rows_per_second peak_memory_bytes measured".split()
MEASURED += ["fit_peak_memory_bytes"]
ALL = ["--methods", "majority,linear,linear@more,knn", *QUICK]


@pytest.fixture(scope="module")
def cluster():
    with Nodes() as nodes:
        yield nodes


@pytest.fixture
def place(tmp_path):
    words = {"billing": "invoice charged", "delivery": "parcel driver", "account": "password login"}
    rows = [f"my {words[k].split()[i % 2]} again {i},{k}" for i in range(60) for k in sorted(words)]
    (tmp_path / "d.csv").write_text("text,label\n" + "\n".join(rows))
    return tmp_path


def started(place, *words, **more):
    command = [sys.executable, "-m", "slmfit", "compare", "d.csv", *words]
    environment = os.environ | ENVIRONMENT | more
    return subprocess.Popen(
        command, cwd=place, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def compared(place, *words, **more):
    child = started(place, *words, **more)
    out, err = child.communicate(timeout=600)
    return child.returncode, out, err


def files(run):
    """All that decides what a run answers."""
    kept = [path for path in run.rglob("*") if path.is_file() and path.name not in ("run.json", "events.jsonl")]
    return {path.relative_to(run).as_posix(): path.read_bytes() for path in kept}


def same(one, other):
    """Whether two comparisons hold the same runs, but for what was measured, and say the same."""
    for run in (path.parent.name for path in (one / "runs").glob("*/run.json")):
        assert files(one / "runs" / run) == files(other / "runs" / run)
        records = [json.loads((out / "runs" / run / "run.json").read_text()) for out in (one, other)]
        assert records[0]["key"] == records[1]["key"] and records[0]["scores"] == records[1]["scores"]
        assert records[1]["measured"]["on"]["cores"] == os.cpu_count() and "on" not in records[0]["measured"]
    said = [json.loads((out / "comparison.json").read_text())["verdict"] for out in (one, other)]
    assert said[0]["sentence"] == said[1]["sentence"]


def report(out):
    """What a reader sees, but for the command, its folder and the time."""
    return re.sub(r" --out .*?</code>|20\d\d-\d\d-\d\d[T ][\d:]+( UTC|Z)", "", (out / "report.html").read_text())


def test_two_nodes_fit_the_same_runs_and_nothing_twice(cluster, place):
    (place / "json.py").write_text("open('ran', 'w')")  # of the user, and run on no node
    assert compared(place, *ALL, "--out", "serial")[0] == 0
    code, _, err = compared(place, *ALL, "--out", "out", "--cluster", cluster.address)
    assert code == 0, err
    assert "linear@more: fit" in err  # a node's own words, as they come
    same(place / "serial", place / "out")
    for record in (place / "out" / "runs").glob("*/run.json"):  # as if it had been measured where the others were
        serial = Run(place / "serial" / "runs" / record.parent.name).record
        measured = {name: getattr(serial, name) for name in MEASURED}
        write_run(record.parent, replace(Run(record.parent).record, **measured))
    code, _, err = compared(place, *ALL, "--out", "out", "--cluster", "127.0.0.1:1")  # nobody is asked
    assert code == 0 and "linear: already fitted, used again" in err
    assert not (place / "ran").exists() and not (place / "out" / "merged.json").exists()
    assert compared(place, *ALL, "--out", "serial")[0] == 0
    assert report(place / "out") == report(place / "serial")


def test_trials_and_the_run_of_train_are_those_of_here(cluster, place):
    pytest.importorskip("optuna")
    tune = ["tune", "linear", "d.csv", "--trials", "6", "--sampler", "random", *QUICK[:2], "--json"]
    train = ["train", "linear", "d.csv", *QUICK, "--json"]
    for name, more in (("here", []), ("there", ["--cluster", cluster.address])):
        for words in (tune, train):
            command = [sys.executable, "-m", "slmfit", *words, "--out", f"{name}-{words[0]}", *more]
            done = subprocess.run(command, cwd=place, capture_output=True, text=True, env=os.environ | ENVIRONMENT)
            assert done.returncode == 0, done.stderr
            assert json.loads(done.stdout)
    runs = [place / f"{name}-train" / "runs" / "linear" for name in ("here", "there")]
    assert files(runs[0]) == files(runs[1]) and not (place / "there-train" / "merged.json").exists()
    tried = [(place / f"{name}-tune" / "trials.jsonl").read_text().splitlines() for name in ("here", "there")]
    tried = [[json.loads(line) | {"seconds": 0} for line in lines] for lines in tried]
    assert tried[0] == tried[1] and len(tried[0]) == 7


def test_parts_are_answered_on_two_nodes(cluster, place):
    assert compared(place, "--methods", "majority,linear", *QUICK, "--out", "out")[0] == 0
    (place / "new.csv").write_text("number,text\n" + "".join(f"{i},my parcel again {i}\n" for i in range(25_000)))
    words = [sys.executable, "-m", "slmfit", "predict", "out/runs/linear", "--input", "new.csv", "--output"]
    done = []
    for name, more in (("here", []), ("there", ["--cluster", cluster.address])):
        command = [*words, name, *more]
        done.append(subprocess.run(command, cwd=place, capture_output=True, text=True, env=os.environ | ENVIRONMENT))
        assert done[-1].returncode == 0, done[-1].stderr
    parts = [{path.name: path.read_bytes() for path in (place / name).glob("part-*")} for name in ("here", "there")]
    assert parts[0] == parts[1] and len(parts[0]) == 3
    assert "quicker without --cluster" in done[1].stderr and "quicker" not in done[0].stderr


def test_a_node_that_dies_costs_its_runs_a_retry(cluster, place):
    assert compared(place, *ALL, "--out", "serial")[0] == 0
    child = started(place, *ALL, "--out", "out", "--cluster", cluster.address)
    while "fit" not in child.stderr.readline():  # a run has begun on one of them
        assert child.poll() is None
    cluster.kill()
    try:
        out, err = child.communicate(timeout=600)
        assert child.returncode == 0, err
        assert "raylet" not in out  # Ray would tell of it among the results
        same(place / "serial", place / "out")
    finally:
        cluster.add()


def test_interrupted_what_came_stays_and_the_same_command_goes_on(cluster, place):
    words = [*ALL, "--out", "out", "--cluster", cluster.address]
    child, runs = started(place, *words), place / "out" / "runs"
    while not list(runs.glob("[!.]*/run.json")):
        assert child.poll() is None
        time.sleep(0.02)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=120)
    assert child.returncode == 130, err
    there = {path: path.stat().st_mtime_ns for path in runs.glob("[!.]*/predictions.jsonl")}
    assert there and not (place / "out" / "comparison.json").exists()
    code, _, err = compared(place, *words)
    assert code == 0, err
    assert all(path.stat().st_mtime_ns == time for path, time in there.items())


def test_a_node_with_other_code_is_refused_before_anything_is_fitted(cluster, place):
    shutil.copytree(SOURCE, place / "copy", ignore=shutil.ignore_patterns("__pycache__"))
    with (place / "copy" / "slmfit" / "events.py").open("a") as file:
        file.write("# newer\n")
    words = [*ALL, "--out", "out", "--cluster", cluster.address]
    code, _, err = compared(place, *words, PYTHONPATH=str(place / "copy"))
    assert code == 2 and re.search(r"the node is not like this machine: slmfit is \S+ there and \S+ here", err), err
    assert not (place / "out" / "runs").exists()


REACHED = """
import os, re, sys
from pathlib import Path
from slmfit.cluster.nodes import joined

out = sys.stdout  # what is printed below is Ray's, and goes nowhere

def below(number):
    yield number
    for task in Path(f"/proc/{number}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from below(int(child))

with joined("auto") as ray:
    ray.get(ray.remote(lambda: 1).remote())
    print(ray.get_runtime_context().gcs_address, file=out)
    rows = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    listening = {row[9]: row[1] for row in rows if row[3] == "0A"}
    for number in below(os.getpid()):
        for link in Path(f"/proc/{number}/fd").iterdir():
            found = re.fullmatch(r"socket:.(\\d+).", os.readlink(link)) if link.is_symlink() else None
            if found and found[1] in listening:
                print(listening[found[1]].rpartition(":")[0], file=out)
    out.flush()
    sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_auto_listens_on_loopback_alone_and_asks_for_a_token():
    child = subprocess.Popen([sys.executable, "-c", REACHED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                             env=os.environ | ALONE)  # fmt: skip
    address = child.stdout.readline().strip()
    code = f"import ray; ray.init(address={address!r}, log_to_driver=False)"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                           env=os.environ | ENVIRONMENT, timeout=300)  # fmt: skip
    said, _ = child.communicate(timeout=60)
    places = said.split()
    assert len(places) > 3 and set(places) <= {"0100007F", "0000000000000000FFFF00000100007F"}, places
    assert other.returncode != 0 and "Failed to connect" in other.stderr
