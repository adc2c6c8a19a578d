"""All persons' answers to the verdict on truth.

    found = judged(given, rows=150)
    found.sentence                               # "Leave: linear is right in 93.1 % of the rows …"

Where several persons answered a row, it counts for each of them in equal parts; how often they disagree is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np

from slmfit import storage
from slmfit.checking.given import Given
from slmfit.checking.person import Answers, everybody
from slmfit.errors import UsageError
from slmfit.evidence import checked, truth
from slmfit.evidence.in_part import Part, Sample, in_part, most_alike
from slmfit.evidence.statistic import share_right
from slmfit.evidence.truth import Rival
from slmfit.records import Score, to_plain
from slmfit.reporting.checked import read_checked
from slmfit.runs.run import read_comparison, read_run
from slmfit.text.figures import dollars, interval, number_of, percent

FORMAT = "slmfit.truth/1"


@dataclass(frozen=True, kw_only=True)
class MethodTruth:
    """accuracy: its share of right answers. difference: the labels' share less its own. agrees: how often it gives the
    label. key: of its run, as that has it."""

    id: str
    key: str
    agrees: float
    accuracy: Score
    difference: Score
    size_bytes: int | None


@dataclass(frozen=True, kw_only=True)
class InPart:
    """The method answers where it is at least as sure as `threshold`, which is in this share of the rows; difference:
    the labels' share of right answers less that of both together. resting: the checked rows that it answers otherwise.
    usd_per_1000: what the labels cost, and so much of it is saved."""

    method: str
    threshold: float
    share: float
    difference: Score
    resting: int
    usd_per_1000: float | None


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What `verdict.json` holds and `check --json` prints. docs/format.md explains every field."""

    kind: str
    method: str | None
    margin: float
    sentence: str
    caveats: Sequence[str]
    more: int | None
    called: str
    accuracy: Score  # of the labels
    methods: Sequence[MethodTruth]
    rows: int  # drawn from
    asked: int
    checked: int
    persons: Mapping[str, Mapping[str, int]]
    disagreement: Score | None  # of the rows that two persons answered
    part: InPart | None = None


def judged(given: Given, rows: int) -> Judged:
    """The verdict on the first `rows` rows that were drawn; written down too.

    Raises UsageError where nothing is answered.
    """
    asked, every = given.asked(rows), everybody(given)
    at, said = [], []
    for place, row in enumerate(asked):
        labels = [one.labels[row.id] for one in every.values() if row.id in one.labels]
        if labels:
            at.append(place)
            said.append(labels)
    if not at:
        raise UsageError("no row was answered", where=str(given.place), fix="answer some, or give more --rows")
    names = {row.id for row in asked}
    answers = {id: [given.answers[id][place] for place in at] for id in given.answers}
    labels = [given.rows[place].label for place in at]
    right = _right(labels, said)
    teacher = checked.accuracy(given.group, at, right)
    rivals, owns = [], {}
    for id, method in given.methods.items():
        agree, own = given.agree(id), _right(answers[id], said)
        owns[id] = own
        score = checked.accuracy(given.group, at, own, agree)
        gap = checked.difference(given.group, ~agree, at, right, own)
        rivals.append(Rival(id, float(agree.mean()), score, gap, method.size_bytes))
    left = len(given.rows) - len(asked)
    part = _in_part(given, at, right, owns)
    found = truth.told(rivals, teacher, checks=len(at), called=given.called, part=part)
    if found.more is not None and found.more > left:
        found = replace(found, more=None, rows_left=left)
    apart = _disagreement(every, names)
    record = Judged(
        kind=found.kind,
        method=found.method,
        margin=found.margin,
        sentence=truth.sentence(found),
        caveats=[*truth.caveats(found), *_saved(found.part, given), *_remarks(given, every, names, len(at), apart)],
        more=found.more,
        called=found.called,
        accuracy=teacher,
        methods=[
            MethodTruth(id=one.id, key=_key(given, one.id), agrees=one.agrees, accuracy=one.score, difference=one.gap,
                        size_bytes=given.methods[one.id].size_bytes)
            for one in found.rivals.values()
        ],
        rows=len(given.rows),
        asked=len(asked),
        checked=len(at),
        persons={name: _counts(one, names) for name, one in every.items()},
        disagreement=apart,
        part=None if found.part is None else _part(found.part, given),
    )  # fmt: skip
    storage.write_json(given.place / "verdict.json", {"format": FORMAT, **to_plain(record)})
    return record


def _in_part(given: Given, at: Sequence[int], right: np.ndarray, owns: Mapping[str, np.ndarray]) -> Part | None:
    """Where both together would do: for one method, chosen without a look at what was checked."""
    known = {id: (given.sureness[id], ~given.agree(id)) for id in given.methods}
    sizes = {id: method.size_bytes for id, method in given.methods.items()}
    id = most_alike(known, sizes, truth.MARGIN)
    if id is None:
        return None
    sure, differ = known[id]
    return in_part(Sample(id, given.group, sure, differ, at, right, owns[id]), margin=truth.MARGIN)


def _key(given: Given, id: str) -> str:
    return read_run(storage.inside(given.folder, str(given.methods[id].run))).key


def _part(part: Part, given: Given) -> InPart:
    return InPart(method=part.method, threshold=part.threshold, share=part.share, difference=part.gap,
                  resting=part.resting, usd_per_1000=given.usd_per_1000)  # fmt: skip


def _saved(part: Part | None, given: Given) -> list[str]:
    """What leaving in part would save."""
    if part is None or given.usd_per_1000 is None:
        return []
    paid = given.usd_per_1000
    return [f"That saves about {dollars(part.share * paid)} of {dollars(paid)} per 1,000 calls."]


def last_said(folder: Path) -> str | None:
    """What the verdict on a comparison's rows was, in words; None where there is none, or one on other rows."""
    found = read_checked(folder, read_comparison(folder))
    return None if found is None else found.sentence


def _remarks(
    given: Given, every: Mapping[str, Answers], asked: set[str], checks: int, apart: Score | None
) -> list[str]:
    """What is to be known of the answers that the figures are of."""
    notes = []
    if checks < len(asked):
        notes.append(
            f"{number_of(len(asked) - checks, 'row', 'have')} no answer; the figures cover the other {checks:,}."
        )
    if none := sum(any(id in one.labels and one.labels[id] is None for one in every.values()) for id in asked):
        what = "answers that were shown" if given.marks else "labels"
        notes.append(f"In {number_of(none, 'row')} none of the {what} is right, so every answer there is wrong.")
    if given.repeats:
        notes.append(f"{number_of(given.repeats, 'test row', 'repeat')} another's text: each text counts once.")
    if apart is not None:
        ends = f"{percent(apart.value)} ({interval('accuracy', apart)})"
        notes.append(f"The checkers disagree on {ends} of the rows that two of them answered: no figure is surer.")
    elif sum(bool(one.labels.keys() & asked) for one in every.values()) > 1:
        notes.append("No row was answered by two people, so nobody knows how far they agree.")
    else:
        notes.append("One person checked; a second, with --as NAME, shows how far people agree.")
    return notes


def _right(answers: Sequence[str | None], said: Sequence[Sequence[str | None]]) -> np.ndarray:
    """Of each row the share of persons who say what is answered."""
    return np.array(
        [np.mean([answer is not None and answer == one for one in labels])
         for answer, labels in zip(answers, said, strict=True)]
    )  # fmt: skip


def _counts(one: Answers, asked: set[str]) -> dict[str, int]:
    return {
        "answered": len(one.labels.keys() & asked),
        "skipped": len(one.skipped & asked),
        "none": sum(label is None for id, label in one.labels.items() if id in asked),
    }


def _disagreement(every: Mapping[str, Answers], asked: set[str]) -> Score | None:
    """The share of rows on which persons disagree, of those that two or more answered."""
    both = {id for a, b in combinations(every.values(), 2) for id in a.labels.keys() & b.labels.keys() & asked}
    if not both:
        return None
    labels = [{one.labels[id] for one in every.values() if id in one.labels} for id in sorted(both)]
    return share_right([len(kinds) > 1 for kinds in labels])
