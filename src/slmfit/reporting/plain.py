"""The page for a reader who was not there: what was compared, the result, how sure that is, what it costs, what to do.

plain(source)[1]        # ("The result", ["185 in 1,000 texts get a wrong label (669 of 3,607).", …])
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from slmfit.records import GIVEN, MethodRow
from slmfit.reporting.disk import Source
from slmfit.reporting.glossary import what_it_is
from slmfit.reporting.headline import compared, real, score_of, subject
from slmfit.reporting.mistakes import left_to_it, wrong
from slmfit.reporting.next_steps import next_steps
from slmfit.tasks import by_name, marks
from slmfit.text.figures import (
    by_unit,
    dollars,
    joined,
    number_of,
    parts_of,
    points_words,
    told,
)
from slmfit.text.visible import excerpt

FEW = 8  # labels that are named
DEFAULT_MARGIN = 0.02


def plain(source: Source) -> list[tuple[str, list[str]]]:
    """Question and answer, sentence by sentence; none for runs that were not compared."""
    row = subject(source)
    if not source.comparison or not source.records or row is None:
        return []
    answers = [
        ("What was compared", _compared(source, row)),
        ("The result", _decided(source, row)),
        ("How sure that is", _sure(source, row)),
        ("What it costs", _costs(source, row)),
        ("What to do next", next_steps(source, row)),
    ]
    return [(question, said) for question, answer in answers if (said := [*answer])]


def _compared(source: Source, row: MethodRow) -> Iterator[str]:
    tried, split = len(real(source)), source.about.split
    brought = [one.id for one in real(source) if one.name == GIVEN]
    taught = [one.id for one in real(source) if one.name != GIVEN]
    who = "It" if len(taught) < 2 else "Each of the others" if brought else "Each"
    whose = number_of(tried, "method") if tried else f"Nothing but {row.id}, which answers without reading,"
    yield f"{whose} had to {job(source.about.dataset['task'])}."
    record = source.records.get(row.id)
    if record is not None and (what := what_it_is(record)):
        yield f"{row.id} {what}."
    if brought:
        yield f"What {joined(brought)} learnt from, and whether these texts were in it, this page does not know."
    if brought and not taught:
        return
    who = taught[0] if brought and len(taught) == 1 else who
    learnt = f"{who} learnt from {split['train'].rows:,} texts with known answers" if "train" in split else ""
    if learnt and "validation" in split:
        too = record is not None and "validation" in str(record.rows_used.get("fitted", ""))
        again = " (and then learnt from them too)" if too else ""
        learnt += f", had its settings chosen by {split['validation'].rows:,} more{again},"
    asked = f"was asked about {split['test'].rows:,} others that it had not seen"
    yield f"{learnt} and {asked}." if learnt else f"{who} {asked}."


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


def _decided(source: Source, row: MethodRow) -> Iterator[str]:
    assert source.comparison
    verdict, rows = source.comparison.verdict, source.about.split["test"].rows
    if verdict.kind == "too-little-data":
        yield f"Nothing yet: {rows:,} texts are too few to say which method to take."
    elif verdict.kind == "nothing-beats-majority":
        yield f"No method is worth it: giving always the same answer ({row.id}) does as well."
    if words := wrong(source, row):
        yield words
    if parts := parts_of(row, source.metric):
        alone = joined([f"{told(name)} is {by_unit(name, part.value)}" for name, part in parts.items()])
        yield f"Taken alone, {alone}."
    if verdict.kind == "pick" and compared(source) and verdict.best != row.id:
        yield _rule(source, row)


def _rule(source: Source, row: MethodRow) -> str:
    """Why the pick may stand below the highest score, and by how much at most."""
    assert source.comparison
    verdict, paired = source.comparison.verdict, source.comparison.paired.get(row.id)
    rule = f"Up to {points_words(verdict.margin)} less counts as level ({_who(source)})"
    most = paired.difference.high if paired else None
    if most is None:
        return f"{rule}."
    return f"{rule}; {verdict.best} is at most {points_words(most)} better, with 95 % certainty."


def _who(source: Source) -> str:
    """Who set the margin."""
    assert source.comparison
    if "--margin" in str(source.comparison.command) or source.comparison.verdict.margin != DEFAULT_MARGIN:
        return "set by the person who ran this"
    return "as slmfit takes it unless told otherwise"


def _sure(source: Source, row: MethodRow) -> Iterator[str]:
    score = score_of(source, row)
    if score.low is not None and score.high is not None:
        low, high = (by_unit(source.metric, end) for end in (score.low, score.high))
        yield f"On other texts of this kind, expect between {low} and {high} (right 19 times in 20)."
    files = [PurePath(file["file"]).name for file in source.about.dataset.get("source", {}).get("files", ())]
    named = f" ({', '.join(excerpt(name, 40) for name in files[:3])}{' …' if len(files) > 3 else ''})" if files else ""
    yield (
        f"Whether yours are, ask whoever ran this: where these{named} come from, of when they are and who labelled "
        "them, this page does not know."
    )
    if compared(source):
        yield (
            "As the same texts gave the scores and decided between the methods, the highest score is a little too "
            "high, by less than that range is wide."
        )


def _costs(source: Source, row: MethodRow) -> Iterator[str]:
    if sentence := left_to_it(source, row):
        yield sentence
    elif marks(source.about.dataset["task"]):
        yield "How sure it is of an answer is not known, so people who are to check it have to read every text."
    if row.id in source.records and source.records[row.id].remote:
        paid = row.usd_per_1000_rows
        yield "Texts are sent to a server" + (
            f", at {dollars(paid)} for 1,000 of them." if paid is not None else "; what that costs is not known."
        )
    elif row.name == GIVEN:
        paid = row.usd_per_1000_rows
        unknown = "how long they took and where texts are sent for them"
        cost = "" if paid is None else f" They cost {dollars(paid)} for 1,000 texts."
        asked = "what they cost, " if paid is None else ""
        yield f"Its answers came from a file.{cost} This page does not know {asked}{unknown}."
    elif row.size_bytes is not None:
        yield "It runs on your own machine: no text leaves it, and nobody charges for answers."
    yield "Not known here: what mistakes, reading and labelling cost you, and who keeps it running and up to date."
