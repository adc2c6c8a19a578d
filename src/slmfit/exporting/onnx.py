"""The form `onnx`: a run that ONNX Runtime, tokenizers and numpy answer for, with its weights or eight bits of each.

tickets-onnx/
  run.json              a run like any other: its scores, times and sizes are those of what is served
  predictions.jsonl     its answers to validation and test, by which a threshold may be chosen
  export.json           which run it was, how it did at the gate, and beside which candidates
  model/                all that is needed to predict
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slmfit import storage
from slmfit.data.dataset import Dataset, targets
from slmfit.data.recipe import TextRecipe
from slmfit.environment import EXTRAS, code_version, environment, install, missing, now, package_version
from slmfit.errors import MissingPart, UsageError
from slmfit.exporting.calibrating import temperature
from slmfit.exporting.gate import Gate, GateRefused, Judged, let_through, unlike
from slmfit.exporting.instead import instead
from slmfit.exporting.record import ExportRecord, write_export
from slmfit.exporting.timing import seconds_a_row
from slmfit.exporting.wishes import Wishes
from slmfit.methods.saved import load_model, save_model
from slmfit.records import Input, Prediction, RunRecord
from slmfit.runs import measuring
from slmfit.runs.answering import Answered, predict
from slmfit.runs.card import model_card
from slmfit.runs.fitting import prediction_rows, usage
from slmfit.runs.rows import rows_of
from slmfit.runs.run import Run, write_predictions, write_run

if TYPE_CHECKING:
    from slmfit.exporting.tracing import Tuned
    from slmfit.methods.exported import Onnx

TWINS = 400  # rows that the run answers anew, so that its arithmetic here is compared with that of the export
PACKAGES = ("onnxruntime", "onnx", "onnxscript", "torch", "tokenizers", "numpy")
AS_IT_IS = "it needs no torch as it is: `slmfit predict` and slmfit.load serve it"
Answer = Callable[[list[Input]], list[Prediction]]


@dataclass(frozen=True)
class Candidate:
    """One way to serve: `folder` holds a model that answers, and how it was made."""

    name: str
    folder: Path
    method: Onnx


def write_onnx(run: Run, folder: Path, wishes: Wishes) -> None:
    """Write it into an empty folder.

    Raises UsageError for what cannot be exported so, MissingPart for what exporting takes, DataError where the run's
    rows are not there, and GateRefused.
    """
    _check(run)
    data = rows_of(run, wishes.data)
    gate = Gate.of(run, data)
    from slmfit.exporting.tracing import Tuned

    tuned = Tuned.of(run)
    exact = _exact(tuned, folder / ".exact", run)
    eight = [] if wishes.quantise is None else _eight_bits(tuned, exact, folder, run)
    ways: dict[str, Answer] = {**tuned.ways, **{one.name: one.method.predict for one in (exact, *eight)}}
    taken = seconds_a_row(ways, gate.inputs)
    twins = gate.examples[:: max(1, len(gate.examples) // TWINS)]
    with wishes.checking(len(gate.inputs) * (1 + len(eight))):
        judged = {one.name: _judged(one, gate, taken) for one in (exact, *eight)}
    judged[exact.name] = _the_same(judged[exact.name], Gate(run, twins, tuned.answers(twins)), exact)
    chosen, passed = _chosen(exact, eight, judged, wishes.accept)
    others = [one for name, one in judged.items() if name != chosen.name]
    _finish(run, folder, data, gate, chosen, passed, others, taken)


def _check(run: Run) -> None:
    """Raise UsageError for a method whose model is none of ours to export, MissingPart where a package is not here."""
    name = run.record.method
    if name not in ("encoder", "causal"):
        what = f"a run of {name} is not exported as onnx, only encoder and causal are"
        fix = "--format folder writes it for transformers" if name == "seq2seq" else instead(run, AS_IT_IS)
        raise UsageError(what, where=str(run.folder), fix=fix)
    for extra in ("train", "export"):
        if lacking := missing(*EXTRAS[extra]):
            raise MissingPart(f"exporting needs {', '.join(lacking)}", fix=install(extra))


def _exact(tuned: Tuned, folder: Path, run: Run) -> Candidate:
    """The model as it is, traced."""
    folder.mkdir()
    tuned.trace(folder)
    return _saved("onnx", folder, run, None, tuned)


def _eight_bits(tuned: Tuned, exact: Candidate, folder: Path, run: Run) -> list[Candidate]:
    """The same with matrices of eight bits, in each way that some processor likes best."""
    from slmfit.exporting.traced import EIGHT_BITS, quantised
    from slmfit.methods.exported import MODEL

    found = []
    for number, (name, how) in enumerate(EIGHT_BITS.items()):
        place = folder / f".eight-{number}"
        place.mkdir()
        quantised(exact.folder / MODEL, place / MODEL, how)
        found.append(_saved(f"onnx int8, {name}", place, run, f"int8, {name}", tuned))
    return found


def _saved(name: str, folder: Path, run: Run, how: str | None, tuned: Tuned) -> Candidate:
    """What stands beside a model in a folder, and all of it loaded as whoever serves it will."""
    from slmfit.methods.exported import Onnx, Settings

    method = Onnx(Settings(how))
    method.head, method.tokenizer = tuned.head, tuned.backend
    method.chosen = _chosen_of(run.record, 1.0)
    save_model(folder, run.task, TextRecipe(tuple(run.record.dataset.get("strip", ()))), "onnx", method)
    loaded = load_model(folder)[2]
    assert isinstance(loaded, Onnx)
    return Candidate(name, folder, loaded)


def _chosen_of(record: RunRecord, heat: float) -> dict[str, Any]:
    kept = {name: record.chosen[name] for name in ("max_length", "base") if name in record.chosen}
    return {**kept, "temperature": heat}


def _judged(one: Candidate, gate: Gate, taken: dict[str, float]) -> Judged:
    answers = one.method.predict(gate.inputs)
    return gate.judge(one.name, answers, seconds=taken[one.name], against=taken["torch"])


def _the_same(judged: Judged, twins: Gate, exact: Candidate) -> Judged:
    """Judged, too, for being the run's own model: beside what the run answers to the same rows here and now."""
    found = twins.judge(exact.name, exact.method.predict(twins.inputs))
    reasons = [*judged.reasons, *unlike(found)]
    return replace(judged, reasons=reasons, agreement=found.agreement, probability_gap=found.probability_gap)


def _chosen(
    exact: Candidate, eight: Sequence[Candidate], judged: dict[str, Judged], accept: bool
) -> tuple[Candidate, Judged]:
    """The quickest of those that may pass; where none may and somebody accepts it, the least bad one.

    Raises GateRefused with its figures. Eight bits are made of the traced model, so that has to be the run's own first.
    """
    if not eight:
        return exact, let_through(judged[exact.name], accept)
    if unlike(judged[exact.name]) and not accept:
        raise GateRefused(judged[exact.name])
    passing = [one for one in eight if judged[one.name].passed]
    if passing:
        best = min(passing, key=lambda one: judged[one.name].seconds or 0.0)
    else:
        best = min(eight, key=lambda one: judged[one.name].difference.value)
    return best, let_through(judged[best.name], accept)


def _finish(
    run: Run, folder: Path, data: Dataset, gate: Gate, chosen: Candidate, passed: Judged,
    others: Sequence[Judged], taken: dict[str, float],
) -> None:  # fmt: skip
    """Calibrate what is served, score it, measure it, and write down what it is."""
    how = chosen.method.settings.quantised
    heat = temperature(chosen.method.predict(gate.inputs), targets(gate.examples)) if how else 1.0
    model = folder / "model"
    chosen.folder.rename(model)
    _reheat(model, heat)
    served = load_model(model)[2]
    seed, parts = run.record.seed, {"validation": gate.examples, "test": run.answered("test", data.test)}
    answered = {split: Answered.of(rows, predict(served, rows), data, seed) for split, rows in parts.items()}
    cost = measuring.measure(model, data.task, gate.inputs)
    record = replace(
        run.record,
        id=f"{run.record.id}-onnx{'-int8' if how else ''}",
        method="onnx",
        key=storage.hash_json([run.record.key, "onnx", how, heat, code_version()]),
        settings=asdict(chosen.method.settings),
        chosen=_chosen_of(run.record, heat),
        search=(),
        rows_used={**run.record.rows_used, **({"calibrated": "validation"} if how else {})},
        scores={split: one.scores.values for split, one in answered.items()},
        details={split: one.scores.details for split, one in answered.items()},
        search_seconds=None,
        fit_peak_memory_bytes=None,
        usage=usage(answered["test"].answers),
        environment=environment(),
        created=now(),
        **vars(cost),
    )
    storage.write_text(model / "README.md", model_card(record))
    record = replace(record, size_bytes=storage.size_of(model), files=storage.hash_files(model))
    for left in folder.glob(".*"):
        storage.remove(left)
    write_predictions(
        folder / "predictions.jsonl",
        [row for split, one in answered.items() for row in prediction_rows(split, one.examples, one.answers)],
    )
    write_run(folder, record)
    about = {"quantised": how, "temperature": heat, "seconds_a_row": taken}
    packages = {name: package_version(name) for name in PACKAGES}
    made = ExportRecord.of(
        run, form="onnx", about=about, gate=passed, candidates=others, scores=record.scores, packages=packages
    )
    write_export(folder, made)


def _reheat(model: Path, heat: float) -> None:
    """Write the temperature into a folder that is saved already."""
    from slmfit.methods.exported import HEAD

    storage.write_json(model / HEAD, {**storage.read_json(model / HEAD, "kind"), "temperature": heat})
    about = storage.read_json(model / "slmfit.json", "chosen")
    storage.write_json(model / "slmfit.json", {**about, "chosen": {**about["chosen"], "temperature": heat}})
