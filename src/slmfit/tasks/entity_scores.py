"""Scores of token-classification: entities by four schemes, in all and by type; the intent; all of a row at once.

    rows = Rows(targets, predictions, labels=("CITY", "DAY"))
    rows.components("entity_f1").value         # 0.93
    score(rows, seed=0).details["confusion"]   # [{"true": "CITY", "found": "DAY", "count": 3, "exact": 0}, …]

A failed answer has found nothing. An entity that was named but has no place in the text is found and wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from slmfit.errors import UsageError, did_you_mean
from slmfit.evidence.clusters import Clusters
from slmfit.evidence.statistic import bootstrap_sums, share_right
from slmfit.records import Entities, Prediction, Score, Span, Target
from slmfit.tasks.base import Components, Scores
from slmfit.tasks.common import count_outcomes
from slmfit.tasks.matching import (
    NOWHERE,
    SCHEMES,
    f1,
    macro,
    matched,
    outcomes,
    precision,
    ratio,
    recall,
    tally,
    tally_by_type,
)


class _Counted(NamedTuple):
    """A score that is made of counts of entities."""

    scheme: str
    score: Callable[[np.ndarray], np.ndarray]
    by_type: bool = False  # the mean over types


COUNTED = {
    "entity_f1": _Counted("strict", f1),
    "entity_precision": _Counted("strict", precision),
    "entity_recall": _Counted("strict", recall),
    "entity_f1_macro": _Counted("strict", f1, True),
    "entity_precision_macro": _Counted("strict", precision, True),
    "entity_recall_macro": _Counted("strict", recall, True),
    "boundary_f1": _Counted("boundary", f1),
    "partial_f1": _Counted("partial", f1),
    "type_f1": _Counted("type", f1),
}
Cell: TypeAlias = tuple[str | None, str | None]  # a true type and the one it was found as
METRICS = (*COUNTED, "intent_accuracy", "exact_match")


class Rows:
    """Truth and answers of a split, row by row. labels: the task's entity types."""

    def __init__(self, targets: Sequence[Target], predictions: Sequence[Prediction], labels: Sequence[str]) -> None:
        self.predictions, self.labels = predictions, labels
        self.truth: list[Entities] = []
        self.answers: list[Entities | None] = []  # None = failed
        for target, prediction in zip(targets, predictions, strict=True):
            assert isinstance(target, Entities)
            answer = prediction.target if prediction.outcome == "ok" else None
            self.truth.append(target)
            self.answers.append(answer if isinstance(answer, Entities) else None)
        self._tables: dict[tuple[str, bool], np.ndarray] = {}

    @cached_property
    def true(self) -> list[Sequence[Span]]:
        return [t.spans for t in self.truth]

    @cached_property
    def found(self) -> list[Sequence[Span]]:
        return [found_spans(a) for a in self.answers]

    @property
    def intents(self) -> list[tuple[str, str | None]]:
        """Truth and answer of the rows that have an intent."""
        return [(t.intent, a.intent if a else None) for t, a in self._pairs if t.intent is not None]

    @property
    def _pairs(self) -> list[tuple[Entities, Entities | None]]:
        return list(zip(self.truth, self.answers, strict=True))

    def components(self, metric: str) -> Components:
        """Counted in entities: what each row has right, found and true, of each type for a macro average; the others:
        0/1, and 1 for every row that counts. Raises UsageError for a metric that these rows do not have.
        """
        if metric in COUNTED:
            scheme, score, by_type = COUNTED[metric]
            table = self.table(scheme, by_type)
            if not by_type:
                return Components(table, score)
            flat = table.reshape(len(table), -1)
            return Components(flat, lambda sums: macro(sums.reshape(*sums.shape[:-1], -1, 3), score))
        if metric == "exact_match":
            return _shares([all_right(t, a) for t, a in self._pairs], [True] * len(self.truth))
        asked = [t.intent is not None for t in self.truth]
        if metric == "intent_accuracy" and any(asked):
            return _shares([a is not None and a.intent == t.intent for t, a in self._pairs], asked)
        if metric in METRICS:
            raise UsageError("there is no intent accuracy: no row has an intent", fix="choose another metric")
        fix = did_you_mean(metric, METRICS)
        raise UsageError(f"token-classification has no metric {metric!r}", fix=fix)

    def table(self, scheme: str, by_type: bool) -> np.ndarray:
        """`tally` or `tally_by_type` of these rows."""
        key = (scheme, by_type)
        if key not in self._tables and by_type:
            self._tables[key] = tally_by_type(self.true, self.found, self.labels, scheme)
        elif key not in self._tables:
            self._tables[key] = tally(self.true, self.found, scheme)
        return self._tables[key]


def found_spans(answer: Entities | None) -> Sequence[Span]:
    """What an answer found; entities without a place stand nowhere."""
    if answer is None:
        return ()
    return (*answer.spans, *(Span(NOWHERE, NOWHERE, label) for _, label in answer.unplaced))


def score(rows: Rows, seed: int, clusters: Clusters | None = None) -> Scores:
    """All of METRICS with intervals (the intent's only where rows have one). Details, JSON as they stand:

    rows, outcomes; unplaced: how many entities were named that have no place; schemes: of each of SCHEMES the counts,
    and precision, recall and F1, in all and as means over types (`macro`); per_type: of each type the same for strict,
    with how many were right, found and true (`support`), and for `partial` and `type`; per_intent; confusion: how many
    entities of one type were found as another, matched by the scheme `type`, where `exact` have the right bounds, too,
    `found` None is missed and `true` None spurious.
    """
    names = [name for name in METRICS if rows.intents or name != "intent_accuracy"]
    details = {
        "rows": len(rows.truth),
        "outcomes": count_outcomes(rows.predictions),
        "unplaced": sum(len(a.unplaced) for a in rows.answers if a),
        "schemes": [_scheme(rows, scheme) for scheme in SCHEMES],
        "per_type": _per_type(rows),
        "per_intent": _per_intent(rows),
        "confusion": _confusion(rows),
    }
    return Scores({name: _with_interval(name, rows.components(name), seed, clusters) for name in names}, details)


def all_right(true: Entities, answer: Entities | None) -> bool:
    """Whether an answer has all entities of a row and no other, and its intent where the truth has one."""
    if answer is None or answer.unplaced or true.intent not in (None, answer.intent):
        return False
    return set(answer.spans) == set(true.spans)


def _shares(right: Sequence[bool], counted: Sequence[bool]) -> Components:
    """How many of the rows that count are right."""
    rows = np.column_stack([np.logical_and(right, counted), counted]).astype(np.float64)
    return Components(rows, lambda sums: ratio(sums[..., 0], sums[..., 1]), paired_mean=all(counted))


def _with_interval(metric: str, c: Components, seed: int, clusters: Clusters | None) -> Score:
    """Wilson's interval for a share of rows; a bootstrap over rows for what is counted in entities."""
    if metric in COUNTED:
        return bootstrap_sums(c.rows, c.combine, seed=seed, clusters=clusters)
    counted = c.rows[:, 1] > 0
    return share_right(c.rows[counted, 0], clusters.among(counted) if clusters else None)


def _rates(counts: np.ndarray) -> dict[str, float]:
    return {"precision": float(precision(counts)), "recall": float(recall(counts)), "f1": float(f1(counts))}


def _scheme(rows: Rows, scheme: str) -> dict[str, Any]:
    pairs = [matched(t, f, scheme) for t, f in zip(rows.true, rows.found, strict=True)]
    counts = outcomes(pairs, scheme)._asdict()
    by_type = rows.table(scheme, True).sum(axis=0)
    means = {
        name: float(macro(by_type, one)) for name, one in (("precision", precision), ("recall", recall), ("f1", f1))
    }
    return {"scheme": scheme, **counts, **_rates(rows.table(scheme, False).sum(axis=0)), "macro": means}


def _per_type(rows: Rows) -> list[dict[str, Any]]:
    """Types that are in truth or were found, sorted."""
    labels = sorted({span.label for spans in (*rows.true, *rows.found) for span in spans})
    strict, partial, type = (
        tally_by_type(rows.true, rows.found, labels, s).sum(axis=0) for s in ("strict", "partial", "type")
    )
    return [
        {
            "label": label,
            **_rates(strict[i]),
            "right": int(strict[i, 0]),
            "found": int(strict[i, 1]),
            "support": int(strict[i, 2]),
            "partial": _rates(partial[i]),
            "type": _rates(type[i]),
        }
        for i, label in enumerate(labels)
    ]


def _per_intent(rows: Rows) -> list[dict[str, Any]]:
    """Per intent how often it was right, answered, and the truth; rows without an intent are left out."""
    right = Counter(t for t, a in rows.intents if t == a)
    found, support = Counter(a for _, a in rows.intents), Counter(t for t, _ in rows.intents)
    names = sorted(name for name in found.keys() | support.keys() if name is not None)
    return [{"label": name, "right": right[name], "found": found[name], "support": support[name]} for name in names]


def _confusion(rows: Rows) -> list[dict[str, Any]]:
    """The commonest first."""
    counts: Counter[Cell] = Counter()
    exact: Counter[Cell] = Counter()
    for t, f in zip(rows.true, rows.found, strict=True):
        for true, found in matched(t, f, "type"):
            cell: Cell = (true.label if true else None, found.label if found else None)
            counts[cell] += 1
            exact[cell] += bool(true and found and (true.start, true.end) == (found.start, found.end))
    ordered = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    return [{"true": cell[0], "found": cell[1], "count": n, "exact": exact[cell]} for cell, n in ordered]
