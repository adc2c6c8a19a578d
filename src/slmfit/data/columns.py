"""Which task the columns are of, and which column plays which role.

task_and_roles(parts, None, {"text": "body"}, notes)     # TextClassification(), {"text": "body", "label": "label"}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from slmfit.data.readers.chats import CHATS, SYSTEM
from slmfit.data.readers.rows import Part, is_table
from slmfit.data.unannotated import ANNOTATION, OF_STUDIO
from slmfit.data.unlabelled import no_labels
from slmfit.errors import DataError, UsageError, did_you_mean
from slmfit.tasks import TASKS, by_name
from slmfit.tasks.base import PAIR_ROLES, Task
from slmfit.text.figures import joined, listed
from slmfit.text.looks import look_alike, told_apart

CLASSIFICATION = "text-classification"
# Columns that are one input together: to read one of them alone is to leave half of it out.
PAIRS = (
    ("sentence1", "sentence2"), ("sentence_1", "sentence_2"), ("sentence_a", "sentence_b"), ("sent1", "sent2"),
    ("question1", "question2"), ("text1", "text2"), ("text_1", "text_2"), ("text_a", "text_b"), ("text", "text_pair"),
    ("question", "sentence"), ("question", "context"), ("question", "passage"), ("query", "document"),
    ("query", "passage"), ("premise", "hypothesis"), ("instruction", "input"),
)  # fmt: skip


def columns_of(part: Part) -> list[str]:
    """All columns, in the order of their first appearance."""
    seen: dict[str, None] = {}
    for _, cells in part.rows:
        if cells.keys() != seen.keys():
            seen.update(dict.fromkeys(cells))
    return list(seen)


def _flag(role: str) -> str:
    """How the column of a role is named on the command line."""
    return f"--{role} NAME" if role in ("text", "label") else f"--column {role}=NAME"


def task_and_roles(
    parts: Mapping[str, Part], name: str | None, given: Mapping[str, str], notes: list[str]
) -> tuple[Task, dict[str, str]]:
    """The task, and role -> column. What was guessed is added to `notes`.

    parts: split -> rows, with `train`. name: of the task, or None. given: role -> column, as the user says.
    Raises DataError for a column that a part lacks, UsageError for a role that the task does not have.
    """
    first = parts["train"]
    columns = columns_of(first)
    task, found, hints = _task_and_columns(first, columns, name, given)
    if "text_pair" in task.roles and not given.get("text"):
        found |= text_columns(columns, found["text"], given) or _told_apart(first, columns, found["text"], given)
    for role in task.required:
        if found[role] is None:
            also = hints or _looked_for(first, task.roles[role])
            raise DataError(
                f"cannot tell which column holds the {role}; the columns are: {listed(columns, 20, quoted=False)}",
                where=first.file,
                fix="; ".join([f"name the column with {_flag(role)}, or call it {role!r}", *also]),
            )
    roles = {role: column for role, column in found.items() if column is not None}
    needed = [*task.required, *(role for role in roles if role == "text_pair")]
    twice = next((role for role in needed if sum(roles[other] == roles[role] for other in needed) > 1), None)
    if twice is not None:
        both = " and ".join(role for role in needed if roles[role] == roles[twice])
        raise UsageError(f"the column {roles[twice]!r} cannot be both {both}", fix="name two columns")
    for part in parts.values():
        present = columns if part is first else columns_of(part)
        for role, column in roles.items():
            lacking = column not in present and role == "label" and find_column(task.roles[role], present) is None
            if lacking and part is not first:
                raise no_labels(_split_of(part, parts), part.file, f": {_no_column(column, present)}")
            if column not in present and (role in task.required or role in given or role == "text_pair"):
                raise _unlike(column, present, part.file, first.file)
    notes += [f"{first.file}: {hint}." for hint in hints]
    guessed = list(_spoken(task, {role: column for role, column in roles.items() if role not in given}))
    if guessed:
        notes.append(f"{first.file}: read as {task.name}, {', '.join(guessed)}.")
    if "text_pair" in roles:
        notes.append(
            f"{first.file}: a text is {roles['text']!r} and then {roles['text_pair']!r}: an encoder reads them as a "
            "pair, llm each under its name, other methods as one text with a line break between."
        )
        task = replace(task, texts=(roles["text"], roles["text_pair"]))  # type: ignore[type-var]
    return task, roles


def _looked_for(part: Part, role: Sequence[str]) -> Iterator[str]:
    """What may stand in the way of finding columns by their names. role: those that would do."""
    for column in columns_of(part):
        if (twin := look_alike(column.lower(), role)) is not None:
            yield f"{listed(told_apart([column, twin]), quoted=False)} only look alike"
    first = {column: cell[0] if isinstance(cell, list) and cell else cell for column, cell in part.rows[0][1].items()}
    nested = [column for column, cell in first.items() if isinstance(cell, Mapping)]
    if chats := [column for column in nested if column in CHATS]:
        yield (
            f"each chat in {chats[0]!r} must end in its one answer, with turns of text: give other answers of the "
            'assistant "weight": 0'
        )
    elif nested:
        inner = next(f"{column}.{key}" for column in nested for key in first[column])
        yield f"what objects hold, as in {listed(nested)}, is a column, too: --column text={inner}"
    elif ANNOTATION in first:
        own = listed([column for column in first if column not in OF_STUDIO], quoted=False)
        yield f"Label Studio calls the column of choices by their tag in its interface, one of these: {own}"
    elif is_table(Path(part.file)):
        yield "a CSV file needs a header line"


def _spoken(task: Task, roles: Mapping[str, str]) -> Iterator[str]:
    """Which column is what; those of one kind, as options are, together."""
    by_kind: dict[str, list[str]] = {}
    for role, column in roles.items():
        by_kind.setdefault(task.spoken(role), []).append(column)
    for kind, columns in by_kind.items():
        yield f"the {kind} from {listed(columns, 26)}"


def _task_and_columns(
    part: Part, columns: Sequence[str], name: str | None, given: Mapping[str, str]
) -> tuple[Task, dict[str, str | None], list[str]]:
    """The task that was named, or that the part is of, role -> column as given or found, and what else may be meant."""
    usual = by_name(CLASSIFICATION)
    task = by_name(name) if name else _of_roles(given)
    for role in given:
        if role not in task.roles:
            raise UsageError(f"{task.name} has no column for {role!r}", fix=did_you_mean(role, task.roles))
    found = _found(task, columns, given)
    if task != usual:
        return task, found | _shown_by(task, found, part) | dict(given), []
    hints: list[str] = []
    for other in (other for other in map(by_name, TASKS) if other != usual and not name):
        known = {role: column for role, column in given.items() if role in other.roles}
        of_other = _found(other, columns, known)
        shown = _shown_by(other, of_other, part)
        fits = shown or (
            other.recognises([*columns, *known]) and not (found["label"] and _is_bare(other, of_other, part))
        )
        if fits and known == given:
            return other, of_other | shown | known, []
        if fits:
            named = [role for role in given if role not in known]
            ruled_out = f"{joined(named)} {'was' if len(named) == 1 else 'were'}"
            hints.append(
                f"its columns are those of {other.name}, but the {ruled_out} named, so that it is read as "
                f"{task.name} and the rest is left out; --task {other.name} reads it all"
            )
        elif how := other.overlooked(columns):
            hints.append(how)
    if found["label"] is None and (answer := find_column(["answer"], columns)) and _says_yes_or_no(part, answer):
        found["label"] = answer  # as BoolQ has it
    return task, found, hints


def _says_yes_or_no(part: Part, column: str) -> bool:
    return {str(cells.get(column)).strip().lower() for _, cells in part.rows} <= {"true", "false", "yes", "no"}


def _of_roles(given: Mapping[str, str]) -> Task:
    """text-classification, unless it lacks a role that was given and another task has them all."""
    usual = by_name(CLASSIFICATION)
    return next((task for task in (usual, *map(by_name, TASKS)) if given.keys() <= task.roles.keys()), usual)


def _found(task: Task, columns: Sequence[str], given: Mapping[str, str]) -> dict[str, str | None]:
    return {role: given.get(role) or find_column(names, columns) for role, names in task.roles.items()}


def _is_bare(task: Task, found: Mapping[str, str | None], part: Part) -> bool:
    """Whether the columns of a task's answers are there, but hold none, as in Prodigy's rows of labels."""
    roles = {role: column for role, column in found.items() if column is not None}
    return task.bare(roles, (cells for _, cells in part.rows))


def _shown_by(task: Task, found: Mapping[str, str | None], part: Part) -> dict[str, str | None]:
    """All roles -> column, where the cells show what the columns' names do not say; else nothing."""
    roles = {role: column for role, column in found.items() if column is not None}
    shown = task.shown_by(roles, (cells for _, cells in part.rows))
    return {role: shown.get(role) for role in task.roles} if shown else {}


def text_columns(columns: Sequence[str], found: str | None, given: Mapping[str, str]) -> dict[str, str]:
    """Role -> column of two texts that are one input, where none of them is used otherwise; else nothing.

    found: the column that would be the text by itself.
    """
    taken = set(given.values())
    for names in PAIRS:
        pair = [find_column([name], columns) for name in names]
        one, two = pair
        if one is not None and two is not None and not taken & {one, two} and found in (None, one, two):
            return {"text": one, "text_pair": two}
    return {}


def _told_apart(part: Part, columns: Sequence[str], found: str | None, given: Mapping[str, str]) -> dict[str, str]:
    """The same of a chat's system prompt and what the user says, where the prompt is not the same in all rows."""
    if SYSTEM not in columns or found != "text" or SYSTEM in given.values():
        return {}
    told = {cells.get(SYSTEM) for _, cells in part.rows}
    return {"text": SYSTEM, "text_pair": found} if len(told) > 1 and None not in told else {}


def pair_columns(task: Task, columns: Sequence[str]) -> dict[str, str]:
    """Role -> column of the two texts of a task that reads pairs, in a file that has both under their names."""
    found = dict(zip(PAIR_ROLES, task.texts, strict=False))
    return found if set(found.values()) <= set(columns) else {}


def _split_of(part: Part, parts: Mapping[str, Part]) -> str:
    return next(split for split, one in parts.items() if one is part)


def no_column(column: str, present: Sequence[str], file: str) -> DataError:
    """The error for a column that was named but is not there."""
    fix = did_you_mean(column, present, "name one of these columns")
    return DataError(_no_column(column, present), where=file, fix=fix)


def _no_column(column: str, present: Sequence[str]) -> str:
    return f"there is no column {column!r}; the columns are: {listed(present, 20, quoted=False)}"


def _unlike(column: str, present: Sequence[str], file: str, first: str) -> DataError:
    """The error for a file that lacks a column of the one that it belongs to."""
    if file == first:
        return no_column(column, present, file)
    return DataError(_no_column(column, present), where=file, fix=f"rename its column to {column!r}, as in {first}")


def find_column(names: Sequence[str], columns: Sequence[str]) -> str | None:
    """The first column that goes by one of the names, spelled alike or else in other cases."""
    lower = {column.lower(): column for column in reversed(columns)}
    return next((n for n in names if n in columns), None) or next((lower[n] for n in names if n in lower), None)
