"""Trials of a tuning as a cluster runs them, by a stand-in for Ray that ends its tasks in another order."""

import random
from contextlib import contextmanager
from functools import partial

import pytest

pytest.importorskip("optuna")

from conftest import make_dataset
from slmfit import tune
from slmfit.cluster import tuning
from slmfit.cluster.tuning import try_on
from slmfit.comparison.compare import train
from slmfit.errors import SlmfitError, UsageError

ASKED = "trying:Scripted"


class StandIn:
    """Of Ray what try_on needs. A task runs once it is waited for, in an order that the seed decides."""

    def __init__(self, cores=3, seed=0, broken=()):
        self.cores, self.luck, self.broken, self.ran, self.cancelled = cores, random.Random(seed), broken, [], 0

    def remote(self, **_):
        def task(work):
            self.work, task.remote = work, Reference
            return task

        return task

    def put(self, value):
        return value

    def cluster_resources(self):
        return {"CPU": float(self.cores)}

    def wait(self, waiting, timeout):
        assert len(waiting) <= self.cores
        return [self.luck.choice(waiting)], []

    def get(self, given):
        if given == []:  # nothing was told
            return []
        self.ran.append(given.given[5])
        if self.ran[-1] in self.broken:
            raise ValueError("the process died")
        return self.work(*given.given)

    def cancel(self, _, force):
        self.cancelled += 1


class Reference:
    """A task that was asked for."""

    def __init__(self, *given):
        self.given = given


class Heard:
    """In the place of the actor that is told."""

    def __init__(self):
        self.tell = self.take = self

    def remote(self, *_):
        return []


@pytest.fixture
def data():
    return make_dataset(sizes=(30, 300, 9))


@pytest.fixture
def on(monkeypatch):
    """tune, on a stand-in."""

    def run(data, ray, out, trials=14, **more):
        @contextmanager
        def joined(address):
            yield ray

        monkeypatch.setattr(tuning, "joined", joined)
        monkeypatch.setattr(tuning, "told_here", lambda _: Heard())
        return tune(data, ASKED, trials=trials, out=out, elsewhere=partial(try_on, "here"), **more).record

    return run


def tried(record):
    return [(one.number, one.settings, one.score, one.state) for one in record.trials]


def test_random_tries_the_same_as_without_a_cluster(data, tmp_path, on):
    serial = tune(data, ASKED, trials=14, sampler="random", out=tmp_path / "serial").record
    for cores in (1, 4):
        ray = StandIn(cores)
        record = on(data, ray, tmp_path / str(cores), sampler="random")
        assert tried(record) == tried(serial) and record.gain == serial.gain and record.sentence == serial.sentence
        assert sorted(ray.ran) == list(range(14)) and (ray.ran == sorted(ray.ran)) == (cores == 1)


def test_what_ends_first_decides_nothing(data, tmp_path, on):
    records = [on(data, StandIn(3, seed), tmp_path / str(seed)) for seed in range(3)]
    assert tried(records[0]) == tried(records[1]) == tried(records[2])
    assert tried(records[0]) != tried(tune(data, ASKED, trials=14, out=tmp_path / "serial").record)
    assert tried(on(data, StandIn(1), tmp_path / "one")) == tried(
        tune(data, ASKED, trials=14, out=tmp_path / "serial").record
    )


def test_given_up_what_was_told_stays_and_the_same_command_goes_on(data, tmp_path, on):
    whole = on(data, StandIn(3), tmp_path / "whole")
    ray = StandIn(3, seed=2, broken={6})
    with pytest.raises(SlmfitError, match="trial 6: the cluster could not try: the process died"):
        on(data, ray, tmp_path / "o")
    assert ray.cancelled > 0
    again = StandIn(3, seed=1)
    assert tried(on(data, again, tmp_path / "o")) == tried(whole)
    told = len((tmp_path / "o" / "trials.jsonl").read_text().splitlines()) - 1
    assert told == 14 and min(again.ran) > 0 and not set(again.ran) & set(range(min(again.ran)))


def test_defaults_that_fail_end_it(data, tmp_path, on):
    settings = {ASKED: {"broken": True, "place": 0.9}}
    with pytest.raises(SlmfitError, match=r"trial 0: .* the place is too high"):
        on(data, StandIn(2), tmp_path / "o", settings=settings)


def test_a_budget_is_refused(data, tmp_path):
    with pytest.raises(UsageError, match="does not work with --cluster"):
        tune(data, ASKED, budget_seconds=60, trials=4, out=tmp_path / "o", elsewhere=partial(try_on, "127.0.0.1:1"))
    assert not (tmp_path / "o").exists()


def test_what_train_finds_in_its_folder_was_fitted_elsewhere(tmp_path):
    asked, data = [], make_dataset()
    run = train(data, "majority", out=tmp_path / "o", elsewhere=asked.append)
    assert [(one.experiment.folder, [spec.id for spec in one.specs]) for one in asked] == [
        (tmp_path / "o", ["majority"])
    ]
    assert run.record.id == "majority"
