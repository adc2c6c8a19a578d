"""An experiment: a trial never opens test, a fit elsewhere leaves the same bytes, a method can be there twice."""

import json
import pickle
import sys
from dataclasses import replace

import pytest

import warm
from conftest import make_dataset
from slmfit.comparison.compare import compare, plan, train
from slmfit.comparison.experiment import Experiment, Fitted
from slmfit.errors import SlmfitError, UsageError
from slmfit.llm.limits import Allowance, Limits
from slmfit.methods.base import Context
from slmfit.methods.specs import parse_specs
from slmfit.runs.fitting import Terms, trial
from slmfit.runs.run import Run, list_runs, load


class Sealed(tuple):
    """Rows that nobody may look at."""

    def __getitem__(self, key):
        raise AssertionError("the test split was opened")

    def __iter__(self):
        raise AssertionError("the test split was opened")

    def __len__(self):
        raise AssertionError("the test split was opened")


@pytest.mark.parametrize("asked", ["majority", "linear", "knn"])
def test_a_trial_never_opens_test(data, asked):
    [spec] = parse_specs(asked, task=data.task)
    sealed = replace(data, splits={**data.splits, "test": Sealed()})
    with pytest.raises(AssertionError, match="was opened"):
        len(sealed.test)
    tried = trial(spec, sealed, Context(metric="accuracy"))
    assert len(tried.validation.answers) == len(data.validation)
    whole = trial(spec, data, Context(metric="accuracy"))
    assert tried.validation.scores.values == whole.validation.scores.values


def contents(folder):
    """What must be the same wherever a run was fitted."""
    files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    shown = {"model/README.md", "run.json", "events.jsonl"}  # times and machine
    return {name: content for name, content in files.items() if name not in shown}


ELSEWHERE = """
import pickle, sys
experiment, spec = pickle.load(sys.stdin.buffer)
assert experiment.listen is None
sys.stdout.buffer.write(pickle.dumps(experiment.fit(spec)))
"""


@pytest.mark.parametrize("asked", ["linear", "knn@mine"])
def test_a_fit_in_another_process_leaves_the_same_bytes(data, tmp_path, asked):
    here = Experiment(tmp_path / "here", data, Terms(3, "accuracy"), listen=lambda kind, fields: None)
    [spec] = parse_specs(asked, task=data.task)
    fitted = here.fit(spec)
    sent = pickle.dumps((replace(here, folder=tmp_path / "there"), spec))
    done = warm.run([sys.executable, "-c", ELSEWHERE], input=sent)
    assert done.returncode == 0, done.stderr.decode()
    there = pickle.loads(done.stdout)
    assert there == Fitted(tmp_path / "there" / "runs" / asked, reused=False)
    assert contents(there.folder) == contents(fitted.folder)
    assert "model/slmfit.json" in contents(fitted.folder) and "predictions.jsonl" in contents(fitted.folder)
    kinds = [json.loads(line)["event"] for line in (there.folder / "events.jsonl").read_text().splitlines()]
    assert kinds[0] == "fit" and kinds[-1] == "measure"
    heard = []
    again = replace(here, folder=tmp_path / "there", listen=lambda *event: heard.append(event))
    assert again.fit(spec) == replace(there, reused=True) and heard == [("reuse", {"run": asked})]


def test_a_key_in_an_address_is_not_sent_along(data):
    settings = {"llm": {"base_url": "https://user:secret-key@example.com/v1"}}
    [spec] = parse_specs("llm=m", settings, data.task)
    assert b"secret-key" not in pickle.dumps(spec)
    assert spec.remote and not spec.quick and pickle.loads(pickle.dumps(spec)).settings.model == "m"


def test_what_servers_may_take_is_not_counted_twice(data, tmp_path):
    experiment = Experiment(tmp_path, data, Terms(0, "accuracy"), allowance=Allowance(Limits(tokens=5)))
    with pytest.raises(SlmfitError, match="counted in one process"):
        pickle.dumps(experiment)


def test_a_method_twice(data, tmp_path):
    settings = {"knn": {"weighting": "uniform", "k": 3}, "knn@wide": {"k": 9}}
    asked = "majority,knn@narrow,knn@wide,linear@small"
    result = compare(data, asked, settings=settings, out=tmp_path / "o")
    rows = {row.id: row for row in result.record.methods}
    assert list(rows) == ["majority", "knn@narrow", "knn@wide", "linear@small"]
    assert [row.name for row in rows.values()] == ["majority", "knn", "knn", "linear"]
    found = {id: result.runs[id].record for id in ("knn@narrow", "knn@wide")}
    assert [(record.settings["k"], record.settings["weighting"]) for record in found.values()] == [
        (3, "uniform"), (9, "uniform"),
    ]  # fmt: skip
    assert [record.id for record in found.values()] == list(found)
    assert result.record.verdict.best in rows and result.record.paired.keys() < rows.keys()
    page = (tmp_path / "o" / "report.html").read_text(encoding="utf-8")
    assert all(id in page for id in rows)
    assert load(tmp_path / "o" / "runs" / "knn@wide").predict(["my parcel is late"])
    again = compare(data, asked, settings=settings, out=tmp_path / "o")
    assert all(row.reused for row in again.record.methods)
    assert {step.action for step in plan(data, asked, settings=settings, out=tmp_path / "o")} == {"reuse"}


def test_a_name_of_its_own_with_added_rows(data, tmp_path):
    more = tmp_path / "more.csv"
    added = make_dataset(sizes=(60, 0, 0), seed=9).train
    more.write_text("text,label\n" + "".join(f'"{e.input}",{e.target}\n' for e in added))
    result = compare(data, "majority,knn@k3", settings={"knn@k3": {"k": 3}}, augment=more, out=tmp_path / "o")
    assert [row.id for row in result.record.methods] == ["majority", "knn@k3", "knn@k3+more"]
    assert [gain["method"] for gain in result.record.verdict.added["gains"]] == ["knn@k3+more"]


def of_before(out, data, k):
    """A run with other settings set aside as an older slmfit would have, and its folder."""
    key = train(data, "knn", settings={"knn": {"k": k}}, out=out).record.key
    folder = out / "runs" / f"knn@{key[:8]}"
    (out / "runs" / "knn").rename(folder)
    return folder


def test_a_run_that_an_older_slmfit_set_aside_is_found_again(data, tmp_path):
    folder = of_before(tmp_path, data, 3)
    train(data, "knn", settings={"knn": {"k": 5}}, out=tmp_path)
    assert Run(folder).record.settings["k"] == 3 and len(list_runs(tmp_path)) == 2
    heard = []
    train(data, "knn", settings={"knn": {"k": 3}}, out=tmp_path, listen=lambda kind, fields: heard.append(kind))
    assert heard == ["reuse"] and not folder.exists()
    aside = [run.folder.name for run in list_runs(tmp_path)]
    assert len(aside) == 2 and aside[0] == "knn" and aside[1].startswith("knn,")


def test_a_named_run_is_not_taken_for_one_set_aside(data, tmp_path):
    named = train(data, "knn@other", settings={"knn": {"k": 3}}, out=tmp_path)
    as_if = named.folder.with_name(f"knn@{named.record.key[:8]}")
    named.folder.rename(as_if)
    heard = []
    train(data, "knn", settings={"knn": {"k": 3}}, out=tmp_path, listen=lambda kind, fields: heard.append(kind))
    assert "fit" in heard and as_if.is_dir()


def test_limits_are_for_methods_that_ask(data, tmp_path):
    specs = parse_specs("linear", task=data.task)
    experiment = Experiment(tmp_path, data, Terms(0, "accuracy"))
    assert experiment.limited(specs, None) is experiment
    with pytest.raises(UsageError, match="no method here asks one"):
        experiment.limited(specs, Limits(tokens=5))
