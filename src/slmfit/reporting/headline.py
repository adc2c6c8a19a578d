"""The headline: what came out in one line, what the rule behind it costs in the next, and who was not asked.

headline(source)     # Headline("", "linear", ": 81.5 % right, the smallest within 2 points …", …)
"""

from __future__ import annotations

from dataclasses import dataclass

from slmfit.records import GIVEN, MethodRow, Score
from slmfit.reporting.disk import Source
from slmfit.text.figures import (
    SHARES,
    by_unit,
    bytes_words,
    dollars,
    joined,
    milliseconds,
    more_wrong,
    number_of,
    points_words,
    told,
)

RIGHT = {"accuracy": "right", "exact_match": "wholly right", "intent_accuracy": "with the right intent"}
# What "smallest" may mean -> the word for the pick, and what does not matter to who takes another.
ORDERS = {
    "size": ("smallest", "size"),
    "latency": ("fastest", "speed"),
    "memory": ("leanest", "memory"),
    "cost": ("cheapest", "money"),
}
LARGE = ("llm", GIVEN)  # answers of a service are among these, if anywhere
SKIPPED = (
    "The language-model service gave no answers (the table says why): whether this is as good, this page does not know."
)
UNASKED = "No language-model service was tried: whether this is as good as yours, this page does not know."


@dataclass(frozen=True)
class Headline:
    """What came out, in one line: the words before the method's name, the name, those after it; and lines below."""

    before: str
    named: str
    after: str
    rest: tuple[str, ...] = ()


def subject(source: Source) -> MethodRow | None:
    """The method that the page is about: the pick, else the one with the highest score."""
    row = next((row for row in source.methods if row.id == (source.picked or source.best)), None)
    return row if row and row.scores else None


def real(source: Source) -> list[MethodRow]:
    """The methods that ran and look at what they are asked."""
    return [row for row in source.methods if row.scores and not row.floor]


def compared(source: Source) -> bool:
    """Whether two such methods at least stand against each other."""
    return (
        source.comparison is not None
        and source.comparison.verdict.kind != "nothing-to-compare"
        and len(real(source)) > 1
    )


def large_tried(source: Source) -> bool:
    """Whether a large model, or answers brought along, took part."""
    return any(map(is_large, real(source)))


def is_large(row: MethodRow) -> bool:
    """Whether it is a large model, answers brought along, or in need of such a model."""
    return row.name in LARGE or bool(row.cascade and row.size_bytes is None)


def _large_skipped(source: Source) -> bool:
    """Whether a large model was asked for and did not run."""
    return source.comparison is not None and any(row.name in LARGE for row in source.comparison.methods)


def headline(source: Source) -> Headline | None:
    """The verdict for who has no time; None where nothing was compared."""
    row = subject(source)
    if not source.comparison or row is None:
        return None
    found = _headline(source, row)
    rest = found.rest if large_tried(source) else (*found.rest, SKIPPED if _large_skipped(source) else UNASKED)
    return Headline(found.before, found.named, found.after, rest)


def _headline(source: Source, row: MethodRow) -> Headline:
    assert source.comparison
    verdict, value = source.comparison.verdict, in_words(source, row)
    if verdict.kind == "too-little-data":
        return Headline("Too little data to choose a method yet", "", "", (f"Highest so far: {row.id}, {value}.",))
    if verdict.kind == "nothing-beats-majority":
        same = f"Always giving the same answer ({row.id}) does as well: {value}."
        return Headline("No method is worth it yet", "", "", (same,))
    if not real(source):
        return Headline("No method was tried yet", "", "", (f"Always giving the same answer ({row.id}): {value}.",))
    if not compared(source):
        return Headline("", row.id, f": {value}; no other method was tried", (_alone(source, row),))
    of = number_of(len(real(source)), "method")
    best = next((other for other in source.methods if other.id == verdict.best), row)
    if best.id == row.id:
        return Headline("", row.id, f": {value}, the best of {of}", (_next(source, row),))
    order = ORDERS[verdict.prefer][0]
    within = f": {value}, the {order} within {points_words(verdict.margin)} of the best of {of}"
    return Headline("", row.id, within, (_price(source, row, best),))


def score_of(source: Source, row: MethodRow) -> Score:
    return (row.scores or {})["test"][source.metric]


def in_words(source: Source, row: MethodRow) -> str:
    """'81.5 % right'."""
    value = by_unit(source.metric, score_of(source, row).value)
    return f"{value} {RIGHT[source.metric]}" if source.metric in RIGHT else f"{told(source.metric)} {value}"


def _alone(source: Source, row: MethodRow) -> str:
    others = [one.id for one in source.methods if one.scores and one.id != row.id]
    beside = f"Beside it stands only {joined(others)}, which answers without reading. " if others else ""
    return f"{beside}Try others before deciding."


def _next(source: Source, row: MethodRow) -> str:
    """The next one; where a large model is the best, the best without one, and what is lost by taking that."""
    others = [other for other in real(source) if other.id != row.id]
    small = [other for other in others if not is_large(other)] if is_large(row) else []
    following = max(small or others, key=lambda other: score_of(source, other).value)
    said = f"{following.id}: {in_words(source, following)}"
    if small:
        gap = score_of(source, row).value - score_of(source, following).value
        loss = f"it gets {more_wrong(gap)} wrong" if source.metric in SHARES else f"{points_words(gap)} less"
        return f"Without a large model, the best is {said}; {loss}."
    level = in_words(source, following) == in_words(source, row)
    return f"{'Level with it' if level else 'Next'} is {said}."


def _price(source: Source, row: MethodRow, best: MethodRow) -> str:
    """What the rule costs: how many more go wrong for how much less, and which to take by another rule."""
    assert source.comparison
    verdict, paired = source.comparison.verdict, source.comparison.paired.get(row.id)
    gap = paired.difference.value if paired else score_of(source, best).value - score_of(source, row).value
    fewer = f"{round(1000 * gap):,} fewer wrong in 1,000 texts" if source.metric in SHARES else points_words(gap)
    luck = ", which may be luck" if row.id in verdict.tied else ""
    more = _more(verdict.prefer, row, best)
    takes = f", and takes {more} more" if more else ""
    return (
        f"{best.id}, the best, is {in_words(source, best)} ({fewer}{luck}){takes}. "
        f"If {ORDERS[verdict.prefer][1]} does not matter, take {best.id}."
    )


def _more(prefer: str, row: MethodRow, best: MethodRow) -> str:
    """How much more the best takes of what should be small; empty where it is not known."""
    if prefer == "size" and row.size_bytes and best.size_bytes:
        return f"{bytes_words(best.size_bytes - row.size_bytes)} of disk"
    if prefer == "memory" and row.peak_memory_bytes and best.peak_memory_bytes:
        return f"{bytes_words(best.peak_memory_bytes - row.peak_memory_bytes)} of memory"
    if prefer == "latency" and row.latency_ms and best.latency_ms:
        return f"{milliseconds(best.latency_ms['p50'] - row.latency_ms['p50'])} a text"
    if prefer == "cost" and row.usd_per_1000_rows is not None and best.usd_per_1000_rows is not None:
        return f"{dollars(best.usd_per_1000_rows - row.usd_per_1000_rows)} for 1,000 texts"
    return ""
