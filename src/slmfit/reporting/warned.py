"""What the audit warns of, in brief, beside the headline, with what it does to the score where that is known.

warnings(source)[0]           # "43 of 3,607 test texts (1.2 %) have a twin …: without them the score is …"
without_twins(source, row)    # (0.813, 3564)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from slmfit.records import MethodRow
from slmfit.reporting.disk import Source, read_lines
from slmfit.reporting.headline import score_of, subject
from slmfit.tasks.answers import entities_of, target_from_json
from slmfit.tasks.entity_scores import all_right
from slmfit.text.figures import SHARES, by_unit, part_of, points_words

# What a warning of the audit means for the scores.
BEARS = {
    "leak": "A twin is the same text, or nearly so: a method that has seen it knows the answer, right or wrong.",
    "contradiction": "No method can be right on all of them.",
}


@dataclass(frozen=True)
class Warned:
    """effect: by how much of a share the score may be off for it, at most; None = not known."""

    words: str
    effect: float | None = None


def warnings(source: Source) -> list[str]:
    """Those that bear on the scores, the twins of test rows in one; the whole of it stands with the data."""
    return [one.words for one in _warnings(source)]


def to_see_to(source: Source) -> int:
    """How many of these may matter: not those that change the score by less than counts as level."""
    margin = source.comparison.verdict.margin if source.comparison else 0.0
    return sum(one.effect is None or one.effect > margin for one in _warnings(source))


def _warnings(source: Source) -> Iterator[Warned]:
    by_kind: dict[str, list[str]] = {}
    for found in (source.audit or {}).get("findings", ()):
        touches_settings_only = found["kind"] in ("leak", "copies") and " validation rows (" in found["message"]
        if found["severity"] == "warning" and not touches_settings_only:
            by_kind.setdefault(found["kind"], []).append(found["message"])
    row = subject(source)
    for kind, said in by_kind.items():
        known = _known(source, row, kind, said) if row else None
        if known:
            yield known
            continue
        brief = [_brief(message) for message in said]
        if kind in BEARS:
            brief[-1] += f" {BEARS[kind]}"
        yield from map(Warned, brief)


def _known(source: Source, row: MethodRow, kind: str, said: list[str]) -> Warned | None:
    """The warning with its effect, where that can be told."""
    if kind == "leak" and (rest := without_twins(source, row)):
        rows, score = source.about.split["test"].rows, score_of(source, row).value
        twins = part_of(rows - rest[1], rows, "test text", "have")
        now, without = by_unit(source.metric, score), by_unit(source.metric, rest[0])
        changed = f"is {without}, not {now}" if now != without else f"is the same, {now}"
        return Warned(f"{twins} a twin, the same text or nearly so, among those learnt from: without them the score "
                      f"{changed}.", abs(score - rest[0]))  # fmt: skip
    rows_of = re.search(r"on ([\d,]+) rows", said[0]) if kind == "contradiction" else None
    if rows_of and source.metric in SHARES:
        most = min(1.0, int(rows_of[1].replace(",", "")) / source.about.split["test"].rows)
        costs = f"{points_words(most)} at most" if most >= 0.001 else "less than 0.1 points"
        return Warned(f"{_brief(said[0])} That costs {costs}.", most)
    return None


def _brief(message: str) -> str:
    """What stands before the first colon, unless that is inside a name; without what is said in brackets at the end."""
    start, colon, _ = message.partition(": ")
    brief = f"{start}." if colon and not start.count("'") % 2 else message
    return brief.replace(" (case, spaces, punctuation and markup aside)", "")


def without_twins(source: Source, row: MethodRow) -> tuple[float, int] | None:
    """The share of right answers to the test rows without a twin in another split, and how many these are.

    None where no row has one, where the score is no share of rows, and where it is the mean of several trainings.
    """
    if source.metric not in SHARES or len(row.seeds) > 1 or source.data is None:
        return None
    twins = {one["id"] for one in read_lines(source.data / "twins.jsonl")
             if one.get("split") == "test" and one.get("twin_split") != "test"}  # fmt: skip
    folder = source.folders.get(row.id)
    if not twins or folder is None or "test" in source.records[row.id].scored:
        return None
    right = [_right(one) for one in read_lines(folder / "predictions.jsonl")
             if one["split"] == "test" and one["id"] not in twins]  # fmt: skip
    return (sum(right) / len(right), len(right)) if right else None


def _right(row: dict[str, object]) -> bool:
    if row["outcome"] != "ok":
        return False
    truth, answer = target_from_json(row["target"]), target_from_json(row["prediction"])
    return answer == truth if isinstance(truth, str) else all_right(entities_of(truth), entities_of(answer))
