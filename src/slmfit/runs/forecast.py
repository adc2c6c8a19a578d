"""How long a method would take here: two probes on few rows, and a line through them.

    forecast(spec, data, terms)      # Forecast(low=40.0, seconds=55.0, high=90.0, probed=1_000)

What a fine-tuned model takes is read off some of its steps. Nothing is written.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from slmfit.data.dataset import Dataset
from slmfit.embeddings.sentence import PIECE
from slmfit.errors import SlmfitError
from slmfit.methods.base import Context
from slmfit.methods.specs import Spec
from slmfit.runs import measuring
from slmfit.runs.fitting import TRAIN_ROWS_SCORED, Terms
from slmfit.timing.budget import random_order

PROBES = (250, 1000)  # rows of train
PREDICTED = 64
MEASURING = 3 * measuring.SECONDS  # and starting a process
DOUBT = 1.5  # how far off either way it may be; more where most of it lies beyond what was probed


@dataclass(frozen=True)
class Forecast:
    """Seconds for fitting, predicting and measuring. low, high: how sure that is. probed: rows that were fitted.

    fit_peak_memory_bytes: what fitting holds at most, where steps of it were tried; None where nobody knows.
    """

    low: float
    seconds: float
    high: float
    probed: int
    fit_peak_memory_bytes: int | None = None


def forecast(spec: Spec, data: Dataset, terms: Terms) -> Forecast | None:
    """What one fit of the method takes; None where a probe fails, as the method itself may."""
    measuring.forget_peak()
    try:
        found = _trained(spec, data, terms) if spec.trained else _fitted(spec, data, terms)
    except SlmfitError:
        return None
    if found is None:
        return None
    seconds, probed = found
    seconds += MEASURING
    doubt = DOUBT * (1 + 0.25 * (len(data.train) > 4 * probed))
    peak = measuring.peak_memory_bytes() if spec.trained else None  # others were tried on fewer rows
    return Forecast(seconds / doubt, seconds, seconds * doubt, probed, peak)


def _predicted(data: Dataset) -> int:
    return len(data.validation) + len(data.test) + min(len(data.train), TRAIN_ROWS_SCORED)


def _trained(spec: Spec, data: Dataset, terms: Terms) -> tuple[float, int] | None:
    context = Context(seed=terms.seed, metric=terms.metric, rows_to_predict=_predicted(data))
    seconds = spec.create().forecast(data.task, data.train, data.validation, context)
    return None if seconds is None else (seconds, min(PROBES[-1], len(data.train)))


def _fitted(spec: Spec, data: Dataset, terms: Terms) -> tuple[float, int]:
    """Fit on two sizes, go on in a line; the rows that are predicted and fitted once more are counted."""
    order, took = random_order(len(data.train)), []
    sizes = sorted({min(size, len(order)) for size in PROBES})
    share = len(data.validation) / max(1, len(order))
    for size in sizes:
        method = spec.create()
        part = [data.train[i] for i in order[:size]]
        few = list(data.validation[: max(1, round(share * size))]) if data.validation else []
        begin = time.monotonic()
        method.fit(data.task, part, few, Context(seed=terms.seed, metric=terms.metric))
        took.append(time.monotonic() - begin)
    begin = time.monotonic()
    method.predict([example.input for example in data.train[:PREDICTED]])
    predicting = (time.monotonic() - begin) / min(PREDICTED, len(data.train)) * _predicted(data)
    slope = (took[-1] - took[0]) / max(1, sizes[-1] - sizes[0]) if len(took) > 1 else 0.0
    fitting = took[-1] + max(0.0, slope, 0.5 * took[-1] / sizes[-1]) * (len(order) - sizes[-1])
    rows = _fitted_again(spec, len(order), len(data.validation)) if method.refits else 0
    again = (method.fit_seconds or took[-1]) * rows / sizes[-1]
    return fitting + (0.0 if data.validation_given else again) + predicting, sizes[-1]


def _fitted_again(spec: Spec, train: int, validation: int) -> int:
    """The rows of train + validation that fitting once more works on; whole pieces of vectors are kept."""
    return (train % PIECE if spec.embeds else train) + validation
