"""A run scored on other labelled rows than those it was made with: rows kept apart, last month's, another team's.

scores = evaluate(load("slmfit-demo"), "november.csv")
scores.values["accuracy"]            # Score(value=0.87, low=0.84, high=0.9)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from slmfit.data.dataset import targets
from slmfit.data.in_memory import Held, is_held, read_held
from slmfit.data.layout import read_file
from slmfit.data.load import load_examples
from slmfit.errors import DataError, UsageError
from slmfit.runs.run import Run
from slmfit.tasks import names_of
from slmfit.tasks.base import Scores
from slmfit.text.figures import part_of


def evaluate(run: Run, path: str | Path | Held, *, columns: Mapping[str, str] | None = None) -> Scores:
    """Every score of the run's task on the rows of a file; labels are merged as they were for the run.

    path: a file, or rows that you hold, as `load_data` takes them.
    columns: role -> column; as in the run's own data, or recognised by name, where not given. A label that the run
    has never seen is a label all the same, and what is answered to it is wrong; `details["unseen"]` names these, as
    `labels` and `intents`; `details["notes"]` says what was guessed of the file, and what was left out of it.
    Raises DataError when the rows cannot be read, UnsafeError when the run's files were changed.
    """
    if not isinstance(path, str | Path) and not is_held(path):
        fix = "give a path, a list of rows, a dict of columns or a data frame"
        raise UsageError(f"the rows are {type(path).__name__}, which cannot be read", fix=fix)
    notes: list[str] = []
    part = read_held(path) if is_held(path) else read_file(Path(path), notes)
    if any(part.sha256 == file["sha256"] for file in run.record.origin.files):
        notes.append(f"{part.file}: the run was made from this very file, so its scores say nothing of new rows.")
    examples = load_examples(part, run.task, run.record.origin, columns or {}, notes, split="test")
    if not examples:
        raise DataError("holds no rows", where=str(path), fix="give labelled rows")
    inputs = [e.input for e in examples]
    if 10 * (repeats := len(inputs) - len(set(map(run.task.text, inputs)))) > len(inputs):
        rows = part_of(repeats, len(inputs), "row", "repeat")
        notes.append(f"{part.file}: {rows} an earlier one; rows that are the same count as one in the intervals.")
    truth = targets(examples)
    found, known = run.task.with_labels(truth), run.task
    new_names = names_of(found)
    names = {kind: (set(old), set(new_names[kind])) for kind, old in names_of(known).items()}
    task = replace(known, **{name: tuple(sorted(old | new)) for name, (old, new) in names.items()})  # type: ignore[type-var]
    scores = task.score(truth, run.predict(inputs), run.record.seed, inputs)
    unseen = {name: sorted(new - old) for name, (old, new) in names.items()}
    return replace(scores, details={**scores.details, "unseen": unseen, "notes": notes})
