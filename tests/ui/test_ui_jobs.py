"""Jobs are processes of their own: their state is what is on disk and whether that very process lives."""

import json
import os
import signal

import pytest

from patience import wait_until
from slmfit import storage
from slmfit.errors import UsageError
from slmfit.ui.jobs import Jobs
from slmfit.ui.processes import alive, started
from slmfit.ui.workspace import Workspace

LONG = ["generate", "tickets", "-n", "300000", "--output", "long.jsonl"]


@pytest.fixture
def jobs(tmp_path):
    made = Jobs(Workspace(tmp_path))
    yield made
    for job in made.list():
        if job.state == "running":
            os.killpg(storage.read_json(job.folder / "process.json")["process"], signal.SIGKILL)


def over(jobs, id):
    wait_until(lambda: jobs.job(id).state != "running")
    return jobs.job(id)


def test_what_a_job_does_is_what_the_command_does(jobs, tmp_path):
    job = jobs.start(["generate", "tickets", "-n", "20", "--seed", "3", "--output", "few.jsonl", "--json"])
    assert job.command == "slmfit generate tickets -n 20 --seed 3 --output few.jsonl --json"
    end = over(jobs, job.id)
    assert (end.state, end.code) == ("done", 0)
    assert jobs.result(job.id)["rows"] == 20 and len((tmp_path / "few.jsonl").read_text().splitlines()) == 20
    events = [json.loads(line) for line in (end.folder / "events.jsonl").read_text().splitlines()]
    assert events[-1]["event"] == "round" and events[-1]["kept"] == 20 and events[-1]["reasons"] is not None
    from slmfit.generating import generate

    generate("tickets", n=20, seed=3, output=tmp_path / "same.jsonl")
    assert (tmp_path / "same.jsonl").read_bytes() == (tmp_path / "few.jsonl").read_bytes()


def test_a_job_that_fails_says_so(jobs):
    job = jobs.start(["generate", "nothing"])
    end = over(jobs, job.id)
    assert (end.state, end.code) == ("failed", 2)
    assert "nothing" in (end.folder / "err.txt").read_text()


def test_stop_kill_and_resume(jobs):
    job = jobs.start(LONG)
    with pytest.raises(UsageError, match="is running already"):
        jobs.resume(job.id)
    group = os.getpgid(storage.read_json(job.folder / "process.json")["process"])
    assert group != os.getpgid(0)  # a session of its own: what ends this server does not end it
    wait_until(lambda: (job.folder / "events.jsonl").is_file())  # it has begun its work, and hears
    jobs.stop(job.id)
    assert (over(jobs, job.id).state, jobs.job(job.id).code) == ("interrupted", 130)
    again = jobs.resume(job.id)
    assert again.id == job.id and again.words == LONG and again.state == "running"
    os.killpg(storage.read_json(job.folder / "process.json")["process"], signal.SIGKILL)
    assert (over(jobs, job.id).state, jobs.job(job.id).code) == ("interrupted", None)
    assert [one.state for one in Jobs(jobs.workspace).list()] == ["interrupted"]  # so says another server
    with pytest.raises(UsageError, match="is not running"):
        jobs.stop(job.id)


def written(jobs, process, begun):
    folder = jobs.root / "20260101-000000-compare-0a0b0c"
    storage.make_folder(folder)
    storage.write_json(
        folder / "job.json", {"words": ["compare", "x.csv"], "about": {}, "made": "2026-01-01T00:00:00Z"}
    )
    storage.write_json(folder / "process.json", {"process": process, "began": begun})
    os.utime(folder / "job.json", (0, 0))
    return jobs.job(folder.name)


def test_a_number_that_is_another_process_s_by_now(jobs):
    parent = os.getppid()
    assert written(jobs, parent, started(parent)).state == "running"
    assert written(jobs, parent, "another boot 12345").state == "interrupted"
    assert written(jobs, parent, None).state == "interrupted"
    assert written(jobs, 2**22 + 1, "x").state == "interrupted"
    assert not alive(os.getpid(), started(os.getpid()))  # the server itself is no job
    with pytest.raises(UsageError):
        jobs.stop("20260101-000000-compare-0a0b0c")


def test_of_several_in_one_second_the_latest_comes_first(jobs, monkeypatch):
    moments = iter([1.8e9 + 0.25, 1.8e9 + 0.5, 1.8e9 + 0.75])
    monkeypatch.setattr(
        jobs, "_begin", lambda folder: storage.write_json(folder / "exit.json", {"code": 0, "ended": "x"})
    )
    with monkeypatch.context() as patch:
        patch.setattr("slmfit.ui.jobs.time.time", lambda: next(moments))
        made = [jobs.start([verb, "x.csv"]).id for verb in ("explore", "compare", "explore")]
    assert len({id[:15] for id in made}) == 1 and [job.id for job in jobs.list()] == made[::-1]


@pytest.mark.parametrize("id", ["..", "../../x", "20260101-000000-compare-0a0b0c", "", None, 7, "x/y"])
def test_jobs_that_are_none(jobs, id):
    with pytest.raises(UsageError, match="there is no such job"):
        jobs.job(id)
