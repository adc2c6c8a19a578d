"""`linear` against the small recipes that people write by hand, on whole data sets and on cuts of them.

    SLMFIT_DATA=../shared/data python benchmarks/baselines.py --table ../shared/models/potion-base-4m-int8
    … --cell atis/200/0 --methods linear,svc       # one cell, two methods; results are kept in --out and not made twice
    … --development                                # scored on held-out rows of train: to decide by
    … --times --cell ag_news/all/0                 # seconds of processor time to search, milliseconds for one text

A cell is DATASET/ROWS/DRAW: so many rows of train, drawn by label. `linear` gets a tenth of them as validation, as
`load_data` splits them, and is fitted to all rows with what it chose. The recipes choose C (fastText: its rate and
epochs) by cross-validation on the same rows, from 5,000 rows on by the same tenth. Needs `pip install fasttext-wheel`.

The table says for every recipe by how many points `linear` is above it, with * where the difference is significant at
5 % after Holm's correction over all cells and recipes. Several draws of a cell are averaged per test row first.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slmfit.data.load import load_data
from slmfit.data.split import assign
from slmfit.embeddings import Static
from slmfit.methods.base import Context
from slmfit.methods.linear import Linear, Settings
from slmfit.records import Example
from slmfit.tasks.classification import TextClassification

Right = NDArray[np.bool_]
Model = Callable[[Sequence[str]], NDArray[Any]]  # texts -> labels
SIZES: dict[str, int] = {"200": 2, "1000": 1, "5000": 1, "all": 1}  # rows -> draws
FOLDS, MANY = 5, 5000
CS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
DENSE_CS = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
RATES = ((0.5, 25), (1.0, 100))  # fastText's learning rate and epochs; from MANY rows on the first


@dataclass(frozen=True)
class Rows:
    texts: list[str]
    labels: NDArray[np.str_]

    def __getitem__(self, kept: Any) -> Rows:
        return Rows([self.texts[i] for i in kept], self.labels[kept])

    def __len__(self) -> int:
        return len(self.texts)


# --- the data ---


@cache
def loaded(name: str) -> tuple[Rows, Rows]:
    """Train and test of a data set."""
    folder = Path(os.environ["SLMFIT_DATA"])
    if name in ("atis", "snips"):
        return tuple(_intents(folder / name / f"{split}.jsonl.gz") for split in ("train", "test"))  # type: ignore[return-value]
    place = "newsgroups20" if name.startswith("newsgroups") else name
    part = "ekman_" if name == "goemotions" else ""
    extra: dict[str, Any] = {"strip": ("headers", "footers", "quotes")} if place == "newsgroups20" else {}
    files = [folder / ("goemotions" if part else place) / f"{part}{split}.csv.gz" for split in ("train", "test")]
    merge = "." if name == "newsgroups7" else None
    columns = {"text": "text", "label": "label"}
    data = load_data(files[0], test=files[1], columns=columns, merge_prefix=merge, **extra)
    return _rows([*data.train, *data.validation]), _rows(data.test)


def _rows(examples: Sequence[Example]) -> Rows:
    return Rows([str(e.input) for e in examples], np.array([str(e.target) for e in examples]))


def _intents(path: Path) -> Rows:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return Rows([" ".join(row["tokens"]) for row in rows], np.array([row["intent"] for row in rows]))


def drawn(rows: Rows, count: int, seed: int) -> NDArray[np.int64]:
    """The numbers of so many rows, every label having its share of them."""
    order = np.lexsort((np.random.default_rng(seed).random(len(rows)), rows.labels))
    places = np.floor((np.arange(count) + 0.5) * len(rows) / count).astype(np.int64)  # evenly through sorted labels
    return np.sort(order[places])


def cell_of(name: str, development: bool) -> tuple[Rows, Rows]:
    """The rows that a cell is fitted to, and those it is scored on."""
    dataset, size, draw = name.split("/")
    train, test = loaded(dataset)
    if development:
        out = drawn(train, min(4000, len(train) // 3), seed=1000)
        train, test = train[np.setdiff1d(np.arange(len(train)), out)], train[out]
    if size == "all":
        return train, test
    return train[drawn(train, int(size), seed=int(draw))], test


def tenth(rows: Rows) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Train and validation, as `load_data` makes them."""
    split = np.array(assign(rows.labels.tolist(), list(range(len(rows))), {"train": 0.9, "validation": 0.1}, 0))
    return np.flatnonzero(split == "train"), np.flatnonzero(split == "validation")


def folds(rows: Rows) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """What the recipes choose by: five folds of few rows, else the tenth."""
    if len(rows) >= MANY:
        yield tenth(rows)
        return
    order = np.lexsort((np.random.default_rng(0).random(len(rows)), rows.labels))
    fold = np.empty(len(rows), np.int64)
    fold[order] = np.arange(len(rows)) % FOLDS
    for k in range(FOLDS):
        yield np.flatnonzero(fold != k), np.flatnonzero(fold == k)


# --- methods ---


def linear(rows: Rows, **given: Any) -> Model:
    method, examples, task = searched(rows, **given)
    method.refit(task, examples, Context())
    print("   ", json.dumps(method.chosen), flush=True)
    return lambda texts: np.array([str(answer.target) for answer in method.predict(texts)])


def searched(rows: Rows, **given: Any) -> tuple[Linear, list[Example], TextClassification]:
    """`linear` with what it chose, fitted to train."""
    task = TextClassification().with_labels(rows.labels.tolist())
    pairs = zip(rows.texts, rows.labels.tolist(), strict=True)
    examples = [Example(str(i), text, label) for i, (text, label) in enumerate(pairs)]
    train, validation = tenth(rows)
    method = Linear(Settings(**given))
    method.fit(task, [examples[i] for i in train], [examples[i] for i in validation], Context())
    return method, examples, task


def chosen(rows: Rows, models: Callable[..., Iterator[Model]], settings: Sequence[Any]) -> Model:
    """The recipe with the setting that has most right among the rows held out."""
    best = np.zeros(len(settings))
    for kept, out in folds(rows) if len(settings) > 1 else ():
        held = rows[out]
        best += [(model(held.texts) == held.labels).sum() for model in models(rows[kept], settings)]
    return next(models(rows, [settings[int(best.argmax())]]))


def svc(rows: Rows) -> Model:
    return chosen(rows, partial(_svc, characters=False), CS)


def svc_characters(rows: Rows) -> Model:
    return chosen(rows, partial(_svc, characters=True), CS)


def _svc(rows: Rows, settings: Sequence[float], characters: bool) -> Iterator[Model]:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_union
    from sklearn.svm import LinearSVC

    blocks = [TfidfVectorizer(ngram_range=(1, 2))]
    if characters:
        blocks.append(TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5)))
    features = make_union(*blocks)
    matrix, transform = features.fit_transform(rows.texts), lru_cache(1)(features.transform)
    for C in settings:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = LinearSVC(C=C, random_state=0).fit(matrix, rows.labels)
        yield lambda texts, model=model: model.predict(transform(tuple(texts)))


def logistic(rows: Rows, table: Path) -> Model:
    embedding = Static(table)

    def models(part: Rows, settings: Sequence[float]) -> Iterator[Model]:
        from sklearn.linear_model import LogisticRegression

        vectors = embedding.embed(part.texts)
        for C in settings:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model = LogisticRegression(C=C, max_iter=300).fit(vectors, part.labels)
            yield lambda texts, model=model: model.predict(embedding.embed(texts))

    return chosen(rows, models, DENSE_CS)


def fasttext(rows: Rows) -> Model:
    return chosen(rows, partial(_fasttext, characters=False), RATES if len(rows) < MANY else RATES[:1])


def fasttext_characters(rows: Rows) -> Model:
    return chosen(rows, partial(_fasttext, characters=True), RATES if len(rows) < MANY else RATES[:1])


def _fasttext(rows: Rows, settings: Sequence[tuple[float, int]], characters: bool) -> Iterator[Model]:
    import fasttext as library

    def plain(text: str) -> str:
        return " ".join(text.lower().split())

    names, codes = np.unique(rows.labels, return_inverse=True)
    inside = {"minn": 2, "maxn": 5} if characters else {"minn": 0, "maxn": 0}
    more = {"wordNgrams": 2, "bucket": 200_000, "thread": 1, "verbose": 0, "seed": 0}
    for rate, epochs in settings:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "train.txt"
            lines = [f"__label__{code} {plain(text)}\n" for text, code in zip(rows.texts, codes, strict=True)]
            path.write_text("".join(lines), encoding="utf-8")
            model = library.train_supervised(str(path), epoch=epochs, lr=rate, **inside, **more)

        def predict(texts: Sequence[str], model: Any = model) -> NDArray[Any]:
            found = model.f.multilinePredict([plain(text) + "\n" for text in texts], 1, 0.0, "strict")[0]
            return names[[int(labels[0].removeprefix("__label__")) if labels else 0 for labels in found]]

        yield predict


# --- the table ---


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--cell", nargs="+", help="DATASET/ROWS/DRAW; all of them if not given")
    options.add_argument("--methods", default="linear,svc,svc_characters,fasttext,fasttext_characters")
    options.add_argument("--table", type=Path, help="static embeddings: adds linear=TABLE and logistic regression")
    options.add_argument("--development", action="store_true")
    options.add_argument("--times", action="store_true")
    options.add_argument("--kept", action="store_true", help="only print the table of what --out holds")
    options.add_argument("--out", type=Path, default=Path("baselines"), help="which rows were right, kept per cell")
    options.add_argument("--name", default="linear", help="what `linear` is called in --out, to keep two versions")
    given = options.parse_args()
    if "SLMFIT_DATA" not in os.environ:
        raise SystemExit("skipped: set SLMFIT_DATA to the folder with the data sets")
    cells = given.cell or list(all_cells())
    if given.times:
        for name in cells:
            times(name, given.table)
        return
    methods = methods_of(given)
    for name in () if given.kept else cells:
        made(name, methods, given.out / ("development" if given.development else "test"), given.development)
    table(cells, given, methods)


def methods_of(given: argparse.Namespace) -> dict[str, Callable[[Rows], Model]]:
    known: dict[str, Callable[[Rows], Model]] = {"svc": svc, "svc_characters": svc_characters}
    known |= {"fasttext": fasttext, "fasttext_characters": fasttext_characters, "linear": linear}
    methods = {given.name if name == "linear" else name: known[name] for name in given.methods.split(",")}
    if given.table is not None:
        methods[f"{given.name}=TABLE"] = lambda rows: linear(rows, embeddings=str(given.table))
        methods["logistic"] = lambda rows: logistic(rows, given.table)
    return methods


def all_cells() -> Iterator[str]:
    yield "newsgroups7/all/0"
    for name in ("atis", "snips", "airline_tweets", "goemotions", "ag_news", "newsgroups20"):
        for size, draws in SIZES.items():
            if not (name == "atis" and size == "5000"):  # it has 4,478 rows
                yield from (f"{name}/{size}/{draw}" for draw in range(draws))


def made(name: str, methods: dict[str, Callable[[Rows], Model]], out: Path, development: bool) -> None:
    """Run what is missing of a cell."""
    path = out / f"{name.replace('/', '-')}.npz"
    found = dict(np.load(path)) if path.is_file() else {}
    for method, fit in methods.items():
        if method not in found:
            rows, test = cell_of(name, development)
            begin = time.process_time()
            found[method] = fit(rows)(test.texts) == test.labels
            seconds = time.process_time() - begin
            print(f"{name:24} {method:22} {100 * found[method].mean():6.2f} %   {seconds:7.1f} s", flush=True)
            out.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(path, **found)


def table(cells: Sequence[str], given: argparse.Namespace, methods: dict[str, Any]) -> None:
    """Accuracy per cell, and what `linear` is above each recipe."""
    out = given.out / ("development" if given.development else "test")
    ours, rests = given.name, f"{given.name}=TABLE"
    pairs = [(rests if method == "logistic" else ours, method) for method in methods if method not in (ours, rests)]
    draws: dict[str, list[dict[str, Right]]] = {}
    for name in cells:
        path = out / f"{name.replace('/', '-')}.npz"
        draws.setdefault(name.rpartition("/")[0], []).append(dict(np.load(path)) if path.is_file() else {})
    differences: dict[tuple[str, str], float] = {}
    tests: dict[tuple[str, str], float] = {}
    for cell, found in draws.items():
        for mine, other in pairs:
            both = [draw[mine].astype(float) - draw[other] for draw in found if mine in draw and other in draw]
            if both:
                per_row = np.mean(both, axis=0)
                differences[cell, other] = float(per_row.mean())
                tests[cell, other] = two_sided(per_row)
    significant = holm(tests)
    print(f"{'':22}" + "".join(f"{method:>20}" for method in methods))
    for cell, found in draws.items():
        known = [[draw[method].mean() for draw in found if method in draw] for method in methods]
        means = [f"{100 * statistics.mean(values):.2f}" if values else "–" for values in known]
        print(f"{cell:22}" + "".join(f"{mean:>20}" for mean in means))
    print(f"\n{'above':22}" + "".join(f"{other:>20}" for _, other in pairs))
    for cell in draws:
        marks = [
            f"{100 * differences[cell, o]:+.2f}{'*' if (cell, o) in significant else ' '}"
            if (cell, o) in tests
            else "–"
            for _, o in pairs
        ]
        print(f"{cell:22}" + "".join(f"{mark:>20}" for mark in marks))
    for _, other in pairs:
        gains = [value for (_, o), value in differences.items() if o == other]
        print(f"mean above {other}: {100 * statistics.mean(gains):+.2f} over {len(gains)} cells" if gains else "")


def two_sided(differences: NDArray[np.float64]) -> float:
    """The p of a mean of zero; of one draw that is McNemar's test."""
    spread = math.sqrt(float((differences**2).sum()))
    return math.erfc(abs(float(differences.sum())) / spread / math.sqrt(2)) if spread else 1.0


def holm(tests: dict[Any, float], level: float = 0.05) -> set[Any]:
    """Those that are significant although all of them were tested."""
    ordered = sorted(tests, key=lambda key: tests[key])
    failed = next((i for i, key in enumerate(ordered) if tests[key] > level / (len(ordered) - i)), len(ordered))
    return set(ordered[:failed])


def times(name: str, table: Path | None) -> None:
    """Processor time of the search, and of one text after it."""
    rows, test = cell_of(name, development=True)
    begin = time.process_time()
    method, _, _ = searched(rows, **({} if table is None else {"embeddings": str(table)}))
    seconds, singles = time.process_time() - begin, []
    for text in test.texts[:1000] * 3:
        begin = time.thread_time()
        method.predict([text])
        singles.append(1000 * (time.thread_time() - begin))
    chosen = json.dumps(method.chosen)
    print(f"{name:24} search {seconds:7.2f} s   one text {statistics.median(singles):.3f} ms   {chosen}", flush=True)


if __name__ == "__main__":
    main()
