"""Do the intervals and the verdict keep their word? Simulated data whose truth is known; prints one line per cell.

    python benchmarks/statistics_check.py              # 500 trials per cell, some ten minutes on two cores
    python benchmarks/statistics_check.py --trials 100 accuracy verdict

A cell's coverage from 500 trials is itself uncertain by +-2 points; closed forms are given exactly or from 20,000
trials beside it. `hit` is the share of trials whose 95 % interval held the truth, `width` the mean width.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from scipy.special import ndtri
from scipy.stats import binom
from shifted_splits import repeated_rows, shift

from slmfit.evidence import metrics, spread, statistic
from slmfit.evidence import verdict as verdicts
from slmfit.evidence.clusters import clusters_of
from slmfit.evidence.drawing import Repeated
from slmfit.records import Score

SIZES = (100, 500, 7600)


def held(found: Score, truth: float) -> bool:
    return found.low is not None and found.high is not None and found.low <= truth <= found.high


def accuracy(trials: int, rng: np.random.Generator) -> Iterator[str]:
    """Wilson's interval of one accuracy."""
    for n in SIZES:
        hits = [statistic.wilson(k, n) for k in range(n + 1)]
        low, high = np.array([s.low for s in hits]), np.array([s.high for s in hits])

        def exact(share: float, n: int = n, low: np.ndarray = low, high: np.ndarray = high) -> float:
            return float(binom.pmf(np.arange(n + 1), n, share)[(low <= share) & (share <= high)].sum())

        for share in (0.5, 0.8, 0.9, 0.95, 0.97, 0.98, 0.985, 0.99, 0.995, 0.998):
            drawn = rng.binomial(n, share, size=trials)
            hit = np.mean([held(statistic.wilson(int(k), n), share) for k in drawn])
            yield f"n {n:5d}  true {share:.3f}  hit {hit:.3f}  exact {exact(share):.3f}"
        for start, end in ((0.5, 0.9), (0.9, 0.97), (0.97, 0.999)):
            exacts = [exact(share) for share in np.linspace(start, end, 200)]
            inside = np.mean([0.93 <= value <= 0.97 for value in exacts])
            yield (
                f"n {n:5d}  true {start}-{end}: exact mean {np.mean(exacts):.3f}, "
                f"least {min(exacts):.3f}, most {max(exacts):.3f}, within 93-97 %: {inside:.0%} of shares"
            )


def classes(name: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Class shares [L] and answer probabilities [L, L + 1] of a made-up classifier."""
    kind, right = name.split()
    shares = {"4-equal": np.ones(4), "7-zipf": 1 / np.arange(1, 8), "20-equal": np.ones(20)}[kind]
    count = len(shares)
    answers = np.zeros((count, count + 1))
    for label in range(count):
        wrong = np.arange(count) != label
        answers[label, :count][wrong] = (1 - float(right)) * rng.dirichlet(np.ones(count - 1))
        answers[label, label] = float(right)
    return shares / shares.sum(), answers


CLASSIFIERS = ("4-equal 0.9", "4-equal 0.98", "4-equal 0.995", "7-zipf 0.9", "7-zipf 0.97", "20-equal 0.9")


def f1_macro(trials: int, rng: np.random.Generator) -> Iterator[str]:
    """The bootstrap of macro F1; class sizes drawn with the rows, or the same in every test set."""
    for name in CLASSIFIERS:
        shares, answers = classes(name, np.random.default_rng(7))
        truth = float(metrics.scores_from_confusion(shares[:, None] * answers)["f1_macro"])
        for n in SIZES:
            if n < 20 * len(shares):  # macro F1 itself is far off its truth when classes have five rows
                continue
            for fixed in (False, True):
                hit, width = 0, 0.0
                for trial in range(trials):
                    sizes = np.rint(shares * n).astype(int) if fixed else rng.multinomial(n, shares)
                    counts = np.stack([rng.multinomial(size, row) for size, row in zip(sizes, answers, strict=True)])
                    found = statistic.bootstrap_confusion(counts, ["f1_macro"], draws=1000, seed=trial)["f1_macro"]
                    hit += held(found, truth)
                    width += (found.high or 0) - (found.low or 0)
                kind = "fixed" if fixed else "drawn"
                yield f"{name:14s} n {n:5d}  class sizes {kind}  hit {hit / trials:.3f}  width {width / trials:.4f}"


def losses(trials: int, rng: np.random.Generator) -> Iterator[str]:
    """Log loss, Brier score and calibration error of a binary method that is calibrated, or 10 points too sure."""
    for excess in (0.0, 0.03, 0.1):

        def draw(n: int, excess: float = excess) -> tuple[np.ndarray, np.ndarray]:
            sure = 0.3 + 0.7 * rng.beta(6, 1, size=n)
            return sure, (rng.random(n) < np.clip(sure - excess, 0, 1)).astype(float)

        def values(sure: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            table, truth = np.stack([sure, 1 - sure], axis=1), (right == 0).astype(int)
            return metrics.log_loss_rows(table, truth), metrics.brier_rows(table, truth)

        many = draw(4_000_000)
        truth = [float(part.mean()) for part in values(*many)]
        truth.append(metrics.expected_calibration_error(*many) if excess else 0.0)
        for n in SIZES:
            hit = np.zeros(3)
            for trial in range(trials):
                sure, right = draw(n)
                found = [statistic.bootstrap_mean(part, draws=1000, seed=trial) for part in values(sure, right)]
                found.append(statistic.bootstrap_calibration(sure, right, draws=1000, seed=trial))
                hit += [held(one, goal) for one, goal in zip(found, truth, strict=True)]
            log, brier, gap = hit / trials
            yield f"too sure by {excess:.2f}  n {n:5d}  hit: log loss {log:.3f}  Brier {brier:.3f}  ECE {gap:.3f}"


def entities(trials: int, rng: np.random.Generator) -> Iterator[str]:
    """Entity F1 by bootstrap_sums: texts with 0-5 entities each, some hard for every method."""

    def score(sums: np.ndarray) -> np.ndarray:
        hits, alarms, misses = np.moveaxis(sums, -1, 0)
        return 2 * hits / np.maximum(2 * hits + alarms + misses, 1e-12)

    def draw(n: int, miss: float) -> np.ndarray:
        held_by, rate = rng.poisson(1.5, size=n), np.clip(miss * rng.gamma(1.0, 1.0, size=n), 0, 1)
        misses = rng.binomial(held_by, rate)
        return np.stack([held_by - misses, rng.poisson(rate), misses], axis=1)

    for miss in (0.2, 0.05, 0.01):
        truth = float(score(draw(4_000_000, miss).sum(axis=0)))
        for n in SIZES:
            hit = sum(held(statistic.bootstrap_sums(draw(n, miss), score, seed=t), truth) for t in range(trials))
            yield f"true F1 {truth:.3f}  n {n:5d}  hit {hit / trials:.3f}"


def outcomes(n: int, differ: float, gap: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Rows right by two methods of some 90 %: a share `differ` of rows tells them apart, the first is `gap` better."""
    both = 0.9 - differ / 2
    kind = rng.choice(4, size=n, p=[(differ + gap) / 2, (differ - gap) / 2, both, 1 - differ - both])
    return (kind == 0) | (kind == 2), (kind == 1) | (kind == 2)


def paired(trials: int, rng: np.random.Generator) -> Iterator[str]:
    """The interval of the difference of two accuracies, `differ` of the rows telling them apart; Tango's own beside it.

    called: where they are equally good, how often they are called different; 20,000 draws.
    """
    for n in SIZES:
        for differ in (0.002, 0.01, 0.02, 0.04, 0.06, 0.12):
            for gap in (0.0, 0.01, 0.02):
                if gap > differ:
                    continue
                drawn = rng.multinomial(n, [(differ + gap) / 2, (differ - gap) / 2, 1 - differ], size=20_000)[:, :2]
                pairs, kind = np.unique(drawn, axis=0, return_inverse=True)
                tests = [statistic.mcnemar(int(b), int(c)) for b, c in pairs]
                found = [statistic.paired_counts(int(b), int(c), n, p) for (b, c), p in zip(pairs, tests, strict=True)]
                tango = np.array([statistic.tango(int(b), int(c), n) for b, c in pairs])
                ends = np.array([(one.low, one.high) for one in found])
                hit, before = (((e[:, 0] <= gap) & (gap <= e[:, 1]))[kind.ravel()].mean() for e in (ends, tango))
                called = np.array([one.p_value < 0.05 for one in found])[kind.ravel()].mean()
                rows = f"{n * differ:.1f} rows differ"
                told = f"  called different {called:.3f}" if not gap else ""
                yield f"n {n:5d}  gap {gap:.2f}  {rows:18s} hit {hit:.3f} (Tango's {before:.3f}){told}"


def one_hot(truth: np.ndarray, answer: np.ndarray, labels: int) -> np.ndarray:
    """Per row its hits, answers and support [rows, 3 * labels]; an answer that is no label is none."""
    given, asked = np.eye(labels + 1)[answer][:, :labels], np.eye(labels)[truth]
    return np.hstack([given * asked, given, asked])


def f1_of_sums(sums: np.ndarray) -> np.ndarray:
    return metrics.scores_from_tallies(metrics.Tallies(*np.split(sums, 3, axis=-1)))["f1_macro"]


def paired_f1(trials: int, rng: np.random.Generator) -> Iterator[str]:
    """The paired bootstrap of macro F1: two methods of equal true macro F1, `differ` of whose rows are re-answered."""
    for name in ("4-equal 0.9", "7-zipf 0.9", "4-equal 0.98"):
        shares, answers = classes(name, np.random.default_rng(7))
        for n in SIZES:
            for differ in (0.3, 1.0):
                hit = called = 0
                for trial in range(trials):
                    truth = rng.choice(len(shares), size=n, p=shares)
                    ways = answers.cumsum(axis=1)
                    first, second = ((rng.random(n)[:, None] > ways[truth]).sum(axis=1) for _ in range(2))
                    second = np.where(rng.random(n) < differ, second, first)
                    both = [one_hot(truth, answer, len(shares)) for answer in (first, second)]
                    found = statistic.paired_sums(*both, f1_of_sums, draws=1000, seed=trial)
                    hit += found.low <= 0 <= found.high
                    called += found.p_value < 0.05
                yield (
                    f"{name:14s} n {n:5d}  {differ:.0%} re-answered  hit {hit / trials:.3f}  "
                    f"called different {called / trials:.3f}"
                )


def judged(rights: Sequence[np.ndarray]) -> verdicts.Verdict:
    """The verdict over methods m0 (smallest), m1, ... and no baseline, from the rows each has right."""
    n = len(rights[0])
    named = {f"m{i}": right for i, right in enumerate(rights)}
    candidates = [
        verdicts.Candidate(name, statistic.wilson(int(right.sum()), n), size=i)
        for i, (name, right) in enumerate(named.items())
    ]
    best = verdicts.best_of(candidates)
    differences = {
        name: statistic.paired_accuracy(named[best], right, comparisons=len(named) - 1)
        for name, right in named.items()
        if name != best
    }
    return verdicts.verdict(candidates, differences, metric="accuracy", rows=n)


def called_different(n: int, differ: float, rng: np.random.Generator) -> float:
    """How often two methods of equal accuracy are called different, of 20,000 draws."""
    drawn = rng.multinomial(n, [differ / 2, differ / 2, 1 - differ], size=20_000)[:, :2]
    pairs, times = np.unique(drawn, axis=0, return_counts=True)
    found = [statistic.paired_counts(b, c, n, statistic.mcnemar(b, c)).p_value < 0.05 for b, c in pairs.tolist()]
    return float(times @ found) / 20_000


def verdict(trials: int, rng: np.random.Generator) -> Iterator[str]:
    """What is called different, found, or not worse; margin 2 points, all at 90 %."""

    def share(test: Callable[[], bool]) -> float:
        return sum(test() for _ in range(trials)) / trials

    def weak(n: int) -> np.ndarray:
        return rng.random(n) < 0.6

    for n in SIZES:
        for differ in (0.02, 0.06, 0.12):
            called = share(lambda n=n, d=differ: not judged(outcomes(n, d, 0.0, rng)).tied)
            many = called_different(n, differ, rng)
            yield (
                f"n {n:5d}  {differ:.0%} differ, equal accuracy: called distinguishable {called:.3f}, "
                f"in 20,000: {many:.4f}  (<= 0.06)"
            )
    found = share(lambda: not judged(outcomes(7600, 0.06, 0.01, rng)).tied)
    yield f"n  7600  6% differ, gap 1 point: found {found:.3f}  (>= 0.90)"
    for n in (*SIZES, 250, 1000, 2000):
        for differ in (0.04, 0.06, 0.12):
            for third in (False, True):
                for small_is_worse in (True, False):

                    def worse_passes(n: int = n, d: float = differ, third: bool = third, small: bool = small_is_worse):
                        better, worse = outcomes(n, d, 0.02, rng)
                        rights = [worse, better] if small else [better, worse]
                        return ("m0" if small else "m1") in judged([*rights, weak(n)] if third else rights).not_worse

                    which = f"{'smaller' if small_is_worse else 'larger'} worse by the margin"
                    which += ", a third weak" if third else ""
                    passed = share(worse_passes)
                    yield f"n {n:5d}  {differ:.0%} differ, {which:37s} called not worse {passed:.3f}  (<= 0.06)"
    for count in (3, 5):

        def any_different(count: int = count) -> bool:
            hard = rng.random(7600) < 0.5  # rows that every method has right
            return len(judged([hard | (rng.random(7600) < 0.8) for _ in range(count)]).tied) < count - 1

        yield f"n  7600  {count} methods, all equal: any called distinguishable {share(any_different):.3f} (no bound)"


def trainings(shares: np.ndarray, every: np.ndarray, likeness: float, rng: np.random.Generator) -> list[np.ndarray]:
    """Tables of right and 1 [rows, 2] by trainings of one method that truly have these shares right.

    every [rows]: how hard a row is for every method. Half of the part `likeness` of how hard a row is for a training
    is that, the other half is the method's, and the rest the training's own.
    """
    rows = len(every)
    alike = np.sqrt(likeness / 2) * (every + rng.standard_normal(rows))
    hard = alike[:, None] + np.sqrt(1 - likeness) * rng.standard_normal((rows, len(shares)))
    right = hard < ndtri(np.clip(shares, 1e-4, 1 - 1e-4))
    return [np.stack([column, np.ones(rows)], axis=1) for column in right.T]


def share_right(sums: np.ndarray) -> np.ndarray:
    return sums[..., 0] / sums[..., 1]


def seeds(trials: int, rng: np.random.Generator) -> Iterator[str]:
    """Accuracy over training seeds, truly 90 % on average and `sd` apart; the differences are truly none."""

    def trial(n: int, count: int, likeness: float, sd: float, seed: int) -> list[bool]:
        every = rng.standard_normal(n)
        spreads = (sd * rng.standard_normal(count), sd * rng.standard_normal(count), np.zeros(1))
        first, *others = (trainings(0.9 + apart, every, likeness, rng) for apart in spreads)
        alone = [statistic.wilson(float(table[:, 0].sum()), n) for table in first]
        of_rows = spread.rows_alone(first, share_right, draws=1000, seed=seed)
        scores = (spread.mean_score(alone, of_rows, most=1.0), spread.mean_score(alone, most=1.0), alone[0])
        gaps = [spread.difference(first, other, share_right, draws=1000, seed=seed) for other in others]
        told = [answer for gap in gaps for answer in (gap.low <= 0 <= gap.high, gap.p_value < 0.05)]
        return [*(held(found, 0.9) for found in scores), *told]

    for n, count, likeness in ((n, k, likeness) for n in SIZES for k in (2, 3, 5) for likeness in (0.8, 0.95)):
        for sd in (0.0, 0.003, 0.01, 0.03):
            found = np.mean([trial(n, count, likeness, sd, seed) for seed in range(trials)], axis=0)
            yield (
                f"n {n:5d}  {count} seeds {likeness:.0%} alike, {100 * sd:.1f} points apart  hit {found[0]:.3f} "
                f"(from their intervals {found[1]:.3f}, one seed's {found[2]:.3f})  "
                f"difference: of two trained hit {found[3]:.3f} called {found[4]:.3f}, "
                f"to one not trained hit {found[5]:.3f} called {found[6]:.3f}"
            )


def clusters(trials: int, rng: np.random.Generator) -> Iterator[str]:
    """Rows that repeat, counted as clusters, and in brackets as if they were different; 4 equal classes, truly 90 %.

    Two methods answer each input for itself and are equally good; all rows of an input have one target and one answer.
    """
    shares, answers = classes("4-equal 0.9", np.random.default_rng(7))
    truths = (0.9, 0.9, float(metrics.scores_from_confusion(shares[:, None] * answers)["f1_macro"]))

    def trial(inputs: int, share: float, seed: int) -> np.ndarray:
        number = repeated_rows(inputs, share, rng)
        target = rng.choice(len(shares), size=inputs, p=shares)
        ways = answers.cumsum(axis=1)[target]
        first, second = ((rng.random(inputs)[:, None] > ways[:, :3]).sum(axis=1)[number] for _ in range(2))
        truth, known = target[number], clusters_of(number.tolist())
        counts, both = metrics.confusion(truth, first, 4), [one_hot(truth, a, 4) for a in (first, second)]
        told: list[bool] = []
        for own in (known, None):
            again = Repeated(truth, first, own) if own else None
            found = (
                statistic.share_right(first == truth, own),
                statistic.bootstrap_mean(first == truth, draws=1000, seed=seed, clusters=own),
                statistic.bootstrap_confusion(counts, ["f1_macro"], draws=1000, seed=seed, repeated=again)["f1_macro"],
            )
            gaps = (
                statistic.paired_accuracy(first == truth, second == truth, clusters=own),
                statistic.paired_sums(*both, f1_of_sums, draws=1000, seed=seed, clusters=own),
            )
            told += [held(one, goal) for one, goal in zip(found, truths, strict=True)]
            told += [answer for gap in gaps for answer in (gap.low <= 0 <= gap.high, gap.p_value < 0.05)]
        return np.array(told)

    names = ("accuracy", "a mean by bootstrap", "macro F1", "difference of accuracies", "called different",
             "difference of macro F1", "called different")  # fmt: skip
    for inputs in (100, 500):
        for share in (0.05, 0.3):
            found = np.mean([trial(inputs, share, seed) for seed in range(trials)], axis=0)
            cells = (f"{n} {a:.3f} ({b:.3f})" for n, a, b in zip(names, found[:7], found[7:], strict=True))
            yield f"{inputs:5d} inputs, {share:4.0%} repeated  hit: {'  '.join(cells)}"


def speed(trials: int, rng: np.random.Generator) -> Iterator[str]:
    """Processor time at 7,600 rows and 20 classes."""
    truth = rng.integers(0, 20, size=7600)
    first, second = (np.where(rng.random(7600) < 0.1, rng.integers(0, 20, size=7600), truth) for _ in range(2))
    counts, both = metrics.confusion(truth, first, 20), [one_hot(truth, answer, 20) for answer in (first, second)]
    for name, act in (
        ("bootstrap_confusion, all scores", lambda: statistic.bootstrap_confusion(counts, metrics.SCORE_NAMES)),
        ("paired_sums, f1_macro", lambda: statistic.paired_sums(*both, f1_of_sums)),
        ("paired_accuracy", lambda: statistic.paired_accuracy(truth == first, truth == second)),
        ("bootstrap_mean", lambda: statistic.bootstrap_mean(rng.random(7600))),
    ):
        times = []
        for _ in range(5):
            start = time.process_time()
            act()
            times.append(time.process_time() - start)
        yield f"{name:32s} {1000 * min(times):6.1f} ms"


PARTS = {
    part.__name__: part
    for part in (accuracy, f1_macro, losses, entities, paired, paired_f1, verdict, seeds, clusters, shift, speed)
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--trials", type=int, default=500)
    chosen = parser.parse_args()
    for name in chosen.parts or PARTS:
        print(f"\n{name}: {PARTS[name].__doc__}", flush=True)
        for line in PARTS[name](chosen.trials, np.random.default_rng(20261122)):
            print(f"  {line}", flush=True)


if __name__ == "__main__":
    main()
