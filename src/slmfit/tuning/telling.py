"""What came of a tuning, in sentences.

sentence(decision, trials, "accuracy")
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from slmfit.evidence.statistic import Difference
from slmfit.text.figures import number_of, points_words, told
from slmfit.tuning.deciding import Decision
from slmfit.tuning.trials import FAILED, PRUNED, Tried


def sentence(found: Decision, trials: Sequence[Tried], metric: str) -> str:
    """Whether the gain can be told from luck, and what was kept."""
    others = number_of(found.comparisons, "trial")
    if found.gain is None:
        return f"No trial could be scored beside the defaults ({others} ended early). The defaults are kept."
    if found.claimed:
        gain, span = points_words(found.gain.value), _span(found.gain)
        return (
            f"Trial {found.best} is better than the defaults: {told(metric)} on validation is {gain} higher ({span}, "
            f"corrected for {others}). Its settings are kept."
        )
    if found.best == 0:
        return f"None of {others} did better on validation than the defaults, which are kept."
    gain, span = points_words(found.gain.value), _span(found.gain)
    return (
        f"No gain can be told from luck: the best of {others} has {told(metric)} on validation {gain} higher than the "
        f"defaults ({span}, corrected for all of them). The defaults are kept."
    )


def caveats(found: Decision, trials: Sequence[Tried], rows: int, one_training: bool) -> list[str]:
    """What to know beside it. rows: of validation. one_training: whether another seed would make another model."""
    return list(_caveats(found, trials, rows, one_training))


def _caveats(found: Decision, trials: Sequence[Tried], rows: int, one_training: bool) -> Iterator[str]:
    if found.smallest is not None and not found.claimed:
        smallest = points_words(found.smallest)
        yield f"On {rows:,} validation rows a gain of {smallest} would have been told nine times in ten."
    if found.claimed:
        yield "It was chosen by this score, so its gain is likely smaller: `slmfit compare` scores both on test."
    if one_training:
        yield "Each trial was trained once: what another seed would change is not in the interval (`--seeds 3`)."
    states = {PRUNED: "ended early, as they lay far behind", FAILED: "failed"}
    if ended := [f"{n} {words}" for state, words in states.items() if (n := _count(trials, state))]:
        yield f"Of {len(trials)} trials, {' and '.join(ended)}."


def _count(trials: Sequence[Tried], state: str) -> int:
    return sum(one.state == state for one in trials)


def _span(gain: Difference) -> str:
    """'−0.9 to 1.7'."""
    low, high = (points_words(end).partition(" ")[0].replace("-", "−") for end in (gain.low, gain.high))
    return f"{low} to {high}"
