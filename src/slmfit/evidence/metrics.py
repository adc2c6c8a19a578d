"""Scores of classification outcomes, numbers in and numbers out; all of it vectorised.

    counts = confusion(truth=[0, 0, 1], predicted=[0, 1, -1], n_labels=2)   # -1: no usable answer
    scores_from_confusion(counts)["f1_macro"]                               # 0.333...

Labels are codes 0..n_labels-1; the caller's label list is the union of what was seen anywhere in truth, so a
label that training never saw is still a row. An answer that failed or is no label of the list is -1: it is wrong
for the true class (a miss) and a false alarm for none.

Which classes a macro average counts: those with at least one row in truth or among the answers, as scikit-learn does
when it is given no `labels`; balanced accuracy counts those with a row in truth. Where a share has nothing to divide
by it is 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

SCORE_NAMES = (
    "accuracy", "balanced_accuracy",
    "precision_macro", "recall_macro", "f1_macro",
    "precision_micro", "recall_micro", "f1_micro",
    "precision_weighted", "recall_weighted", "f1_weighted",
)  # fmt: skip

# Probabilities are read no closer to 0 than float32's epsilon (scikit-learn's clip for float32), so that a model kept
# in float32 and one kept in float64 are judged alike: no row costs more than 15.9 nats.
CLIP = float(np.finfo(np.float32).eps)


class Tallies(NamedTuple):
    """What every score is made of, each [..., n_labels]: right answers, answers given, rows of truth per label."""

    hits: np.ndarray
    answered: np.ndarray
    support: np.ndarray


class PerClass(NamedTuple):
    """One array [..., n_labels] per column of a classification report."""

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    support: np.ndarray


class ReliabilityBins(NamedTuple):
    """A reliability diagram, one entry per bin; mean confidence and accuracy are NaN in an empty bin."""

    low: np.ndarray
    high: np.ndarray
    rows: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray


class GuessLoss(NamedTuple):
    """Log loss (nats per row) of two ways of guessing: every label alike, and the labels' own shares."""

    uniform: float
    prior: float


def confusion(truth: ArrayLike, predicted: ArrayLike, n_labels: int) -> np.ndarray:
    """Counts [n_labels, n_labels + 1]: true label by answer; the last column is "no usable answer".

    Raises ValueError when the lengths differ or a truth code is outside 0..n_labels-1.
    """
    rows, codes = np.asarray(truth, dtype=np.int64), np.asarray(predicted, dtype=np.int64)
    columns = np.where((codes < 0) | (codes >= n_labels), n_labels, codes)
    if rows.shape != columns.shape:
        raise ValueError(f"truth has shape {rows.shape}, predicted {columns.shape}")
    if rows.size and (rows.min() < 0 or rows.max() >= n_labels):
        raise ValueError(f"a truth code is outside 0..{n_labels - 1}")
    cells = np.bincount(rows * (n_labels + 1) + columns, minlength=n_labels * (n_labels + 1))
    return cells.reshape(n_labels, n_labels + 1)


def tallies(counts: np.ndarray) -> Tallies:
    """Hits, answers and support [..., L] of confusion counts [..., L, L + 1]."""
    labels = counts.shape[-2]
    return Tallies(
        hits=np.diagonal(counts[..., :labels], axis1=-2, axis2=-1),
        answered=counts[..., :labels].sum(axis=-2),
        support=counts.sum(axis=-1),
    )


def scores_from_confusion(counts: np.ndarray) -> dict[str, np.ndarray]:
    """Every score of SCORE_NAMES for counts [..., L, L + 1]; each value has shape [...], () for one matrix."""
    return scores_from_tallies(tallies(np.asarray(counts)))


def scores_from_tallies(tally: Tallies) -> dict[str, np.ndarray]:
    """Every score of SCORE_NAMES; tallies may be weighted (a bootstrap) and stacked [..., L]; values have shape [...].

    Micro averages treat all rows as one class, so recall_micro is accuracy, and precision_micro leaves unusable
    answers out of what it divides by.
    """
    hits, answered, support = tally
    each = per_class(tally)
    rows, present, in_truth = support.sum(axis=-1), (support + answered) > 0, support > 0
    all_hits, all_answers = hits.sum(axis=-1), answered.sum(axis=-1)
    scores = {
        "accuracy": _ratio(all_hits, rows),
        "balanced_accuracy": _ratio((each.recall * in_truth).sum(axis=-1), in_truth.sum(axis=-1)),
        "precision_micro": _ratio(all_hits, all_answers),
        "recall_micro": _ratio(all_hits, rows),
        "f1_micro": _ratio(2 * all_hits, all_answers + rows),
    }
    for name, values in (("precision", each.precision), ("recall", each.recall), ("f1", each.f1)):
        scores[f"{name}_macro"] = _ratio((values * present).sum(axis=-1), present.sum(axis=-1))
        scores[f"{name}_weighted"] = _ratio((values * support).sum(axis=-1), rows)
    return {name: scores[name] for name in SCORE_NAMES}


def per_class(counts: np.ndarray | Tallies) -> PerClass:
    """Precision, recall, F1 and support per label [..., L] of confusion counts [..., L, L + 1] or their tallies."""
    hits, answered, support = counts if isinstance(counts, Tallies) else tallies(np.asarray(counts))
    return PerClass(
        precision=_ratio(hits, answered),
        recall=_ratio(hits, support),
        f1=_ratio(2 * hits, answered + support),
        support=support,
    )


def log_loss_rows(probabilities: ArrayLike, truth: ArrayLike) -> np.ndarray:
    """-log of the probability given to the true label, per row, in nats; at most -log(CLIP).

    probabilities [rows, columns]; a row of zeros means none were given. truth [rows]: the true label's column, or -1
    when the method has no column for it; both cost -log(CLIP). Raises ValueError when an entry is not in 0..1.
    """
    return -np.log(np.clip(_at_truth(*_checked(probabilities, truth)), CLIP, 1.0))


def brier_rows(probabilities: ArrayLike, truth: ArrayLike) -> np.ndarray:
    """Sum over labels of (probability - outcome)^2, per row: 0 best, 2 worst (Brier 1950, eq. 2, the multi-class form).

    For two labels this is twice what scikit-learn's binary `brier_score_loss` gives. Arguments and errors as in
    log_loss_rows; a truth without a column counts as a label that was given probability 0, a row of zeros costs 1.
    """
    table, codes = _checked(probabilities, truth)
    return (table**2).sum(axis=1) + 1.0 - 2.0 * _at_truth(table, codes)


def random_guess_log_loss(truth: ArrayLike, n_labels: int) -> GuessLoss:
    """The log loss of guessing on these rows: log(n_labels), and the entropy of the labels' shares among them.

    The second is the best that any constant guess can reach here, so it is what a useful model must be below.
    """
    counts = np.bincount(np.asarray(truth, dtype=np.int64), minlength=n_labels)
    shares = counts[counts > 0] / max(counts.sum(), 1)
    return GuessLoss(uniform=float(np.log(n_labels)), prior=float(-(shares * np.log(shares)).sum()))


def reliability_bins(confidence: ArrayLike, correct: ArrayLike, bins: int = 15) -> ReliabilityBins:
    """Rows sorted into `bins` equal steps of confidence: ](i - 1)/bins, i/bins], the first including 0.

    confidence [rows]: the probability of the answer given, 0..1; correct [rows]: whether it was right.
    """
    sure, right = np.asarray(confidence, dtype=float), np.asarray(correct, dtype=float)
    where = calibration_bin(sure, bins)
    rows = np.bincount(where, minlength=bins)
    edges = np.linspace(0.0, 1.0, bins + 1)
    with np.errstate(invalid="ignore"):
        means = [np.bincount(where, weights=values, minlength=bins) / rows for values in (sure, right)]
    return ReliabilityBins(edges[:-1], edges[1:], rows, means[0], means[1])


def calibration_bin(confidence: ArrayLike, bins: int) -> np.ndarray:
    """The bin [rows] of each confidence, 0..bins-1 (see reliability_bins)."""
    return np.clip(np.ceil(np.asarray(confidence, dtype=float) * bins).astype(np.int64) - 1, 0, bins - 1)


def expected_calibration_error(confidence: ArrayLike, correct: ArrayLike, bins: int = 15) -> float:
    """Mean distance of confidence and accuracy over the bins, weighted by rows (Guo et al. 2017, eq. 3); 0 for no rows.

    Above its true value on average, the more so the fewer rows: chance alone gives each bin a distance.
    """
    found = reliability_bins(confidence, correct, bins)
    held = found.rows > 0
    gaps = np.abs(found.confidence[held] - found.accuracy[held])
    return float((gaps * found.rows[held]).sum() / max(found.rows.sum(), 1))


def _ratio(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    return np.divide(top, bottom, out=np.zeros(np.shape(bottom)), where=np.asarray(bottom) > 0)


def _checked(probabilities: ArrayLike, truth: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    table, codes = np.asarray(probabilities, dtype=float), np.asarray(truth, dtype=np.int64)
    if table.ndim != 2 or codes.shape != table.shape[:1]:
        raise ValueError(f"probabilities have shape {table.shape}, truth {codes.shape}")
    if not np.all((table >= 0) & (table <= 1 + 1e-6)):  # NaN fails this too; softmax in float32 may exceed 1 by a hair
        raise ValueError("a probability is not between 0 and 1")
    return table, codes


def _at_truth(table: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """The probability in each row's true column, 0 where there is none."""
    known = (codes >= 0) & (codes < table.shape[1])
    found = np.zeros(len(table))
    found[known] = table[known, codes[known]]
    return found
