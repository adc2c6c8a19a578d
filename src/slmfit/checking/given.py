"""What is checked: the test rows of a comparison, each different text once, and the order in which they are asked.

    given = of(Path("left/tickets"))
    [row.text for row in given.asked(150)]

The order is drawn at the first call, by where labels and methods differ then, and kept: methods that come or go later
do not change which rows were drawn, nor how likely.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from slmfit import storage
from slmfit.errors import UsageError
from slmfit.evidence.checked import GROUPS, asking_order, grouped
from slmfit.records import ComparisonRecord, MethodRow
from slmfit.runs.run import Run, read_comparison
from slmfit.tasks import by_name
from slmfit.text.figures import number_of

FOLDER = "checked"
FORMAT = "slmfit.drawn/1"
LABEL = "the given label"


@dataclass(frozen=True)
class Row:
    """One test row: its texts, one or a pair, and the label whose truth is in question."""

    id: str
    texts: tuple[str, ...]
    label: str


@dataclass(frozen=True)
class Given:
    """rows: those drawn from, in the order in which they are asked. group [rows]: see `grouped`. answers: method id ->
    its answer to each row, None where it has none. called: whose labels these are. repeats: test rows whose text
    another has too, which are not asked."""

    folder: Path
    record: ComparisonRecord
    labels: tuple[str, ...]
    rows: Sequence[Row]
    group: np.ndarray
    answers: Mapping[str, Sequence[str | None]]
    called: str
    repeats: int

    @property
    def place(self) -> Path:
        """Where answers go."""
        return storage.inside(self.folder, FOLDER)

    @property
    def methods(self) -> dict[str, MethodRow]:
        return {row.id: row for row in self.record.methods if row.id in self.answers}

    @property
    def key(self) -> str:
        """Of what was drawn."""
        return storage.hash_json([[row.id for row in self.rows], self.group.tolist()])

    def asked(self, count: int) -> Sequence[Row]:
        """The rows to check. Raises UsageError for a number that cannot be."""
        if count < 1:
            raise UsageError(f"--rows cannot be {count}", fix="give how many rows to check: --rows 150")
        return self.rows[:count]

    def agree(self, method: str) -> np.ndarray:
        """Whether its answer is the label [rows]."""
        return np.array([row.label == said for row, said in zip(self.rows, self.answers[method], strict=True)])


def of(folder: Path) -> Given:
    """What there is to check in a comparison's folder, or in that of `slmfit leave` where it found one task.

    Draws the order where there is none yet. Raises UsageError for a folder of something else, another task, methods
    that there are none of, texts that were not kept, and where the test rows are others than those drawn from.
    """
    place, teacher = _comparison(folder)
    record = read_comparison(place)
    every = {row.id: Run(storage.inside(place, row.run)) for row in record.methods if row.run}
    runs = {row.id: every[row.id] for row in record.methods if row.run and not row.floor}
    task = next((run.record.task for run in every.values()), None)
    if task is not None and not by_name(task["name"]).classifies:
        what = f"its task is {task['name']}, and only a label can be given blind, with one key"
        fix = "mark some rows in an annotation tool, and score methods on them: slmfit evaluate RUN FILE"
        raise UsageError(what, where=str(place), fix=fix)
    if task is None or not runs:
        fix = "compare with one more: --methods linear"
        raise UsageError("holds no method but those that answer without reading", where=str(place), fix=fix)
    said = {id: _answers(run) for id, run in runs.items()}
    rows, repeats = _rows(place, said)
    if not rows:
        fix = "compare again: every method has to answer the same rows"
        raise UsageError("no test row was answered by every method", where=str(place), fix=fix)
    order, group = _drawn(place, record, rows, said)
    return Given(
        place,
        record,
        tuple(map(str, task["labels"])),
        [rows[id] for id in order],
        group,
        {id: [_said(answers[row]) for row in order] for id, answers in said.items()},
        LABEL if teacher is None else teacher,
        repeats,
    )  # fmt: skip


def _comparison(folder: Path) -> tuple[Path, str | None]:
    """The comparison's folder, and what its labels are called where a teacher gave them."""
    for place, tasks in ((folder, True), (folder.parent, False)):
        if (place / "leave.json").is_file():
            found = storage.read_json(place / "leave.json", "prompts")
            with storage.undamaged(place / "leave.json"):
                named = f"the teacher ({found['teacher']})" if found.get("teacher") else "the teacher"
                within = [str(one["comparison"]) for one in found["prompts"] if one.get("comparison")]
            if not tasks:
                return folder, named
            if len(within) == 1:
                return storage.inside(folder, within[0]), named
            if within:
                fix = "name one of " + ", ".join(str(folder / name) for name in within)
                raise UsageError(f"holds {number_of(len(within), 'task')}", where=str(folder), fix=fix)
    return folder, None


def _answers(run: Run) -> dict[str, dict[str, Any]]:
    with storage.undamaged(run.folder / "predictions.jsonl"):
        return {str(row["id"]): row for row in run.predictions() if row["split"] == "test"}


def _said(answer: Mapping[str, Any]) -> str | None:
    return answer["prediction"] if answer["outcome"] == "ok" else None


def _rows(place: Path, said: Mapping[str, Mapping[str, Any]]) -> tuple[dict[str, Row], int]:
    """The test rows that every method answered, each different text once."""
    path, found, seen, repeats = place / "data" / "test.jsonl", {}, set(), 0
    if not path.is_file():
        fix = "compare again without --no-texts: a person has to read them"
        raise UsageError("its texts were not kept", where=str(place), fix=fix)
    with storage.undamaged(path):
        for row in storage.read_jsonl(path):
            id, texts = str(row["id"]), tuple(str(row[name]) for name in ("text", "text_pair") if row.get(name))
            if any(id not in answers for answers in said.values()):
                continue
            repeats += texts in seen
            if texts not in seen:
                seen.add(texts)
                found[id] = Row(id, texts, str(row["label"]))
    return found, repeats


def _drawn(
    place: Path, record: ComparisonRecord, rows: Mapping[str, Row], said: Mapping[str, Mapping[str, Any]]
) -> tuple[list[str], np.ndarray]:
    """The order of the rows, and the group of each; read where it was drawn before."""
    path, test = storage.inside(place, f"{FOLDER}/drawn.json"), record.split["test"].hash
    if path.is_file():
        found = storage.read_json(path, "test", "ids", "group")
        storage.check_format(found, FORMAT, path)
        with storage.undamaged(path):
            order, group = [str(id) for id in found["ids"]], np.array(found["group"], dtype=np.int64)
            proper = len(set(order)) == len(order) == len(group) and bool(np.isin(group, range(GROUPS)).all())
            if found["test"] != test or not rows.keys() >= set(order) or not proper:
                fix = f"check a copy of the comparison, or delete {place / FOLDER} with all that was checked"
                raise UsageError("the test rows are not those that were drawn from", where=str(path), fix=fix)
        return order, group
    ids = list(rows)
    agree = np.array([[_said(answers[id]) == rows[id].label for answers in said.values()] for id in ids])
    likely = [[(answers[id].get("probabilities") or {}).get(rows[id].label, 0.0) for id in ids]
              for answers in said.values() if any(answers[id].get("probabilities") for id in ids)]  # fmt: skip
    of_rows = grouped(agree, np.mean(likely, axis=0) if likely else None)
    at = asking_order(of_rows, record.seed)
    order, group = [ids[i] for i in at], of_rows[at]
    storage.make_folder(path.parent)
    storage.write_json(path, {"format": FORMAT, "test": test, "ids": order, "group": group.tolist()})
    return order, group
