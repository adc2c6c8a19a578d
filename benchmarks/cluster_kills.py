"""Whether a comparison on a Ray cluster is the serial one, whatever dies on the way.

    python benchmarks/cluster_kills.py --nodes 10 --workers 20 --drivers 5

Two nodes of one core (extra `cluster`). In each round what `slmfit compare --cluster` does on the cluster begins in a
folder of its own, and at a few random moments of it a node, a process that fits, or the command's own process is killed
by SIGKILL; what was killed is started again. Counted: runs that are there once and byte-equal to those of a serial
comparison, and runs that were fitted or published again after they were there. One folder of each kind is judged at the
end: its verdict and scores are the serial ones.

--trials 200 has `slmfit tune` try settings of `linear` on the cluster, while nodes, processes and the command are
killed, and counts the trials that are those of a tuning in which nothing was: with `random` of a serial one.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from ray_nodes import ENVIRONMENT, Nodes

os.environ |= ENVIRONMENT

from limits import ended, forked

import slmfit
import tiny
from conftest import make_dataset
from slmfit.cluster.fitting import fit_on
from slmfit.cluster.tuning import try_on
from slmfit.comparison.asked import Asked
from slmfit.data.dataset import Dataset
from slmfit.events import recorded

LIGHT = "majority,linear,linear@words,linear@letters,knn"
AT_ONCE = {"node": 2, "worker": 3, "driver": 5}  # kills in a round; a task is tried again three times


def options_of(methods: str) -> dict[str, Any]:
    """How they are fitted; what is not trained has one seed."""
    return {"seeds": 2, "settings": {"encoder": {"epochs": 2, "device": "cpu"}}} if "encoder" in methods else {}


class Round:
    """A comparison in a folder, fitted by a process that was forked after the imports, and what it tells as it goes."""

    def __init__(self, data: Dataset, place: Path, out: str, address: str, methods: str) -> None:
        self.data, self.out, self.told, self.address = data, place / out, place / f"{out}.jsonl", address
        self.methods = methods
        self.begin()

    def begin(self) -> None:
        def fit() -> None:
            asked = Asked.of(self.data, self.methods, **options_of(self.methods), out=self.out)
            with recorded(self.told, None) as event:
                fit_on(self.address, asked.told_to(lambda kind, fields: event(kind, **fields)))

        self.pid = forked(fit)

    def going(self) -> bool:
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def events(self) -> list[dict[str, Any]]:
        lines = self.told.read_text().splitlines(keepends=True) if self.told.is_file() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def fits(self) -> list[str]:
        """The run of each fit that was begun, as often as it was."""
        return [event["run"] for event in self.events() if event["event"] == "fit"]

    def published(self) -> dict[str, int]:
        """Run -> the number of the file that holds its answers, of those that are there."""
        return {path.parent.name: path.stat().st_ino for path in self.out.glob("runs/[!.]*/predictions.jsonl")}


def files(run: Path) -> dict[str, bytes]:
    """All that decides what a run answers."""
    kept = [path for path in run.rglob("*") if path.is_file() and path.name not in ("run.json", "events.jsonl")]
    return {path.relative_to(run).as_posix(): path.read_bytes() for path in kept}


def said(out: Path) -> tuple[str, list[dict[str, Any]]]:
    """The verdict's sentence, and each method's scores."""
    record = json.loads((out / "comparison.json").read_text())
    return record["verdict"]["sentence"], [row["scores"] for row in record["methods"]]


def disturbed(
    kind: str, cluster: Nodes, work: Round, whole: Path, moments: list[int], rng: random.Random
) -> Counter[str]:
    """One round. moments: how many events were told by then."""
    runs = {path.parent.name for path in whole.glob("runs/[!.]*/run.json")}
    seen, fitted, kills = dict[str, int](), dict[str, int](), 0
    for moment in sorted(moments):
        while len(work.events()) < moment and len(work.published()) < len(runs):
            assert work.going()
            time.sleep(0.02)
        time.sleep(rng.uniform(0, 0.5))
        while not (workers := cluster.workers()) and len(work.published()) < len(runs):
            time.sleep(0.01)
        there = work.published()
        if len(there) == len(runs):
            break
        seen = there | seen
        fitted = {run: work.fits().count(run) for run in there} | fitted
        kills += 1
        if kind == "node":
            cluster.kill()
            cluster.add()
        elif kind == "worker":
            os.kill(rng.choice(workers), signal.SIGKILL)
        else:
            os.kill(work.pid, signal.SIGKILL)
            os.waitpid(work.pid, 0)
            work.begin()
    ended(work.pid)
    now = work.published()
    assert set(now) == runs, now
    return Counter(
        {
            "kills": kills,
            "rounds": 1,
            "runs": len(now),
            "equal": sum(files(work.out / "runs" / run) == files(whole / "runs" / run) for run in now),
            "there when one was killed": len(seen),
            "of these fitted again": sum(work.fits().count(run) > max(1, count) for run, count in fitted.items()),
            "of these published again": sum(now[run] != file for run, file in seen.items()),
            "left behind": len(list(work.out.glob("parts"))),
        }
    )


def compared(
    data: Dataset, place: Path, cluster: Nodes, kills: dict[str, int], rng: random.Random, *, light: bool
) -> None:
    """So many kills of each kind."""
    methods = LIGHT if light else f"majority,linear,knn,encoder={place / 'base'}"

    def judge(out: str) -> tuple[str, list[dict[str, Any]]]:
        """What `compare` says without a cluster; where all runs are there, of these."""

        def compare() -> None:
            with recorded(place / f"{out}-judged.jsonl", None) as event:
                listen = lambda kind, fields: event(kind, **fields)  # noqa: E731
                slmfit.compare(data, methods, **options_of(methods), out=place / out, listen=listen)

        ended(forked(compare))
        return said(place / out)

    if not light:
        tiny.encoder(place / "base", num_hidden_layers=1)
    serial = judge("serial")
    events = len((place / "serial-judged.jsonl").read_text().splitlines())
    for kind, count in kills.items():
        sums = Counter[str]()
        while sums["kills"] < count:
            work = Round(data, place, f"{kind}-{sums['rounds']}", cluster.address, methods)
            moments = [rng.randrange(1, events) for _ in range(min(AT_ONCE[kind], count - sums["kills"]))]
            found = disturbed(kind, cluster, work, place / "serial", moments, rng)
            sums.update(found)
            print(kind, dict(found), flush=True)
        if count:
            print(f"{kind}s: {dict(sums)}, judged alike: {judge(work.out.name) == serial}", flush=True)


def tuned(data: Dataset, place: Path, cluster: Nodes, trials: int, rng: random.Random) -> None:
    """Two tunings, each with five kills, at random numbers of trials."""
    for sampler in ("random", "tpe"):

        def lines(name: str, sampler: str = sampler) -> list[dict[str, Any]]:
            path = place / f"{sampler}-{name}" / "trials.jsonl"
            found = path.read_text().splitlines(keepends=True)[1:] if path.is_file() else []
            return [json.loads(line) | {"seconds": 0} for line in found if line.endswith("\n")]

        def begin(name: str, sampler: str = sampler) -> int:
            elsewhere = None if name == "serial" else partial(try_on, cluster.address)
            given = {"trials": trials, "sampler": sampler, "elsewhere": elsewhere, "out": place / f"{sampler}-{name}"}
            return forked(lambda: slmfit.tune(data, "linear", **given))

        whole = "serial" if sampler == "random" else "undisturbed"
        ended(begin(whole))
        moments = sorted(rng.sample(range(1, trials), 5))
        kinds = rng.sample(["node", "worker", "worker", "driver", "driver"], 5)
        pid = begin("killed")
        for moment, kind in zip(moments, kinds, strict=True):
            while len(lines("killed")) < moment or (kind == "worker" and not cluster.workers("try_here")):
                time.sleep(0.02)
            if kind == "node":
                cluster.kill()
                cluster.add()
            elif kind == "worker":
                os.kill(rng.choice(cluster.workers("try_here")), signal.SIGKILL)
            else:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                pid = begin("killed")
        ended(pid)
        same = sum(one == other for one, other in zip(lines("killed"), lines(whole), strict=True))
        killed = dict(zip(moments, kinds, strict=True))
        print(f"{sampler}, killed at trial {killed}: {same} of {trials} are those of {whole}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=0)
    for name, count in (("node", 10), ("worker", 20), ("driver", 5)):
        parser.add_argument(f"--{name}s", dest=name, type=int, default=count)
    parser.add_argument("--light", action="store_true", help="no method that needs torch, which takes long to load")
    given, data = vars(parser.parse_args()), make_dataset()
    trials, light = given.pop("trials"), given.pop("light")
    with tempfile.TemporaryDirectory() as scratch, Nodes() as cluster:
        if trials:
            tuned(data, Path(scratch), cluster, trials, random.Random(1))
        if any(given.values()):
            compared(data, Path(scratch), cluster, given, random.Random(0), light=light)


if __name__ == "__main__":
    main()
