"""How much a run takes: the test rows are asked again, written otherwise in ways that leave their answers as they are.

    for kind in stress("compared").kinds:                       # the verdict's method
        print(kind.kind, kind.drop, kind.right_to_wrong)
    stress_methods(comparison, data)                            # every method of a comparison, and its report anew

    kinds.py       the kinds of change, and the table of them
    changing.py    a row changed, its entities and its right option moved along
    pairing.py     answers before and after, paired

What a kind does not change is not asked again. No average over kinds is made: how often people write in small letters,
or mistype, is not known here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from slmfit.comparison.compare import Comparison
from slmfit.data.dataset import Dataset
from slmfit.environment import code_version, now
from slmfit.errors import UsageError
from slmfit.events import Listener, named
from slmfit.records import Example
from slmfit.reporting import report
from slmfit.runs.rows import rows_of
from slmfit.runs.run import Run, load
from slmfit.runs.stressed import KindRecord, StressRecord, read_stressed, write_stressed
from slmfit.storage import hash_json
from slmfit.stressing.changing import changed, left_out
from slmfit.stressing.kinds import KINDS, Known
from slmfit.stressing.pairing import Before, paired
from slmfit.timing.budget import random_order
from slmfit.timing.work import counted, told_to

ROWS = 1000  # of test, drawn by lot: an interval of a difference then spans about 2 points either way
DRAWS = 5  # of a kind that has chance in it


def stress(
    run: str | Path | Run,
    data: str | Path | Dataset | None = None,
    *,
    rows: int = ROWS,
    listen: Listener | None = None,
) -> StressRecord:
    """Ask a run about its test rows again, written otherwise; the result is kept as `stress.json` in its folder.

    run: a run, its folder, or a comparison's for its pick. data: where the run's data are by now, or the dataset;
    None = where they were. rows: at most so many test rows, drawn by lot, the same for every run on the same data.
    A result that is there already, of the same rows and code, is used again.
    Raises UsageError for a run that asks a server or has no model, and for fewer than one row; DataError where its rows
    are not there as they were; UnsafeError where the model's files were changed.
    """
    if rows < 1:
        raise UsageError(f"--rows cannot be {rows}", fix="give a number of 1 or more, such as --rows 1000")
    opened = run if isinstance(run, Run) else load(run)
    if reason := cannot(opened):
        raise UsageError(reason, where=str(opened.folder), fix="take a run whose model is a file here")
    record = opened.record
    key = f"{record.key} {hash_json([rows, code_version()])}"
    there = read_stressed(opened.folder, record)
    if there is not None and there.key == key:
        if listen:
            listen("reuse", {})
        return there
    answered = opened.answered("test", rows_of(opened, data).test)
    order = sorted(random_order(len(answered))[:rows].tolist())
    examples = [answered[i] for i in order]
    found = StressRecord(
        run=record.id,
        key=key,
        metric=record.metric,
        rows=len(examples),
        of_rows=len(answered),
        seed=record.seed,
        kinds=_kinds(opened, examples, listen),
        created=now(),
    )
    write_stressed(opened.folder, found)
    return found


def stress_methods(
    comparison: Comparison, data: Dataset, *, rows: int = ROWS, texts: bool = True, listen: Listener | None = None
) -> Mapping[str, StressRecord | str]:
    """Method id -> what it takes, or why it was not asked; then the report is drawn anew, with a section on it.

    Methods that answer without reading are left out. Of several trainings it is the one that predicts. texts: as for
    `report`.
    """
    found: dict[str, StressRecord | str] = {}
    floors = {row.id for row in comparison.record.methods if row.floor}
    for id, run in comparison.runs.items():
        if id not in floors:
            found[id] = cannot(run) or stress(run, data, rows=rows, listen=named(listen, id))
    report(comparison.folder, texts=texts)
    return found


def cannot(run: Run) -> str | None:
    """Why a run cannot be asked again and again; None where it can."""
    if run.record.remote:
        return "a server answers for it, and every changed row would be asked and paid for"
    if not (run.folder / "model").is_dir():
        return "it holds given answers only, and no model"
    return None


def _kinds(run: Run, examples: Sequence[Example], listen: Listener | None) -> list[KindRecord]:
    known = Known.of(run.task.text(example.input) for example in examples)
    before = Before.of(run, examples)
    found = []
    for name, kind in KINDS.items():
        draws = DRAWS if kind.drawn else 1
        if (reason := left_out(run.task, name)) is not None:
            found.append(KindRecord(kind=name, what=kind.what, rows=0, draws=draws, reason=reason))
            continue
        after = [
            [changed(example, name, run.task, f"{run.record.seed} {draw}", known) for example in examples]
            for draw in range(draws)
        ]
        touched = [at for at in range(len(examples)) if any(row[at] is not None for row in after)]
        if not touched:
            found.append(KindRecord(kind=name, what=kind.what, rows=0, draws=draws, reason=kind.nothing))
            continue
        asked = [row[at] for row in after for at in touched]
        with counted(told_to(listen), f"asking again, {name}", sum(one is not None for one in asked)):
            answers = iter(run.predict([one.input for one in asked if one is not None]))
        rows = [(one, next(answers)) if one is not None else None for one in asked]
        of_draws = [rows[start : start + len(touched)] for start in range(0, len(rows), len(touched))]
        found.append(paired(name, kind.what, before.only(touched), of_draws))
    return found
