"""A run scored on other labelled rows than those it was made with: rows kept apart, last month's, another team's.

scores = evaluate(load("slmfit-demo"), "november.csv")
scores.values["accuracy"]            # Score(value=0.87, low=0.84, high=0.9)
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from slmfit import storage
from slmfit.data.audit.copies import MANY_COPIES, copies_of
from slmfit.data.audit.near import find_duplicates
from slmfit.data.dataset import targets
from slmfit.data.in_memory import NAME, Held, is_held, read_held
from slmfit.data.layout import read_file
from slmfit.data.load import load_examples
from slmfit.data.readers.rows import ending
from slmfit.data.texts import in_any_order
from slmfit.errors import DataError, UsageError
from slmfit.events import Listener
from slmfit.runs.learnt import is_there, learnt_files, learnt_texts, plain_text
from slmfit.runs.orders import check_orders, in_orders
from slmfit.runs.run import Run
from slmfit.streams import is_stream
from slmfit.tasks import names_of
from slmfit.tasks.base import Scores
from slmfit.tasks.relabelled import relabelled
from slmfit.text.figures import listed, part_of, percent
from slmfit.text.garbled import unescaped
from slmfit.timing.work import counted, told_to

_ESCAPED = 0.1  # of the texts


def evaluate(
    run: Run,
    path: str | Path | Held,
    *,
    columns: Mapping[str, str] | None = None,
    orders: int | None = None,
    output: str | Path | None = None,
    listen: Listener | None = None,
) -> Scores:
    """Every score of the run's task on the rows of a file; labels are merged as they were for the run.

    path: a file, or rows that you hold, as `load_data` takes them.
    columns: role -> column; as in the run's own data, or recognised by name, where not given. A label that the run
    has never seen is a label all the same, and what is answered to it is wrong; `details["unseen"]` names these, as
    `labels` and `intents`; `details["notes"]` says what was guessed of the file, and what was left out of it.
    orders: of questions, in how many orders of their options each is asked; `details["orders"]` then says what
    `orders.in_orders` does. output: of questions, a file of JSON lines: each with its answer, as in `choice_record`.
    Raises UsageError for these two where inputs have no options, DataError when the rows cannot be read, UnsafeError
    when the run's files were changed.
    """
    if not isinstance(path, str | Path) and not is_held(path):
        fix = "give a path, a list of rows, a dict of columns or a data frame"
        raise UsageError(f"the rows are {type(path).__name__}, which cannot be read", fix=fix)
    if orders is not None:
        check_orders(run, orders)
    output = None if output is None else Path(output)
    if output is not None:
        _check_output(run, path, output)
    notes: list[str] = []
    part = read_held(path, notes) if is_held(path) else read_file(Path(path), notes)
    same = any(part.sha256 == file["sha256"] for file in run.record.origin.files)
    if same:
        notes.append(f"{part.file}: the run was made from this very file, so its scores say nothing of new rows.")
    examples = load_examples(part, run.task, run.record.origin, columns or {}, notes, split="test")
    if not examples:
        raise DataError("holds no rows", where=str(path), fix="give labelled rows")
    inputs = [e.input for e in examples]
    if not same:
        texts, learnt = [in_any_order(run.task, input) for input in inputs], learnt_texts(run)
        notes += [*_learnt_before(part.file, texts, learnt), *_escaped_otherwise(part.file, texts, learnt)]
        notes += _not_looked_for(part.file, run)
    if 10 * (repeats := len(inputs) - len(set(map(run.task.text, inputs)))) > len(inputs):
        rows = part_of(repeats, len(inputs), "row", "repeat")
        notes.append(f"{part.file}: {rows} an earlier one; rows that are the same count as one in the intervals.")
    truth = targets(examples)
    found, known = run.task.with_labels(truth), run.task
    new_names = names_of(found)
    names = {kind: (set(old), set(new_names[kind])) for kind, old in names_of(known).items()}
    task = replace(known, **{name: tuple(sorted(old | new)) for name, (old, new) in names.items()})  # type: ignore[type-var]
    with counted(told_to(listen), "predicting", len(inputs)):
        answers = run.predict(inputs)
    scores = task.score(truth, answers, run.record.seed, inputs)
    if said := relabelled(truth, answers):
        notes.append(f"{part.file}: {said}")
    if output is not None:
        lines = (json.dumps(task.answered(e, a), ensure_ascii=False) for e, a in zip(examples, answers, strict=True))  # type: ignore[attr-defined]
        storage.write_output(output, "".join(line + "\n" for line in lines))
    more = {} if orders is None else {"orders": in_orders(run, examples, answers, orders, told_to(listen))}
    unseen = {name: sorted(new - old) for name, (old, new) in names.items()}
    return replace(scores, details={**scores.details, **more, "unseen": unseen, "notes": notes})


def _check_output(run: Run, path: Any, output: Path) -> None:
    """Raise UsageError where no record of a question can be written."""
    if not hasattr(run.task, "answered"):
        fix = "`slmfit predict RUN --input FILE --output FILE` writes the answers"
        raise UsageError(f"{run.task.name} has no questions to write down", where=str(output), fix=fix)
    if ending(output) not in ("jsonl", "ndjson") and not is_stream(output):
        raise UsageError("records are JSON lines", where=str(output), fix="end it in .jsonl")
    if isinstance(path, str | Path) and output.exists() and Path(path).exists() and output.samefile(path):
        raise UsageError("is the input, too", where=str(output), fix="give another --output")


def _learnt_before(file: str, texts: Sequence[str], learnt: Sequence[str]) -> Iterator[str]:
    """What is said of texts that are among those learnt from, and of their near twins."""
    known = {plain_text(text) for text in learnt}
    new = [text for text in texts if plain_text(text) not in known]
    if again := len(texts) - len(new):
        rows = part_of(again, len(texts), "row", "are")
        yield f"{file}: {rows} among those that the run learnt from, and say nothing of new rows."
    if not learnt or not new:
        return
    found = find_duplicates([*learnt, *new])
    near = found.among_first(len(learnt))
    if near.any():
        rows = part_of(int(near.sum()), len(texts), "row", "are")
        twins = "nearly the same as rows that the run learnt from (at most one word in ten changed)"
        yield f"{file}: {rows} {twins}, and say little about new rows."
    copied = int(((copies_of(found.words, len(learnt)) >= 0) & ~near).sum())
    if copied > MANY_COPIES * len(texts):
        rows = part_of(copied, len(texts), "row", "share")
        others = "nearly all of their words with rows that the run learnt from, or overlap them"
        yield f"{file}: {rows} {others}, and say little about new rows."


def _escaped_otherwise(file: str, texts: Sequence[str], learnt: Sequence[str]) -> Iterator[str]:
    """That entities of HTML stand in many of the texts, and in few of those learnt from, or the other way round."""
    here, there = (sum(unescaped(text) != text for text in some) / max(len(some), 1) for some in (texts, learnt))
    if learnt and max(here, there) >= _ESCAPED and min(here, there) < max(here, there) / 5:
        yield (
            f"{file}: entities of HTML, such as &amp;, stand in {percent(here)} of its texts and in {percent(there)} "
            "of those that the run learnt from: write both in one way."
        )


def _not_looked_for(file: str, run: Run) -> Iterator[str]:
    """That some of what the run learnt from is not there to be held against these rows."""
    gone = [Path(one["file"]) for one in learnt_files(run) if not is_there(one)]
    if gone:
        be = "is not there as it was" if len(gone) == 1 else "are not there as they were"
        named = f"{listed([path.name for path in gone])} {be}"
        why = "its data were given in Python" if run.record.origin.files[0]["file"] == NAME else named
        yield f"{file}: whether rows are among those that the run learnt from could not be checked: {why}."
