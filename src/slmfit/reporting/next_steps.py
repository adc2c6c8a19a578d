"""What to do next, which differs with what came out.

list(next_steps(source, row))     # ["Have your vendor, or a language model, answer the same texts …", …]
"""

from __future__ import annotations

from collections.abc import Iterator

from slmfit.records import GIVEN, MethodRow
from slmfit.reporting.disk import Source
from slmfit.reporting.headline import large_tried, real
from slmfit.reporting.mistakes import point_at, still_climbs
from slmfit.reporting.warned import to_see_to
from slmfit.text.figures import by_unit, number_of


def next_steps(source: Source, row: MethodRow) -> Iterator[str]:
    assert source.comparison
    kind = source.comparison.verdict.kind
    if warned := to_see_to(source):
        yield f"Have whoever ran this see to the {number_of(warned, 'warning')} above."
    if kind == "too-little-data":
        yield "Have more texts labelled, and compare again."
        return
    if kind == "nothing-beats-majority":
        yield "Look whether the answers can be told from the texts at all, before more is spent on this."
        return
    if len(real(source)) < 2:
        yield "Try more methods (`slmfit compare …` with `--methods linear,knn,encoder`)."
    if not large_tried(source):
        yield (
            "Have your vendor, or a language model, answer the same texts: `slmfit compare …` with "
            "`--methods …,llm=MODEL`, or with its answers, `--predictions FILE`."
        )
    if climb := still_climbs(source, row.id):
        yield _more_labels(source, climb)
    sure = ", or only what it is less sure of" if point_at(source, row.id, 0.5) else ""
    yield (
        f"Read some mistakes of {row.id} under “Where they fail”. If they would do harm, let people check what it "
        f"answers{sure}."
    )
    score = "`slmfit compare … --predictions FILE`, with answers to them" if row.name == GIVEN else "`slmfit evaluate`"
    yield (
        "In any case have about 400 new texts of yours labelled by two people: that tells the score to within 5 points "
        f"({score}), and how often the two agree is what can be reached."
    )


def _more_labels(source: Source, climb: tuple) -> str:
    """That more labels may help; whether that is sure."""
    curve = (source.diagnostics or {})["learning_curve"]
    (few, many), metric = climb, curve["metric"]
    before, now = (by_unit(metric, point["score"]["value"]) for point in climb)
    ends = [one["score"].get(end) for one, end in ((few, "high"), (many, "low"))]
    luck = ", which may be luck" if None not in ends and ends[0] > ends[1] else ""
    return (
        f"More labels may help: from {few['rows']:,} to {many['rows']:,} texts the score on "
        f"{curve.get('scored_on', 'test')} rose from {before} to {now}{luck}."
    )
