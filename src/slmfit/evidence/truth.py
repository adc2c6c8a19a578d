"""The verdict on truth: may the teacher be left, and for what. Numbers in, words out.

    found = told([Rival("linear", agrees=0.93, score=score, gap=gap, size=3.4e6)], teacher, checks=150)
    sentence(found)                          # "Leave: linear is right in 93.1 % … the teacher in 92.4 % …"

Methods are tried one after the other, from the one that agrees with the teacher most often, which is known without a
check, and the first that is not shown to be within the margin ends it: so each may be tried at the full level, and a
method that is truly worse by more than the margin is left for in 2.5 % of all samples at most (fixed sequences: Maurer,
Hothorn & Lehmacher 1995). Of those that pass, the smallest is named.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from slmfit.evidence.in_part import Part
from slmfit.records import Score
from slmfit.text.figures import below, interval, joined, number_of, percent, points_words

Kind: TypeAlias = Literal["leave", "leave-in-part", "stay", "teacher-wrong", "too-little-checked"]
MARGIN = 0.03
MOST = 100_000  # checks that anybody might make
OFTEN = 0.1  # of its answers wrong: more than a teacher's reader thinks of


@dataclass(frozen=True, slots=True)
class Rival:
    """A method beside the teacher. agrees: share of rows with the teacher's answer. gap: teacher less method. size:
    what should be small; None = unknown, counts as largest."""

    id: str
    agrees: float
    score: Score
    gap: Score
    size: float | None = None


@dataclass(frozen=True, slots=True)
class Truth:
    """What the checks say. method: the smallest that may be left for, wholly or, with `part`, where it is sure enough;
    None where there is none.

    undecided: the method on which it hangs, where too little was checked, and more: about how many more checks would
    tell it if the figures stay as they are; None where no number would. rows_left: the rows
    not checked, where it would take more than these.
    """

    kind: Kind
    method: str | None
    teacher: Score
    rivals: Mapping[str, Rival]
    margin: float
    checks: int
    undecided: str | None = None
    more: int | None = None
    called: str = "the teacher"
    rows_left: int | None = None
    part: Part | None = None


def told(
    rivals: Sequence[Rival],
    teacher: Score,
    *,
    checks: int,
    margin: float = MARGIN,
    called: str = "the teacher",
    part: Part | None = None,
) -> Truth:
    """The verdict. part: of one method, see `in_part`.

    - Leave: a method's difference is within the margin, by its interval's far end.
    - Leave in part: that is so of both together, where the method answers what it is sure of.
    - Stay: every method is worse by more than the margin, by its interval's near end.
    - The teacher is wrong more often than you may think: more than OFTEN by its interval's near end, and neither of the
      two is told.
    - Too little checked: none of these.
    Raises ValueError without a method.
    """
    if not rivals:
        raise ValueError("a verdict needs at least one method")
    ordered = sorted(rivals, key=lambda one: (-one.agrees, _size(one), one.id))
    passed = []
    for one in ordered:
        if _high(one.gap) > margin:
            break
        passed.append(one)
    known = {one.id: one for one in ordered}
    if passed:
        best = min(passed, key=lambda one: (_size(one), one.id))
        return Truth("leave", best.id, teacher, known, margin, checks, called=called)
    worse = all(_low(one.gap) > margin for one in ordered)
    if part is not None:
        open = None if worse else ordered[0].id
        more = None if worse else more_checks(ordered[0].gap, checks, margin)
        return Truth("leave-in-part", part.method, teacher, known, margin, checks, open, more, called, part=part)
    if worse:
        return Truth("stay", None, teacher, known, margin, checks, called=called)
    first = ordered[0]
    kind: Kind = "teacher-wrong" if _high(teacher) < 1 - OFTEN else "too-little-checked"
    more = more_checks(first.gap, checks, margin)
    return Truth(kind, None, teacher, known, margin, checks, first.id, more, called)


def more_checks(gap: Score, checks: int, margin: float = MARGIN) -> int | None:
    """About how many more checks would settle whether a difference is within the margin; None where no number would.

    Intervals shrink with the root of the checks. At least a tenth more.
    """
    ways = ((_high(gap) - gap.value, margin - gap.value), (gap.value - _low(gap), gap.value - margin))
    factors = [(half / room) ** 2 for half, room in ways if room > 0]
    if not factors or checks * min(factors) > MOST:
        return None
    return round_up(max(checks * min(factors) - checks, checks / 10))


def round_up(number: float) -> int:
    """To two figures: 1,234 -> 1,300."""
    step = 10 ** max(int(math.log10(max(number, 1))) - 1, 0)
    return math.ceil(round(number / step, 6)) * step


def sentence(found: Truth) -> str:
    """The verdict in plain words, for example: Leave: linear is right in 93.1 % of the rows (90.2–95.3), 0.7 points
    above the teacher (−1.2 to 2.6), within the margin of 3 points.
    """
    margin = f"the margin of {points_words(found.margin)}"
    teacher = f"{found.called} is right in {percent(found.teacher.value)} of the rows{_ends(found.teacher)}"
    if found.kind == "leave":
        one = found.rivals[str(found.method)]
        right = f"{percent(one.score.value)} of the rows{_ends(one.score)}"
        return f"Leave: {one.id} is right in {right}, {_away(one, found)}, within {margin}."
    if found.part is not None:
        part, away = found.part, _of_gap(found.part.gap, found)
        sure = f"where {part.method} is at least {percent(part.threshold)} sure, it answers"
        both = f"both together are {away}, within {margin}"
        return f"Leave in part: {sure}, {percent(part.share)} of the rows, and the rest stays; {both}."
    if found.kind == "stay":
        near = min(found.rivals.values(), key=lambda one: one.gap.value)
        only = "is" if len(found.rivals) == 1 else "is the nearest, and it is"
        return f"Stay: {teacher}; {near.id} {only} {_away(near, found)}, beyond {margin}."
    one = found.rivals[str(found.undecided)]
    more = f"about {found.more:,} more rows would tell" if found.more else "no number of rows would tell"
    if found.rows_left is not None:
        more = (
            f"the {found.rows_left:,} other rows are too few to tell" if found.rows_left else "there are no more rows"
        )
    undecided = f"{one.id} is {_away(one, found)}, and whether that is within {margin} is open; {more}"
    if found.kind == "teacher-wrong":
        return f"Wrong more often than you may think: {teacher}. As for leaving: {undecided}."
    return f"Too little checked to tell with {number_of(found.checks, 'row')}: {teacher}; {undecided}."


def caveats(found: Truth) -> tuple[str, ...]:
    """What the sentence does not say and its reader should know; each a sentence of its own."""
    notes = []
    if found.part is not None:
        rests = number_of(found.part.resting, "checked row")
        notes.append(f"It rests on {rests} that {found.part.method} answers otherwise than {found.called} there.")
        if found.undecided is not None and found.more:
            open = f"Whether {found.undecided} may answer everything is open"
            notes.append(f"{open}; about {found.more:,} more rows would tell.")
    if found.kind in ("leave", "leave-in-part", "stay") and _high(found.teacher) < 1 - OFTEN:
        right = f"{percent(found.teacher.value)} of the rows{_ends(found.teacher)}"
        notes.append(f"Wrong more often than you may think: {found.called} is right in {right}.")
    if better := [one.id for one in found.rivals.values() if _high(one.gap) < 0]:
        notes.append(f"{joined(better)}: right more often than {found.called}, beyond chance.")
    return tuple(notes)


def _size(one: Rival) -> float:
    return math.inf if one.size is None else one.size


def _low(score: Score) -> float:
    return -math.inf if score.low is None else score.low


def _high(score: Score) -> float:
    return math.inf if score.high is None else score.high


def _ends(score: Score) -> str:
    ends = interval("accuracy", score)
    return f" ({ends})" if ends else ""


def _away(one: Rival, found: Truth) -> str:
    """'0.6 points below the teacher (0.1 to 1.1)', or above it, with the interval the same way round."""
    return _of_gap(one.gap, found)


def _of_gap(given: Score, found: Truth) -> str:
    gap = Score(-given.value, -_high(given), -_low(given)) if given.value < 0 else given
    return f"{points_words(gap.value)} {'above' if given.value < 0 else 'below'} {found.called} ({below(gap)[1]})"
