"""The page for a reader who was not there: what was compared, the result, how sure that is, what it costs, what to do.

headline(source)        # Headline("Use ", "linear", ": 81.5 % right", "Practically as good as …")
plain(source)[1]        # ("The result", "Use linear, which counts words … With it, 81.5 % of these …")
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from slmfit.records import MethodRow, Score
from slmfit.reporting.disk import Source
from slmfit.reporting.glossary import what_it_is
from slmfit.reporting.mistakes import mistakes
from slmfit.reporting.next_steps import next_steps
from slmfit.reporting.warned import warnings, without_twins
from slmfit.tasks import by_name
from slmfit.text.figures import (
    by_unit,
    bytes_words,
    dollars,
    joined,
    milliseconds,
    number_of,
    parts_of,
    percent,
    points_words,
    told,
    verb_of,
)
from slmfit.text.visible import excerpt

FEW = 8  # labels that are named
DEFAULT_MARGIN = 0.02

RIGHT = {"accuracy": "right", "exact_match": "wholly right", "intent_accuracy": "with the right intent"}
MEANS = {
    "accuracy": "get the right label",
    "exact_match": "are wholly right: every entity found, with its type, start and end, none invented, and the intent",
    "intent_accuracy": "get the right intent",
}
ORDERS = {"size": ("smallest", "larger"), "latency": ("fastest", "slower"), "memory": ("leanest", "less lean")}


@dataclass(frozen=True)
class Headline:
    """What to do, in one line: the words before the method's name, the name, those after it; and a line below."""

    before: str
    named: str
    after: str
    rest: str = ""


def subject(source: Source) -> MethodRow | None:
    """The method that the page is about: the pick, else the one with the highest score."""
    row = next((row for row in source.methods if row.id == (source.picked or source.best)), None)
    return row if row and row.scores else None


def real(source: Source) -> list[MethodRow]:
    """The methods that ran and look at what they are asked."""
    return [row for row in source.methods if row.scores and not row.floor]


def headline(source: Source) -> Headline | None:
    """The verdict for who has no time; None where nothing was compared."""
    row = subject(source)
    if not source.comparison or row is None:
        return None
    kind, value = source.comparison.verdict.kind, _value(source, row)
    if kind == "too-little-data":
        return Headline("Too little data to choose a method yet", "", "", f"Highest so far: {row.id}, {value}.")
    if kind == "nothing-beats-majority":
        return Headline(
            "No method is worth it yet", "", "", f"Always giving the same answer ({row.id}) does as well: {value}."
        )
    if kind == "nothing-to-compare" or len(real(source)) < 2:
        return Headline("", row.id, f": {value}, but compared with nothing real", _alone(source, row))
    return Headline("Use ", row.id, f": {value}", _standing(source, row))


def _value(source: Source, row: MethodRow) -> str:
    """'81.5 % right'."""
    value = by_unit(source.metric, _score(source, row).value)
    return f"{value} {RIGHT[source.metric]}" if source.metric in RIGHT else f"{told(source.metric)} {value}"


def _alone(source: Source, row: MethodRow) -> str:
    others = [one.id for one in source.methods if one.scores and one.id != row.id]
    beside = f", beside {joined(others)}, which answers without reading the text" if others else ""
    return f"Only one method was tried{beside}. Try another before deciding."


def _standing(source: Source, row: MethodRow) -> str:
    """How it stands to the best, or the best to the next."""
    assert source.comparison
    verdict = source.comparison.verdict
    best = next((other for other in source.methods if other.id == verdict.best), row)
    if best.id == row.id:
        others = [other for other in real(source) if other.id != row.id]
        following = max(others, key=lambda other: _score(source, other).value)
        after = f"next is {following.id} with {_value(source, following)}"
        return f"The highest score of {number_of(len(others) + 1, 'method')}; {after}."
    words = f"Practically as good as the highest score, {_value(source, best)} with {best.id}"
    if row.size_bytes and best.size_bytes:
        return (
            f"{words}, which takes {bytes_words(best.size_bytes)} where {row.id} takes {bytes_words(row.size_bytes)}."
        )
    return f"{words}."


def plain(source: Source) -> list[tuple[str, list[str]]]:
    """Question and answer, sentence by sentence; none for runs that were not compared."""
    row = subject(source)
    if not source.comparison or not source.records or row is None:
        return []
    answers = [
        ("What was compared", _compared(source)),
        ("The result", _decided(source, row)),
        ("How sure that is", _sure(source, row)),
        ("What it costs", _costs(source, row)),
        ("What to do next", next_steps(source, row, len(real(source)))),
    ]
    return [(question, said) for question, answer in answers if (said := [*answer])]


def _compared(source: Source) -> Iterator[str]:
    ran, split = [row for row in source.methods if row.scores], source.about.split
    built = " and ".join(
        f"{split[name].rows:,} to {why}"
        for name, why in (("train", "learn from"), ("validation", "choose settings by"))
        if name in split
    )
    yield f"{number_of(len(ran), 'way')} to {job(source.about.dataset['task'])}."
    yield (
        f"Each had the same texts with known answers ({built}), and was then asked about {split['test'].rows:,} others "
        "that it had not seen."
    )
    files = [PurePath(file["file"]).name for file in source.about.dataset.get("source", {}).get("files", ())]
    named = f" ({', '.join(excerpt(name, 40) for name in files[:3])}{' …' if len(files) > 3 else ''})" if files else ""
    yield (
        f"They are those of {source.about.dataset['name']}{named}; where the texts come from, of when they are and who "
        "labelled them, this page cannot know: ask whoever ran this whether yours are like them."
    )


def job(task: Mapping[str, Any], *, brief: bool = False) -> str:
    """What one answer is. brief: with few names."""
    few = 3 if brief else FEW
    labels = [excerpt(str(label), 30) for label in task.get("labels", ())]
    kind = by_name(task["name"])
    if not (kind.classifies or kind.marks):
        return "choose the right one of several answers to a question"
    if kind.marks:
        intents = [excerpt(str(intent), 30) for intent in task.get("intents", ())]
        also = f", and say which of {_named(intents, 'intents', few)} it has" if intents else ""
        return f"find {_named(labels, 'kinds of entities', few)} in a text{also}"
    return f"give a text one of {_named(labels, 'labels', few)}"


def _named(names: list[str], noun: str, few: int) -> str:
    some = ", ".join(names) if len(names) <= few else f"{', '.join(names[:3])} …"
    return f"{len(names):,} {noun}" + (f" ({some})" if names else "")


def _score(source: Source, row: MethodRow) -> Score:
    return (row.scores or {})["test"][source.metric]


def _decided(source: Source, row: MethodRow) -> Iterator[str]:
    assert source.comparison
    verdict, rows = source.comparison.verdict, source.about.split["test"].rows
    value = by_unit(source.metric, _score(source, row).value)
    right = f"its {told(source.metric)} on these {rows:,} texts is {value}"
    if source.metric in MEANS:
        right = f"{value} of these {rows:,} texts {MEANS[source.metric]}"
    if verdict.kind == "too-little-data":
        yield f"Nothing yet: {rows:,} texts are too few to say which method to take."
        yield f"Highest so far is {row.id}: with it, {right}."
    elif verdict.kind == "nothing-beats-majority":
        yield f"No method is worth it: giving always the same answer ({row.id}) does as well. With it, {right}."
    elif verdict.kind == "nothing-to-compare":
        yield f"Nothing, as one method alone ran: {row.id}. With it, {right}."
    else:
        what = what_it_is(source.records[row.id]) if row.id in source.records else ""
        start = "Use" if len(real(source)) > 1 else "Tried was"
        yield f"{start} {row.id}" + (f", which {what}." if what else ".")
        yield f"With it, {right}."
        if parts := parts_of(row, source.metric):
            alone = joined([f"{told(name)} is {by_unit(name, part.value)}" for name, part in parts.items()])
            yield f"Taken alone, {alone}."
    yield from mistakes(source, row)
    if verdict.kind == "pick" and len(real(source)) > 1:
        yield from _against_best(source, row)


def _against_best(source: Source, row: MethodRow) -> Iterator[str]:
    """Why the pick, and not the method with the highest score."""
    assert source.comparison
    verdict, paired = source.comparison.verdict, source.comparison.paired.get(row.id)
    best = next((other for other in source.methods if other.id == verdict.best), None)
    if paired is None or best is None or best.id == row.id:
        yield "No other method scores higher."
        return
    gap, most = points_words(paired.difference.value), points_words(paired.difference.high or 0.0)
    most_so, less_so = ORDERS.get(verdict.prefer, ("cheapest", "dearer"))
    sizes = ""
    if verdict.prefer == "size" and row.size_bytes and best.size_bytes:
        sizes = f" ({bytes_words(row.size_bytes)} against {bytes_words(best.size_bytes)})"
    yield (
        f"The highest score is that of {best.id}, {gap} more; that lead may be luck, and with 95 % certainty it is "
        f"not above {most}."
        if row.id in verdict.tied
        else f"The highest score is that of {best.id}, {gap} more, and with 95 % certainty not above {most} more."
    )
    yield (
        f"A lead of up to {points_words(verdict.margin)} counts as not worth a {less_so} method "
        f"({_who(source)}), and {row.id} is the {most_so} within that{sizes}."
    )


def _who(source: Source) -> str:
    """Who set the margin."""
    assert source.comparison
    if "--margin" in str(source.comparison.command) or source.comparison.verdict.margin != DEFAULT_MARGIN:
        return "set by the person who ran this"
    return "what slmfit takes unless the person who runs it says otherwise"


def _sure(source: Source, row: MethodRow) -> Iterator[str]:
    score = _score(source, row)
    if score.low is not None and score.high is not None:
        low, high = (by_unit(source.metric, end) for end in (score.low, score.high))
        yield (
            f"On other texts of the same kind, expect between {low} and {high}: of 100 such ranges, about 95 hold the "
            "true score."
        )
    floor = next((r for r in source.methods if r.name == "majority" and r.scores and r.id != row.id), None)
    if floor:
        nothing = " (it marks no entities)" if source.metric in ("exact_match", "entity_f1") else ""
        yield (
            f"To be worth anything it has to beat always giving the most frequent answer{nothing}: "
            f"{by_unit(source.metric, _score(source, floor).value)}."
        )
    if warned := len(warnings(source)):
        yield f"{number_of(warned, 'warning')} above {verb_of(warned, 'bear')} on these figures."
    if rest := without_twins(source, row):
        yield f"On the {rest[1]:,} texts without a twin elsewhere, the score is {percent(rest[0])}."


def _costs(source: Source, row: MethodRow) -> Iterator[str]:
    remote = row.id in source.records and source.records[row.id].remote
    if row.size_bytes is not None:
        speed = f", and {milliseconds(row.latency_ms['p50'])} to answer a text" if row.latency_ms else ""
        busy = " (measured while the machine was busy with other work)" if row.measured.get("busy") is True else ""
        yield f"{bytes_words(row.size_bytes)} of disk{speed}{busy if speed else ''}."
    if remote:
        paid = row.usd_per_1000_rows
        yield "Texts are sent to a server" + (
            f", at {dollars(paid)} for 1,000 of them." if paid is not None else "; what that costs is not known."
        )
    elif row.size_bytes is not None:
        yield "It runs on your own machine: no text leaves it, and nobody charges for answers."
    yield "Not known here: what people’s time costs to label, to check and to put mistakes right, and what it saves."
