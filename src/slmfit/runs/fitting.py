"""The act: fit a method, let it predict, score it, leave a run directory.

    record = fit_run(spec, data, Path("out/runs/linear"), Terms(seed=0, metric="accuracy"))

    tried = trial(spec, data, Context(metric="accuracy"))       # fit, score validation: test is never opened
    tried.scores.values["accuracy"]

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
from slmfit.errors import SlmfitError
from slmfit.events import Listener, recorded
from slmfit.methods import strangers
from slmfit.methods.base import Context, Method, Remote
from slmfit.methods.saved import load_model, save_model
from slmfit.methods.specs import Spec
from slmfit.records import SPLITS, Example, Prediction, RunRecord, Split
from slmfit.runs import measuring
from slmfit.runs.card import model_card
from slmfit.runs.kept import kept
from slmfit.runs.run import write_predictions, write_run
from slmfit.tasks.answers import prediction_to_json, rounded, target_to_json
from slmfit.tasks.base import Scores

if TYPE_CHECKING:
    from slmfit.llm.limits import Share

TRAIN_ROWS_SCORED = 2000
MEASURING_SECONDS = 15.0  # what loading, saving and the fresh process that is measured take of a budget


@dataclass(frozen=True)
class Terms:
    """What all runs of a comparison have in common; plain data.

    seed: for everything random. metric: what settings are chosen by. seeds: how often what is trained is, with `seed`
    and those after it. budget_seconds: asked for all of them together; None = no matter.
    """

    seed: int
    metric: str
    seeds: int = 1
    budget_seconds: float | None = None


@dataclass(frozen=True)
class Answered:
    """Rows of one split with their answers and the scores of these."""

    examples: Sequence[Example]
    answers: Sequence[Prediction]
    scores: Scores

    @classmethod
    def of(cls, examples: Sequence[Example], answers: Sequence[Prediction], data: Dataset, seed: int) -> Answered:
        scores = data.task.score(targets(examples), answers, seed, [e.input for e in examples])
        return cls(examples, answers, scores)


@dataclass(frozen=True)
class Trial:
    """A method fitted on train, and how it did on validation.

    validation: None for a method behind a server, which is asked the test rows and nothing else.
    fit_seconds: one fit with the chosen settings. search_seconds: the whole of `fit`.
    """

    spec: Spec
    method: Method
    validation: Answered | None
    fit_seconds: float
    search_seconds: float


def fit_run(
    spec: Spec,
    data: Dataset,
    folder: Path,
    terms: Terms,
    *,
    seconds: float | None = None,
    allowance: Share | None = None,
    listen: Listener | None = None,
) -> RunRecord:
    """Fit one method and write its run to `folder`, which appears whole or not at all.

    seconds: this run's part of the budget, for fitting, predicting and measuring. allowance: what servers may take of
    it. listen: called as `listen(kind, fields)` for everything that happens. Raises what the method raises.
    A method that asks a server, each time for time or money, is asked the test rows and nothing else, and what its
    answers took is what was measured.
    """
    key = run_key(spec, data, terms)
    partial = _start(folder, key)
    apart = 0.0 if spec.remote else MEASURING_SECONDS
    more = 0 if spec.remote else min(len(data.train), TRAIN_ROWS_SCORED) + len(data.validation)
    with recorded(partial / "events.jsonl", listen) as event:
        context = Context(
            seed=terms.seed,
            metric=terms.metric,
            key=key,
            cache=cache_folder(),
            work=partial / "work",
            event=event,
            budget_seconds=None if seconds is None else max(0.0, seconds - apart),
            rows_to_predict=more + len(data.test),
            allowance=allowance,
            groups=data.groups,
        )
        measuring.forget_peak()
        return finish(trial(spec, data, context), data, folder, context)


def trial(spec: Spec, data: Dataset, context: Context) -> Trial:
    """Fit on train, and score what is answered to validation; the test split is never opened.

    Settings are chosen by such trials. Raises what the method raises.
    """
    method = spec.create()
    context.event("fit", rows=len(data.train))
    begin = time.perf_counter()
    method.fit(data.task, data.train, data.validation, context)
    search_seconds = time.perf_counter() - begin
    fit_seconds = method.fit_seconds if method.fit_seconds is not None else search_seconds
    validation = None
    if not isinstance(method, Remote):
        validation = Answered.of(data.validation, _predict(method, data.validation), data, context.seed)
    return Trial(spec, method, validation, fit_seconds, search_seconds)


def finish(tried: Trial, data: Dataset, folder: Path, context: Context) -> RunRecord:
    """Fit again where validation was carved from train, save, load, score test, measure: the run in `folder`."""
    method, name, partial = tried.method, tried.spec.name, storage.partial(folder)
    refit_seconds = _refit(method, data, context)
    if tried.validation is not None and data.validation:
        method.rows_used |= {"validation_scored_by": "a model fitted on train"}
    fit_peak = measuring.peak_memory_bytes()
    model = partial / "model"
    with storage.refusals(partial):
        storage.remove(model)
        model.mkdir()
    save_model(model, data.task, data.recipe, name, method)
    _, _, loaded = load_model(model)
    loaded.context = context
    context.event("predict", split="test", rows=len(data.test))
    test = Answered.of(data.test, _predict(loaded, data.test), data, context.seed)
    if tried.validation is None:
        answered, cost, size = {"test": test}, measuring.of_answers(test.answers), None
    else:
        sample = _sample(data.train, context.seed)
        train = Answered.of(sample, _predict(loaded, sample), data, context.seed)
        answered = {"train": train, "validation": tried.validation, "test": test}
        context.event("measure")
        cost = measuring.measure(model, data.task, [e.input for e in data.validation], named=name)
        size = storage.size_of(model)
    _remove_work(partial / "work")
    return _publish(
        folder,
        data,
        answered,
        method=name,
        base_model=tried.spec.base_model,
        settings=asdict(method.settings),
        chosen=loaded.chosen,
        search=method.search,
        metric=context.metric,
        remote=tried.spec.remote,
        rows_used=method.rows_used,
        seed=context.seed,
        fit_seconds=tried.fit_seconds if refit_seconds is None else refit_seconds,
        search_seconds=tried.search_seconds,
        **vars(cost),
        size_bytes=size,
        fit_peak_memory_bytes=fit_peak,
    )


def given_run(
    name: str, answers: Sequence[Prediction], data: Dataset, folder: Path, key: str, terms: Terms
) -> RunRecord:
    """A run made of answers the user already has for the test rows: scored like any other, without a model."""
    _start(folder, key)
    answered = {"test": Answered.of(data.test, answers, data, terms.seed)}
    return _publish(folder, data, answered, method="predictions", base_model=name, seed=terms.seed, metric=terms.metric)


def run_key(spec: Spec, data: Dataset, terms: Terms) -> str:
    """sha256 of all that decides a run: the same key means the same predictions, so the run is reused."""
    parts = [data.fingerprint, asdict(data.recipe), data.validation_given, spec.name, spec.base_model]
    parts += [terms.seed, terms.metric, terms.budget_seconds if spec.trained else None]
    method = spec.create()
    settings = asdict(method.settings)
    places = [Path(value) for value in settings.values() if isinstance(value, str) and value]
    contents = [storage.hash_files(place) for place in places if place.exists()]
    theirs = [] if spec.name in methods.TABLE else [strangers.source_hash(type(method))]
    return storage.hash_json([*parts, settings, contents, code_version(), *theirs])


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


def split_record(data: Dataset) -> dict[str, Split]:
    """Rows and hash of each split."""
    return {s: Split(len(data.splits[s]), data.hashes[s]) for s in SPLITS}


def usage(answers: Sequence[Prediction]) -> dict[str, float | int | None]:
    """Tokens, seconds and money of all answers; a sum with an unknown part is unknown."""
    used = [a.usage for a in answers]
    totals: dict[str, float | int | None] = {}
    for name in ("input_tokens", "output_tokens", "seconds", "usd"):
        known = [getattr(u, name) for u in used if u and getattr(u, name) is not None]
        totals[name] = sum(known) if known and len(known) == len(used) else None
    return totals


def _refit(method: Method, data: Dataset, context: Context) -> float | None:
    """Fit again, with what was chosen, where validation was carved from train; the seconds that took."""
    if not method.refits or data.validation_given:
        return None
    rows = [*data.train, *data.validation]
    context.event("refit", rows=len(rows))
    begin = time.perf_counter()
    method.refit(data.task, rows, context)
    method.rows_used |= {"fitted": "train + validation"}
    return time.perf_counter() - begin


def _publish(folder: Path, data: Dataset, answered: dict[str, Answered], **fields: Any) -> RunRecord:
    """Write predictions and record, and give the folder its name."""
    partial = storage.partial(folder)
    key = partial / "key"
    kept = {s: answered[s] for s in ("validation", "test") if s in answered}
    rows = [row for s, split in kept.items() for row in prediction_rows(s, split.examples, split.answers)]
    write_predictions(partial / "predictions.jsonl", rows)
    record = RunRecord(
        id=folder.name,
        key=key.read_text(),
        task=tasks.to_plain(data.task),
        dataset=dataset_record(data),
        split=split_record(data),
        scores={s: split.scores.values for s, split in answered.items()},
        details={s: split.scores.details for s, split in answered.items()},
        usage=usage(answered["test"].answers),
        environment=environment(),
        created=now(),
        **fields,
    )
    model = partial / "model"
    if model.is_dir():
        storage.write_text(model / "README.md", model_card(record))
        record = replace(record, files=storage.hash_files(model))
    write_run(partial, record)
    with storage.refusals(partial):
        key.unlink()
        storage.remove(folder)
        storage.publish(folder)
    return record


def _remove_work(work: Path) -> None:
    """Remove what an interrupted training would go on from. Raises SlmfitError where it stays: no run is to hold it."""
    storage.remove(work)
    if work.exists():
        fix = "run the same command again: the training is not lost"
        raise SlmfitError("could not be removed", where=str(work), fix=fix)


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
        probabilities=labels and {k: rounded(p) for k, p in labels.items()},
        span_probabilities=spans if spans is None else [rounded(p) for p in spans],
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
    with storage.refusals(partial):
        if not (marker.is_file() and marker.read_text() == key):
            storage.remove(partial)
            partial.mkdir(parents=True)
            marker.write_text(key)
    return partial
