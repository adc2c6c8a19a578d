"""Whether tuning claims what is not there, finds what is, and is the same after kills.

    python benchmarks/tuning.py noise           # 200 tunings of settings that do nothing, in two ways
    python benchmarks/tuning.py planted         # an optimum worth 3 points
    python benchmarks/tuning.py kills           # killed at 50 random moments and resumed

The first two draw which rows are right, and fit nothing: what asks for trials and what decides are slmfit's own. In
`flips` every trial answers a tenth of the rows otherwise than the defaults, by chance; in `field` the settings decide
which rows are right, neighbouring settings nearly the same ones, and how many on average does not depend on them: there
is luck to climb, which the trials before lead to.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from slmfit.methods.ranges import Range
from slmfit.tasks.base import Components
from slmfit.tuning.deciding import decide, rival_of
from slmfit.tuning.sampling import Sampler
from slmfit.tuning.trials import Tried

ROWS, TRIALS, RUNS = 4000, 40, 200
RIGHT, DISCORDANT = 0.85, 0.10
WORTH, BEST, WIDTH = 0.03, 0.8, 0.25  # of the planted optimum, where it is, and how wide
NAMES = ("place", "second", "third", "fourth")
RANGES = {name: Range(0.0, 1.0) for name in NAMES}
DEFAULTS = dict.fromkeys(NAMES, 0.2)


class Flips:
    """A tenth of the rows is answered otherwise than by the defaults, by chance; `worth` more of them rightly."""

    def __init__(self, rng, worth=0.0):
        self.rng, self.worth = rng, worth
        self.first = rng.random(ROWS) < RIGHT

    def right(self, settings):
        if settings is DEFAULTS:
            return self.first
        gain = self.worth * np.exp(-(((settings["place"] - BEST) / WIDTH) ** 2))
        up, down = (DISCORDANT + gain) / 2 / (1 - RIGHT), (DISCORDANT - gain) / 2 / RIGHT
        return self.first ^ (self.rng.random(ROWS) < np.where(self.first, down, up))


class Field:
    """Settings are a direction, every row has its own, and is right where the two are near enough."""

    waves = 24

    def __init__(self, rng):
        self.scale = rng.normal(0, 1.6, (self.waves // 2, len(NAMES)))
        self.turn = rng.random(self.waves // 2) * 2 * np.pi
        self.rows = rng.normal(0, 1, (ROWS, self.waves)) * np.sqrt(2 / self.waves)
        self.own = rng.normal(0, 1, ROWS)

    def right(self, settings):
        angles = self.scale @ np.array([settings[name] for name in NAMES]) + self.turn
        direction = np.concatenate([np.cos(angles), np.sin(angles)])
        mixed = self.own + SHARE * self.rows @ direction  # normal, whatever the settings
        return mixed < LIMIT


SHARE = 0.5
LIMIT = 1.0364 * np.sqrt(1 + SHARE**2)  # by which 85 % are right


def tuned(world, seed):
    """One tuning: whether a gain is claimed, whether it would be without a correction, how much of it there is."""
    sampler, known, kept = Sampler(RANGES, "tpe", seed), [], {}
    for number in range(TRIALS):
        settings = sampler.ask(known).settings if number else DEFAULTS
        right = world.right(settings)
        score = float(right.mean())
        known.append(Tried(number=number, settings=settings, known=settings, state="ok", score=score, seconds=1.0))
        best = rival_of(known)
        if number == 0 or best is known[-1]:
            kept["best" if number else "defaults"] = right
    parts = [
        [Components(kept[name].astype(float)[:, None], lambda sums: sums[..., 0] / ROWS, paired_mean=True)]
        for name in ("best", "defaults")
    ]
    found = decide(known, *parts, seed=seed, repeats=None)
    apart = float((kept["best"] != kept["defaults"]).mean())
    lucky = decide([known[0], rival_of(known)], *parts, seed=seed, repeats=None).claimed
    return found.claimed, lucky, found.gain.value, apart, found.smallest


def simulated(name, make):
    began = time.process_time()
    rows = np.array([tuned(make(np.random.default_rng(seed)), seed) for seed in range(RUNS)], dtype=float)
    claimed, lucky = rows[:, 0].sum(), rows[:, 1].sum()
    gain, apart, smallest = rows[:, 2:].mean(axis=0)
    print(
        f"{name}: a gain is claimed in {claimed:.0f} of {RUNS} (uncorrected {lucky:.0f}); the best looks "
        f"{100 * gain:.2f} points better, {100 * apart:.1f} % of rows discordant, {100 * smallest:.2f} points are "
        f"told 9 times in 10 ({time.process_time() - began:.0f} s of processor time)",
        flush=True,
    )


def killed_and_resumed(kills=50, each=5, trials=10):
    """Ended by SIGKILL at random moments, wherever the process is, and started again; then run to its end."""
    from conftest import make_dataset
    from slmfit import tune

    data, asked, rng = make_dataset(sizes=(30, 200, 9)), "trying:Scripted", random.Random(0)
    data.fingerprint  # noqa: B018  # computed once for all processes
    same = 0

    def lines(folder):
        found = map(json.loads, (folder / "trials.jsonl").read_text().splitlines()[1:])
        return [{key: value for key, value in line.items() if key != "seconds"} for line in found]

    with tempfile.TemporaryDirectory() as scratch:
        began = time.monotonic()
        tune(data, asked, trials=trials, out=Path(scratch) / "whole")
        took, whole, done, places = time.monotonic() - began, lines(Path(scratch) / "whole"), 0, []
        while done < kills:
            out = Path(scratch) / f"killed-{done}"
            for _ in range(each):
                child = os.fork()
                if not child:
                    tune(data, asked, trials=trials, out=out)
                    os._exit(0)
                time.sleep(rng.uniform(0.0, 1.5 * took / each))
                os.kill(child, signal.SIGKILL)
                died = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
                done += died
                journal = out / "trials.jsonl"
                places.append(len(journal.read_bytes().splitlines()) - 1 if died and journal.exists() else -1)
            tune(data, asked, trials=trials, out=out)
            same += lines(out) == whole
        print(f"killed {done} times, after {places} trials; {same} of {-(-kills // each)} folders hold the same trials")


if __name__ == "__main__":
    part = sys.argv[1] if len(sys.argv) > 1 else ""
    if part == "noise":
        simulated("noise, flips", Flips)
        simulated("noise, field", Field)
    elif part == "planted":
        simulated("planted", lambda rng: Flips(rng, WORTH))
    elif part == "kills":
        killed_and_resumed()
    else:
        sys.exit(__doc__)
