"""Does a cascade keep what it promises, and what does it save? Worlds whose truth is known, and real pairs.

    python benchmarks/cascade.py worlds edge limit --trials 1000   # no data needed, ten minutes
    python benchmarks/cascade.py news service entities       # SLMFIT_DATA; MiniLM from its package

A world says how sure a small model is, how often it is right then, and how often a large one is right where the small
one is not (`harm`) and wrong where it is (`gain`). Of each, a million rows are the truth; splits of 500 and 2,000 rows
are drawn from it, and each threshold that is promised is looked up in the truth.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from common import ag_news, base_model
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import poisson

from slmfit.comparison.compare import Trained, compare, train
from slmfit.data.dataset import Dataset
from slmfit.data.load import load_data
from slmfit.evidence.promise import p_values, promised
from slmfit.testing import first_choice, row_in, scripted
from slmfit.text.figures import by_unit, interval

Floats = NDArray[np.float64]
Drawn = tuple[Floats, Floats, Floats, Floats]
POPULATION = 1_000_000
SIZES, TARGETS, SURE = (500, 2000), (0.95, 0.99, 1.0), 0.95


@dataclass(frozen=True)
class World:
    """confidence: the parameters of a beta distribution. right: of the small one, by its confidence; None = that."""

    name: str
    confidence: tuple[float, float]
    harm: float
    gain: float
    right: Callable[[Floats], Floats] | None = None

    def drawn(self, rng: np.random.Generator, rows: int) -> Drawn:
        """Confidence, whether each is right, whether the answers differ."""
        sure = rng.beta(*self.confidence, rows)
        small = rng.random(rows) < (sure if self.right is None else self.right(sure))
        large = np.where(small, rng.random(rows) >= self.gain, rng.random(rows) < self.harm)
        differ = (small != large) | (~small & ~large & (rng.random(rows) < 0.3))
        return sure, small.astype(float), large.astype(float), differ.astype(float)


USUAL = (4.5, 0.45)
WORLDS = (
    World("a gap of 4 points", USUAL, 0.75, 0.03),
    World("equally good", USUAL, 0.36, 0.037),
    World("the small one better", USUAL, 0.25, 0.06),
    World("a gap of 12 points", (2.5, 0.9), 0.7, 0.03),
    World("confidence says nothing", USUAL, 0.6, 0.02, lambda sure: np.full_like(sure, 0.9)),
    World("level at every share", USUAL, 0.37, 0.04, lambda sure: np.full_like(sure, 0.9)),
    World("both nearly always right", (30.0, 0.3), 0.6, 0.003),
    World("wrong where it is surest", USUAL, 0.8, 0.02, lambda sure: np.where(sure > 0.97, 0.88, 0.93)),
)


def worlds(trials: int) -> Iterator[str]:
    """Per world, target and size: splits with a promise, those where it does not hold, what the small one answers."""
    worst = 0.0
    for world in WORLDS:
        sure, small, large, _ = world.drawn(np.random.default_rng(1), POPULATION)
        order = np.argsort(-sure)
        both = large.mean() + np.concatenate(([0.0], np.cumsum(small[order] - large[order]))) / POPULATION
        yield f"{world.name}: {100 * small.mean():.1f} % and {100 * large.mean():.1f} % right"
        for target in TARGETS:
            least = target * large.mean() - 1e-12
            best = np.flatnonzero(both >= least).max() / POPULATION
            for rows in SIZES:
                rng, made, broken, shares = np.random.default_rng(rows), 0, 0, []
                for _ in range(trials):
                    found = promised(*world.drawn(rng, rows), target=target, sure=SURE, draws=0)
                    if found.threshold is not None:
                        place = int(np.searchsorted(-sure[order], -found.threshold, side="right"))
                        made, broken = made + 1, broken + int(both[place] < least)
                        shares.append(place / POPULATION)
                worst = max(worst, broken / trials)
                kept = f"{100 * (1 - broken / made):5.1f}" if made else "    –"
                share = f"{100 * float(np.mean(shares)):5.1f}" if shares else "    –"
                yield (
                    f"  target {target:4.2f}  rows {rows:5,}  promised {100 * made / trials:5.1f} %  broken "
                    f"{100 * broken / trials:4.1f} %  kept {kept} %  answered {share} of at most {100 * best:5.1f} %"
                )
    yield f"broken in at most {100 * worst:.1f} % of the splits of any world"


def edge() -> Iterator[str]:
    """How often each test says "holds" where the promise is just broken, by counts, at the worst rate of rows won."""
    most = 120
    lost, won = (part.ravel().astype(float) for part in np.indices((most, most)))
    for slack in (0, 1, 2, 3, 5, 7, 10, 18, 40):
        allowed = np.full(len(lost), float(slack))
        plain = ndtr((lost - won - slack) / np.sqrt(np.maximum(lost + won, 1e-12)))
        plain, ours = np.where(lost + won + slack > 0, plain, 1), p_values(lost, won, allowed, 0 * lost)[1]
        worst = [0.0, 0.0]
        for rate in np.arange(0, 30, 0.25):
            chance = np.outer(poisson.pmf(np.arange(most), rate + slack), poisson.pmf(np.arange(most), rate)).ravel()
            for i, p in enumerate((plain, ours)):
                worst[i] = max(worst[i], float(chance[p <= 1 - SURE].sum()))
        yield f"  {slack:2} rows may be lost: plain z {100 * worst[0]:4.1f} %, ours {100 * worst[1]:4.1f} % (wanted 5)"


def limit() -> Iterator[str]:
    """What the small one answers, of the best possible, where one threshold known beforehand is put to one test at 5 %,
    and passes in half of the splits: a sequence of tests cannot do better by much.
    """
    for world in WORLDS:
        sure, small, large, _ = world.drawn(np.random.default_rng(1), POPULATION)
        order = np.argsort(-sure)
        apart, large = (small - large)[order], large[order]
        for target in TARGETS:
            slack = (1 - target) * large.mean()
            margin = np.cumsum(apart) / POPULATION + slack
            squares = np.cumsum(apart * apart + 2 * (1 - target) * apart * large) / POPULATION
            spread = np.sqrt(np.maximum(squares + (1 - target) * slack - margin**2, 1e-12))
            best = (np.flatnonzero(margin >= -1e-12) + 1).max(initial=0)
            if not 0 < best < POPULATION:
                continue
            passed = [(np.flatnonzero(margin * np.sqrt(n) / spread >= 1.645) + 1).max(initial=0) for n in SIZES]
            shares = ", ".join(f"{n:,} rows {one / best:.3f}" for n, one in zip(SIZES, passed, strict=True))
            yield f"  {world.name}, target {target:4.2f}, at most {100 * best / POPULATION:5.1f} %: {shares} of it"


# Real pairs --------------------------------------------------------------------------------------------------------


def news(folder: Path) -> Iterator[str]:
    """AG News: linear on the 5,000 rows that the encoder has, then on 300 of them."""
    data, encoder = _first(ag_news(), 5000), {"encoder": {"epochs": 1}}
    large = train(data, f"encoder={base_model()}", settings=encoder, out=folder / "large")
    for rows in (5000, 300):
        small = train(_first(data, rows), "linear", out=folder / f"linear-{rows}")
        yield from _both(data, small, large, folder / f"both-{rows}")


def service(folder: Path) -> Iterator[str]:
    """AG News, and a scripted server that is right in 94.1 % of the rows."""
    data = _first(ag_news(), 5000)
    truth = {e.input: str(e.target) for split in data.splits.values() for e in split}
    labels = list(data.task.labels)

    def answer(body: Any) -> Any:
        if not (text := row_in(body)):
            return first_choice(body)
        right = truth[text]
        lot = int(hashlib.sha256(text.encode()).hexdigest(), 16)
        return right if lot % 1000 < 941 else [label for label in labels if label != right][lot % (len(labels) - 1)]

    with scripted(answer=answer, keep=False) as server:
        yield from _said(data, "linear,llm=m,cascade=linear+llm", {"llm": {"base_url": server.url}}, folder)


def entities(folder: Path) -> Iterator[str]:
    """SNIPS: a random field that is fitted on a tenth of the rows, and on all; a row is right if all of it is."""
    if not (place := os.environ.get("SLMFIT_DATA")):
        sys.exit("SLMFIT_DATA does not name the folder with snips")
    data = load_data(str(Path(place) / "snips"))
    small = train(_first(data, 1300), "linear", metric="exact_match", out=folder / "small")
    large = train(data, "linear", metric="exact_match", out=folder / "large")
    yield from _both(data, small, large, folder / "both")


def _both(data: Dataset, small: Trained, large: Trained, out: Path) -> Iterator[str]:
    """Two runs alone, and both together."""
    metric = large.record.metric
    for name, run in (("small", small), ("large", large)):
        score = run.record.scores["test"][metric]
        yield f"  {name}: {run.record.id} {by_unit(metric, score.value)} ({interval(metric, score)})"
    yield from _said(data, f"cascade={small.folder}+{large.folder}", {}, out, metric=metric)


def _first(data: Dataset, rows: int) -> Dataset:
    """The data with the first rows of train; validation and test as they are, and no fitting once more with these."""
    splits = {**data.splits, "train": data.splits["train"][:rows]}
    return replace(data, splits=splits, validation_given=True)


def _said(data: Dataset, asked: str, settings: dict[str, Any], out: Path, metric: str | None = None) -> Iterator[str]:
    """The scores of what is compared, and what is said of both parts together."""
    result = compare(data, asked, settings=settings, out=out, metric=metric)
    for row in result.record.methods:
        if not row.scores:
            yield f"  {row.id}: {row.reason}"
            continue
        name = result.record.verdict.metric
        score = row.scores["test"][name]
        yield f"  {row.id}: {by_unit(name, score.value)} ({interval(name, score)})"
        yield from (f"    {sentence}" for sentence in row.cascade.get("said", ()))


PAIRS = {"news": news, "service": service, "entities": entities}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("parts", nargs="*", default=["worlds"], choices=["worlds", "edge", "limit", *PAIRS])
    options.add_argument("--trials", type=int, default=1000)
    given = options.parse_args()
    for part in given.parts:
        print(f"# {part}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            counted = {"worlds": lambda: worlds(given.trials), "edge": edge, "limit": limit}
            lines = counted[part]() if part in counted else PAIRS[part](Path(folder))
            for line in lines:
                print(line, flush=True)


if __name__ == "__main__":
    main()
