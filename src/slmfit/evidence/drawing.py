"""Draws of a Bayesian bootstrap: rows, or clusters of them, with random weights; equal ones share one weight.

kinds, times = distinct(table)
drawn_sums(times, kinds, 2000, np.random.default_rng(0))     # [2000, columns]
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from slmfit.evidence.clusters import Clusters
from slmfit.evidence.metrics import Tallies


def drawn_sums(weights: np.ndarray, rows: np.ndarray, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Column sums [draws, columns] of rows [kinds, columns] under Dirichlet(weights), scaled to the weights' sum."""
    parts, step = [], max(1, 1_000_000 // len(weights))  # 8 MB at a time
    for start in range(0, draws, step):
        gammas = rng.standard_gamma(weights, size=(min(step, draws - start), len(weights)))
        parts.append((gammas @ rows) * (weights.sum() / gammas.sum(axis=1, keepdims=True)))
    return np.concatenate(parts)


@dataclass(frozen=True, slots=True)
class Repeated:
    """The cells of confusion counts where rows repeat: per row truth, answer (-1: none) and the size of its cluster.

    Rows of one cluster in one cell are drawn as one. Those of a text with several labels are so per label: as at most
    one of them can be right, to draw them apart is too careful, if anything.
    """

    truth: np.ndarray
    answer: np.ndarray
    clusters: Clusters

    @property
    def design_effect(self) -> float:
        return self.clusters.design_effect

    def cells(self, labels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Truth, answer, rows in a draw, and how many such draws there are, of each kind of draw."""
        answer = np.where(self.answer < 0, labels, self.answer)
        cell = np.column_stack([self.truth, answer])
        drawn, size = np.unique(np.column_stack([cell, self.clusters.number]), axis=0, return_counts=True)
        kinds, times = np.unique(np.column_stack([drawn[:, :2], size]), axis=0, return_counts=True)
        return kinds[:, 0], kinds[:, 1], kinds[:, 2], times


def drawn_tallies(
    counts: np.ndarray, draws: int, rng: np.random.Generator, repeated: Repeated | None = None
) -> Tallies:
    """Tallies [draws, L] of Dirichlet draws of the cells [L, L + 1], with half an error added (bootstrap_confusion)."""
    labels = len(counts)
    truth, answer = np.nonzero(counts)
    size, times = np.ones(len(truth)), counts[truth, answer]
    if repeated:
        truth, answer, size, times = repeated.cells(labels)
    columns = _label_columns(truth, answer, labels) * size[:, None]
    in_truth = np.flatnonzero(counts.sum(axis=1))
    seen = (counts.sum(axis=1) + counts[:, :labels].sum(axis=0)) > 0
    # an added error of a class is answered with any other label seen here, in equal parts
    errors = np.zeros((len(in_truth), 3 * labels))
    errors[:, labels : 2 * labels] = seen / max(seen.sum() - 1, 1)
    errors[np.arange(len(in_truth)), labels + in_truth] = 0.0
    errors[np.arange(len(in_truth)), 2 * labels + in_truth] = 1.0
    errors *= repeated.design_effect if repeated else 1.0
    weights = np.concatenate([times, np.full(len(in_truth), 0.5 / len(in_truth))])
    return _as_tallies(drawn_sums(weights, np.concatenate([columns, errors]), draws, rng))


def _label_columns(truth: np.ndarray, answer: np.ndarray, labels: int) -> np.ndarray:
    """Per row the columns [rows, 3 * labels] whose sums are hits, answers and support (see metrics.Tallies)."""
    columns, row = np.zeros((len(truth), 3 * labels)), np.arange(len(truth))
    right, given = truth == answer, answer < labels
    columns[row[right], truth[right]] = 1.0
    columns[row[given], labels + answer[given]] = 1.0
    columns[row, 2 * labels + truth] = 1.0
    return columns


def _as_tallies(sums: np.ndarray) -> Tallies:
    return Tallies(*np.split(sums, 3, axis=-1))


def table_of(rows: ArrayLike) -> np.ndarray:
    table = np.asarray(rows, dtype=float)
    if table.ndim != 2 or not np.isfinite(table).all():
        raise ValueError(f"finite numbers [rows, columns] are needed, not shape {table.shape}")
    return table


def distinct(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    kinds, times = np.unique(table, axis=0, return_counts=True)
    return kinds, times.astype(float)


def distinct_sums(table: np.ndarray, clusters: Clusters | None) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """`distinct` of the sums of clusters; and what brings each kind to the size by which clusters vary, on average."""
    if clusters is None:
        return *distinct(table), None
    kinds, times = distinct(np.column_stack([clusters.sums(table), clusters.sizes]))
    return kinds[:, :-1], times, clusters.design_effect / kinds[:, -1]


def with_extra(
    kinds: np.ndarray, times: np.ndarray, extra: np.ndarray, scale: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Kinds and weights with what is added to some: to a row more of it, to a cluster one of the usual size."""
    if scale is None:
        return kinds, times + extra
    some = extra > 0
    return np.concatenate([kinds, kinds[some] * scale[some, None]]), np.concatenate([times, extra[some]])


def condensed(values: np.ndarray, most: int = 1000) -> tuple[np.ndarray, np.ndarray]:
    """Few values and their weights: neighbours in order become two with the same sum and the same sum of squares."""
    if len(values) <= most:
        return values, np.ones(len(values))
    groups = np.array_split(np.sort(values), most // 2)
    means, spreads = (np.array([function(group) for group in groups]) for function in (np.mean, np.std))
    weights = np.array([len(group) / 2 for group in groups])
    return np.concatenate([means - spreads, means + spreads]), np.concatenate([weights, weights])
