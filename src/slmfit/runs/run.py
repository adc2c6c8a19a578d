"""Run and comparison directories: written, read, listed.

    run = load("slmfit-out/tickets-3fa9c1")      # a run, or a comparison: then the verdict's method
    run.predict(["my card was charged twice"])[0].target

A run is read with its files checked against the hashes that were recorded, before anything is loaded from them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from slmfit import storage
from slmfit.data.held import has_no_order, is_frame
from slmfit.data.recipe import TextRecipe
from slmfit.errors import SlmfitError, UsageError
from slmfit.events import curves_of
from slmfit.methods.base import Method
from slmfit.methods.saved import load_model, predict_with
from slmfit.records import (
    COMPARISON_FORMAT,
    RUN_FORMAT,
    ComparisonRecord,
    Example,
    Input,
    Prediction,
    RunRecord,
    Score,
    comparison_from_plain,
    run_from_plain,
    to_plain,
)
from slmfit.storage import check_format
from slmfit.tasks.answers import prediction_from_json
from slmfit.tasks.base import Task

T = TypeVar("T")


class Run:
    """A run on disk. `record` is what run.json says; the model is loaded at the first prediction.

    allow_host: a host that the run may send texts to, though nobody named it on this machine.
    """

    def __init__(self, folder: Path, allow_host: str | None = None) -> None:
        self.folder, self.allow_host = folder, allow_host
        self.record = read_run(folder)

    def __repr__(self) -> str:
        return f"<slmfit run {self.record.id!r} at {self.folder}>"

    def _repr_html_(self) -> str:
        from slmfit.runs.brief import run_html

        return run_html(self.record)

    @cached_property
    def task(self) -> Task:
        return self._model[0]

    @property
    def recipe(self) -> TextRecipe:
        return self._model[1]

    @property
    def method(self) -> Method:
        """The fitted method itself, for what it alone can do: `explain(text, label)` of `linear`, say."""
        method = self._model[2]
        method.allow_host = self.allow_host
        return method

    def predict(self, inputs: Sequence[Input]) -> list[Prediction]:
        """One prediction per input, in order; texts are cleaned as those it was fitted on.

        Raises UnsafeError when the model's files are not those that were recorded, UsageError for what is no input of
        the task, for a single text, which would be taken for a list of letters, for a table, and for a set.
        """
        if isinstance(inputs, str):
            raise UsageError("one text was given, and a list is needed", fix="predict([text])")
        if is_frame(inputs):
            raise UsageError("a table was given, and a list is needed", fix='predict(list(table["text"]))')
        if has_no_order(inputs):
            raise UsageError("a set was given, which has no order", fix="predict(list) answers in the list's order")
        given = [self.task.given(input) for input in inputs]
        answers = predict_with((self.task, self.recipe, self.method), given)
        return [replace(answer, input=one) for answer, one in zip(answers, given, strict=True)]

    def score(self, split: str = "test", metric: str | None = None) -> Score:
        """A score with its interval. split: train, validation or test. metric: None = what the run goes by.

        Raises UsageError for one that was not measured.
        """
        measured = self.record.scores.get(split, {})
        name = metric or self.record.metric
        if name not in measured:
            fix = f"it has {', '.join(measured)}" if measured else f"it has {', '.join(self.record.scores)}"
            raise UsageError(f"the run has no {name} of {split}", where=str(self.folder), fix=fix)
        return measured[name]

    @property
    def curves(self) -> dict[str, dict[float, float]]:
        """What was measured while the method trained: name -> epoch -> value.

        A name says what, of which split, and how: "loss, train, running" is the mean over the batches since the last
        report, while the weights still changed; "loss, validation, evaluated" is of all rows at one moment. Empty for a
        method that does not train in epochs.
        """
        told = storage.read_jsonl(self.folder / "events.jsonl")
        return curves_of((event for event in told if event.get("event") == "loss"), self.record.metric)

    def predictions(self) -> Iterator[dict[str, Any]]:
        """The rows of predictions.jsonl: id, split, target, prediction, outcome, probabilities."""
        return storage.read_jsonl(self.folder / "predictions.jsonl")

    def answered(self, split: str, examples: Sequence[Example]) -> tuple[Example, ...]:
        """Those of these examples of validation or test that have an answer."""
        with storage.undamaged(self.folder / "predictions.jsonl"):
            there = {row["id"] for row in self.predictions() if row["split"] == split}
        return tuple(example for example in examples if example.id in there)

    def answers(self, split: str, examples: Sequence[Example]) -> list[Prediction]:
        """What was answered to these examples of validation or test when the run was scored, in their order."""
        with storage.undamaged(self.folder / "predictions.jsonl"):
            rows = {row["id"]: row for row in self.predictions() if row["split"] == split}
            return [prediction_from_json(rows[example.id]) for example in examples]

    @cached_property
    def _model(self) -> tuple[Task, TextRecipe, Method]:
        folder = self.folder / "model"
        if not folder.is_dir():
            fix = "predict with another run; this one holds given answers only"
            raise UsageError("has no model", where=str(self.folder), fix=fix)
        storage.verify_files(folder, self.record.files)
        return load_model(folder)


def write_run(folder: Path, record: RunRecord) -> None:
    """Write run.json, last of a run's files, with a seal over it and the predictions."""
    plain = {"format": RUN_FORMAT, **to_plain(record)}
    storage.write_json(folder / "run.json", {**plain, "seal": _seal(folder, json.loads(storage.to_json(plain)))})


def unchanged(folder: Path) -> bool:
    """Whether record and predictions are as they were written; True for a run of before there were seals.

    Raises SlmfitError when they cannot be read.
    """
    plain = storage.read_json(folder / "run.json", "format")
    seal = plain.pop("seal", None)
    return seal is None or bool(seal == _seal(folder, plain))


def _seal(folder: Path, plain: Any) -> str:
    return storage.hash_json([plain, storage.hash_file(folder / "predictions.jsonl")])


def read_run(folder: Path) -> RunRecord:
    """The record of a run. Raises UsageError when the folder is none, SlmfitError when it is damaged or newer."""
    return _read_record(folder / "run.json", RUN_FORMAT, run_from_plain, "a run")


def write_comparison(folder: Path, record: ComparisonRecord) -> None:
    """Write comparison.json, last of a comparison's files."""
    storage.write_json(folder / "comparison.json", {"format": COMPARISON_FORMAT, **to_plain(record)})


def read_comparison(folder: Path) -> ComparisonRecord:
    """The record of a comparison. Raises as `read_run` does."""
    return _read_record(folder / "comparison.json", COMPARISON_FORMAT, comparison_from_plain, "a comparison")


def load(folder: str | Path, *, allow_host: str | None = None) -> Run:
    """The run in a folder; for a comparison's folder, the run of the verdict's method; for a folder that holds one
    method's trainings, the one that did best on validation.

    allow_host: a run of `llm` sends texts to the server it names: one that was used on this machine, a known vendor's,
    or this one; any other host has to be allowed here, and gets no key.
    Raises UsageError when the folder holds neither.
    """
    run = _found(storage.named(folder))
    run.allow_host = allow_host
    return run


def _found(folder: Path) -> Run:
    if (folder / "run.json").is_file():
        return Run(folder)
    if (folder / "comparison.json").is_file():
        record = read_comparison(folder)
        picked = record.verdict.method
        row = next((r for r in record.methods if r.id == picked and r.run), None)
        if row is None or row.run is None:
            raise _no_pick(folder, record)
        return Run(storage.inside(folder, row.run))
    runs = list_runs(folder)
    if len(runs) == 1:
        return runs[0]
    if len({_but_for_the_seed(run) for run in runs}) == 1:
        return by_validation(runs)
    fix = "name one of " + ", ".join(str(r.folder) for r in runs) if runs else None
    raise not_here(folder, "neither a run nor a comparison", fix)


def not_here(folder: Path, what: str, fix: str | None = None) -> UsageError:
    """The error for a folder that is not `what` was asked for: because it is missing, not fitted whole, or another.

    fix: None = the verb that lists the runs.
    """
    if storage.partial(folder).is_dir() and not folder.exists():
        fix = "run the command that fits it again; it resumes"
        return UsageError(
            f"is not finished: what is done lies in {storage.partial(folder).name}", where=str(folder), fix=fix
        )
    what = f"is {what}" if folder.exists() else "there is no such folder"
    return UsageError(what, where=str(folder), fix=fix or "check the path; `slmfit runs DIR` lists the runs below DIR")


def of_seed(id: str, seed: int) -> str:
    """The name of a further training of the run `id`. No method's id has a tilde."""
    return f"{id}~seed{seed}"


def _but_for_the_seed(run: Run) -> str:
    """What the trainings of one method have in common."""
    record = run.record
    name = run.folder.name.removesuffix(of_seed("", record.seed))
    return storage.hash_json([name, record.settings, record.metric, record.dataset["fingerprint"]])


def by_validation(runs: Sequence[Run]) -> Run:
    """Of one method's trainings the one with the highest validation score; of equals the first seed's."""

    def rank(run: Run) -> tuple[float, int]:
        return -run.record.scores["validation"][run.record.metric].value, run.record.seed

    return min(runs, key=rank)


def _no_pick(folder: Path, record: ComparisonRecord) -> UsageError:
    best = record.verdict.best
    if best is None:
        return UsageError("its verdict picked no method: none could be fitted", where=str(folder), fix="compare again")
    there = [r for r in record.methods if r.run and (storage.inside(folder, r.run) / "run.json").is_file()]
    named = [str(folder / str(r.run)) for r in sorted(there, key=lambda r: r.id != best)]
    fix = f"name a run: {', '.join(named)}" if named else "run the compare command again"
    if any(r.id == best for r in there):
        fix += f"; {best} scores highest"
    return UsageError("its verdict picked no method: too little data to tell", where=str(folder), fix=fix)


def list_runs(root: str | Path = ".") -> list[Run]:
    """Every whole run at or below a folder, by path; damaged and half-written ones are left out."""
    runs = []
    root = Path(root)
    for path in sorted(root.rglob("run.json")):
        if any(part.startswith(".") for part in path.relative_to(root).parts):
            continue
        try:
            runs.append(Run(path.parent))
        except SlmfitError:
            continue
    return runs


def write_predictions(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """One JSON object per line."""
    storage.write_text(path, "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows))


def _read_record(path: Path, format: str, from_plain: Callable[[Any], T], kind: str) -> T:
    if not path.is_file():
        raise not_here(path.parent, f"not {kind}")
    plain = storage.read_json(path)
    check_format(plain, format, path)
    try:
        return from_plain(plain)
    except storage.DAMAGE as error:
        raise SlmfitError(f"lacks {error}", where=str(path), fix="delete it and run the command again") from None
