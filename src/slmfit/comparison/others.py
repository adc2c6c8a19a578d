"""Other metrics beside the verdict's: those it is made up of, and those by which another method is the best.

parts_of(row, "exact_match")        # {"entity_f1": Score(1.0, …), "intent_accuracy": Score(0.567, …)}
list(disagreements(rows, "accuracy", best="linear", gap=gap))
# ["By macro F1 knn is the best: 71.2 % against 64.0 % of linear, which is the best by accuracy."]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from slmfit.evidence.statistic import LEVEL, Difference
from slmfit.records import MethodRow
from slmfit.text.figures import by_unit, told

# What else a method may be the best by.
BESIDE: Mapping[str, tuple[str, ...]] = {
    "accuracy": ("f1_macro",),
    "f1_macro": ("accuracy",),
    "exact_match": ("entity_f1", "intent_accuracy"),
    "entity_f1": ("exact_match", "intent_accuracy"),
    "intent_accuracy": ("exact_match", "entity_f1"),
}


def disagreements(
    rows: Sequence[MethodRow], metric: str, best: str, gap: Callable[[str, str], Difference]
) -> Iterator[str]:
    """A sentence for each other metric by which another method is the best.

    best: by `metric`. gap: of another metric and a method, how far that method is above `best` by it.
    """
    for other in BESIDE.get(metric, ()):
        scores = {row.id: score for row in rows if (score := (row.scores or {}).get("test", {}).get(other))}
        first = max(scores, key=lambda id: scores[id].value, default=best)
        if best not in scores or scores[first].value <= scores[best].value:
            continue
        unsure = ", though the two are not distinguishable by it" if gap(other, first).p_value >= 1 - LEVEL else ""
        yield (
            f"By {told(other)} {first} is the best: {by_unit(other, scores[first].value)} against "
            f"{by_unit(other, scores[best].value)} of {best}, which is the best by {told(metric)}{unsure}."
        )
