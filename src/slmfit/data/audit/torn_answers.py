"""A column whose rows have the same entities, or the same right options, and stand on both sides of the split.

    list(torn_answers([("train", example), …], {"doc_id": numbers}, one_file=True))
    # [{"kind": "group", "message": "Rows with the same 'doc_id' share their entities …", "fix": "… --group doc_id", …}]

What `groups` asks of labels and texts is asked of answers here: how many of validation and test does one know who only
remembers the words of train's answers, and how many if the rows of the same value are left out?
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from slmfit.data.audit.edits import Integers
from slmfit.data.audit.findings import Finding, excerpt, finding
from slmfit.data.audit.groups import FEWEST, SURELY, far_more, way_out
from slmfit.records import Example
from slmfit.tasks.recalled import read_of, recalled
from slmfit.text.figures import number_of, percent

_Told = Counter[str]  # type -> how often a text was of it; "right" and "wrong" of an option


@dataclass(frozen=True, slots=True)
class _Asked:
    """What one may remember: the texts of an answer, each with what train must say of it for this to be right.

    row: its number. known: what was said of each text -> how far that is right.
    """

    row: int
    texts: tuple[str, ...]
    told: tuple[str, ...]

    def remembered(self, known: Sequence[_Told]) -> float:
        """1 = right, 0 = wrong; between them where a guess among equals is left. known: of each text."""
        if len(self.texts) == 1:
            [said], [told] = known, self.told
            return float(bool(said) and said.most_common(1)[0][0] == told)
        shares = [said["right"] / max(said.total(), 1) for said in known]
        best = [told for told, share in zip(self.told, shares, strict=True) if share == max(shares)]
        return ("right" in best) / len(best)


def torn_answers(
    rows: Sequence[tuple[str, Example]], groups: Mapping[str, Integers], one_file: bool
) -> Iterator[Finding]:
    """rows: (split, example) of all splits; nothing is found where answers are labels. groups, one_file: as for
    `torn_groups`.
    """
    asked = [_Asked(number, *one) for number, (_, example) in enumerate(rows) for one in recalled(example)]
    noun = "question" if any(len(one.texts) > 1 for one in asked) else "mention"
    train = [one for one in asked if rows[one.row][0] == "train"]
    everywhere: dict[str, _Told] = defaultdict(Counter)
    for one in train:
        for text, told in zip(one.texts, one.told, strict=True):
            everywhere[text][told] += 1
    for column, group in groups.items():
        own: dict[tuple[str, int], _Told] = defaultdict(Counter)
        for one in train:
            for text, told in zip(one.texts, one.told, strict=True):
                own[text, int(group[one.row])][told] += 1
        inside = {int(group[one.row]) for one in train} - {-1}
        held = [one for one in asked if rows[one.row][0] != "train" and int(group[one.row]) in inside]
        values = np.array([group[one.row] for one in held], np.int64)
        if len(np.unique(values)) < FEWEST:
            continue
        of_all = np.array([one.remembered([everywhere.get(t, _Told()) for t in one.texts]) for one in held])
        rest = [
            [everywhere.get(t, _Told()) - own.get((t, int(group[one.row])), _Told()) for t in one.texts] for one in held
        ]
        others = np.array([one.remembered(known) for one, known in zip(held, rest, strict=True)])
        if far_more(of_all, others, values):
            lost = [one for one, a, b in zip(held, of_all, others, strict=True) if a > b]
            severity: Literal["warning", "note"] = "warning" if len(np.unique(values)) >= SURELY else "note"
            shares = (float(of_all.mean()), float(others.mean()))
            yield _finding(rows, column, one_file, severity, noun, len(held), *shares, lost)


def _finding(
    rows: Sequence[tuple[str, Example]],
    column: str,
    one_file: bool,
    severity: Literal["warning", "note"],
    noun: str,
    count: int,
    of_all: float,
    others: float,
    lost: Sequence[_Asked],
) -> Finding:
    have = "their entities" if noun == "mention" else "their right options"
    asked = f"{number_of(count, noun)} of validation and test"
    message = (
        f"Rows with the same {column!r} share {have} and stand on both sides of the split: who only remembers those of "
        f"train knows {percent(of_all)} of {asked}, and {percent(others)} where rows of the same {column!r} are left "
        f"out."
    )
    shown = dict.fromkeys(one.row for one in lost)
    examples = (
        {"rows": [{"id": e.id, "split": split, "label": None, "text": excerpt(read_of(e.input))}]}
        for split, e in (rows[row] for row in shown)
    )
    return finding("group", severity, count, message, way_out(column, one_file), examples)
