"""`slmfit stress`: whether its intervals hold, and the processor time it takes.

    python benchmarks/stress.py coverage [--trials 1000]
    SLMFIT_DATA=FOLDER python benchmarks/stress.py time

coverage: rows of which some are fragile, each failing with a chance of its own in every draw; the true drop is known.
time: `linear` on AG News, 1,000 test rows, all kinds, 5 draws each; processor time of the asking alone.
"""

from __future__ import annotations

import argparse
import tempfile
import time

import numpy as np
from common import ag_news

from slmfit.comparison.compare import train
from slmfit.evidence.clusters import clusters_of
from slmfit.stressing import DRAWS, stress
from slmfit.stressing.pairing import drop
from slmfit.tasks.base import Components

# Right before; share of fragile rows; chance that a draw turns a right one of these wrong, and a wrong one right.
CELLS = [
    (0.90, 1.00, 0.02, 0.05),
    (0.90, 0.10, 0.50, 0.30),
    (0.80, 0.30, 0.50, 0.30),
    (0.90, 0.02, 0.90, 0.10),
    (0.95, 1.00, 0.01, 0.02),
    (0.90, 0.50, 0.05, 0.40),
    (0.70, 1.00, 0.10, 0.10),
]


def interval(
    rng: np.random.Generator, rows: int, draws: int, cell: tuple[float, ...], repeated: bool
) -> tuple[float, float]:
    """The interval of one made-up test split. repeated: a fifth of the texts stand there three times."""
    before, share, lost, gained = cell
    number = np.repeat(np.arange(rows), np.where(rng.random(rows) < 0.2, 3, 1))[:rows] if repeated else np.arange(rows)
    fragile = (rng.random(rows) < share)[number]
    right = (rng.random(rows) < before)[number]
    luck = rng.random((draws, rows))
    after = np.where(right, luck >= lost * fragile, luck < gained * fragile)
    table = [np.column_stack([found, np.ones(rows)]).astype(float) for found in (right, *after)]
    parts = Components(table[0], lambda sums: sums[..., 0] / sums[..., 1], paired_mean=True)
    found = drop(parts, table[1:], clusters_of(number.tolist()))
    return found.low, found.high


def coverage(trials: int) -> None:
    for repeated in (False, True):
        for rows in (300, 1000):
            for draws in (1, DRAWS):
                shares = []
                for cell in CELLS:
                    before, share, lost, gained = cell
                    true = share * (before * lost - (1 - before) * gained)
                    found = [
                        interval(np.random.default_rng(seed), rows, draws, cell, repeated) for seed in range(trials)
                    ]
                    shares.append(float(np.mean([low <= true <= high for low, high in found])))
                words = " ".join(f"{100 * share:.1f}" for share in shares)
                print(f"rows {rows:5} draws {draws} repeats {repeated!s:5}  coverage {words}", flush=True)


def took() -> None:
    data = ag_news()
    with tempfile.TemporaryDirectory() as out:
        run = train(data, "linear", out=out)
        began = time.process_time()
        found = stress(run, data)
        print(f"{found.rows} rows, {len(found.kinds)} kinds: {time.process_time() - began:.1f} s of processor time")
        for kind in found.asked:
            if kind.drop:
                value, low, high = (100 * (end or 0) for end in (kind.drop.value, kind.drop.low, kind.drop.high))
                print(f"{kind.kind:14} {kind.rows:5} rows  {value:5.1f} points ({low:.1f} to {high:.1f})  "
                      f"{kind.right_to_wrong:.1f} wrong, {kind.wrong_to_right:.1f} right")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["coverage", "time"])
    parser.add_argument("--trials", type=int, default=1000)
    options = parser.parse_args()
    if options.part == "coverage":
        coverage(options.trials)
    else:
        took()


if __name__ == "__main__":
    main()
