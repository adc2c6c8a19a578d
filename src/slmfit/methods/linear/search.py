"""Which features and how much regularisation: chosen on rows held out, the smaller of what does equally well.

    rows, splits = held_out(train, validation, seed=0)
    search = Search(rows, splits, Counts(rows.texts, splits), score, given={"C": 0.3}, seed=0, tell=print)
    search.run().choice.settings()                       # {"features": "words", "power": 2.0, "C": 0.3}

Rows held out are validation where it has ENOUGH of them; of fewer, the best of a dozen candidates is the luckiest, so
train and validation are cut into five folds instead, of which so many are held out in turn that they have ENOUGH
(fewer where texts are long); where that would be more than three, into three, of which two are held out. To hold out
five of five, or three of three, took 1.4 times as long each and was no better on cuts of train rows.

All candidates share one count of the terms. First C is searched for words alone; then rare words are trusted less, word
pairs, character n-grams and, where there are any, vectors added. More terms cost bytes and time, so a block is kept
only where log loss, which few rows blur less than the metric, is better for it, and the metric not worse by more than
one standard error on paired rows. To ask for two standard errors in log loss, as the rule once did, cost 0.3 points on
train rows of six data sets; one costs nothing there where rows are few, but 0.2 points on the 22,000 of AG News. Then
C and the trust in rare words are searched again around what was kept, and last how much the log ratios of its terms
are to say, which costs no more terms and no more training. Of vectors alone there is one kind, so C is all there is
to find.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slmfit.methods.linear.ratios import WEIGHTS, Ratios, added, log_ratios
from slmfit.methods.linear.solver import Codes, Floats, Machine, fit_curve, folds, margins, train_svm
from slmfit.text.tfidf import LEAST, SHARES, Counter, Tfidf, frequent, side_by_side

COUNTED, EMBEDDINGS = ("words", "words+pairs", "words+characters", "words+pairs+characters"), "embeddings"
FEATURES = (*COUNTED, EMBEDDINGS, *(f"{name}+{EMBEDDINGS}" for name in COUNTED))
POWERS = (2.0, 1.0)
LENGTHS = (1.0, 0.5)  # of the part of a text that its characters are, beside its words' 1
CS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
START, START_ALONE = 0.3, 3.0
MOST_CHARACTERS = 20_000_000  # of train that the search looks at; the fit itself takes all rows
ENOUGH = 1000  # rows held out to choose by
FOLDS, MOST_FOLDS_HELD = 5, 3
THIRDS, THIRDS_HELD = 3, 2  # where more would have to be held out

Score = Callable[[Codes], float]  # answers for the rows held out, in the order of the splits -> the metric
Split = tuple[NDArray[np.int64], NDArray[np.int64]]  # the numbers of rows to fit, and of rows to score


@dataclass(frozen=True)
class Rows:
    """Texts and the class of each, 0 to classes - 1. groups: of each, see `folds`."""

    texts: Sequence[str]
    codes: Codes
    classes: int
    groups: Codes | None = None

    def __getitem__(self, kept: NDArray[np.int64]) -> Rows:
        groups = None if self.groups is None else self.groups[kept]
        return Rows([self.texts[i] for i in kept], self.codes[kept], self.classes, groups)


@dataclass(frozen=True)
class Choice:
    """One set of settings; None for what has no meaning in the features."""

    features: str
    power: float | None
    characters: float | None
    C: float
    ratios: float | None = None

    @classmethod
    def of(cls, features: str, given: Mapping[str, Any], C: float) -> Choice:
        """What is given, and for the rest the values to begin with."""
        blocks = blocks_of(features)
        power = None if blocks == (EMBEDDINGS,) else given.get("power", POWERS[0])
        characters = given.get("characters", LENGTHS[0]) if "characters" in blocks else None
        ratios = None if blocks == (EMBEDDINGS,) else given.get("ratios", 0.0)
        return cls(features, power, characters, given.get("C", C), ratios)

    def settings(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}

    @property
    def shares(self) -> dict[str, float]:
        """The length of each block of a text."""
        return SHARES if self.characters is None else {**SHARES, "characters": self.characters}

    def beside(self, block: str, given: Mapping[str, Any]) -> Choice:
        """The same with a block more."""
        blocks = {*blocks_of(self.features), block}
        features = "+".join(b for b in (*SHARES, EMBEDDINGS) if b in blocks)
        return replace(Choice.of(features, given, self.C), power=self.power, C=self.C)


def blocks_of(features: str) -> tuple[str, ...]:
    return tuple(features.split("+"))


Matrices = Callable[[Choice], Sequence[tuple[Any, Any]]]  # per split, the features of either part


@dataclass(frozen=True)
class Candidate:
    """What a choice did on the rows held out: the metric, and per row whether it was right and its log loss."""

    choice: Choice
    value: float
    right: NDArray[np.bool_]
    losses: Floats

    @property
    def log_loss(self) -> float:
        return float(self.losses.mean())

    def better_than(self, other: Candidate) -> bool:
        """By the metric where the difference is clear, else by log loss, which few rows blur less."""
        if abs(self.value - other.value) > self._blur(other):
            return self.value > other.value
        return self.log_loss < other.log_loss

    def worth_more_than(self, other: Candidate) -> bool:
        """Clearly better in the metric and no worse in log loss, or better in log loss and not clearly worse in it."""
        gain, surer, blur = self.value - other.value, other.log_loss - self.log_loss, self._blur(other)
        return bool((gain > blur and surer >= 0) or (gain >= -blur and surer > 0))

    def _blur(self, other: Candidate) -> float:
        """One standard error of the difference in accuracy, from the rows on which one alone is right."""
        return float(np.sqrt((self.right != other.right).sum()) / len(self.right))


def held_out(train: Rows, validation: Rows, seed: int) -> tuple[Rows, list[Split]]:
    """The rows to choose by, and which of them are fitted and which scored; see the head of this file."""
    count, codes = len(validation.texts), np.concatenate((train.codes, validation.codes))
    groups = None
    if train.groups is not None and validation.groups is not None:
        groups = np.concatenate((train.groups, validation.groups))
    rows, everything = Rows([*train.texts, *validation.texts], codes, train.classes, groups), np.arange(len(codes))
    room = MOST_CHARACTERS // max(1, sum(map(len, rows.texts)))
    if count >= ENOUGH or not room:
        return rows, [(everything[:-count], everything[-count:])]
    needed = int(np.ceil(ENOUGH * FOLDS / len(codes)))
    parts, held = (FOLDS, needed) if needed <= MOST_FOLDS_HELD else (THIRDS, THIRDS_HELD)
    fold, held = folds(codes, parts, seed, groups), min(held, room)
    return rows, [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(held)]


class Counts:
    """The terms of all rows, counted once and weighed as asked; a split's are those of its fitted rows alone."""

    def __init__(self, texts: Sequence[str], splits: Sequence[Split], features: str | None = None) -> None:
        """features: the only ones that will be asked for; None = any."""
        blocks = tuple(block for block in SHARES if features is None or block in blocks_of(features))
        self.counter, counts = Counter.fit(texts, blocks)
        self.parts = [_apart(counts, *split) for split in splits]
        self._weighed: dict[tuple[str, float, float], list[tuple[Any, Any]]] = {}  # of the power asked for last

    def __call__(self, choice: Choice) -> list[tuple[Any, Any]]:
        blocks = [block for block in self.counter.blocks if block in blocks_of(choice.features)]
        keys = [(block, float(choice.power or 0), choice.shares[block]) for block in blocks]
        self._weighed = {key: found for key, found in self._weighed.items() if key[1] == keys[0][1]}
        for key in keys:
            if key not in self._weighed:
                self._weighed[key] = [self._weigh(*key, *part) for part in self.parts]
        parts = zip(*(self._weighed[key] for key in keys), strict=True)
        return [(side_by_side([a for a, _ in part]), side_by_side([b for _, b in part])) for part in parts]

    def _weigh(
        self, block: str, power: float, share: float, fitted: Mapping[str, Any], others: Mapping[str, Any]
    ) -> tuple[Any, Any]:
        weights = Tfidf.fit(self.counter.only([block]), fitted, power, {block: share})
        return weights.weigh(fitted), weights.weigh(others)


def _apart(counts: Mapping[str, Any], fitted: Codes, others: Codes) -> tuple[dict[str, Any], dict[str, Any]]:
    """The counts of the fitted rows and of the others, of the terms that would be kept of the fitted rows."""
    known = {block: frequent(counts[block][fitted], LEAST[block]) for block in counts}
    return {b: matrix for b, (matrix, _) in known.items()}, {b: counts[b][others][:, k] for b, (_, k) in known.items()}


class Search:
    """Trains candidates on the fitted rows of every split and scores them on the others.

    matrices: the features of both. given: settings that are fixed. dimension: of the embeddings that `matrices` knows
    beside what is counted, 0 for none. tell: called with every candidate tried.
    """

    def __init__(
        self,
        rows: Rows,
        splits: Sequence[Split],
        matrices: Matrices,
        score: Score,
        *,
        given: Mapping[str, Any],
        dimension: int = 0,
        seed: int,
        tell: Callable[[Candidate], None],
    ) -> None:
        self.rows, self.splits, self.matrices, self.score = rows, splits, matrices, score
        self.codes = rows.codes[np.concatenate([others for _, others in splits])]
        self.given, self.dimension, self.seed, self.tell = given, dimension, seed, tell
        self._tried: dict[Choice, Candidate] = {}
        self._last: tuple[Choice, list[_Fitted]] | None = None

    def run(self) -> Candidate:
        """The candidate to keep."""
        features = self.given.get("features", "words")
        best = start = self._climb(Choice.of(features, self.given, START_ALONE if features == EMBEDDINGS else START))
        if features == EMBEDDINGS:
            return best
        best = self._kept(best, self._powers(best.choice))
        if "features" in self.given:
            best = self._kept(best, self._lengths(best.choice))
        else:
            best = self._kept(best, [best.choice.beside("pairs", self.given)])
            longer = best.choice.beside("characters", self.given)
            best = self._kept(best, [*self._lower(longer), *self._lengths(longer)])
            if self.dimension:
                best = self._kept(best, self._lower(best.choice.beside(EMBEDDINGS, self.given)))
        if best is not start:
            best = self._climb(best.choice)
            again = [self._try(choice) for choice in self._powers(best.choice)]
            best = self._climb(again[0].choice) if again and again[0].better_than(best) else best
        best = self._with_ratios(best)
        if self.dimension and "features" not in self.given:
            alone = self._climb(Choice.of(EMBEDDINGS, self.given, START_ALONE))
            best = alone if alone.better_than(best) else best
        return best

    def best(self) -> Candidate:
        """The best of what was tried until now."""
        found: Candidate | None = None
        for tried in self._tried.values():
            found = tried if found is None or tried.worth_more_than(found) else found
        assert found is not None
        return found

    def _kept(self, best: Candidate, choices: Sequence[Choice]) -> Candidate:
        """The best of the choices where that is worth it."""
        found: Candidate | None = None
        for choice in choices:
            tried = self._try(choice)
            found = tried if found is None or tried.better_than(found) else found
        return best if found is None or not found.worth_more_than(best) else found

    def _powers(self, choice: Choice) -> list[Choice]:
        others = () if "power" in self.given else POWERS
        return [replace(choice, power=power) for power in others if power != choice.power]

    def _lengths(self, choice: Choice) -> list[Choice]:
        others = () if "characters" in self.given or choice.characters is None else LENGTHS
        return [replace(choice, characters=length) for length in others if length != choice.characters]

    def _lower(self, choice: Choice) -> list[Choice]:
        """It, and with the C below: a block more makes rows longer, as a larger C would."""
        below = [] if "C" in self.given else [C for C in CS if C < choice.C][-1:]
        return [choice, *(replace(choice, C=C) for C in below)]

    def _climb(self, first: Choice) -> Candidate:
        """The best C near that of `first`: up while it gets better, or else down."""
        start = best = self._try(first)
        if "C" in self.given:
            return start
        place = CS.index(first.C)
        for path in (CS[place + 1 :], CS[:place][::-1]):
            for C in path:
                found = self._try(replace(first, C=C))
                if not found.better_than(best):
                    break
                best = found
            if best is not start:
                break
        return best

    def _with_ratios(self, best: Candidate) -> Candidate:
        """The best weight of the log ratios beside `best`: up while it gets better."""
        for weight in () if "ratios" in self.given else WEIGHTS:
            found = self._try(replace(best.choice, ratios=weight))
            if not found.better_than(best):
                break
            best = found
        return best

    def _try(self, choice: Choice) -> Candidate:
        if choice not in self._tried:
            all_margins = np.concatenate([fitted.margins(choice.ratios or 0.0) for fitted in self._fitted(choice)])
            answers = all_margins.argmax(axis=1)
            losses = fit_curve(all_margins, self.codes).losses(all_margins, self.codes)
            self._tried[choice] = Candidate(choice, self.score(answers), answers == self.codes, losses)
            self.tell(self._tried[choice])
        return self._tried[choice]

    def _fitted(self, choice: Choice) -> list[_Fitted]:
        """A machine per split; the last ones are kept, since the weight of the ratios changes no machine."""
        key = replace(choice, ratios=None)
        if self._last is None or self._last[0] != key:
            beside_counts = self.dimension if EMBEDDINGS in blocks_of(choice.features) else 0
            found = []
            for (rows, _), (features, others) in zip(self.splits, self.matrices(choice), strict=True):
                codes = self.rows.codes[rows]
                machine = train_svm(features, codes, self.rows.classes, choice.C, self.seed)
                counted = features.shape[1] - beside_counts
                found.append(_Fitted(features, codes, others, machine, counted))
            self._last = key, found
        return self._last[1]


@dataclass(frozen=True)
class _Fitted:
    """The machine of one split, and what it was fitted on. counted: how many of the features are terms."""

    features: Any
    codes: Codes
    others: Any
    machine: Machine
    counted: int

    @cached_property
    def ratios(self) -> Ratios:
        return log_ratios(self.features, self.codes, self.machine, self.counted)

    def margins(self, weight: float) -> Floats:
        """Of the rows held out."""
        return margins(self.others, *(added(self.machine, self.ratios, weight) if weight else self.machine))


def part(rows: Rows, seed: int) -> NDArray[np.int64]:
    """The numbers of the rows to search on: all, or so many drawn at random that they hold MOST_CHARACTERS."""
    share = MOST_CHARACTERS / max(1, sum(map(len, rows.texts)))
    if share >= 1:
        return np.arange(len(rows.texts))
    return np.random.default_rng(seed).permutation(len(rows.texts))[: max(1, int(share * len(rows.texts)))]
