"""`linear` against the recipes a user would otherwise write: quality, time, latency and size.

    SLMFIT_DATA=../shared/data python benchmarks/classical.py [--rounds 5] [--newsgroups]

AG News: every recipe fits all 22,207 train texts and predicts the 7,600 test texts, alternating rounds in one process,
medians. `linear` does so with the settings it has chosen on a tenth of train beforehand; its search is timed as
well. Wall time depends on who else uses the machine, CPU time less so: both are shown. fastText (pip install
fasttext-wheel) uses two threads. 20 Newsgroups: headers, footers and quotes stripped, one fit each.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from slmfit import storage
from slmfit.data.dataset import Dataset
from slmfit.data.load import load_data
from slmfit.methods.base import Context
from slmfit.methods.linear import Linear, Settings
from slmfit.records import Prediction

Texts = list[str]
Recipe = Callable[[Texts, Texts, Texts], list[Prediction]]  # train texts, their labels, other texts -> answers


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--newsgroups", action="store_true", help="20 Newsgroups too (minutes)")
    given = options.parse_args()
    if "SLMFIT_DATA" not in os.environ:
        raise SystemExit("skipped: set SLMFIT_DATA to the folder that holds ag_news and newsgroups20")
    folder = Path(os.environ["SLMFIT_DATA"])
    columns = {"text": "text", "label": "label"}
    race(load_data(folder / "ag_news/train.csv.gz", test=folder / "ag_news/test.csv.gz", columns=columns), given.rounds)
    if given.newsgroups:
        train, test = folder / "newsgroups20/train.csv.gz", folder / "newsgroups20/test.csv.gz"
        for prefix in (None, "."):
            newsgroups(
                load_data(
                    train, test=test, columns=columns, merge_prefix=prefix, strip=("headers", "footers", "quotes")
                )
            )


def race(data: Dataset, rounds: int) -> None:
    """Times and scores of every recipe on one dataset."""
    chosen, _ = searched(data)
    recipes: dict[str, Recipe] = {"linear": linear(data, chosen), "lesson": lesson, "svc": svc}
    if importlib.util.find_spec("fasttext"):
        recipes["fasttext"] = fasttext
    else:
        print("fasttext: skipped, pip install fasttext-wheel")
    texts, labels, others = parts(data)
    wall: dict[str, list[float]] = {name: [] for name in [*recipes, "linear with search"]}
    cpu: dict[str, list[float]] = {name: [] for name in wall}
    answers = {}
    for _ in range(rounds):
        for name, recipe in recipes.items():
            begin, cpu_begin = time.perf_counter(), time.process_time()
            answers[name] = recipe(texts, labels, others)
            wall[name].append(time.perf_counter() - begin)
            cpu[name].append(time.process_time() - cpu_begin)
        begin, cpu_begin = time.perf_counter(), time.process_time()
        method = searched(data)[1]
        method.refit(data.task, [*data.train, *data.validation], Context())
        method.predict(others)
        wall["linear with search"].append(time.perf_counter() - begin)
        cpu["linear with search"].append(time.process_time() - cpu_begin)
    print(f"{data.name}: settings {chosen}")
    for name in wall:
        ratios = [f"{ratio(wall, name, to):.2f}x / {ratio(cpu, name, to):.2f}x of {to}" for to in ("lesson", "svc")]
        seconds = f"{statistics.median(wall[name]):.2f} s wall, {statistics.median(cpu[name]):.2f} s CPU"
        print(f"  {name:18} {seconds}; wall / CPU {', '.join(ratios)}")
    for name, found in answers.items():
        print(f"  {name:18} {scores(data, found)}")
    serving(method, data)


def ratio(times: dict[str, list[float]], name: str, to: str) -> float:
    """Median over rounds of the ratio within a round."""
    return statistics.median(a / b for a, b in zip(times[name], times[to], strict=True))


def newsgroups(data: Dataset) -> None:
    """Scores of the one fit that `slmfit compare` would make, beside plain scikit-learn."""
    texts, labels, others = parts(data)
    begin, cpu_begin = time.perf_counter(), time.process_time()
    chosen, method = searched(data)
    seconds, cpu_seconds = time.perf_counter() - begin, time.process_time() - cpu_begin
    method.refit(data.task, [*data.train, *data.validation], Context())
    print(f"{data.name}, {len(data.task.labels)} labels: settings {chosen}")
    print(f"  linear  {scores(data, method.predict(others))}; search {seconds:.0f} s wall, {cpu_seconds:.0f} s CPU")
    print(f"  svc     {scores(data, svc(texts, labels, others))}")
    serving(method, data)


def serving(method: Linear, data: Dataset) -> None:
    """What it takes to answer, from the model as it is saved."""
    with tempfile.TemporaryDirectory() as name:
        method.save(Path(name))
        size = storage.size_of(Path(name))
        begin = time.perf_counter()
        again = Linear.load(Path(name), data.task, method.settings)
        loading = time.perf_counter() - begin
    singles = []
    for example in data.test[:1000]:
        begin = time.perf_counter()
        again.predict([example.input])
        singles.append(1000 * (time.perf_counter() - begin))
    p50, p95 = np.percentile(singles, [50, 95])
    print(f"  one text: p50 {p50:.3f} ms, p95 {p95:.3f} ms; load {1000 * loading:.0f} ms; size {size / 1e6:.1f} MB")


def scores(data: Dataset, answers: list[Prediction]) -> str:
    """Accuracy with its interval, macro F1, and log loss and calibration error where there are probabilities."""
    found = data.task.score([str(e.target) for e in data.test], answers).values
    words = []
    for name in ("accuracy", "f1_macro", "log_loss", "expected_calibration_error"):
        if name in found:
            s = found[name]
            interval = f" ({s.low:.4f} to {s.high:.4f})" if s.low is not None and name == "accuracy" else ""
            words.append(f"{name} {s.value:.4f}{interval}")
    return ", ".join(words)


def parts(data: Dataset) -> tuple[Texts, Texts, Texts]:
    """All train texts (validation included), their labels, the test texts."""
    rows = [*data.train, *data.validation]
    return [str(e.input) for e in rows], [str(e.target) for e in rows], [str(e.input) for e in data.test]


# --- the recipes ---


def searched(data: Dataset) -> tuple[dict[str, object], Linear]:
    method = Linear()
    method.fit(data.task, data.train, data.validation, Context())
    return dict(method.chosen), method


def linear(data: Dataset, chosen: dict[str, object]) -> Recipe:
    """One fit with settings chosen before, on all rows, as the referee refits."""
    rows = [*data.train, *data.validation]
    method = Linear(Settings(**chosen))  # type: ignore[arg-type]
    method.fit(data.task, data.train, data.validation, Context())

    def run(texts: Texts, labels: Texts, others: Texts) -> list[Prediction]:
        method.refit(data.task, rows, Context())
        return method.predict(others)

    return run


def lesson(texts: Texts, labels: Texts, others: Texts) -> list[Prediction]:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectorizer = TfidfVectorizer()
    model = LogisticRegression(solver="saga", max_iter=500).fit(vectorizer.fit_transform(texts), labels)
    shares = model.predict_proba(vectorizer.transform(others))
    return [
        Prediction(
            str(model.classes_[row.argmax()]), probabilities=dict(zip(map(str, model.classes_), row, strict=True))
        )
        for row in shares
    ]


def svc(texts: Texts, labels: Texts, others: Texts) -> list[Prediction]:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.svm import LinearSVC

    vectorizer = TfidfVectorizer(ngram_range=(1, 2))
    model = LinearSVC().fit(vectorizer.fit_transform(texts), labels)
    return [Prediction(str(label)) for label in model.predict(vectorizer.transform(others))]


def fasttext(texts: Texts, labels: Texts, others: Texts) -> list[Prediction]:
    import fasttext as library

    def plain(text: str) -> str:
        return " ".join(text.lower().split())

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.txt"
        lines = [
            f"__label__{label.replace(' ', '_')} {plain(text)}\n" for label, text in zip(labels, texts, strict=True)
        ]
        path.write_text("".join(lines), encoding="utf-8")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = library.train_supervised(str(path), wordNgrams=2, epoch=25, lr=0.5, thread=2, verbose=0)
            found, _ = model.predict([plain(text) for text in others])
    names = {label.replace(" ", "_"): label for label in labels}
    return [Prediction(names[labels[0].removeprefix("__label__")]) for labels in found]


if __name__ == "__main__":
    main()
