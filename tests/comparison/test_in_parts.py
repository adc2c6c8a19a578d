"""A comparison fitted in parts: the same runs, joined by their keys, measured again, and nothing of other data."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import slmfit
from conftest import make_dataset
from slmfit.comparison.asked import Asked
from slmfit.comparison.parts import Part, fit_part, measure_again, merge, runs_of
from slmfit.errors import SlmfitError, UnsafeError, UsageError
from slmfit.llm import Limits
from slmfit.runs.run import Run

METHODS = "majority,linear,linear@more"
QUICK = {"linear": {"C": "1", "features": "words"}, "linear@more": {"C": "2", "features": "words"}}
IDS = ["linear", "linear@more", "majority"]
SCALE = Path(__file__).parents[2] / "examples" / "scale"


@pytest.fixture(scope="module")
def data():
    return make_dataset()


@pytest.fixture(scope="module")
def serial(data, tmp_path_factory):
    return slmfit.compare(data, METHODS, settings=QUICK, out=tmp_path_factory.mktemp("serial") / "out")


@pytest.fixture(scope="module")
def fitted(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("parted") / "out"
    for number in (1, 2):
        fit_part(Asked.of(data, METHODS, settings=QUICK, out=out), Part(number, 2))
    return out


@pytest.fixture
def parted(fitted, tmp_path):
    """A folder with both of two parts, and nothing else."""
    return Path(shutil.copytree(fitted, tmp_path / "out"))


def test_the_whole_is_what_one_process_makes(data, serial, parted):
    assert sorted(path.name for path in parted.iterdir()) == ["parts"]
    assert sorted(merge(parted)) == IDS
    heard = []
    whole = slmfit.compare(
        data, METHODS, settings=QUICK, out=parted, listen=lambda kind, said: heard.append((kind, said.get("run")))
    )
    assert {("reuse", "linear"), ("measure", "linear"), ("reuse", "linear@more")} <= set(heard)
    assert not [one for one in heard if one[0] == "fit"]
    for id, run in serial.runs.items():
        own = Run(parted / "runs" / id)
        assert (own.folder / "predictions.jsonl").read_bytes() == (run.folder / "predictions.jsonl").read_bytes()
        assert (own.record.key, own.record.scores, own.record.files) == (
            run.record.key,
            run.record.scores,
            run.record.files,
        )
    assert whole.record.verdict.sentence == serial.record.verdict.sentence
    assert not (parted / "merged.json").exists()


def test_times_are_measured_where_it_is_judged(data, parted, monkeypatch):
    merge(parted)
    before = {id: Run(parted / "runs" / id).record for id in IDS}
    assert all("on" not in record.measured for record in before.values())
    assert sorted(measure_again(parted, data, None)) == IDS
    for id, record in before.items():
        after = Run(parted / "runs" / id)
        assert after.record.measured["on"]["cores"] == after.record.environment["cores"]
        assert after.record.latency_ms != record.latency_ms and after.record.scores == record.scores
        assert slmfit.load(after.folder).predict(["a text"])  # the seal over the record holds
    assert measure_again(parted, data, None) == []


def test_a_killed_judge_measures_what_is_left(data, parted, monkeypatch):
    merge(parted)
    from slmfit.runs import measuring

    measure, asked = measuring.measure, []

    def once(*args, **named):
        if asked:
            raise KeyboardInterrupt
        asked.append(args)
        return measure(*args, **named)

    monkeypatch.setattr(measuring, "measure", once)
    with pytest.raises(KeyboardInterrupt):
        measure_again(parted, data, None)
    monkeypatch.undo()
    assert len(json.loads((parted / "merged.json").read_text())) == 2
    assert len(measure_again(parted, data, None)) == 2


def test_every_run_is_in_one_part_and_nothing_is_fitted_twice(data, parted):
    asked = Asked.of(data, METHODS, settings=QUICK, out=parted)
    done = [path.parent.name for path in (parted / "parts").glob("*/runs/*/run.json")]
    assert sorted(done) == sorted(runs_of(asked)) == IDS
    assert [run.reused for run in fit_part(asked, Part(1, 2))] == [True, True]
    merge(parted)
    shutil.rmtree(parted / "parts")
    assert all(run.reused for number in (1, 2, 3) for run in fit_part(asked, Part(number, 3)))


def test_parts_of_other_machines_are_named(data, parted, tmp_path):
    elsewhere = parted / "parts" / "2-of-2"
    elsewhere.rename(tmp_path / "brought")
    there = merge(parted, [parted / "parts" / "1-of-2", tmp_path / "brought"])
    assert sorted(there) == IDS
    assert merge(parted, [tmp_path / "brought"]) == []


def test_other_data_settings_and_code_are_refused_with_the_difference(data, parted, tmp_path):
    other = make_dataset(seed=1)
    fit_part(Asked.of(other, "majority", out=tmp_path / "other"), Part(1, 1))
    wrong = tmp_path / "other" / "parts" / "1-of-1"
    with pytest.raises(UsageError, match=r"other data than in .*: their rows of train"):
        merge(parted, [parted / "parts" / "1-of-2", wrong])

    otherwise = QUICK | {"linear": {"C": "2", "features": "words"}}
    set_otherwise = Asked.of(data, METHODS, settings=otherwise, out=tmp_path / "set")
    fit_part(set_otherwise, Part(1, 1))
    with pytest.raises(UsageError, match=r"linear is not the run of that name in .*: C .* there and .* here"):
        merge(parted, [*(parted / "parts").iterdir(), tmp_path / "set" / "parts" / "1-of-1"])

    record = parted / "parts" / "1-of-2" / "runs" / "majority" / "run.json"
    plain = json.loads(record.read_text())
    record.write_text(json.dumps(plain | {"seed": 3}))
    with pytest.raises(SlmfitError, match="was changed after it was fitted"):
        merge(parted)
    del plain["seal"]  # as an older slmfit wrote it
    plain["environment"]["slmfit"] = "0.0.9+abc"
    record.write_text(json.dumps(plain))
    with pytest.raises(UsageError, match=r"parts of different code: .*majority by slmfit 0\.0\.9\+abc"):
        merge(parted)
    assert sorted(path.name for path in parted.iterdir()) == ["parts"]


def test_a_strangers_part_writes_and_reads_nowhere_else(parted, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("of the user's own")
    run = parted / "parts" / "1-of-2" / "runs" / "majority"
    (run / "events.jsonl").unlink()
    (run / "events.jsonl").symlink_to(secret)
    with pytest.raises(UnsafeError, match="leads out of its folder"):
        merge(parted)
    (run / "events.jsonl").unlink()
    record = json.loads((run / "run.json").read_text())
    del record["seal"]
    (run / "run.json").write_text(json.dumps(record | {"id": "../../../elsewhere"}))
    with pytest.raises(UnsafeError, match="its folder has another name"):
        merge(parted)
    (run / "run.json").write_text(json.dumps(record))
    (parted / "parts" / "1-of-2" / "data" / "answered").mkdir()  # a whole comparison, given as a part, has more
    assert sorted(merge(parted)) == IDS
    assert not (tmp_path / "elsewhere").exists() and not (parted / "data" / "answered").exists()


def test_a_run_that_is_there_with_other_settings_is_refused_before_anything_is_copied(data, parted, tmp_path):
    otherwise = QUICK | {"linear@more": {"C": "3", "features": "words"}}
    fit_part(Asked.of(data, METHODS, settings=otherwise, out=tmp_path / "set"), Part(1, 1))
    merge(parted, [tmp_path / "set" / "parts" / "1-of-1"])
    before = sorted(path.relative_to(parted) for path in parted.rglob("*"))
    with pytest.raises(UsageError, match=r"linear@more is not the run of that name in .*: C 3.0 there and 2.0 here"):
        merge(parted)
    assert sorted(path.relative_to(parted) for path in parted.rglob("*")) == before


@pytest.mark.parametrize("written", ["", "0/4", "5/4", "1", "1/0", "-1/4", "1/4/2", "a/b", "1.5/2"])
def test_no_part(written):
    with pytest.raises(UsageError, match="--part cannot be"):
        Part.of(written)


def test_budgets_are_refused_and_no_parts_are_said(data, tmp_path):
    with pytest.raises(UsageError, match="a budget is for all runs together"):
        fit_part(Asked.of(data, METHODS, out=tmp_path / "out", budget_seconds=60), Part(1, 2))
    with pytest.raises(UsageError, match="there are no parts"):
        merge(tmp_path / "nothing")
    assert not (tmp_path / "out").exists() and not (tmp_path / "nothing").exists()
    limited = Asked.of(
        data,
        "llm=m",
        settings={"llm": {"base_url": "http://127.0.0.1:9"}},
        out=tmp_path / "out",
        limits=Limits(tokens=1000),
    )
    with pytest.raises(UsageError, match="counted in one process"):
        fit_part(limited, Part(1, 2))


# --- the four ways of docs/scale.md, each file as it stands ---


@pytest.fixture
def place(tmp_path):
    """A folder with tickets.csv, and a PATH on which slmfit is this one."""
    words = {"billing": "invoice charged", "delivery": "parcel driver", "account": "password login"}
    rows = [f"my {words[k].split()[i % 2]} again {i},{k}" for i in range(40) for k in sorted(words)]
    (tmp_path / "tickets.csv").write_text("text,label\n" + "\n".join(rows))
    tools = tmp_path / "bin"
    tools.mkdir()
    tool(tools / "slmfit", f'exec {sys.executable} -m slmfit "$@"')
    return tmp_path


def tool(path, body):
    path.write_text(f"#!/bin/bash\n{body}\n")
    path.chmod(0o755)


def run_here(place, *command, **more):
    environment = (
        os.environ
        | {"PATH": f"{place / 'bin'}:{os.environ['PATH']}", "METHODS": "majority,linear", "PARTS": "2"}
        | more
    )
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def is_judged(place):
    record = json.loads((place / "compared" / "comparison.json").read_text())
    assert {row["id"]: row["reused"] for row in record["methods"]} == {"majority": True, "linear": True}
    assert len(list((place / "compared" / "parts").glob("*/runs/*/run.json"))) == 2


def test_by_xargs(place):
    run_here(place, "bash", str(SCALE / "xargs.sh"))
    is_judged(place)


@pytest.mark.skipif(
    not shutil.which("parallel")
    or "GNU" not in subprocess.run(["parallel", "--version"], capture_output=True, text=True).stdout,
    reason="GNU parallel is not installed",
)
def test_by_gnu_parallel(place):
    run_here(place, "bash", str(SCALE / "parallel.sh"), HOME=str(place))
    is_judged(place)


def test_by_a_slurm_array(place):
    """A stand-in for sbatch: it runs what is wrapped, each task of an array with its number."""
    tool(place / "bin" / "sbatch", """
array= wrap=
for word in "$@"; do case $word in --array=*) array=${word#--array=};; --wrap=*) wrap=${word#--wrap=};; esac; done
for task in $(if [ "$array" ]; then seq ${array/-/ }; else echo 0; fi); do
  SLURM_ARRAY_TASK_ID=$task bash -ec "$wrap" >&2 || exit 1
done
echo 4711""")  # fmt: skip
    run_here(place, "bash", str(SCALE / "slurm.sh"))
    is_judged(place)


def test_by_githubs_matrix(place):
    """Its `run` steps, with the artifacts where its other steps would bring them."""
    yaml = pytest.importorskip("yaml")
    jobs = yaml.safe_load((SCALE / "github.yml").read_text())
    given = {name: str(value) for name, value in jobs["env"].items()} | {"METHODS": "majority,linear", "PARTS": "2"}
    for job, parts in (("part", ["1", "2"]), ("judge", [""])):
        for part in parts:
            for step in jobs["jobs"][job]["steps"]:
                if "run" in step and "pip install" not in step["run"]:
                    command = re.sub(r"\$\{\{ matrix.part \}\}", part, step["run"])
                    assert "${{" not in command
                    run_here(place, "bash", "-ec", command, **given)
    assert jobs["jobs"]["part"]["strategy"]["matrix"]["part"] == list(range(1, jobs["env"]["PARTS"] + 1))
    is_judged(place)
