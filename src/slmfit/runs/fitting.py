"""The act: fit a method, let it predict, score it, leave a run directory.

    record = fit_run(Spec("linear", "linear"), data, Path("out/runs/linear"), seed=0, metric="accuracy")

The referee is here, the contestant in `methods/`: a method is handed inputs when it predicts, never targets, and
the test split once, at the end. What is scored is what was saved: predictions come from the model as it loads.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from slmfit import methods, storage, tasks
from slmfit.data.dataset import Dataset, targets
from slmfit.environment import cache_folder, code_version, environment, now
from slmfit.events import Listener, recorded
from slmfit.methods import Spec
from slmfit.methods.base import Context, Method
from slmfit.methods.saved import load_model, save_model
from slmfit.records import SPLITS, Example, Prediction, RunRecord
from slmfit.runs import measuring
from slmfit.runs.card import model_card
from slmfit.runs.kept import kept
from slmfit.runs.run import write_predictions, write_run
from slmfit.tasks.answers import prediction_to_json, target_to_json

if TYPE_CHECKING:
    from slmfit.llm.limits import Allowance

TRAIN_ROWS_SCORED = 2000
MEASURING_SECONDS = 15.0  # what loading, saving and the fresh process that is measured take of a budget

Answered = dict[str, tuple[Sequence[Example], Sequence[Prediction]]]  # split -> its examples and the answers


@dataclass(frozen=True)
class Terms:
    """What all runs of a comparison have in common.

    seed: for everything random. metric: what settings are chosen by. listen: called as `listen(kind, fields)` for
    everything that happens. budget_seconds: asked for all of them together; None = no matter. allowance: what servers
    may take, all of them together; None = no matter.
    """

    seed: int
    metric: str
    listen: Listener | None = None
    budget_seconds: float | None = None
    allowance: Allowance | None = None


def fit_run(spec: Spec, data: Dataset, folder: Path, terms: Terms, seconds: float | None = None) -> RunRecord:
    """Fit one method and write its run to `folder`, which appears whole or not at all.

    seconds: this run's part of the budget, for fitting, predicting and measuring. Raises what the method raises.
    A method that asks a server, each time for time or money, is asked the test rows and nothing else, and what its
    answers took is what was measured.
    """
    method, remote = methods.create(spec.name, spec.given, spec.base_model), methods.TABLE[spec.name].remote
    key, seed = run_key(spec, data, terms), terms.seed
    partial = _start(folder, key)
    model = partial / "model"
    sample, asked = ([], ()) if remote else (_sample(data.train, seed), data.validation)
    with recorded(partial / "events.jsonl", terms.listen) as event:
        context = Context(
            seed=seed,
            metric=terms.metric,
            cache=cache_folder(),
            work=partial / "work",
            event=event,
            budget_seconds=None if seconds is None else max(0.0, seconds - (0.0 if remote else MEASURING_SECONDS)),
            rows_to_predict=len(sample) + len(asked) + len(data.test),
            allowance=terms.allowance.of(spec.id) if terms.allowance else None,
        )
        measuring.forget_peak()
        validation, took = _fit(method, data, context, asked)
        fit_peak = measuring.peak_memory_bytes()
        storage.remove(model)
        model.mkdir()
        save_model(model, data.task, data.recipe, spec.name, method)
        _, _, loaded = load_model(model)
        loaded.context = context
        event("predict", split="test", rows=len(data.test))
        answered: Answered = {"test": (data.test, _predict(loaded, data.test))}
        if remote:
            cost = measuring.of_answers(answered["test"][1])
        else:
            answered = {"train": (sample, _predict(loaded, sample)), "validation": (asked, validation), **answered}
            event("measure")
            cost = measuring.measure(model, data.task, [e.input for e in asked])
    storage.remove(partial / "work")
    return _publish(
        folder,
        data,
        answered,
        method=spec.name,
        base_model=spec.base_model,
        key=key,
        settings=asdict(method.settings),
        chosen=loaded.chosen,
        search=method.search,
        metric=terms.metric,
        rows_used=method.rows_used,
        seed=seed,
        **took,
        **asdict(cost),
        size_bytes=None if remote else storage.size_of(model),
        fit_peak_memory_bytes=fit_peak,
    )


def given_run(
    name: str, answers: Sequence[Prediction], data: Dataset, folder: Path, key: str, terms: Terms
) -> RunRecord:
    """A run made of answers the user already has for the test rows: scored like any other, without a model."""
    _start(folder, key)
    answered: Answered = {"test": (data.test, answers)}
    return _publish(
        folder, data, answered, method="predictions", base_model=name, key=key, seed=terms.seed, metric=terms.metric
    )


def run_key(spec: Spec, data: Dataset, terms: Terms) -> str:
    """sha256 of all that decides a run: the same key means the same predictions, so the run is reused."""
    parts = [data.fingerprint, asdict(data.recipe), data.validation_given, spec.name, spec.base_model]
    parts += [terms.seed, terms.metric, terms.budget_seconds if methods.TABLE[spec.name].trained else None]
    settings = asdict(methods.create(spec.name, spec.given, spec.base_model).settings)
    places = [Path(value) for value in settings.values() if isinstance(value, str) and value]
    contents = [storage.hash_files(place) for place in places if place.exists()]
    return storage.hash_json([*parts, settings, contents, code_version()])


def prediction_rows(split: str, examples: Sequence[Example], answers: Sequence[Prediction]) -> Iterator[dict[str, Any]]:
    """The rows of predictions.jsonl for one split."""
    for example, answer in zip(examples, answers, strict=True):
        row = {"id": example.id, "split": split, "target": target_to_json(example.target), **prediction_to_json(answer)}
        yield row | (kept(answer.probabilities, example.target, answer.target) if answer.probabilities else {})


def dataset_record(data: Dataset) -> dict[str, Any]:
    """What a record says of its dataset."""
    about = {"name": data.name, "task": tasks.to_plain(data.task)}
    about |= {"fingerprint": data.fingerprint, "strip": list(data.recipe.strip), "notes": list(data.notes)}
    return about | {"validation_given": data.validation_given, "source": dict(data.source)}


def split_record(data: Dataset) -> dict[str, dict[str, Any]]:
    """Rows and hash of each split."""
    return {s: {"rows": len(data.splits[s]), "hash": data.hashes[s]} for s in SPLITS}


def usage(answers: Sequence[Prediction]) -> dict[str, float | int | None]:
    """Tokens, seconds and money of all answers; a sum with an unknown part is unknown."""
    used = [a.usage for a in answers]
    totals: dict[str, float | int | None] = {}
    for name in ("input_tokens", "output_tokens", "seconds", "usd"):
        known = [getattr(u, name) for u in used if u and getattr(u, name) is not None]
        totals[name] = sum(known) if known and len(known) == len(used) else None
    return totals


def _fit(
    method: Method, data: Dataset, context: Context, asked: Sequence[Example]
) -> tuple[list[Prediction], dict[str, float]]:
    """Fit on train, answer what is asked of validation, and fit again where validation was carved from train."""
    context.event("fit", rows=len(data.train))
    begin = time.perf_counter()
    method.fit(data.task, data.train, data.validation, context)
    search_seconds = time.perf_counter() - begin
    fit_seconds = method.fit_seconds if method.fit_seconds is not None else search_seconds
    validation = _predict(method, asked)
    if method.refits and not data.validation_given:
        rows = [*data.train, *data.validation]
        context.event("refit", rows=len(rows))
        begin = time.perf_counter()
        method.refit(data.task, rows, context)
        fit_seconds = time.perf_counter() - begin
        method.rows_used |= {"fitted": "train + validation"}
    if asked:
        method.rows_used |= {"validation_scored_by": "a model fitted on train"}
    return validation, {"fit_seconds": fit_seconds, "search_seconds": search_seconds}


def _publish(folder: Path, data: Dataset, answered: Answered, *, seed: int, **fields: Any) -> RunRecord:
    """Score, write predictions and record, and give the folder its name."""
    partial = storage.partial(folder)
    scored = {
        s: data.task.score(targets(examples), answers, seed, [e.input for e in examples])
        for s, (examples, answers) in answered.items()
    }
    rows = [row for s in ("validation", "test") if s in answered for row in prediction_rows(s, *answered[s])]
    write_predictions(partial / "predictions.jsonl", rows)
    record = RunRecord(
        id=folder.name,
        task=tasks.to_plain(data.task),
        dataset=dataset_record(data),
        split=split_record(data),
        seed=seed,
        scores={s: scores.values for s, scores in scored.items()},
        details={s: scores.details for s, scores in scored.items()},
        usage=usage(answered["test"][1]),
        environment=environment(),
        created=now(),
        **fields,
    )
    model = partial / "model"
    if model.is_dir():
        storage.write_text(model / "README.md", model_card(record))
        record = replace(record, files=storage.hash_files(model))
    write_run(partial, record)
    (partial / "key").unlink()
    storage.remove(folder)
    storage.publish(folder)
    return record


def _predict(method: Method, examples: Sequence[Example]) -> list[Prediction]:
    answers = method.predict([e.input for e in examples])
    if len(answers) != len(examples):
        raise AssertionError(f"{type(method).__name__}.predict gave {len(answers)} answers for {len(examples)} inputs")
    return [_rounded(answer) for answer in answers]


def _rounded(answer: Prediction) -> Prediction:
    """Probabilities as they are written down, so that scores are those of the file."""
    labels, spans = answer.probabilities, answer.span_probabilities
    return replace(
        answer,
        probabilities=labels and {k: float(f"{p:.6g}") for k, p in labels.items()},
        span_probabilities=spans if spans is None else [float(f"{p:.6g}") for p in spans],
    )


def _sample(examples: Sequence[Example], seed: int) -> list[Example]:
    """Enough of train to see over-fitting."""
    if len(examples) <= TRAIN_ROWS_SCORED:
        return list(examples)
    chosen = np.random.default_rng(seed).choice(len(examples), TRAIN_ROWS_SCORED, replace=False)
    return [examples[i] for i in sorted(chosen)]


def _start(folder: Path, key: str) -> Path:
    """The folder a run is put together in; what an interrupted try at the same run left for resuming is kept."""
    partial = storage.partial(folder)
    marker = partial / "key"
    if not (marker.is_file() and marker.read_text() == key):
        storage.remove(partial)
        partial.mkdir(parents=True)
        marker.write_text(key)
    return partial
