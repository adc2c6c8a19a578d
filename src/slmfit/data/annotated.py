"""Rows as Prodigy writes them: what an annotator rejected or ignored is no truth, and is left out.

{"text": "…", "label": "billing", "answer": "accept"}        {"text": "…", "spans": […], "answer": "reject"}
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from slmfit.data.columns import columns_of, find_column
from slmfit.data.readers.exports import CANCELLED, DIFFERING, MARKED
from slmfit.data.readers.rows import Part
from slmfit.data.unannotated import annotated_only
from slmfit.errors import DataError
from slmfit.tasks import TASKS, by_name
from slmfit.text.figures import listed, number_of

_ANSWERS = {"accept", "reject", "ignore"}
_ANNOTATIONS = {c for task in TASKS for role in ("label", "spans", "tags") for c in by_name(task).roles.get(role, ())}
_ASIDE = {"discarded", "discard", "rejected", "reject", "ignored", "ignore", "skipped", "skip", "excluded", "deleted"}
_KEPT = {"", "submitted", "submit", "accepted", "accept", "approved", "approve", "completed", "done", "included",
         "kept", "reviewed", "validated", "pending", "draft", "ok", "false", "0"}  # fmt: skip
_FLAGS = {"was_cancelled", "cancelled", "skipped", "rejected", "discarded", "deleted", "ignored", "exclude", "excluded",
          "is_excluded", "is_deleted", "to_delete", "remove", "removed", "invalid", "is_invalid", "bad"}  # fmt: skip
_MOST_STATES = 12


def accepted(part: Part, used: Collection[str], notes: list[str], text: str | None = None) -> Part:
    """The part without rejected and ignored rows, which are counted in `notes`; any other part as it is.

    A row that says nothing, as rows have that were put beside Prodigy's, counts as accepted.
    used: columns that the user named; `answer` is theirs, then. text: the one of the texts, if it was named.
    Raises DataError where no row was accepted.
    """
    _refuse_differing(part)
    part = _of_one_text(part, text)
    part = annotated_only(_without_cancelled(part, used, notes), used, notes)
    notes += _set_aside(part, used)
    if "answer" in used or not answers_of_prodigy(cells for _, cells in part.rows):
        return part
    answers = [_said(cells) or "accept" for _, cells in part.rows]
    counts = Counter(answers)
    if left := counts.total() - counts["accept"]:
        if left == len(answers):
            fix = "accept some, or remove the column 'answer' if it is not Prodigy's"
            raise DataError("no row was accepted by its column 'answer'", where=part.file, fix=fix)
        kinds = " and ".join(f"{counts[kind]:,} {kind}" for kind in ("reject", "ignore") if counts[kind])
        notes.append(f"{part.file}: {number_of(left, 'row')} left out by Prodigy's column 'answer': {kinds}.")
    kept = [i for i, answer in enumerate(answers) if answer == "accept"]
    return replace(part, rows=[part.rows[i] for i in kept], numbers=[part.numbers[i] for i in kept])


def _refuse_differing(part: Part) -> None:
    """Raises DataError for a task of Label Studio that several people annotated, and not alike."""
    differing = [(where, cells[DIFFERING]) for where, cells in part.rows if DIFFERING in cells]
    if differing:
        where, count = differing[0]
        others = number_of(len(differing) - 1, "other task", "have")
        more = f", and {others}, too" if len(differing) > 1 else ""
        what = f"this task has {count} annotations that differ{more}"
        fix = "keep one annotation of each task, such as the reviewer's, or the one that most agree on"
        raise DataError(what, where=where, fix=fix)


def _of_one_text(part: Part, named: str | None) -> Part:
    """The part without Label Studio's word on which of several texts of a task was annotated.

    named: the column of the texts, by the user's word. Raises DataError where the one that is annotated is not the one
    that is read, or several are.
    """
    said = [(where, cells[MARKED]) for where, cells in part.rows if isinstance(cells.get(MARKED), list)]
    if not said:
        return part
    names = sorted({name for _, marked in said for name in marked})
    where = next((where for where, marked in said if marked != said[0][1] or len(marked) > 1), said[0][0])
    if len(names) > 1:
        fix = "keep the results of one, by their to_name, and give the others as a file of their own"
        raise DataError(f"several texts of a task are annotated: {listed(names)}", where=where, fix=fix)
    columns = columns_of(part)
    task = by_name("token-classification" if "spans" in columns else "text-classification")
    read = find_column(task.roles["text"], columns)
    if names[0] != read and named is None:
        fix = f"name it: --column text={names[0]}"
        raise DataError(f"of several texts, only {names[0]!r} is annotated", where=where, fix=fix)
    plain = [(at, {name: cell for name, cell in cells.items() if name != MARKED}) for at, cells in part.rows]
    return replace(part, rows=plain)


def _without_cancelled(part: Part, used: Collection[str], notes: list[str]) -> Part:
    """The part without the rows that an annotator of Label Studio skipped, and that nobody else annotated."""
    skipped = [bool(cells.get(CANCELLED) is True and _ANNOTATIONS.isdisjoint(cells)) for _, cells in part.rows]
    if CANCELLED in used or not any(skipped):
        return part
    if all(skipped):
        raise DataError("every annotation was cancelled", where=part.file, fix="give rows that were annotated")
    notes.append(f"{part.file}: {number_of(sum(skipped), 'row')} left out: their annotation was cancelled.")
    kept = [i for i, left_out in enumerate(skipped) if not left_out]
    return replace(part, rows=[part.rows[i] for i in kept], numbers=[part.numbers[i] for i in kept])


def _set_aside(part: Part, used: Collection[str]) -> Iterator[str]:
    """That a column, such as Argilla's `status`, calls some rows discarded and others not: what it means is a guess."""
    for column in part.rows[0][1]:
        if column in used or column in _ANNOTATIONS or column == "answer":
            continue
        said: Counter[str] = Counter()
        for _, cells in part.rows:
            cell = cells.get(column)
            said["" if cell is None else str(cell).strip().lower()] += 1
            if len(said) > _MOST_STATES:
                break
        aside = sorted(({"true", "1"} if column.lower() in _FLAGS else _ASIDE) & said.keys())
        if aside and len(said) <= _MOST_STATES and not _KEPT.isdisjoint(said):
            count = sum(said[word] for word in aside)
            yield (
                f"{part.file}: the column {column!r} calls {number_of(count, 'row')} {' or '.join(aside)}, and they "
                "are read as all others: leave them out if they are no truth."
            )


def answers_of_prodigy(rows: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the column `answer` says of annotations beside it if they are true, and nothing else."""
    answered = annotated = False
    for cells in rows:
        if (said := _said(cells)) and said not in _ANSWERS:
            return False
        answered = answered or bool(said)
        annotated = annotated or not _ANNOTATIONS.isdisjoint(cells)
    return answered and annotated


def _said(cells: Mapping[str, Any]) -> str:
    """What a row's answer says; empty where there is none."""
    answer = cells.get("answer")
    return "" if answer is None else str(answer).strip().lower()
