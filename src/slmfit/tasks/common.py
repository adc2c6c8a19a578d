"""What the tasks share: cells by their several names, replies that are JSON, scores of probabilities."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from slmfit.errors import DataError, UsageError, Where
from slmfit.evidence.clusters import Clusters
from slmfit.evidence.metrics import brier_rows, log_loss_rows, reliability_bins
from slmfit.evidence.statistic import bootstrap_calibration, bootstrap_mean, design_wilson
from slmfit.records import OUTCOMES, Input, Prediction, Question, Score, Target
from slmfit.tasks.base import Row
from slmfit.tasks.forms.base import Form
from slmfit.text.figures import listed


def find(row: Row, columns: Sequence[str]) -> tuple[str, Any]:
    """The first of these columns that the row fills, and what it holds; the first and None when it fills none."""
    column = next((column for column in columns if row.get(column) is not None), columns[0])
    return column, row.get(column)


def given_text(value: Any) -> str:
    """A text that was handed over. Raises UsageError for anything else."""
    if not isinstance(value, str):
        what = f"a text is needed, not {type(value).__name__}"
        raise UsageError(what, fix="give strings; an empty one where a text is missing")
    return value


def alike(name: str, columns: Collection[str]) -> str | None:
    """The column of that name, else the only one that differs from it in case alone."""
    if name in columns:
        return name
    found = [column for column in columns if column.lower() == name.lower()]
    return found[0] if len(found) == 1 else None


def column_of(columns: Collection[str], known: str | None, names: Sequence[str]) -> str | None:
    """The column that is known, else the first that goes by one of the names; None where there is none."""
    every = (name for name in (known, *names) if name is not None)
    return next((found for name in every if (found := alike(name, columns)) is not None), None)


def meant(columns: Collection[str], names: Sequence[str]) -> list[str]:
    """All columns that go by one of the names, best first."""
    return list(dict.fromkeys(found for name in names if (found := alike(name, columns)) is not None))


def text_column(
    row: Row,
    roles: Mapping[str, Sequence[str]],
    columns: Mapping[str, str],
    where: Where,
    among: Sequence[str] = ("text",),
) -> str:
    """The column of a row that holds its text: the one that is known, else one that goes by the name of a role `among`.

    Raises DataError where there is none, and where the known one lacks and several have such a name.
    """
    known = [columns[role] for role in among if role in columns]
    for role in among:
        if role in columns and (own := alike(columns[role], row)) is not None:
            return own
    for role in among:
        found = meant(row, roles[role])
        if len(found) > 1 and known:
            raise several_columns("text", known[0], found, where)
        if found:
            return found[0]
    fix = f"name the column with --column text=NAME; the columns are: {listed(row, 20, quoted=False)}"
    raise DataError("there is no column with a text", where=where, fix=fix)


def several_columns(role: str, known: str, found: Sequence[str], where: Where | str) -> DataError:
    """The error for a file without the run's own column, and with several that may be meant for it."""
    what = f"there is no column {known!r}, as in the training data, and {listed(found)} may each be meant"
    return DataError(what, where=where, fix=f"name the {role}: --column {role}=NAME, for example {role}={found[0]}")


def one_form(form: Form, name: str | None) -> Form:
    """The only form of a task. Raises UsageError where another is named."""
    if name not in (None, form.name):
        raise UsageError(f"there is no form {name!r} here", fix=f"use {form.name}")
    return form


def refuse_halves(value: Any, where: Where) -> None:
    """Raise DataError for half a surrogate pair in what JSON held: a file of UTF-8 has no place for it."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        what = f"half a character (\\u{ord(error.object[error.start]):04x} alone)"
        fix = "remove it: it is what remains of an emoji that was cut in two"
        raise DataError(what, where=where, fix=fix) from None


_WHOLE = re.compile(r"([+-]?\d+)\.0+")
_TRUTHS = {
    frozenset({"0", "1"}): {"false": "0", "true": "1"},
    frozenset({"false", "true"}): {"0": "false", "1": "true", "0.0": "false", "1.0": "true"},
}


def label_among(word: str, labels: Collection[str]) -> str | None:
    """The label that a word is, or is another spelling of as files and models write them: 1.0 for 1, True for true, an
    accent as a sign of its own. None where there is none, or more than one.
    """
    if word in labels:
        return word
    if len(labels) == 2 and (other := _TRUTHS.get(frozenset(map(str.lower, labels)), {}).get(word.lower())):
        return next(label for label in labels if label.lower() == other)
    if not word.isascii():
        form = unicodedata.normalize("NFC", word)
        found = [label for label in labels if unicodedata.normalize("NFC", label) == form]
    elif plain := _respelled(word):
        found = [label for label in labels if _respelled(label) == plain]
    else:
        return None
    return found[0] if len(found) == 1 else None


def _respelled(label: str) -> str:
    """A number without .0, a true or false in small letters; empty for anything else."""
    if label.lower() in ("true", "false"):
        return label.lower()
    whole = _WHOLE.fullmatch(label)
    return whole[1] if whole else label if label.lstrip("+-").isdecimal() else ""


def count_outcomes(predictions: Sequence[Prediction]) -> dict[str, int]:
    """How many predictions ended in each outcome that occurs."""
    counts = Counter(p.outcome for p in predictions)
    return {outcome: counts[outcome] for outcome in OUTCOMES if counts[outcome]}


def probability_table(labels: Sequence[str], predictions: Sequence[Prediction]) -> np.ndarray:
    """Probabilities [rows, labels]; 0 for a label that the method does not know."""
    return np.array([[(p.probabilities or {}).get(label, 0.0) for label in labels] for p in predictions])


def probability_scores(
    labels: Sequence[str],
    targets: Sequence[Target],
    predictions: Sequence[Prediction],
    right: np.ndarray,
    seed: int,
    clusters: Clusters | None = None,
) -> dict[str, Score]:
    """log_loss, brier and expected_calibration_error; none of them unless every row has probabilities.

    right [rows]: whether the answer was.
    """
    if not all(p.probabilities is not None for p in predictions):
        return {}
    table = probability_table(labels, predictions)
    column = {label: i for i, label in enumerate(labels)}
    truth = [column[str(target)] for target in targets]
    return {
        "log_loss": bootstrap_mean(log_loss_rows(table, truth), seed=seed, clusters=clusters),
        "brier": bootstrap_mean(brier_rows(table, truth), seed=seed, clusters=clusters),
        "expected_calibration_error": bootstrap_calibration(table.max(axis=1), right, seed=seed, clusters=clusters),
    }


def reliability(confidence: np.ndarray, right: np.ndarray) -> list[dict[str, float]]:
    """Calibration bins that hold rows: their edges, rows, mean confidence and accuracy."""
    bins = reliability_bins(confidence, right)
    columns = zip(*(column.tolist() for column in bins), strict=True)
    return [
        {"low": low, "high": high, "rows": rows, "confidence": c, "accuracy": a}
        for low, high, rows, c, a in columns
        if rows
    ]


def coverage_points(
    confidence: np.ndarray, right: np.ndarray, steps: int = 20, clusters: Clusters | None = None
) -> list[dict[str, float | int | None]]:
    """How often the surest answers are right, were the rest left unanswered: a point per twentieth of the rows.

    confidence [rows]: the probability of the answer given; right [rows]: whether it was. Each point: `threshold` (the
    least confidence answered), `rows`, `coverage` (their share), `accuracy` and its interval `low`, `high`. Equally
    sure rows are answered together, so there may be fewer points than steps.
    """
    order = np.argsort(-confidence, kind="stable")
    sure, hits, n = confidence[order], np.cumsum(right[order]), len(order)
    wanted = {-(-n * step // steps) for step in range(1, steps + 1)} - {0}
    ends = {int(np.searchsorted(-sure, -sure[count - 1], "right")) for count in wanted}
    points: list[dict[str, float | int | None]] = []
    size = np.ones(n) if clusters is None else clusters.size[order]
    effects = np.cumsum(size) / np.arange(1, n + 1)  # rows of one input are equally sure
    for end in sorted(ends):
        score = design_wilson(float(hits[end - 1]), end, float(effects[end - 1]))
        points.append({"threshold": float(sure[end - 1]), "rows": end, "coverage": end / n})
        points[-1] |= {"accuracy": score.value, "low": score.low, "high": score.high}
    return points


def options_of(input: Input) -> Mapping[str, str]:
    """A question's options by letter; none of other inputs."""
    return input.options if isinstance(input, Question) else {}
