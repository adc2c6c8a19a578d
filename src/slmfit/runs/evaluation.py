"""A run scored on other labelled rows than those it was made with: rows kept apart, last month's, another team's.

scores = evaluate(load("slmfit-demo"), "november.csv")
scores.values["accuracy"]            # Score(value=0.87, low=0.84, high=0.9)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from slmfit.data.dataset import targets
from slmfit.data.load import load_examples
from slmfit.errors import DataError
from slmfit.runs.run import Run
from slmfit.tasks import names_of
from slmfit.tasks.base import Scores


def evaluate(run: Run, path: str | Path, *, columns: Mapping[str, str] | None = None) -> Scores:
    """Every score of the run's task on the rows of a file; labels are merged as they were for the run.

    columns: role -> column; as in the run's own data, or recognised by name, where not given. A label that the run
    has never seen is a label all the same, and what is answered to it is wrong; `details["unseen"]` names these, as
    `labels` and `intents`.
    Raises DataError when the rows cannot be read, UnsafeError when the run's files were changed.
    """
    examples = load_examples(path, run.task, columns or {}, run.record.origin.merged)
    if not examples:
        raise DataError("holds no rows", where=str(path), fix="give labelled rows")
    inputs = [e.input for e in examples]
    truth = targets(examples)
    found, known = run.task.with_labels(truth), run.task
    new_names = names_of(found)
    names = {kind: (set(old), set(new_names[kind])) for kind, old in names_of(known).items()}
    task = replace(known, **{name: tuple(sorted(old | new)) for name, (old, new) in names.items()})  # type: ignore[type-var]
    scores = task.score(truth, run.predict(inputs), run.record.seed, inputs)
    unseen = {name: sorted(new - old) for name, (old, new) in names.items()}
    return replace(scores, details={**scores.details, "unseen": unseen})
