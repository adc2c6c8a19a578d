"""The act: fit a method, let it predict, score it, leave a run directory.

    record = fit_run(spec, data, Path("out/runs/linear"), Terms(seed=0, metric="accuracy"))

    tried = trial(spec, data, Context(metric="accuracy"))       # fit, score validation: test is never opened
    tried.scores.values["accuracy"]

The referee is here, the contestant in `methods/`: a method is handed inputs when it predicts, never targets, and
the test split once, at the end. What is scored is what was saved: predictions come from the model as it loads.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from slmfit import methods, storage, tasks
from slmfit.data.dataset import Dataset
from slmfit.environment import cache_folder, code_version, environment, now
from slmfit.errors import SlmfitError
from slmfit.events import Listener, recorded
from slmfit.methods import strangers
from slmfit.methods.base import Context, Method, Remote
from slmfit.methods.saved import load_model, save_model
from slmfit.methods.specs import Spec
from slmfit.records import GIVEN, LEFT_OUT, SPLITS, Example, Prediction, RunRecord, Split
from slmfit.runs import measuring
from slmfit.runs.answering import Answered, ask
from slmfit.runs.as_written import as_written, respelled
from slmfit.runs.card import model_card
from slmfit.runs.kept import kept
from slmfit.runs.known_words import Words
from slmfit.runs.parts import about, part_of
from slmfit.runs.run import Run, write_predictions, write_run
from slmfit.tasks.answers import prediction_to_json, target_to_json
from slmfit.timing.budget import Budget

if TYPE_CHECKING:
    from slmfit.llm.limits import Share

TRAIN_ROWS_SCORED = 2000
TRAIN_SHARE = 0.1  # of the time for predicting goes to these rows, which only measure
MEASURING_SHARE = 0.25  # of a budget, for saving, loading and the fresh process that is measured, at most


@dataclass(frozen=True)
class Terms:
    """What all runs of a comparison have in common; plain data.

    seed: for everything random. metric: what settings are chosen by. seeds: how often what is trained is, with `seed`
    and those after it. budget_seconds: asked for all of them together; None = no limit.
    """

    seed: int
    metric: str
    seeds: int = 1
    budget_seconds: float | None = None


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
    budget: Budget | None = None,
    allowance: Share | None = None,
    parts: Sequence[Run] = (),
    listen: Listener | None = None,
) -> RunRecord:
    """Fit one method and write its run to `folder`, which appears whole or not at all.

    budget: this run's part of it, for fitting, predicting and measuring; None = no limit. allowance: what servers may
    take of it. parts: the runs that it is made of. listen: called as `listen(kind, fields)` for whatever happens.
    Raises what the method raises.
    A method that asks a server, each time for time or money, is asked the test rows and nothing else, and what its
    answers took is what was measured.
    """
    keys = [run.record.key for run in parts]
    key, plain = (run_key(spec, data, terms, budgeted=budgeted, parts=keys) for budgeted in (True, False))
    partial = _start(folder, key)
    if plain != key and not spec.trained:
        (partial / "key without budget").write_text(plain)
    whole = budget or Budget()
    apart = (
        0.0 if spec.remote or not whole.limited else min(measuring.expected_seconds(), MEASURING_SHARE * whole.left())
    )
    more = 0 if spec.remote else min(len(data.train), TRAIN_ROWS_SCORED) + len(data.validation)
    with recorded(partial / "events.jsonl", listen) as event:
        context = Context(
            seed=terms.seed,
            metric=terms.metric,
            key=key,
            cache=cache_folder(),
            work=partial / "work",
            event=event,
            budget_seconds=None if whole.seconds is None else max(0.0, whole.seconds - apart),
            budget=whole.but_for(apart),
            rows_to_predict=more + len(data.test) + (0 if spec.remote else len(respelled(data))),
            allowance=allowance,
            groups=data.groups,
            parts=tuple(part_of(run, data) for run in parts),
        )
        measuring.forget_peak()
        records = [run.record for run in parts]
        return finish(trial(spec, data, context), data, folder, context, whole, records)


def trial(spec: Spec, data: Dataset, context: Context) -> Trial:
    """Fit on train, and score what is answered to validation; the test split is never opened.

    Settings are chosen by such trials. Raises what the method raises.
    """
    method = spec.create()
    context.event("fit", rows=len(data.train))
    begin = time.perf_counter()
    method.fit(data.task, data.train, data.validation, context)
    if isinstance(method, Remote):
        method.try_out(data.validation)
    search_seconds = time.perf_counter() - begin
    fit_seconds = method.fit_seconds if method.fit_seconds is not None else search_seconds
    validation = None
    if not isinstance(method, Remote):
        left = context.budget.but_for(_once_more(method, data, fit_seconds))
        own = left.part(context.rows_to_predict / max(1, len(data.validation)))
        validation = _answer(method, data, data.validation, "validation", context, own)
        if (words := Words.of(method)) is not None:  # before it is fitted on these rows, too
            counted = words.counts(data.task.text(e.input) for e in validation.examples)
            validation.scores.details["unseen_words"] = counted
    return Trial(spec, method, validation, fit_seconds, search_seconds)


def finish(
    tried: Trial,
    data: Dataset,
    folder: Path,
    context: Context,
    whole: Budget | None = None,
    parts: Sequence[RunRecord] = (),
) -> RunRecord:
    """Fit again where validation was carved from train, save, load, score test, measure: the run in `folder`.

    whole: until when, measuring included; None = as long as the context says. parts: the runs that it is made of.
    """
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
    method.unload()
    _, _, loaded = load_model(model)
    loaded.context = method.context if parts else context  # which then knows what the large one was asked already
    sample = [] if tried.spec.remote or parts else _sample(data.train, context.seed)
    own = context.budget.but_for(TRAIN_SHARE * context.budget.left()) if sample else context.budget
    test = _answer(loaded, data, data.test, "test", context, own)
    if not (tried.spec.remote or test.left_out) and (spelled := as_written(loaded, data, test.answers, context.seed)):
        test = replace(test, scores=replace(test.scores, details={**test.scores.details, "as_written": spelled}))
    answered = {} if tried.validation is None else {"validation": tried.validation}
    answered["test"] = test
    if tried.spec.remote:
        cost, size = measuring.of_answers(test.answers), None
    else:
        if sample:
            answered = {"train": _answer(loaded, data, sample, "train", context, context.budget), **answered}
        context.event("measure")
        seconds, named = (context.budget if whole is None else whole).seconds, [name, *(one.method for one in parts)]
        cost = measuring.measure(model, data.task, [e.input for e in data.validation], named=named, seconds=seconds)
        size = storage.size_of(model) + loaded.bytes_elsewhere
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
        cascade=about(loaded.chosen, test.answers, parts) if parts else LEFT_OUT,
        budgeted=tried.spec.trained or _cut(method.chosen),
    )


def given_run(
    name: str, answers: Sequence[Prediction], data: Dataset, folder: Path, key: str, terms: Terms
) -> RunRecord:
    """A run made of answers the user already has for the test rows: scored like any other, without a model."""
    _start(folder, key)
    answered = {"test": Answered.of(data.test, answers, data, terms.seed)}
    return _publish(folder, data, answered, method=GIVEN, base_model=name, seed=terms.seed, metric=terms.metric)


def run_key(spec: Spec, data: Dataset, terms: Terms, *, budgeted: bool = True, parts: Sequence[str] = ()) -> str:
    """sha256 of all that decides a run: the same key means the same predictions, so the run is reused.

    budgeted: whether the terms' budget had a part in it, as it always has where a method is trained. parts: the keys of
    the runs that it is made of.
    """
    decided: list[Any] = [
        data.fingerprint,
        asdict(data.recipe),
        data.validation_given,
        spec.name,
        spec.base_model,
        *parts,
    ]
    decided += [terms.seed, terms.metric, terms.budget_seconds if budgeted else None]
    method = spec.create()
    settings = asdict(method.settings)
    places = [Path(value) for value in settings.values() if isinstance(value, str) and value]
    contents = [storage.hash_files(place) for place in places if place.exists()]
    theirs = [] if spec.name in methods.TABLE else [strangers.source_hash(type(method))]
    return storage.hash_json([*decided, settings, contents, code_version(), *theirs])


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
    expected = None if method.fit_seconds is None else round(method.fit_seconds)
    context.event("refit", rows=len(rows), **({} if expected is None else {"eta_seconds": expected}))
    begin = time.perf_counter()
    method.refit(data.task, rows, context)
    fitted = method.chosen.get("rows_fitted")
    method.rows_used |= {"fitted": f"{fitted:,} rows of train + validation" if fitted else "train + validation"}
    return time.perf_counter() - begin


def _publish(
    folder: Path, data: Dataset, answered: dict[str, Answered], *, budgeted: bool = True, **fields: Any
) -> RunRecord:
    """Write predictions and record, and give the folder its name. budgeted: whether the budget shortened the fit."""
    partial = storage.partial(folder)
    key = partial / "key"
    scored: Mapping[str, int] = {
        str(s): len(answered[s].examples) for s in ("validation", "test") if s in answered and answered[s].left_out
    }
    if not (budgeted or scored) and (plain := partial / "key without budget").is_file():
        plain.replace(key)
    kept = {s: answered[s] for s in ("validation", "test") if s in answered}
    rows = [row for s, split in kept.items() for row in prediction_rows(s, split.examples, split.answers)]
    write_predictions(partial / "predictions.jsonl", rows)
    record = RunRecord(
        id=folder.name,
        key=key.read_text(),
        task=tasks.to_plain(data.task),
        dataset=dataset_record(data),
        split=split_record(data),
        scored=scored or LEFT_OUT,
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
        (partial / "key without budget").unlink(missing_ok=True)
        storage.remove(folder)
        storage.publish(folder)
    return record


def _remove_work(work: Path) -> None:
    """Remove what an interrupted training would go on from. Raises SlmfitError where it stays: no run is to hold it."""
    storage.remove(work)
    if work.exists():
        fix = "run the same command again: the training is not lost"
        raise SlmfitError("could not be removed", where=str(work), fix=fix)


def _answer(
    method: Method, data: Dataset, examples: Sequence[Example], split: str, context: Context, budget: Budget
) -> Answered:
    return ask(method, data, examples, split, seed=context.seed, budget=budget, event=context.event)


def _once_more(method: Method, data: Dataset, fit_seconds: float) -> float:
    """The seconds that fitting again will take."""
    return fit_seconds if method.refits and not data.validation_given else 0.0


def _cut(chosen: Mapping[str, Any]) -> bool:
    """Whether the budget had a part in what was chosen."""
    return any(name in chosen for name in ("rows_fitted", "search_ended"))


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
