"""What to do next, which differs with what came out.

list(next_steps(source, row, 2))     # ["Have whoever ran this see to the 2 warnings above.", "Get more labels: …"]
"""

from __future__ import annotations

from collections.abc import Iterator

from slmfit.records import MethodRow
from slmfit.reporting.disk import Source
from slmfit.reporting.mistakes import still_climbs, surest_half
from slmfit.reporting.warned import warnings
from slmfit.text.figures import by_unit, number_of, percent


def next_steps(source: Source, row: MethodRow, tried: int) -> Iterator[str]:
    """tried: how many methods ran that look at what they are asked."""
    assert source.comparison
    kind = source.comparison.verdict.kind
    if warned := len(warnings(source)):
        yield f"Have whoever ran this see to the {number_of(warned, 'warning')} above."
    if kind == "too-little-data":
        yield "Have more texts labelled, and compare again."
        return
    if kind == "nothing-beats-majority":
        yield "Look whether the answers can be told from the texts at all, before more is spent on this."
        return
    if tried < 2:
        yield "Try another method, as nothing real was compared (`slmfit compare --methods linear,knn,encoder`)."
    if climb := still_climbs(source, row.id):
        metric = (source.diagnostics or {})["learning_curve"]["metric"]
        before, now = (by_unit(metric, point["score"]["value"]) for point in climb)
        yield (
            f"Get more labels, if you can: from {climb[0]['rows']:,} to {climb[1]['rows']:,} texts the score still "
            f"rose from {before} to {now} on validation."
        )
    yield f"Read some mistakes of {row.id} under “Where they fail”: would they do harm?"
    half = surest_half(source, row.id)
    sure = (
        f", or let it answer only where it is sure: of the surest {100 * half[0]:.0f} % of the texts "
        f"{percent(half[1])} are right, and people take the rest"
        if half
        else ""
    )
    yield f"If they would, do not use it alone: let people check what it answers{sure}."
    yield (
        "If not, have about 400 new texts labelled, which tells the score to within 5 points (`slmfit evaluate`), "
        "before it is put to use (`slmfit predict`)."
    )
