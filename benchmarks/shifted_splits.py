"""Test rows that are like train rows, and such as are not: how often each part of the check alarms, on made-up texts.

python benchmarks/statistics_check.py --trials 1000 shift
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from slmfit.evidence import shift as shifts
from slmfit.evidence.clusters import Clusters, clusters_of
from slmfit.evidence.shift import Held


def repeated_rows(inputs: int, share: float, rng: np.random.Generator) -> np.ndarray:
    """Of each row, which of the different inputs it is: a share of them stand there 2 to 15 times, by chance."""
    times = np.where(rng.random(inputs) < share, rng.integers(2, 16, size=inputs), 1)
    return np.repeat(np.arange(inputs), times)


COMMON, OWN = 2_000, 10  # words that all labels have, and those of each label


def corpus(rows: int, labels: int, weights: np.ndarray, rng: np.random.Generator, strange: float = 0.0,
           register: float = 0.0) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Labels [rows] and words [rows, 12] of made-up texts, ten words that all have and two of the label's own.

    strange: the share of rows that are about something else. register: the share of common words said differently.
    """
    label = rng.choice(labels, size=rows, p=weights)
    often = 1 / np.arange(1, COMMON + 1)
    common = rng.choice(COMMON, size=(rows, 10), p=often / often.sum())
    other = COMMON + OWN * labels  # where the words of other topics and registers begin
    common = np.where(rng.random(common.shape) < register, other + 200 + common, common)
    own = COMMON + OWN * label[:, None] + rng.integers(0, OWN, size=(rows, 2))
    words = np.hstack([common, own])
    odd = rng.random(rows) < strange
    words[odd] = other + rng.integers(0, 200, size=(int(odd.sum()), words.shape[1]))
    return label, words


def held_by(label: np.ndarray, words: np.ndarray, labels: int, in_test: np.ndarray, known: Clusters | None) -> Held:
    """What rows hold: words, and behind them labels."""
    wide = COMMON + OWN * labels + 200 + COMMON
    each = np.hstack([words, wide + label[:, None]])
    every = wide + labels
    row, feature = np.divmod(np.unique(np.arange(len(label))[:, None] * every + each), every)
    return Held(row, feature, every, in_test, known)


def alarms(held: Held, labels: int, right: Sequence[Any]) -> list[bool]:
    """Which of the four parts alarm. right: of validation and of test, rows that a method has right; their clusters."""
    counted = np.arange(held.features) >= held.features - labels
    apart = shifts.told_apart(held)
    return [
        bool(shifts.unlike(held.among(counted))),
        bool(shifts.unlike(held.among(~counted))),
        apart is not None and apart.p_value < shifts.EACH and apart.share >= shifts.MATTERS,
        shifts.gap(*right).p_value < shifts.EACH,
    ]


def answered(label: np.ndarray, hardest: int, rng: np.random.Generator, odd: np.ndarray | None = None) -> np.ndarray:
    """Rows right by a method: 90 %, of the label `hardest` 50 %, of rows about something else 30 %."""
    share = np.where(label == hardest, 0.5, 0.9)
    return rng.random(len(label)) < (share if odd is None else np.where(odd, 0.3, share))


def chosen_on(label: np.ndarray, hardest: int, rng: np.random.Generator) -> np.ndarray:
    """The same on validation, by the best of ten settings that differ in 3 % of the rows."""
    first = answered(label, hardest, rng)
    tries = [np.where(rng.random(len(label)) < 0.03, answered(label, hardest, rng), first) for _ in range(10)]
    return max(tries, key=np.sum)


def shift(trials: int, rng: np.random.Generator) -> Iterator[str]:
    """Splits without a shift (wanted: <= 17 alarms in 1,000), and planted ones; validation is a tenth of 2 n rows.

    parts: labels, words, classifier, gap. cost: points of accuracy that the shift takes. Planted ones get a tenth of
    the trials. With repeats: a third of the texts stand 2 to 15 times, on one side, as clusters.
    """
    for n, labels in ((n, k) for n in (500, 2000, 7600) for k in (2, 20, 100)):
        weights = np.r_[0.08 if labels > 2 else 0.25, np.ones(labels - 1)]
        weights[1:] *= (1 - weights[0]) / (labels - 1)
        doubled = np.r_[2 * weights[0], weights[1:] * (1 - 2 * weights[0]) / (1 - weights[0])]
        label, words = corpus(3 * n, labels, weights, rng)
        number = repeated_rows(3 * n, 0.33, rng)[: 3 * n]
        again = clusters_of(number.tolist())
        pools = [held_by(label, words, labels, np.zeros(3 * n, bool), None)]
        pools.append(held_by(label[number], words[number], labels, np.zeros(3 * n, bool), again))
        told = np.zeros((2, 4), int)
        either = [0, 0]
        for _ in range(trials):
            for k, pool in enumerate(pools):
                of = rng.permutation(3 * n) < n
                if k:
                    of = np.isin(number, rng.permutation(int(number.max()) + 1)[: int(number.max()) // 3])
                every = (chosen_on(label, 0, rng), answered(label, 0, rng))
                if k:
                    parts = (every[0][number][~of][: n // 5], every[1][number][of])
                    right = (*parts, *(clusters_of(some.tolist()) for some in (number[~of][: n // 5], number[of])))
                else:
                    right = (every[0][~of][: n // 5], every[1][of])
                found = alarms(replace(pool, in_test=of), labels, right)
                told[k] += found
                either[k] += any(found)
        yield (
            f"n {n:5d}  {labels:3d} labels  no shift: {either[0]} alarms in {trials} (parts {told[0].tolist()}); "
            f"with repeats {either[1]} (parts {told[1].tolist()})"
        )
        for name, of_labels, strange, register in (
            ("a label's share doubled", doubled, 0.0, 0.0), ("20 % another topic", weights, 0.2, 0.0),
            ("another register", weights, 0.0, 0.1),
        ):  # fmt: skip
            many = max(trials // 10, 1)
            found_by, any_of, cost = np.zeros(4, int), 0, 0.0
            for _ in range(many):
                kinds, said = corpus(n, labels, of_labels, rng, strange, register)
                odd = (said >= COMMON + OWN * labels).sum(axis=1) > 2
                test = answered(kinds, 0, rng, odd)
                cost += (0.9 - 0.4 * weights[0]) - float(test.mean())
                every = np.r_[label[: 2 * n], kinds], np.vstack([words[: 2 * n], said])
                held = held_by(*every, labels, np.arange(3 * n) >= 2 * n, None)
                found = alarms(held, labels, (chosen_on(label[: n // 5], 0, rng), test))
                found_by += found
                any_of += any(found)
            yield (
                f"n {n:5d}  {labels:3d} labels  {name:23s} costs {100 * cost / many:4.1f}: found {any_of / many:.3f} "
                f"(parts {np.round(found_by / many, 2).tolist()})"
            )
