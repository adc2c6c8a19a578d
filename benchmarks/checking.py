"""Does what few checked rows say of a teacher and its pupils hold? Worlds made of AG News, whose truth is known.

    SLMFIT_DATA=… python benchmarks/checking.py                  # 1,000 draws a cell, ten minutes of processor time
    SLMFIT_DATA=… python benchmarks/checking.py --draws 200 --only 13

In a world a teacher is wrong in a share of the rows, at random or where the truth is hard to tell (there it takes the
likeliest wrong label), and three methods learn its answers: `linear` 8,000 of them, `bayes` 8,000, `few` 600. Beside
them stands `edge`, which is linear with so many answers spoilt or mended that it is truly 3.05 points worse than the
teacher: to leave for it would be wrong, and only just. A draw takes 2,000 of the 7,600 test rows as the log's, with
repeats, and checks 150 or 400; the truth is that of all 7,600. A uniform sample of as many checked rows is judged by
Wilson's and Tango's intervals beside it.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TypeAlias

import numpy as np
from common import ag_news
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB

from slmfit.evidence import checked as checks
from slmfit.evidence.in_part import Part, Sample, in_parts, most_alike
from slmfit.evidence.statistic import tango, wilson
from slmfit.evidence.truth import MARGIN, Rival, told
from slmfit.records import Score

ERRORS = (0.06, 0.13, 0.25)
CHECKED = (150, 400)
ROWS = 2000
BEYOND = 0.0305  # how much worse `edge` truly is, and `proud` where it is surest
BLIND, PROUD = 0.08, 0.4  # how much worse `blind` is; the share of the rows with the errors of `proud`
SIZES = {"edge": 1.0, "few": 2.0, "bayes": 3.0, "linear": 4.0, "blind": 5.0, "proud": 6.0}
LADDERS = {
    "as learnt": ("few", "bayes", "linear"),
    "with edge": ("edge", "few", "bayes"),
    "blind alone": ("blind",),
    "proud alone": ("proud",),
}
Counts: TypeAlias = tuple[np.ndarray, np.ndarray]
Ends: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class World:
    """Of each of all test rows [rows]: is the teacher right; and of every method: is it, does it agree with the
    teacher, how likely it finds the teacher's answer, and its own."""

    name: str
    teacher: np.ndarray
    right: Mapping[str, np.ndarray]
    agree: Mapping[str, np.ndarray]
    sure: Mapping[str, np.ndarray]
    own: Mapping[str, np.ndarray]

    def lost(self, part: Part) -> float:
        """How much worse than the teacher both together truly are."""
        answers = self.own[part.method] >= part.threshold
        return float((answers * (self.teacher.astype(float) - self.right[part.method])).mean())

    def gap(self, name: str) -> float:
        return float(self.teacher.mean() - self.right[name].mean())


def worlds(only: str | None) -> list[World]:
    """A world for every share of errors, of either kind."""
    data = ag_news()
    codes = {label: code for code, label in enumerate(sorted({str(e.target) for e in data.test}))}
    parts = [data.train, data.test]
    truth = [np.array([codes[str(e.target)] for e in part]) for part in parts]
    words = TfidfVectorizer(sublinear_tf=True, min_df=2)
    words.fit([str(e.input) for e in data.train])
    table = [words.transform([str(e.input) for e in part]) for part in parts]
    mixed = np.random.default_rng(11).permutation(len(truth[0]))
    learns, judges = mixed[:8000], mixed[8000:14000]
    known = LogisticRegression(C=3, max_iter=300).fit(table[0][judges], truth[0][judges])
    likely = [known.predict_proba(part) for part in table]
    found = []
    for share in ERRORS:
        for hard in (False, True):
            name = f"{100 * share:.0f} % {'where it is hard' if hard else 'at random'}"
            if only is None or only in name:
                rng = np.random.default_rng([round(100 * share), hard])
                answers = [erring(t, p, share, hard, rng) for t, p in zip(truth, likely, strict=True)]
                found.append(world(name, table, answers, truth[1], learns, rng))
    return found


def erring(truth: np.ndarray, likely: np.ndarray, share: float, hard: bool, rng: np.random.Generator) -> np.ndarray:
    """A teacher's answers [rows]. likely [rows, labels]: by what is hard is told."""
    rows, labels = likely.shape
    wrong = rng.random(rows) < share
    others = np.where(np.arange(labels) == truth[:, None], -1.0, rng.random((rows, labels)))
    if hard:  # of the hardest rows, twice as many as there are errors, every other one
        hardest = np.argsort(likely[np.arange(rows), truth])[: round(2 * share * rows)]
        wrong = np.zeros(rows, bool)
        wrong[rng.permutation(hardest)[: round(share * rows)]] = True
        others = np.where(np.arange(labels) == truth[:, None], -1.0, likely)
    return np.where(wrong, others.argmax(axis=1), truth)


def world(
    name: str, table: list, answers: list[np.ndarray], truth: np.ndarray, learns: np.ndarray, rng: np.random.Generator
) -> World:
    """Fit the methods on the teacher's answers to some rows of train, and let them answer test."""
    taught, teacher = answers[0], answers[1]
    makers = {
        "linear": (LogisticRegression(C=3, max_iter=300), learns),
        "bayes": (MultinomialNB(alpha=0.1), learns),
        "few": (LogisticRegression(C=3, max_iter=300), learns[:600]),
    }
    given, sure, own = {}, {}, {}
    for id, (maker, rows) in makers.items():
        chances = maker.fit(table[0][rows], taught[rows]).predict_proba(table[1])
        given[id], sure[id] = chances.argmax(axis=1), chances[np.arange(len(teacher)), teacher]
        own[id] = chances.max(axis=1)
    every, surest = np.ones(len(truth), bool), own["linear"] >= np.quantile(own["linear"], 1 - PROUD)
    for id, some, beyond in (("edge", every, BEYOND), ("blind", every, BLIND), ("proud", surest, BEYOND)):
        given[id] = spoilt(given["linear"], truth, teacher == truth, some, beyond, rng)
        sure[id], own[id] = sure["linear"], own["linear"]
    own["blind"] = rng.random(len(truth))
    return World(
        name,
        teacher == truth,
        {id: one == truth for id, one in given.items()},
        {id: one == teacher for id, one in given.items()},
        sure,
        own,
    )


def spoilt(
    answers: np.ndarray,
    truth: np.ndarray,
    teacher: np.ndarray,
    some: np.ndarray,
    beyond: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Answers of which, among `some` rows, so many are spoilt or mended that these alone lose `beyond` to a teacher."""
    right, made = answers == truth, answers.copy()
    turn = round(int(teacher[some].sum()) - beyond * len(truth) - int(right[some].sum()))
    rows = rng.permutation(np.flatnonzero(some & (right if turn < 0 else ~right)))[: abs(turn)]
    made[rows] = truth[rows] if turn > 0 else (truth[rows] + rng.integers(1, 4, len(rows))) % 4
    return made


@dataclass
class Cell:
    """What a cell's draws come to: per name, a draw each, whether the truth was held, and widths beside even ones."""

    hits: dict[str, np.ndarray] = field(default_factory=dict)
    ratios: dict[str, float] = field(default_factory=dict)
    kinds: list[str] = field(default_factory=list)
    false: int = 0
    parts: list[float] = field(default_factory=list)  # the share that may leave in part, where that is the verdict
    false_parts: int = 0
    above: int = 0

    def add(self, name: str, found: Ends, truth: float, even: list[tuple[float, float]]) -> None:
        _, low, high = found
        self.hits[name] = (low <= truth) & (truth <= high)
        self.ratios[name] = float((high - low).mean() / np.mean([end - start for start, end in even]))

    def line(self) -> str:
        parts = [f"{name} {100 * hits.mean():.1f} ({self.ratios[name]:.2f}x)" for name, hits in self.hits.items()]
        claims = {kind: self.kinds.count(kind) / len(self.kinds) for kind in sorted(set(self.kinds))}
        told_of = ", ".join(f"{kind} {share:.1%}" for kind, share in claims.items())
        part = f", in part {self.false_parts / len(self.kinds):.1%}"
        part += f" (mean share {np.mean(self.parts):.0%})" if self.parts else ""
        return f"{'  '.join(parts)}\n      {told_of}; false leave {self.false / len(self.kinds):.1%}{part}"


@dataclass
class Drawn:
    """Of every draw what the estimates take: of the teacher, and of each method's accuracy and difference."""

    accuracy: dict[str, list[Counts]] = field(default_factory=lambda: defaultdict(list))
    gap: dict[str, list[Counts]] = field(default_factory=lambda: defaultdict(list))
    agrees: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    evenly: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    parts: list[Sample] = field(default_factory=list)  # of the method that may answer in part


def drawn(one: World, ladder: tuple[str, ...], n: int, draws: int, rng: np.random.Generator) -> Drawn:
    """Draw rows, and check some: once as slmfit does, once evenly."""
    found = Drawn()
    for draw in range(draws):
        rows = rng.integers(0, len(one.teacher), ROWS)
        agree = {id: one.agree[id][rows] for id in ladder}
        sure = np.mean([one.sure[id][rows] for id in ladder], axis=0)
        group = checks.grouped(np.stack(list(agree.values()), axis=1), sure)
        asked = checks.asking_order(group, seed=draw)[:n]
        teacher, even = one.teacher[rows[asked]], rows[:n]
        found.accuracy["teacher"].append(checks.accuracy_counts(group, asked, teacher))
        found.evenly["teacher"].append(share(int(one.teacher[even].sum()), n))
        for id in ladder:
            right, own = one.right[id], one.right[id][rows[asked]]
            found.accuracy[id].append(checks.accuracy_counts(group, asked, own, agree[id]))
            found.gap[id].append(checks.difference_counts(group, ~agree[id], asked, teacher, own))
            found.agrees[id].append(float(agree[id].mean()))
            found.evenly[id].append(share(int(right[even].sum()), n))
            ahead, behind = int((one.teacher & ~right)[even].sum()), int((right & ~one.teacher)[even].sum())
            found.evenly[f"to {id}"].append(pair(ahead, behind, n))
        small = most_alike({id: (one.own[id][rows], ~agree[id]) for id in ladder}, SIZES, MARGIN)
        own = one.right[small][rows[asked]]
        sure = one.own[small][rows]
        found.parts.append(Sample(small, group, sure, ~agree[small], asked, teacher, own))
    return found


def cell(one: World, ladder: tuple[str, ...], n: int, draws: int, rng: np.random.Generator) -> Cell:
    """Draw, estimate, judge."""
    sample, found = drawn(one, ladder, n, draws, rng), Cell()
    truth = {"teacher": float(one.teacher.mean())} | {id: float(one.right[id].mean()) for id in ladder}
    scores = {id: checks.weighed(counts, (1.0, 0.0), ROWS) for id, counts in sample.accuracy.items()}
    gaps = {id: checks.weighed(counts, (1.0, 0.0, -1.0), ROWS) for id, counts in sample.gap.items()}
    for id, ends in scores.items():
        found.add(id, ends, truth[id], sample.evenly[id])
    for id, ends in gaps.items():
        found.add(f"to {id}", ends, one.gap(id), sample.evenly[f"to {id}"])
    found.above = int((scores["teacher"][1] > 0.92).sum())
    parts = in_parts(sample.parts, margin=MARGIN)
    for draw in range(draws):
        at = {id: Score(*(float(end[draw]) for end in ends)) for id, ends in scores.items()}
        rivals = [
            Rival(id, sample.agrees[id][draw], at[id], Score(*(float(end[draw]) for end in gaps[id])), SIZES[id])
            for id in ladder
        ]
        verdict = told(rivals, at["teacher"], checks=n, part=parts[draw])
        found.kinds.append(verdict.kind)
        found.false += verdict.kind == "leave" and one.gap(str(verdict.method)) > MARGIN
        if verdict.part is not None:
            found.parts.append(verdict.part.share)
            found.false_parts += one.lost(verdict.part) > MARGIN
    return found


@cache
def share(hits: int, n: int) -> tuple[float, float]:
    """Wilson's interval."""
    found = wilson(hits, n)
    return float(found.low or 0.0), float(found.high or 0.0)


@cache
def pair(ahead: int, behind: int, n: int) -> tuple[float, float]:
    """Tango's interval."""
    return tango(ahead, behind, n)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--only", help="worlds whose name holds this: 13, random, hard")
    asked = parser.parse_args()
    for one in worlds(asked.only):
        shares = "  ".join(
            f"{id} {100 * one.right[id].mean():.1f} right, {100 * one.agree[id].mean():.1f} agree" for id in one.right
        )
        print(f"\nteacher wrong in {one.name}: {100 * one.teacher.mean():.1f} right  {shares}", flush=True)
        for n in CHECKED:
            for ladder, ids in LADDERS.items():
                found = cell(one, ids, n, asked.draws, np.random.default_rng(n))
                print(f"  {n} checked, {ladder}: {found.line()}; above 92: {found.above} of {asked.draws}", flush=True)


if __name__ == "__main__":
    main()
