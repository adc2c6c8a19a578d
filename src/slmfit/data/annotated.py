"""Rows as Prodigy writes them: what an annotator rejected or ignored is no truth, and is left out.

{"text": "…", "label": "billing", "answer": "accept"}        {"text": "…", "spans": […], "answer": "reject"}
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace

from slmfit.data.readers.rows import Part
from slmfit.errors import DataError
from slmfit.text.figures import number_of

_ANSWERS = {"accept", "reject", "ignore"}
_ANNOTATIONS = {"label", "spans", "accept"}


def accepted(part: Part, used: Collection[str], notes: list[str]) -> Part:
    """The part without rejected and ignored rows, which are counted in `notes`; any other part as it is.

    used: columns that the user named; `answer` is theirs, then. Raises DataError where no row was accepted.
    """
    if "answer" in used or not all("answer" in cells for _, cells in part.rows):
        return part
    columns = {column for _, cells in part.rows for column in cells}
    answers = [cells["answer"] for _, cells in part.rows]
    if "text" not in columns or not columns & _ANNOTATIONS or not all(isinstance(a, str) for a in answers):
        return part
    answers = [answer.strip().lower() for answer in answers]
    counts = Counter(answers)
    if not counts.keys() <= _ANSWERS:
        return part
    if left := counts.total() - counts["accept"]:
        if left == len(answers):
            fix = "accept some, or remove the column 'answer' if it is not Prodigy's"
            raise DataError("no row was accepted by its column 'answer'", where=part.file, fix=fix)
        kinds = " and ".join(f"{counts[kind]:,} {kind}" for kind in ("reject", "ignore") if counts[kind])
        notes.append(f"{part.file}: {number_of(left, 'row')} left out by Prodigy's column 'answer': {kinds}.")
    kept = [i for i, answer in enumerate(answers) if answer == "accept"]
    return replace(part, rows=[part.rows[i] for i in kept], numbers=[part.numbers[i] for i in kept])
