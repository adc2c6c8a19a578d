"""What is checked: the test rows of a comparison, each different text once, and the order in which they are asked.

    given = of(Path("left/tickets"))
    [row.text for row in given.asked(150)]

The order is drawn at the first call, by where labels and methods differ then, and kept: methods that come or go later
do not change which rows were drawn, nor how likely.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from slmfit import storage
from slmfit.comparison.left import RECORD, LeaveRecord, PromptRecord, read_left
from slmfit.errors import UsageError
from slmfit.evidence.checked import GROUPS, asking_order, grouped
from slmfit.records import ComparisonRecord, Entities, MethodRow, Prediction, Span, Target
from slmfit.reporting.checked import FOLDER
from slmfit.runs.run import Run, read_comparison
from slmfit.tasks import by_name
from slmfit.tasks.answers import prediction_from_json
from slmfit.tasks.sureness import confidence
from slmfit.text.figures import number_of

FORMAT = "slmfit.drawn/1"
LABEL, MARKS = "the given label", "the given answer"


@dataclass(frozen=True)
class Row:
    """One test row: its texts, one or a pair, and the label whose truth is in question.

    options: of entities the different answers that there are to it, each as `written`, the label among them, in an
    order that tells nothing; of labels none, as all of them may be right.
    """

    id: str
    texts: tuple[str, ...]
    label: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Given:
    """rows: those drawn from, in the order in which they are asked. group [rows]: see `grouped`. answers: method id ->
    its answer to each row, None where it has none; sureness: how sure it is of it [rows], nan where it does not say.
    marks: whether answers are entities. called: whose labels these are; usd_per_1000: what 1,000 of them cost, where
    a teacher gave them. repeats: test rows whose text another has too, which are not asked."""

    folder: Path
    record: ComparisonRecord
    labels: tuple[str, ...]
    rows: Sequence[Row]
    group: np.ndarray
    answers: Mapping[str, Sequence[str | None]]
    sureness: Mapping[str, np.ndarray]
    marks: bool
    called: str
    usd_per_1000: float | None
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
    place, left, prompt = _comparison(folder)
    record = read_comparison(place)
    every = {row.id: Run(storage.inside(place, row.run)) for row in record.methods if row.run}
    runs = {row.id: every[row.id] for row in record.methods if row.run and not row.floor}
    about = next((run.record.task for run in every.values()), None)
    task = None if about is None else by_name(about["name"])
    if task is not None and not (task.classifies or task.marks):
        what = f"its task is {task.name}, and a person can be asked about labels and entities alone"
        fix = "answer some rows yourself, and score methods on them: slmfit evaluate RUN FILE"
        raise UsageError(what, where=str(place), fix=fix)
    if about is None or task is None or not runs:
        fix = "compare with one more: --methods linear"
        raise UsageError("holds no method but those that answer without reading", where=str(place), fix=fix)
    said = {id: _answers(run) for id, run in runs.items()}
    rows, repeats = _rows(place, said, task.marks)
    if not rows:
        fix = "compare again: every method has to answer the same rows"
        raise UsageError("no test row was answered by every method", where=str(place), fix=fix)
    order, group = _drawn(place, record, rows, said)
    called = f"the teacher ({left.teacher})" if left and left.teacher else "the teacher"
    return Given(
        place,
        record,
        tuple(map(str, about["labels"])),
        [rows[id] for id in order],
        group,
        {id: [_said(answers[row], rows[row].label) for row in order] for id, answers in said.items()},
        {id: np.array([_sure(answers[row]) for row in order]) for id, answers in said.items()},
        task.marks,
        called if left else MARKS if task.marks else LABEL,
        None if prompt is None else prompt.cost.usd_per_1000,
        repeats,
    )  # fmt: skip


def written(target: Target | None, intent: bool = True) -> str | None:
    """An answer as it goes by in files of answers: a label as it is, entities as JSON; None for none.

    intent: whether it counts. Entities that are not in the text make an answer wrong, whatever else it has.
    """
    if not isinstance(target, Entities):
        return target
    if target.unplaced:
        return None
    return json.dumps([sorted([s.start, s.end, s.label] for s in target.spans), target.intent if intent else None])


def read(option: str) -> Entities:
    """The inverse of `written`, of entities."""
    spans, intent = json.loads(option)
    return Entities(tuple(Span(*span) for span in spans), intent)


def _comparison(folder: Path) -> tuple[Path, LeaveRecord | None, PromptRecord | None]:
    """The comparison's folder, and what `leave` says of its labels where a teacher gave them."""
    for place, tasks in ((folder, True), (folder.parent, False)):
        if (place / RECORD).is_file():
            found = read_left(place)
            named = {str(prompt.comparison): prompt for prompt in found.tasks}
            if not tasks:
                return folder, found, named.get(folder.name)
            if len(named) == 1:
                ((name, prompt),) = named.items()
                return storage.inside(folder, name), found, prompt
            if named:
                fix = "name one of " + ", ".join(str(folder / name) for name in named)
                raise UsageError(f"holds {number_of(len(named), 'task')}", where=str(folder), fix=fix)
    return folder, None, None


def _answers(run: Run) -> dict[str, Prediction]:
    with storage.undamaged(run.folder / "predictions.jsonl"):
        return {str(row["id"]): prediction_from_json(row) for row in run.predictions() if row["split"] == "test"}


def _said(answer: Prediction, label: str) -> str | None:
    """An answer beside a label: where that has no intent, none counts."""
    if answer.outcome != "ok":
        return None
    return written(answer.target, not isinstance(answer.target, Entities) or read(label).intent is not None)


def _sure(answer: Prediction) -> float:
    return math.nan if (sure := confidence(answer)) is None else sure


def _rows(place: Path, said: Mapping[str, Mapping[str, Prediction]], marks: bool) -> tuple[dict[str, Row], int]:
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
                found[id] = _marked(id, texts, row, said) if marks else Row(id, texts, str(row["label"]))
    return found, repeats


def _marked(
    id: str, texts: tuple[str, ...], row: Mapping[str, Any], said: Mapping[str, Mapping[str, Prediction]]
) -> Row:
    spans = tuple(Span(span["start"], span["end"], span["label"]) for span in row["spans"])
    label = str(written(Entities(spans, row.get("intent"))))
    every = {label, *(_said(answers[id], label) for answers in said.values())} - {None}
    return Row(id, texts, label, tuple(sorted(map(str, every), key=lambda one: storage.hash_json([id, one]))))


def _drawn(
    place: Path, record: ComparisonRecord, rows: Mapping[str, Row], said: Mapping[str, Mapping[str, Prediction]]
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
    agree = np.array(
        [[_said(answers[id], rows[id].label) == rows[id].label for answers in said.values()] for id in ids]
    )
    likely = [[_likely(answers[id], rows[id].label) for id in ids] for answers in said.values()
              if any(confidence(answers[id]) is not None for id in ids)]  # fmt: skip
    of_rows = grouped(agree, np.mean(likely, axis=0) if likely else None)
    at = asking_order(of_rows, record.seed)
    order, group = [ids[i] for i in at], of_rows[at]
    storage.make_folder(path.parent)
    storage.write_json(path, {"format": FORMAT, "test": test, "ids": order, "group": group.tolist()})
    return order, group


def _likely(answer: Prediction, label: str) -> float:
    """How likely a method finds the label; of entities, whose other answers have no chances, 0 where it is another."""
    if not isinstance(answer.target, Entities):
        return (answer.probabilities or {}).get(label, 0.0)
    return (confidence(answer) or 0.0) if _said(answer, label) == label else 0.0
