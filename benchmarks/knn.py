"""Nearest neighbours: speed and answers against scikit-learn's exact search, accuracy and size on AG News.

    SLMFIT_DATA=../shared/data python benchmarks/knn.py [--rounds 5] [--k 15] [--potion ../shared/models/potion-...]

Search: all 7,600 test texts among all 22,207 train texts, 384-dimensional LSA vectors, alternating rounds in one
process, medians. `KNeighborsClassifier` is timed on the same float32 vectors and on float64 (which is what it is
given by scikit-learn's own TruncatedSVD), each with n_jobs=None and -1; the faster one counts. Wall time depends on who
else uses the machine, CPU time less so: both are shown. Its answer to equal votes is the first label, so ours
are counted by that rule too.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.neighbors import KNeighborsClassifier

from slmfit import methods, storage
from slmfit.embeddings import LSA, nearest
from slmfit.methods.base import Context
from slmfit.records import Example
from slmfit.tasks.classification import TextClassification


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--k", type=int, default=15)
    options.add_argument("--potion", default="../shared/models/potion-base-4m-int8")
    given = options.parse_args()
    if "SLMFIT_DATA" not in os.environ:
        raise SystemExit("skipped: set SLMFIT_DATA to the folder that holds ag_news")
    folder = Path(os.environ["SLMFIT_DATA"]) / "ag_news"
    train, test = read(folder / "train.csv.gz"), read(folder / "test.csv.gz")
    search(train, test, given.k, given.rounds)
    for name, settings in (("LSA", {}), ("potion", {"embeddings": given.potion})):
        if name == "potion" and not Path(given.potion).is_dir():
            print(f"potion: skipped, no folder {given.potion}")
            continue
        accuracy(name, settings, train, test)


def read(path: Path) -> list[Example]:
    rows = pl.read_csv(path, infer_schema_length=None)
    texts, labels = rows["text"].to_list(), rows["label"].cast(pl.String).to_list()
    return [Example(str(i), text, label) for i, (text, label) in enumerate(zip(texts, labels, strict=True))]


def search(train: list[Example], test: list[Example], k: int, rounds: int) -> None:
    lsa = LSA.fit([e.input for e in train], dimension=384)
    rows, queries = lsa.embed([e.input for e in train]), lsa.embed([e.input for e in test])
    labels = np.array([e.target for e in train])
    names, codes = np.unique(labels, return_inverse=True)
    print(f"search: {len(queries):,} x {len(rows):,}, {rows.shape[1]} dimensions, k={k}, {rounds} rounds")

    def ours() -> np.ndarray:
        ids, _ = nearest(queries, rows, k)
        votes = np.zeros((len(queries), len(names)), np.int64)
        np.add.at(votes, (np.arange(len(queries))[:, None], codes[ids]), 1)
        return names[votes.argmax(axis=1)]

    runs = {"slmfit float32": ours}
    for kind in ("float32", "float64"):
        for jobs in (None, -1):
            model = KNeighborsClassifier(k, metric="cosine", algorithm="brute", n_jobs=jobs)
            model.fit(rows.astype(kind), labels)
            asked = queries.astype(kind)
            runs[f"sklearn {kind} n_jobs={jobs}"] = lambda model=model, asked=asked: model.predict(asked)
    wall: dict[str, list[float]] = {name: [] for name in runs}
    cpu: dict[str, list[float]] = {name: [] for name in runs}
    answers = {}
    for _ in range(rounds):
        for name, run in runs.items():
            begin, begin_cpu = time.perf_counter(), time.process_time()
            answers[name] = run()
            wall[name].append(time.perf_counter() - begin)
            cpu[name].append(time.process_time() - begin_cpu)
    for name in runs:
        same = int((answers[name] == answers["slmfit float32"]).sum())
        print(
            f"  {name:26s} wall {statistics.median(wall[name]):6.2f} s  cpu {statistics.median(cpu[name]):6.2f} s"
            f"  same answers {same}/{len(queries)}"
        )
    for kind in ("float32", "float64"):
        best = min((n for n in runs if kind in n and "sklearn" in n), key=lambda n: statistics.median(wall[n]))
        by_round = [b / a for a, b in zip(wall["slmfit float32"], wall[best], strict=True)]
        cpu_ratio = statistics.median(cpu[best]) / statistics.median(cpu["slmfit float32"])
        print(f"  faster than {best}: {statistics.median(by_round):.1f}x wall (median of rounds), {cpu_ratio:.1f}x cpu")


def accuracy(name: str, settings: dict, train: list[Example], test: list[Example]) -> None:
    """Chosen on every tenth train row, refitted on all, scored once on test."""
    task = TextClassification().with_labels(e.target for e in train)
    validation = train[::10]
    fitted_on = [e for i, e in enumerate(train) if i % 10]
    method = methods.create("knn", settings)
    begin = time.perf_counter()
    method.fit(task, fitted_on, validation, Context())
    fitting = time.perf_counter() - begin
    method.refit(task, train, Context())
    begin = time.perf_counter()
    predictions = method.predict([e.input for e in test])
    predicting = time.perf_counter() - begin
    seconds = []
    for example in test[:300]:
        begin = time.perf_counter()
        method.predict([example.input])
        seconds.append(time.perf_counter() - begin)
    with tempfile.TemporaryDirectory() as folder:
        method.save(Path(folder))
        size = storage.size_of(Path(folder))
    scores = task.score([e.target for e in test], predictions).values
    shown = {m: round(scores[m].value, 4) for m in ("accuracy", "log_loss", "expected_calibration_error")}
    chosen = {key: method.chosen[key] for key in ("k", "weighting")}
    print(
        f"{name}: {shown} chosen {chosen}\n  fit and search {fitting:.1f} s, one fit {method.fit_seconds:.1f} s, "
        f"predict {len(test) / predicting:,.0f} texts/s, one text p50 {statistics.median(seconds) * 1e3:.2f} ms, "
        f"size {size / 1e6:.1f} MB"
    )


if __name__ == "__main__":
    main()
