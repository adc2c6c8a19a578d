"""The verdict: the smallest method that is not worse than the best, or why none can be named. Numbers in, words out.

    found = verdict(candidates, {"small": gap, ...}, metric="accuracy", rows=7600)
    sentence(found)                                                   # "linear is the smallest method that ..."

The rules, and what they protect against, are in `verdict`; benchmarks/statistics_check.py holds them to their word.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from slmfit.evidence.statistic import LEVEL, Difference
from slmfit.records import Score
from slmfit.text.figures import SHARES, by_unit, interval, joined, more_wrong, points_words, told

Kind: TypeAlias = Literal["pick", "nothing-beats-majority", "too-little-data", "nothing-to-compare"]
Prefer: TypeAlias = Literal["size", "latency", "memory", "cost"]
SAME_ROWS = "gave the scores and decided between the methods"  # the caveat that a reader finds in plain words
MANY_REPEATS = 0.1  # share of the test rows that repeat another, above which a reader has to be told
ORDERS: dict[Prefer, tuple[str, str]] = {
    "size": ("smallest", "smaller"),
    "latency": ("fastest", "faster"),
    "memory": ("leanest", "leaner"),
    "cost": ("cheapest", "cheaper"),
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One method in the comparison. size: what should be small (bytes, ms, $); None = unknown, counts as largest.

    seeds: how many trainings its score is the mean of; 0 for a method that is not trained. always: in words, what it
    answers whatever it is asked; empty where that depends on the text. parts: metrics that the score is made up of.
    """

    id: str
    score: Score
    size: float | None = None
    is_baseline: bool = False
    seeds: int = 0
    always: str = ""
    parts: Mapping[str, Score] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the comparison says. Ids are in order of size, smallest first; scores are shares, not percent.

    method: the pick; the baseline when nothing beats it; the only one when there is nothing to compare it with; None
    when there is too little data.
    best: the highest score; of methods with exactly that score the smallest (`level` names the others). tied: not
    distinguishable from it. not_worse: shown to be within the margin of it, the best itself included; empty when there
    is too little data, or nothing to compare. unresolved: neither distinguishable nor shown not worse.
    seeds: of each method that is trained, how many trainings its score is the mean of.
    reason: why this kind and this method, one clause. rows_needed: with too little data, about how many test rows
    would tell if the differences stay as they are. different: test rows but for repeats; None where all differ.
    always: of each method that gives one answer whatever it is asked, that answer in words. parts: of each method, the
    scores in the metrics that `metric` is made up of. unknown: whose size is not known.
    """

    kind: Kind
    method: str | None
    best: str
    tied: tuple[str, ...]
    not_worse: tuple[str, ...]
    unresolved: tuple[str, ...]
    scores: Mapping[str, Score]
    differences: Mapping[str, Difference]
    seeds: Mapping[str, int]
    metric: str
    margin: float
    rows: int
    prefer: Prefer
    reason: str
    rows_needed: int | None = None
    different: int | None = None
    always: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[str, Mapping[str, Score]] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()

    @property
    def level(self) -> tuple[str, ...]:
        """Who has the very score of the best."""
        score = self.scores[self.best].value
        return tuple(id for id, one in self.scores.items() if id != self.best and one.value == score)

    @property
    def counted(self) -> int:
        """The test rows, but for repeats where these are many."""
        few = self.different is not None and self.rows - self.different > MANY_REPEATS * self.rows
        return self.different if few and self.different else self.rows


def best_of(candidates: Sequence[Candidate]) -> str:
    """The id with the highest score; of equals the smallest, and never the baseline before another."""
    return min(candidates, key=lambda one: (-one.score.value, one.is_baseline, _size(one), one.id)).id


def verdict(
    candidates: Sequence[Candidate], differences: Mapping[str, Difference], *,
    metric: str, rows: int, margin: float = 0.02, prefer: Prefer = "size", alpha: float = 1 - LEVEL,
    different: int | None = None,
) -> Verdict:  # fmt: skip
    """The smallest method that is not worse than the best one, or why none can be named.

    candidates: the scores (shares, higher is better). differences: for each id but the best's (see best_of), best minus
    method, corrected for len(candidates) - 1 comparisons. margin: a share, 0.02 = 2 points.

    - Not worse: the interval's far end (`high`) is within the margin. The best is not worse than itself.
    - Distinguishable: the corrected p-value is below alpha.
    - The pick: the smallest not-worse method; the baseline (`majority`) counts as smaller than all.
    - Nothing beats the baseline: the pick is the baseline.
    - Nothing to compare: there is one method, which is no pick and is not said to be good or bad.
    - Too little data, when the pick would rest on the luck of the draw of test rows:
      the best is not distinguishable from the baseline, and the baseline is not shown to be as good either; or
      the pick is the best and a smaller method is unresolved (it may do as well); or
      the pick is the best and a larger, not distinguishable one may be better by more than the margin (-`low`).
      A smaller method that is unresolved does not shake a pick that was itself shown not worse: see `caveats`.

    The last rule is what bounds the error. "The best is never worse" by itself would call a method that is truly worse
    by the margin not worse whenever it happens to score highest, up to one time in four at n = 100.
    Raises ValueError when there is no candidate or a difference is missing.
    """
    if not candidates:
        raise ValueError("a verdict needs at least one method")
    best = best_of(candidates)
    ordered = sorted(candidates, key=lambda one: (not one.is_baseline, _size(one), -one.score.value, one.id))
    others = [one.id for one in ordered if one.id != best]
    if missing := [name for name in others if name not in differences]:
        raise ValueError(f"no difference to {best} given for {', '.join(missing)}")
    tied = [name for name in others if differences[name].p_value >= alpha]
    within = [one.id for one in ordered if one.id == best or differences[one.id].high <= margin]
    pick, baselines = within[0], {one.id for one in ordered if one.is_baseline}
    smaller = [one.id for one in ordered][: [one.id for one in ordered].index(best)]
    if pick in baselines and pick != best:
        doubts = []
    elif pick != best:
        doubts = [name for name in tied if name in baselines]
    else:
        doubts = [name for name in tied if name in smaller or -differences[name].low > margin]
    kind: Kind = "too-little-data" if doubts else "nothing-beats-majority" if pick in baselines else "pick"
    kind = kind if others else "nothing-to-compare"
    found = Verdict(
        kind=kind,
        method=None if doubts else pick,
        best=best,
        tied=tuple(tied),
        not_worse=tuple(within) if others and not doubts else (),
        unresolved=tuple(name for name in tied if name not in within),
        scores={one.id: one.score for one in ordered},
        differences={name: differences[name] for name in others},
        seeds={one.id: one.seeds for one in ordered if one.seeds},
        metric=metric,
        margin=margin,
        rows=rows,
        prefer=prefer,
        reason=_doubt(doubts[0], differences, margin, prefer, baselines, smaller) if doubts else "",
        different=different,
        always={one.id: one.always for one in ordered if one.always},
        parts={one.id: one.parts for one in ordered if one.parts},
        unknown=tuple(one.id for one in ordered if one.size is None),
    )
    if not doubts:
        return replace(found, reason=_why(found, pick))
    return replace(found, rows_needed=_rows_needed([differences[name] for name in doubts], found.counted, margin))


def sentence(found: Verdict) -> str:
    """The verdict in one plain sentence, for example: linear is the smallest method that is not worse: accuracy 90.9 %
    (90.2–91.5), 0.6 points below encoder (0.1 to 1.1), within the margin of 2 points.
    """
    subject = found.method or found.best
    score = found.scores[subject]
    best = f"{told(found.metric)} {by_unit(found.metric, score.value)}"
    of = [f"{told(name)} {by_unit(name, part.value)}" for name, part in found.parts.get(subject, {}).items()]
    ends = interval(found.metric, score)
    if beside := "; ".join(filter(None, (ends, ", ".join(of)))):
        best += f" ({beside})"
    if found.kind == "pick" and (smaller := _nearest_smaller(found)):
        loss = _loss(found.differences[smaller], found.metric)
        none = f"No {ORDERS[found.prefer][1]} method is as good as {found.method}"
        return f"{none}: {best}; the closest, {smaller}, {loss}."
    if found.kind == "pick":
        return f"{found.method} is the {ORDERS[found.prefer][0]} method that is not worse: {best}, {found.reason}."
    always = f" (always answers {found.always[subject]})" if subject in found.always else ""
    if found.kind == "nothing-to-compare":
        return f"{found.method}{always} is the only method that ran, so there is nothing to compare it with: {best}."
    if found.kind == "nothing-beats-majority":
        return f"Nothing beats {found.method}{always} by more than the margin: {best}, {found.reason}."
    enough = f" (about {found.rows_needed:,} would tell)" if found.rows_needed else ""
    trained = max(found.seeds.values(), default=0)
    seeds = f" and {trained} training seeds" if trained > 1 else ""
    few = f", {found.counted:,} of them different" if found.counted < found.rows else ""
    start = f"Too little data to tell with {found.rows:,} test rows{few}{enough}{seeds}"
    high = f"exactly as high as {joined(found.level)}" if found.level else "highest"
    return f"{start}: {found.best}{always} scores {high}, {best}, {found.reason}."


def caveats(found: Verdict) -> tuple[str, ...]:
    """What the sentence does not say and its reader should know; each a sentence of its own."""
    notes = []
    if len(found.scores) > 1:
        notes.append(
            f"The same {found.rows:,} test rows {SAME_ROWS}, so the highest score "
            "is a little too high on average; `slmfit evaluate` scores a method on rows that had no part in the choice."
        )
    if found.counted < found.rows:
        notes.append(
            f"Of the {found.rows:,} test rows {found.counted:,} are different and the others repeat them: intervals "
            "and tests count rows with the same text as one."
        )
    names = tuple(found.scores)
    if found.method and (unsure := [one for one in names[: names.index(found.method)] if one in found.unresolved]):
        notes.append(
            f"{joined(unsure)}: {ORDERS[found.prefer][1]}, and may do as well; "
            f"{found.rows:,} test rows neither show it nor rule it out."
        )
    if once := [name for name, seeds in found.seeds.items() if seeds == 1]:
        notes.append(f"{joined(once)}: one training seed; another may score differently; `--seeds 3` says by how much.")
    if several := [name for name, seeds in found.seeds.items() if seeds > 1]:
        notes.append(
            f"{joined(several)}: scores are means over training seeds; the run that predicts is the one that did best "
            "on validation."
        )
    return tuple(notes)


Gain: TypeAlias = Literal["better", "worse", "not distinguishable"]


def gain(gap: Difference) -> Gain:
    """What rows added to train brought a method. gap: with them minus without, corrected for the number of methods."""
    if gap.p_value >= 1 - LEVEL:
        return "not distinguishable"
    return "better" if gap.value > 0 else "worse"


def gained(method: str, without: str, gap: Difference, rows: int, file: str) -> str:
    """The same as a sentence. rows: how many were added, of `file`."""
    start = f"{method}, with {rows:,} rows of {file} added to train, is"
    found = gain(gap)
    if found != "not distinguishable":
        return f"{start} {found} than {without}, by {points_words(abs(gap.value))} ({_span(gap)})."
    return f"{start} not distinguishable from {without} ({points_words(gap.value)}, {_span(gap)})."


def _why(found: Verdict, pick: str) -> str:
    differences, best = found.differences, found.best
    if not differences:
        return ""
    first = (best, *found.level)
    if found.level and pick in first:
        gap = differences[pick if pick != best else found.level[0]]
        return f"exactly level with {joined([name for name in first if name != pick])} ({_span(gap)})"
    if pick != best:
        return f"{_below(differences[pick], best)}, within the margin of {points_words(found.margin)}"
    nearest = min(differences, key=lambda name: differences[name].value)
    return f"the highest score; next is {nearest}, {_below(differences[nearest], best)}"


def _nearest_smaller(found: Verdict) -> str | None:
    """Where nobody knows the pick's size, which counts as larger than all others: the best of those others.

    Each of them is worse, by the rules of `verdict`; to call the pick the smallest then is to hide that.
    """
    if found.method not in found.unknown:
        return None
    known = [name for name in found.differences if name not in found.unknown]
    return min(known, key=lambda name: found.differences[name].value, default=None)


def _loss(gap: Difference, metric: str) -> str:
    if metric in SHARES:
        return f"gets {more_wrong(gap.value)} wrong ({_span(gap)})"
    return f"is {points_words(gap.value)} below ({_span(gap)})"


def _doubt(
    name: str, differences: Mapping[str, Difference], margin: float, prefer: Prefer,
    baselines: Collection[str], smaller: Collection[str],
) -> str:  # fmt: skip
    gap = differences[name]
    if name in baselines:
        return f"but is not distinguishable from {name} ({_span(gap)} points above it)"
    if name in smaller:
        return (
            f"but the {ORDERS[prefer][1]} {name} is neither distinguishable from it nor shown to be within the margin "
            f"of {points_words(margin)} ({_span(gap)} points below)"
        )
    return f"but {name} may be up to {points_words(-gap.low)} better, more than the margin of {points_words(margin)}"


def _rows_needed(doubts: Sequence[Difference], rows: int, margin: float) -> int | None:
    """Intervals shrink with the square root of the rows: how many until every doubt is settled one way or another.

    None where that many may not do: where the training seeds have a part in the doubt, which rows do not lessen.
    """
    if any(gap.seed_error for gap in doubts):
        return None
    needed = 0.0
    for gap in doubts:
        ways = ((gap.high - gap.value, margin - gap.value), (gap.value - gap.low, gap.value))
        factors = [(half / target) ** 2 for half, target in ways if target > 0]
        if not factors:
            return None
        needed = max(needed, rows * min(factors))
    if needed <= rows:  # the intervals say that there are enough, and the test that goes by whole rows does not
        return None
    digits = max(int(math.log10(max(needed, 1))) - 1, 0)
    return math.ceil(needed / 10**digits) * 10**digits


def _below(gap: Difference, best: str) -> str:
    where = f"{points_words(gap.value)} below" if round(gap.value, 3) else "level with"
    return f"{where} {best} ({_span(gap)})"


def _span(gap: Difference) -> str:
    return f"{100 * gap.low:.1f} to {100 * gap.high:.1f}".replace("-0.0", "0.0").replace("-", "−")


def _size(candidate: Candidate) -> float:
    return math.inf if candidate.size is None else candidate.size
