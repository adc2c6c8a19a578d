"""Suspected labels and explore, measured: SLMFIT_DATA=../shared/data python benchmarks/diagnostics.py

1. Real errors: the crowd labels of AG News (about a fifth are wrong). Share of wrong ones among the first suspects, for
   slmfit's check and for logistic regression in and out of sample, by the scores that confident learning ranks by.
2. Planted errors, the ground on which the check was chosen: average precision and share of wrong ones among as many
   suspects as there are errors, over two data sets, even and uneven labels, and four kinds of errors.
3. Seconds for explore and the diagnostics of a comparison without runs, on AG News and 20 Newsgroups.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import cross_val_predict

from slmfit.data import load_data
from slmfit.exploring import explore
from slmfit.exploring.diagnostics import diagnose, leave_one_out, word_features

PLANTED_ROWS = 1_500
RATE = 0.1
Table = np.ndarray  # probabilities [rows, labels]


def main() -> None:
    if "SLMFIT_DATA" not in os.environ:
        sys.exit("skipped: SLMFIT_DATA names no folder with ag_news and newsgroups20 in it")
    folder = Path(os.environ["SLMFIT_DATA"])
    for part in (real, planted, seconds):
        print(json.dumps({part.__name__: part(folder)}, indent=2), flush=True)


# --- models ---


def ours(texts: list[str], labels: np.ndarray) -> Table:
    return leave_one_out(word_features(texts), labels, labels.max() + 1, np.arange(len(labels)))


def regression(texts: list[str], labels: np.ndarray, folds: int | None = 5) -> Table:
    """Logistic regression on TF-IDF; folds=None: on the rows it was fitted on."""
    features = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2).fit_transform(texts)
    model = LogisticRegression(C=3, tol=1e-3)
    if folds is None:
        return model.fit(features, labels).predict_proba(features)
    return cross_val_predict(model, features, labels, cv=folds, method="predict_proba")


# --- scores: the lower, the more doubtful ---


def self_confidence(table: Table, labels: np.ndarray) -> np.ndarray:
    return table[np.arange(len(labels)), labels]


def normalized_margin(table: Table, labels: np.ndarray) -> np.ndarray:
    others = table.copy()
    others[np.arange(len(labels)), labels] = -1
    return self_confidence(table, labels) - others.max(axis=1)


def threshold_adjusted_margin(table: Table, labels: np.ndarray) -> np.ndarray:
    """With each label's mean self-confidence subtracted first (Northcutt et al. 2021)."""
    usual = np.array([table[labels == label, label].mean() for label in range(table.shape[1])])
    moved = np.maximum(table - usual + usual.max(), 1e-6)
    return normalized_margin(moved / moved.sum(axis=1, keepdims=True), labels)


def ranked() -> dict[str, tuple[str, Callable[[Table, np.ndarray], np.ndarray]]]:
    regressed = {score.__name__: score for score in (self_confidence, normalized_margin, threshold_adjusted_margin)}
    return {
        "slmfit": ("ours", self_confidence),
        "slmfit, normalized_margin": ("ours", normalized_margin),
        **{f"regression out of fold, {name}": ("regression", score) for name, score in regressed.items()},
    }


def tables(texts: list[str], labels: np.ndarray) -> dict[str, Table]:
    return {"ours": ours(texts, labels), "regression": regression(texts, labels)}


# --- 1 ---


def real(folder: Path) -> dict[str, Any]:
    rows = pl.read_csv(folder / "ag_news" / "train.csv.gz").filter(pl.col("noisy_label").is_not_null())
    texts = rows["text"].to_list()
    names = sorted(rows["label"].unique())
    true, given = (np.array([names.index(name) for name in rows[column]]) for column in ("label", "noisy_label"))
    wrong = true != given
    made = tables(texts, given)
    found = {name: score(made[model], given) for name, (model, score) in ranked().items()}
    found["regression in sample, self_confidence"] = self_confidence(regression(texts, given, None), given)
    precision = {
        name: {
            f"first {n}": round(float(wrong[np.argsort(score, kind="stable")[:n]].mean()), 3) for n in (100, 500, 1500)
        }
        for name, score in found.items()
    }
    return {"rows": len(texts), "chance": round(float(wrong.mean()), 3), **precision}


# --- 2 ---


def planted(folder: Path) -> dict[str, Any]:
    reached: dict[str, list[tuple[float, float]]] = {name: [] for name in ranked()}
    for texts, true, given in plantings(folder):
        wrong = true != given
        made = tables(texts, given)
        for name, (model, score) in ranked().items():
            doubt = score(made[model], given)
            first = np.argsort(doubt, kind="stable")[: wrong.sum()]
            reached[name].append((float(average_precision_score(wrong, -doubt)), float(wrong[first].mean())))
    means = {name: np.mean(values, axis=0).round(3).tolist() for name, values in reached.items()}
    return {name: {"average precision": a, "at the number of errors": p} for name, (a, p) in means.items()}


def plantings(folder: Path) -> Iterator[tuple[list[str], np.ndarray, np.ndarray]]:
    """(texts, true labels, labels with errors)."""
    for name in ("ag_news", "newsgroups20"):
        rows = pl.read_csv(folder / name / "train.csv.gz")
        if "noisy_label" in rows.columns:  # not the rows that the check is judged on above
            rows = rows.filter(pl.col("noisy_label").is_null())
        every, names = [text[:1_000] for text in rows["text"]], sorted(rows["label"].unique())
        truth = np.array([names.index(label) for label in rows["label"]])
        for uneven in (1, 10):
            rng = np.random.default_rng(0)
            weight = rng.permutation(np.geomspace(1, 1 / uneven, len(names)))[truth]
            chosen = rng.choice(len(every), PLANTED_ROWS, replace=False, p=weight / weight.sum())
            texts, true = [every[i] for i in chosen], truth[chosen]
            for kind in ("uniform", "by frequency", "one label", "confusable"):
                yield texts, true, with_errors(texts, true, kind, rng)


def with_errors(texts: list[str], true: np.ndarray, kind: str, rng: np.random.Generator) -> np.ndarray:
    """A tenth of the labels replaced: by any other, by another row's, all by one, or by what the text is likest to."""
    count = true.max() + 1
    given, flipped = true.copy(), np.flatnonzero(rng.random(len(true)) < RATE)
    if kind == "uniform":
        given[flipped] = (true[flipped] + rng.integers(1, count, len(flipped))) % count
    elif kind == "by frequency":
        given[flipped] = rng.choice(true, len(flipped))
    elif kind == "one label":
        given[flipped] = 0
    else:
        share = regression(texts, true)
        share[np.arange(len(true)), true] = 0
        given[flipped] = [rng.choice(count, p=row / row.sum()) for row in share[flipped]]
    return given


# --- 3 ---


def seconds(folder: Path) -> dict[str, Any]:
    taken: dict[str, Any] = {}
    for name in ("ag_news", "newsgroups20"):
        data = load_data(folder / name)
        acts: dict[str, Callable[[], Any]] = {
            "load": lambda name=name: load_data(folder / name),
            "explore": lambda data=data: explore(data),
            "diagnose": lambda data=data: diagnose(data, metric="accuracy", seed=0),
        }
        for act, run in acts.items():
            wall, cpu = time.perf_counter(), time.process_time()
            run()
            taken[f"{name} {act}"] = {
                "wall": round(time.perf_counter() - wall, 1),
                "cpu": round(time.process_time() - cpu, 1),
            }
    return taken


if __name__ == "__main__":
    main()
