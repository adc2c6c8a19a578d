"""Which features and how much regularisation: chosen on validation, the smaller of what does equally well.

    matrices = Counts(train.texts, validation.texts)
    search = Search(train, validation, matrices, score, given={"C": 0.3}, seed=0, tell=print)
    search.run().settings()                              # {"features": "words", "power": 2.0, "C": 0.3}

All candidates share one count of the terms. First C is searched for words alone; then rare words are trusted less, word
pairs added, character n-grams added, each kept only when it is clearly worth it, as more terms cost bytes and time:
when it gains more than one standard error in the metric (the rule of Breiman et al., "Classification and Regression
Trees", 1984, ch. 3.4.3, on paired rows), or more than two in log loss, which few rows blur less. Last, C is searched
again around what was kept. Of embeddings there is one kind, so C is all there is to search.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slmfit.methods.linear.solver import Codes, Floats, fit_curve, margins, train_svm
from slmfit.text.tfidf import SHARES, Counter, Tfidf

FEATURES = {
    "words": ("words",),
    "words+pairs": ("words", "pairs"),
    "words+characters": ("words", "characters"),
    "words+pairs+characters": ("words", "pairs", "characters"),
}
EMBEDDINGS = "embeddings"
POWERS = (2.0, 1.0)
CS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
START = 0.3
WITHOUT_VALIDATION = {"features": "words+pairs", "power": 2.0, "C": START}
MOST_CHARACTERS = 20_000_000  # of train that the search looks at; the fit itself takes all rows

Score = Callable[[Codes], float]  # answers for the validation rows -> the metric
Matrices = Callable[[str, Any], tuple[Any, Any]]  # features, power -> those of train, those of validation


@dataclass(frozen=True)
class Rows:
    """Texts and the class of each, 0 to classes - 1."""

    texts: Sequence[str]
    codes: Codes
    classes: int

    def __getitem__(self, kept: NDArray[np.int64]) -> Rows:
        return Rows([self.texts[i] for i in kept], self.codes[kept], self.classes)


@dataclass(frozen=True)
class Candidate:
    """What one set of settings did on validation: the metric, and per row whether it was right and its log loss.

    power: None where nothing is counted.
    """

    features: str
    power: float | None
    C: float
    value: float
    right: NDArray[np.bool_]
    losses: Floats

    @property
    def log_loss(self) -> float:
        return float(self.losses.mean())

    def settings(self) -> dict[str, Any]:
        power = {} if self.power is None else {"power": self.power}
        return {"features": self.features, **power, "C": self.C}

    def better_than(self, other: Candidate) -> bool:
        """By the metric where the difference is clear, else by log loss, which few rows blur less."""
        if abs(self.value - other.value) > self._blur(other):
            return self.value > other.value
        return self.log_loss < other.log_loss

    def worth_more_than(self, other: Candidate) -> bool:
        """Clearly better in the metric and no worse in log loss, or clearly in log loss and as good in the metric."""
        gain, gains, blur = self.value - other.value, other.losses - self.losses, self._blur(other)
        surer = gains.mean() > 2 * gains.std() / np.sqrt(len(gains))
        return bool(gain > blur and gains.mean() >= 0) or bool(gain >= -blur and surer)

    def _blur(self, other: Candidate) -> float:
        """One standard error of the difference in accuracy, from the rows on which one alone is right."""
        return float(np.sqrt((self.right != other.right).sum()) / len(self.right))


class Counts:
    """The terms of train and validation, counted once and weighed as asked."""

    def __init__(self, train: Sequence[str], validation: Sequence[str], features: str | None = None) -> None:
        """features: the only ones that will be asked for; None = any."""
        self.counter, self.counts = Counter.fit(train, FEATURES[features] if features else tuple(SHARES))
        self.other_counts = self.counter.count(validation)
        self._weighed: tuple[tuple[str, float | None] | None, Any, Any] = (None, None, None)  # what was asked for last

    def __call__(self, features: str, power: float) -> tuple[Any, Any]:
        """Those of train and those of validation."""
        if self._weighed[0] != (features, power):
            weights = Tfidf.fit(self.counter.only(FEATURES[features]), self.counts, power)
            self._weighed = (features, power), weights.weigh(self.counts), weights.weigh(self.other_counts)
        return self._weighed[1:]


class Search:
    """Trains candidates on train and scores them on validation.

    matrices: the features of both. given: settings that are fixed. tell: called with every candidate tried.
    """

    def __init__(
        self,
        train: Rows,
        validation: Rows,
        matrices: Matrices,
        score: Score,
        *,
        given: Mapping[str, Any],
        seed: int,
        tell: Callable[[Candidate], None],
    ) -> None:
        self.train, self.validation, self.matrices, self.score = train, validation, matrices, score
        self.given, self.seed, self.tell = given, seed, tell

    def run(self) -> Candidate:
        """The candidate to keep."""
        given = self.given
        powers = [given["power"]] if "power" in given else POWERS
        start = best = self._climb(self._try(given.get("features", "words"), powers[0], given.get("C", START)))
        for power in powers[1:]:
            best = self._kept(best, best.features, power)
        for block in () if "features" in given else ("pairs", "characters"):
            best = self._kept(best, f"{best.features}+{block}", best.power)
        return best if best is start else self._climb(best)

    def _kept(self, best: Candidate, features: str, power: float | None) -> Candidate:
        found = self._try(features, power, best.C)
        return found if found.worth_more_than(best) else best

    def _climb(self, first: Candidate) -> Candidate:
        """The best C near that of `first`: up while it gets better, or else down."""
        if "C" in self.given:
            return first
        best, place = first, CS.index(first.C)
        for path in (CS[place + 1 :], CS[:place][::-1]):
            for C in path:
                found = self._try(first.features, first.power, C)
                if not found.better_than(best):
                    break
                best = found
            if best is not first:
                break
        return best

    def _try(self, name: str, power: float | None, C: float) -> Candidate:
        features, others = self.matrices(name, power)
        machines = train_svm(features, self.train.codes, self.train.classes, C, self.seed)
        found_margins, codes = margins(others, *machines), self.validation.codes
        answers = found_margins.argmax(axis=1)
        losses = fit_curve(found_margins, codes).losses(found_margins, codes)
        found = Candidate(name, power, C, self.score(answers), answers == codes, losses)
        self.tell(found)
        return found


def part(rows: Rows, seed: int) -> NDArray[np.int64]:
    """The numbers of the rows to search on: all, or so many drawn at random that they hold MOST_CHARACTERS."""
    share = MOST_CHARACTERS / max(1, sum(map(len, rows.texts)))
    if share >= 1:
        return np.arange(len(rows.texts))
    return np.random.default_rng(seed).permutation(len(rows.texts))[: max(1, int(share * len(rows.texts)))]
