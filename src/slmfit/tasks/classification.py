"""text-classification: one label for a text.

task = TextClassification(("billing", "delivery"))
task.parse({"text": "where is my parcel", "label": "delivery"}, Where("a.csv", 2), "1")
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from slmfit.errors import DataError, UsageError, Where, did_you_mean
from slmfit.evidence import metrics as m
from slmfit.evidence import statistic
from slmfit.evidence.clusters import clusters_of
from slmfit.evidence.drawing import Repeated
from slmfit.records import Example, Input, Pair, Prediction, Target
from slmfit.tasks.answers import class_columns
from slmfit.tasks.base import PAIR_ROLES, Components, Row, Scores
from slmfit.tasks.common import (
    column_of,
    count_outcomes,
    coverage_points,
    given_text,
    one_form,
    probability_scores,
    probability_table,
    reliability,
    text_column,
)
from slmfit.tasks.forms import Form
from slmfit.tasks.forms.labels import Labels

AVERAGED = tuple(
    f"{name}_{average}" for name in ("f1", "precision", "recall") for average in ("macro", "micro", "weighted")
)


@dataclass(frozen=True)
class TextClassification:
    """The task of the module's docstring.

    labels: sorted. texts: the columns of the two texts that are one input, a `Pair`; empty where it is one text.
    """

    labels: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()

    name: ClassVar[str] = "text-classification"
    metric: ClassVar[str] = "accuracy"
    metrics: ClassVar[tuple[str, ...]] = ("accuracy", "balanced_accuracy", *AVERAGED)
    roles: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "text": (
            "text", "sentence", "content", "document", "message", "body", "review", "tweet", "question", "input",
            "utterance", "data",
        ),
        "label": (
            "label", "labels", "class", "category", "target", "intent", "topic", "sentiment", "tag", "y", "output",
            "accept",
        ),
        "text_pair": ("text_pair",),
    }  # fmt: skip
    required: ClassVar[tuple[str, ...]] = ("text", "label")
    noun: ClassVar[str] = "text"
    classifies: ClassVar[bool] = True
    marks: ClassVar[bool] = False

    def recognises(self, columns: Sequence[str]) -> bool:
        """A column that goes by a text's name and one that goes by a label's."""
        lower = {c.lower() for c in columns}
        return all(lower & set(self.roles[role]) for role in self.required)

    def shown_by(self, roles: Mapping[str, str], rows: Iterable[Row]) -> dict[str, str]:
        """Nothing: it is what a file is read as where nothing else is shown."""
        return {}

    def bare(self, roles: Mapping[str, str], rows: Iterable[Row]) -> bool:
        return False

    def overlooked(self, columns: Sequence[str]) -> str:
        return ""

    def spoken(self, role: str) -> str:
        return role

    def parse(self, row: Row, where: Where, id: str) -> Example:
        """One row, keyed by role. A row without `label` has no target. Raises DataError naming the place.

        `text_pair` is a second text. A task without `texts`, as runs of before have, reads both as one.
        """
        text, label = row.get("text"), row.get("label")
        if not isinstance(text, str):
            raise _no_text(text, where.at("text"))
        if self.texts and "text_pair" not in row:
            raise self._no_pair(where)
        if (second := row.get("text_pair")) is not None and not isinstance(second, str):
            raise _no_text(second, where.at("text_pair"))
        if self.texts:
            text = Pair(text, second or "")
        elif second is not None:
            text = str(Pair(text, second))
        if label is None:
            return Example(id, text)
        if not isinstance(label, str) or not label.strip():
            raise DataError(
                f"the label is {_kind(label)}", where=where.at("label"), fix="give a label, or drop the row"
            )
        return Example(id, text, label)

    def unparse(self, example: Example) -> dict[str, Any]:
        """The row that `parse` reads back."""
        row = {"id": example.id, "text": example.input}
        if isinstance(example.input, Pair):
            row |= {"text": example.input.first, "text_pair": example.input.second}
        return row if example.target is None else {**row, "label": example.target}

    def with_labels(self, targets: Iterable[Target]) -> Self:
        """The same task with the labels that occur in these targets."""
        return replace(self, labels=tuple(sorted({str(t) for t in targets})))

    def text(self, input: Input) -> str:
        return str(input)

    def label(self, target: Target) -> str:
        return str(target)

    def form(self, name: str | None = None, grain: str = "words") -> Form:
        """`json`."""
        return one_form(Labels(self.labels, self.texts), name)

    # --- inputs and answers ---

    def given(self, value: Any) -> Input:
        if not self.texts or isinstance(value, Pair):
            return given_text(value)
        if isinstance(value, tuple | list) and len(value) == 2 and all(isinstance(text, str) for text in value):
            return Pair(*map(str, value))
        what = f"two texts are needed, {self.texts[0]!r} and {self.texts[1]!r}"
        raise UsageError(what, fix="give a file with both columns: --input FILE; or in Python pairs: (first, second)")

    def seen(self, row: Row, columns: Mapping[str, str], where: Where) -> tuple[Input, dict[str, Any]]:
        if self.texts:
            return self._pair_seen(row, columns, where), {}
        column = text_column(row, self.roles, columns, where)
        pair = columns.get("text_pair") if column == columns.get("text") else None
        if pair is not None and pair not in row:
            fix = "give both columns of the run's data, or name one that holds both texts with --column text=NAME"
            raise DataError(f"there is no column {pair!r}, the second text", where=where, fix=fix)
        more = {} if pair is None else {"text_pair": row[pair]}
        return self.parse({"text": row[column], **more}, where, "").input, {}

    def _pair_seen(self, row: Row, columns: Mapping[str, str], where: Where) -> Input:
        """Both texts, of the columns that are known, else of those that the task or a file of ours has."""
        found = {}
        for role, own in zip(PAIR_ROLES, self.texts, strict=True):
            found[role] = column_of(row, columns.get(role), (own, role))
        if None in found.values() or len(set(found.values())) < len(found):
            raise self._no_pair(where)
        return self.parse({role: row[str(column)] for role, column in found.items()}, where, "").input

    def _no_pair(self, where: Where) -> DataError:
        what = f"two texts are needed, {self.texts[0]!r} and {self.texts[1]!r}"
        return DataError(what, where=where, fix="give both, or --column text=NAME --column text_pair=NAME")

    def columns(self, prediction: Prediction, input: Input) -> dict[str, Any]:
        return class_columns(prediction)

    def offered(self, input: Input) -> None:
        return None

    def floor(self, target: Target) -> Target:
        return target

    def class_of(self, target: Target) -> str | None:
        return str(target)

    def counted(self, target: Target) -> Iterable[tuple[str, str]]:
        return [("label", str(target))]

    def agreed(self, target: Target) -> str:
        return str(target)

    # --- scores ---

    def score(
        self,
        targets: Sequence[Target],
        predictions: Sequence[Prediction],
        seed: int = 0,
        inputs: Sequence[Input] | None = None,
    ) -> Scores:
        """`metrics` with intervals; where every row has probabilities, also log_loss, brier and
        expected_calibration_error. Details: outcomes, per_class, confusion (last column: no usable answer),
        random_guess (log losses, and `metrics` from the counts to expect when every label is guessed alike),
        reliability (calibration bins) and coverage (common.coverage_points).
        """
        truth, answers = self._codes(targets, predictions)
        n = len(self.labels)
        counts = m.confusion(truth, answers, n)
        clusters = clusters_of(map(self.text, inputs or ()))
        repeated = Repeated(truth, answers, clusters) if clusters else None
        values = dict(statistic.bootstrap_confusion(counts, self.metrics, seed=seed, repeated=repeated))
        each, guess = m.per_class(counts), m.random_guess_log_loss(truth, n)
        even = np.full(n, len(truth) / n)
        by_chance = m.scores_from_tallies(m.Tallies(each.support / n, even, each.support))
        details: dict[str, Any] = {
            "rows": len(truth),
            "outcomes": count_outcomes(predictions),
            "per_class": [
                {"label": label, "precision": p, "recall": r, "f1": f, "support": s}
                for label, p, r, f, s in zip(self.labels, *(column.tolist() for column in each), strict=True)
            ],
            "confusion": counts.tolist(),
            "random_guess": {
                "log_loss": guess.uniform,
                "log_loss_of_class_shares": guess.prior,
                **{name: float(by_chance[name]) for name in self.metrics},
            },
        }
        scored = probability_scores(self.labels, targets, predictions, answers == truth, seed, clusters)
        if scored:
            table = probability_table(self.labels, predictions)
            confidence, right = table.max(axis=1), answers == truth
            details["reliability"] = reliability(confidence, right)
            details["coverage"] = coverage_points(confidence, right, clusters=clusters)
        return Scores(values | scored, details)

    def components(self, metric: str, targets: Sequence[Target], predictions: Sequence[Prediction]) -> Components:
        """Accuracy: 0/1 per row. The others: per class one column each of hits, answers and truth."""
        if metric not in self.metrics:
            raise UsageError(f"{self.name} has no metric {metric!r}", fix=did_you_mean(metric, self.metrics))
        truth, answers = self._codes(targets, predictions)
        if metric == "accuracy":
            right = np.column_stack([answers == truth, np.ones(len(truth))]).astype(float)
            return Components(right, lambda sums: sums[..., 0] / sums[..., 1], paired_mean=True)
        n = len(self.labels)
        codes = np.arange(n)
        answered, support = answers[:, None] == codes, truth[:, None] == codes
        rows = np.hstack([answered & support, answered, support]).astype(float)

        def combine(sums: np.ndarray) -> np.ndarray:
            parts = m.Tallies(sums[..., :n], sums[..., n : 2 * n], sums[..., 2 * n :])
            return m.scores_from_tallies(parts)[metric]

        return Components(rows, combine)

    def _codes(self, targets: Sequence[Target], predictions: Sequence[Prediction]) -> tuple[np.ndarray, np.ndarray]:
        """Label numbers of truth and answers [rows]; -1 where there is no usable answer."""
        code = {label: i for i, label in enumerate(self.labels)}
        truth = np.array([code[str(t)] for t in targets], dtype=np.int64)
        answers = [code.get(str(p.target), -1) if p.outcome == "ok" else -1 for p in predictions]
        return truth, np.array(answers, dtype=np.int64)


def _no_text(cell: Any, where: Where) -> DataError:
    return DataError(f"the text is {_kind(cell)}", where=where, fix="give text, or drop the row")


def _kind(cell: Any) -> str:
    """What is in a cell, for a message."""
    return "missing" if cell is None else "empty" if cell == "" else f"not text but {type(cell).__name__}"
