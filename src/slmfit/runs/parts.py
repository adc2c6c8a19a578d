"""Finished runs as parts of another method, and what a record says of the two together.

part_of(Run(Path("out/runs/linear")), data)                  # Part(id="linear", …)
about(method.chosen, test_answers, [small.record, large.record])["share"]["test"]      # 0.76
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from slmfit import storage
from slmfit.data.dataset import Dataset
from slmfit.errors import UsageError
from slmfit.evidence.promise import Promise
from slmfit.methods.base import Part
from slmfit.methods.cascade import SMALL, asked
from slmfit.records import Prediction, RunRecord, Usage, from_plain
from slmfit.runs.run import Run
from slmfit.tasks.answers import prediction_from_json
from slmfit.text.figures import dollars, percent, points_words


def part_of(run: Run, data: Dataset) -> Part:
    """A run as a part. Raises UsageError for one of other validation or test rows, and for one without a model.

    Its rows of train may be others: none of them is in its own validation.
    """
    record, model = run.record, run.folder / "model"
    if not model.is_dir():
        raise UsageError(
            "has no model", where=str(run.folder), fix="name another run; this one holds given answers only"
        )
    if any(record.split[split].hash != data.hashes[split] for split in ("validation", "test")):
        what = (
            "was fitted on other data, or another split of them: its answers to validation may be to rows it has seen"
        )
        raise UsageError(what, where=str(run.folder), fix="give the data and options that it was fitted with")
    storage.verify_files(model, record.files)
    validation: dict[str, Prediction] = {}
    answers: dict[str, Prediction] = {}
    inputs = {split: {row.id: row.input for row in data.splits[split]} for split in ("validation", "test")}
    with storage.undamaged(run.folder / "predictions.jsonl"):
        for row in run.predictions():
            answer = _answer(row, record)
            if row["split"] == "validation":
                validation[row["id"]] = answer
            answers[asked(data.task, inputs[row["split"]][row["id"]])] = answer
    return Part(
        record.id,
        record.key,
        record.method,
        model,
        remote=record.remote,
        validation=validation,
        answers=answers,
        seconds=record.latency_ms["p50"] / 1000 if record.latency_ms else None,
        fitted=record.rows_used.get("fitted", ""),
        scored_by=record.rows_used.get("validation_scored_by", ""),
    )


def _answer(row: dict[str, Any], record: RunRecord) -> Prediction:
    """What was answered, with what it took; probabilities that were not worth writing down are spread evenly."""
    answer = prediction_from_json(row)
    if "usage" in row:
        answer = replace(answer, usage=from_plain(Usage, row["usage"]))
    if answer.probabilities and "other_probability" in row:
        others = [label for label in record.task.get("labels", ()) if label not in answer.probabilities]
        each = row["other_probability"] / max(1, len(others))
        answer = replace(answer, probabilities={**answer.probabilities, **dict.fromkeys(others, each)})
    return answer


def about(chosen: Mapping[str, Any], test: Sequence[Prediction], parts: Sequence[RunRecord]) -> dict[str, Any]:
    """What `cascade` of run.json holds; docs/format.md explains it."""
    small, large = parts
    if small.id == large.id:  # two runs of one method
        small, large = replace(small, id=f"the small {small.id}"), replace(large, id=f"the large {large.id}")
    promise = from_plain(Promise, chosen["promise"])
    share = sum(answer.by == SMALL for answer in test) / max(1, len(test))
    found = {
        "small": chosen["small"],
        "large": chosen["large"],
        "promise": chosen["promise"],
        "share": {"validation": promise.share, "test": share},
        "saving": _saving(share, small, large),
    }
    return {**found, "said": _said(promise, found, small, large)}


def _saving(share: float, small: RunRecord, large: RunRecord) -> dict[str, float | None]:
    """Beside asking the large one everything, as shares of that: questions to it, its time in batches, and dollars."""
    time = None
    if small.rows_per_second and large.rows_per_second:
        time = share - large.rows_per_second / small.rows_per_second
    usd = large.usage.get("usd")
    paid = None if usd is None else 1000 * usd / large.rows_scored("test")
    return {"questions": share, "time": time, "usd_per_1000_rows": None if paid is None else share * paid}


def _said(promise: Promise, found: Mapping[str, Any], small: RunRecord, large: RunRecord) -> list[str]:
    """The same in sentences."""
    times, rows = f"{promise.sure * 100:g} of 100 such splits", f"{promise.rows:,} rows of validation"
    what = f"both together are right at least {percent(promise.target)} as often as {large.id} alone"
    if promise.threshold is None:
        return [_none(promise, what, times, rows, small, large), _how_scored(small), *_peak(promise, large)]
    share = found["share"]["test"]
    saved = found["saving"]
    more = [f"{percent(saved['time'])} of its time" if saved["time"] is not None and saved["time"] > 0 else ""]
    usd = saved["usd_per_1000_rows"]
    more += [f"{dollars(usd)} per 1,000 rows" if usd is not None else ""]
    spared = f", which saves {' and '.join(filter(None, more))}" if any(more) else ""
    kept = f", and at least {percent(promise.kept)} of those that are made hold" if promise.kept else ""
    return [
        f"{small.id} answers {percent(share)} of the test rows, {large.id} the rest{spared}.",
        f"Promised: {what}. That holds in {times}; it is fitted on {rows}.",
        f"In about {100 * promise.found:.0f} of 100 such splits such a promise can be made at all{kept}.",
        _how_scored(small),
        *_peak(promise, large),
    ]


def _none(promise: Promise, what: str, times: str, rows: str, small: RunRecord, large: RunRecord) -> str:
    """That nothing can be promised, with figures and what it would take."""
    figures = f"{small.id} {percent(promise.small)} right, {large.id} {percent(promise.large)}"
    start = f"With {rows} ({figures}) it cannot be shown for any share of the rows that {what} in {times}"
    need = "more rows would not change that: lower cascade.target, or take a better small method"
    if promise.rows_needed is not None:
        need = f"about {promise.rows_needed:,} such rows would do if the figures stay as they are"
    return f"{start}, so {large.id} answers everything; {need}."


def _how_scored(small: RunRecord) -> str:
    """Which model the threshold was fitted for."""
    fitted = small.rows_used.get("fitted", "")
    if "validation" not in fitted:
        return f"{small.id} answers as it did when the threshold was fitted: it has not seen validation."
    return (
        f"The threshold was fitted with what {small.id} said to validation before it had seen it; it has since been "
        "fitted once more with these rows, so it answers slightly differently."
    )


def _peak(promise: Promise, large: RunRecord) -> list[str]:
    """Where both together are better than the large one alone: the best of many thresholds, so a little too high."""
    gain = promise.peak.score - promise.large
    if gain <= 0:
        return []
    where = (
        f"On validation both together are right most often where the small one answers {percent(promise.peak.share)}"
    )
    return [f"{where}: {points_words(gain)} above {large.id} alone, the best of 100 thresholds."]
