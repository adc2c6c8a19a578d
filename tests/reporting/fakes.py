"""Comparisons as `compare` leaves them, made up on the spot: as many methods and rows as a test asks for, no fitting.

    folder = write_comparison(tmp_path / "out", news(7600))
    write_comparison(tmp_path / "out", tickets(600), audit=…, diagnostics=…)

Records, scores and verdict come from the code that makes the real ones; only the answers are drawn by lot.
"""

import json
import random
from dataclasses import dataclass, replace

import numpy as np

from slmfit import storage, tasks
from slmfit.comparison.judging import judge
from slmfit.data.audit.audit import audit_dataset
from slmfit.data.dataset import Dataset
from slmfit.environment import environment
from slmfit.records import SPLITS, ComparisonRecord, Example, MethodRow, Prediction, RunRecord
from slmfit.runs import fitting
from slmfit.runs import run as runs

SYLLABLES = [c + v for c in "b br c ch d f g h k l m n p r s st t tr v w".split() for v in "a e i o u ai ea".split()]
NEWS = ("Business", "Sci/Tech", "Sports", "World")
TICKETS = ("account", "billing", "cancellation", "delivery", "feedback", "product", "technical")


@dataclass(frozen=True)
class Fake:
    """A method to make up: how often it is right, and what it costs. p50 None: answers that were given."""

    method: str
    skill: float
    size: int | None = None
    p50: float | None = None
    memory: int | None = None
    fit: float | None = None
    usd: float | None = None
    probabilities: bool = True
    base_model: str | None = None


SIX = {
    "majority": Fake("majority", 0.0, 300, 0.004, 31_000_000, 0.001),
    "linear": Fake("linear", 0.905, 5_400_000, 0.21, 128_000_000, 2.3),
    "knn": Fake("knn", 0.882, 9_100_000, 0.84, 190_000_000, 1.1),
    "encoder-minilm": Fake("encoder", 0.921, 91_000_000, 9.4, 610_000_000, 1460.0, base_model="all-MiniLM-L6-v2"),
    "encoder-bert": Fake("encoder", 0.925, 438_000_000, 41.0, 1_450_000_000, 5260.0, base_model="bert-base-uncased"),
    "llm-gemma3-12b": Fake("llm", 0.893, usd=0.41, probabilities=False, base_model="gemma3:12b"),
}
CHOSEN = {"knn": {"k": 14, "weighting": "softmax-0.1"}, "linear": {"features": "words 1-2", "C": 3.0}}
SKIPPED = (
    MethodRow(id="causal", name="causal", status="skipped", reason="pip install 'slmfit[train]'"),
    MethodRow(
        id="seq2seq", name="seq2seq", status="failed", reason="out of memory: 2.1 GB were asked for\n  fix: --set"
    ),
)


def news(rows, labels=NEWS, train=400, seed=0):
    """Texts as long as AG News', of words that occur as often as words do."""
    rng = np.random.default_rng(seed)
    words = np.array(["".join(rng.choice(SYLLABLES, rng.integers(1, 4))) for _ in range(15_000)])
    shares = 1 / (np.arange(len(words)) + 2.7)
    lengths = rng.normal(40, 10, rows + train).clip(6, 180).astype(int)
    stream = iter(np.split(rng.choice(words, int(lengths.sum()), p=shares / shares.sum()), np.cumsum(lengths)[:-1]))
    texts = [" ".join(next(stream)).capitalize() for _ in range(rows + train)]
    return classified(texts, [labels[i % len(labels)] for i in range(len(texts))], train)


def classified(texts, labels, train, name="news"):
    """A dataset whose first `train` rows are train, a tenth of them validation, the others test."""
    examples = [Example(str(i), text, label) for i, (text, label) in enumerate(zip(texts, labels, strict=True))]
    held = train - train // 10
    parts = (examples[:held], examples[held:train], examples[train:])
    splits = {split: tuple(part) for split, part in zip(SPLITS, parts, strict=True)}
    task = tasks.by_name("text-classification").with_labels(labels)
    source = {
        "files": [{"file": f"{name}.csv", "sha256": "0" * 64, "used_as": "all", "rows": len(texts)}],
        "columns": {"text": "text", "label": "label"},
    }
    return Dataset(name, task, splits, source=source, validation_given=False)


def renamed(data, ids):
    """The same dataset with other ids."""
    rest = iter(ids)
    splits = {split: tuple(replace(e, id=next(rest)) for e in part) for split, part in data.splits.items()}
    return replace(data, splits=splits)


def answers(fake, examples, labels, seed):
    """Rows have a difficulty that all methods share, so that some are hard for everyone; wrong goes to neighbours."""
    shared = np.random.default_rng(7).random(len(examples))
    rng = np.random.default_rng(seed)
    luck = 0.7 * shared + 0.3 * rng.random(len(examples))
    limit = np.quantile(luck, fake.skill) if fake.skill else -1.0
    code = {label: i for i, label in enumerate(labels)}
    sure = 1 - (1 - 1 / len(labels)) * rng.beta(1, 5 if fake.skill else 1, len(examples))
    found = []
    for i, example in enumerate(examples):
        right = luck[i] <= limit
        step = 0 if right else 1 + int(rng.random() < 0.25)
        answer = 0 if not fake.skill else (code[example.target] + step) % len(labels)
        if fake.method == "llm" and rng.random() < 0.02:
            found.append(
                Prediction(None, "refused" if rng.random() < 0.7 else "timeout", raw="I cannot help with that")
            )
            continue
        chance = float(f"{sure[i] if right else 0.4 + 0.6 * sure[i] * rng.random():.6g}") if len(labels) > 1 else 1.0
        rest = (1 - chance) / max(1, len(labels) - 1)
        table = {label: chance if k == answer else rest for k, label in enumerate(labels)}
        found.append(Prediction(labels[answer], probabilities=table if fake.probabilities else None))
    return found


def write_run(folder, id, fake, data, found=None, search=(), metric="accuracy", events=()):
    """A run's folder, without its model."""
    target = folder / "runs" / id
    target.mkdir(parents=True)
    seed = random.Random(id).randrange(1000)
    answered = {s: (data.splits[s], answers(fake, data.splits[s], data.task.labels, seed)) for s in SPLITS}
    if found is not None:
        answered = {"test": (data.test, found)}
    scored = {
        s: data.task.score([e.target for e in ex], p, 0, [e.input for e in ex]) for s, (ex, p) in answered.items()
    }
    rows = [row for s in ("validation", "test") if s in answered for row in fitting.prediction_rows(s, *answered[s])]
    runs.write_predictions(target / "predictions.jsonl", rows)
    (target / "events.jsonl").write_text("".join(json.dumps(e) + "\n" for e in events))
    record = RunRecord(
        id=id, method=fake.method, base_model=fake.base_model, key=storage.hash_json([id, data.fingerprint]),
        task=tasks.to_plain(data.task), settings={"C": None}, chosen=CHOSEN.get(id, {}), search=search,
        metric=metric, dataset=fitting.dataset_record(data), split=fitting.split_record(data), seed=0,
        rows_used={"fitted": "train + validation"},
        scores={s: v.values for s, v in scored.items()}, details={s: v.details for s, v in scored.items()},
        fit_seconds=fake.fit, search_seconds=fake.fit and 3.1 * fake.fit, load_seconds=fake.p50 and 0.7,
        latency_ms=fake.p50 and {"p50": fake.p50, "p95": 1.7 * fake.p50},
        rows_per_second=fake.p50 and 2300 / fake.p50, size_bytes=fake.size, peak_memory_bytes=fake.memory,
        fit_peak_memory_bytes=fake.memory and 2 * fake.memory, usage={"usd": fake.usd}, environment=environment(),
        created="2026-11-22T10:00:00Z",
    )  # fmt: skip
    runs.write_run(target, record)
    return record


def write_comparison(
    folder, data, fakes=SIX, *, found=None, diagnostics=None, audit=None, skipped=SKIPPED, search=None, events=None,
    metric="accuracy", texts=True,
):  # fmt: skip
    """A comparison's folder. found: id -> given answers; search, events: id -> lists; audit None: really audited."""
    found, search, events = found or {}, search or {}, events or {}
    (folder / "data").mkdir(parents=True)
    storage.write_json(folder / "data" / "audit.json", audit_dataset(data) if audit is None else audit)
    if texts:
        lines = (json.dumps(data.task.unparse(e), ensure_ascii=False) + "\n" for e in data.test)
        storage.write_text(folder / "data" / "test.jsonl", "".join(lines))
    if diagnostics:
        storage.write_json(folder / "data" / "diagnostics.json", diagnostics)
    for id, fake in fakes.items():
        write_run(folder, id, fake, data, found.get(id), search.get(id, ()), metric, events.get(id, ()))
    rows = [MethodRow.of(runs.read_run(folder / "runs" / id), f"runs/{id}", id == "knn")
            for id in fakes]  # fmt: skip
    verdict, paired = judge(data, folder, rows, metric=metric, margin=0.02, prefer="size", seed=0)
    record = ComparisonRecord(
        dataset=fitting.dataset_record(data), split=fitting.split_record(data), methods=[*rows, *skipped],
        verdict=verdict, paired=paired, warnings=[], command="slmfit compare news.csv --methods majority,linear,knn",
        seed=0, environment=environment(), created="2026-11-22T10:00:00Z",
    )  # fmt: skip
    runs.write_comparison(folder, record)
    return folder


def searches(metric="accuracy"):
    """What knn and linear write down of their search."""
    rng = np.random.default_rng(0)
    knn = [
        {
            "k": k,
            "weighting": w,
            metric: float(0.885 - 0.006 * np.log(k / 14) ** 2 + b + 0.001 * rng.random()),
            "log_loss": 0.4,
        }
        for w, b in (("uniform", 0.0), ("softmax-0.2", 0.004), ("softmax-0.1", 0.007), ("softmax-0.05", 0.003))
        for k in range(1, 101)
    ]
    linear = [
        {"features": f, "classifier": c, "C": C, metric: float(0.9 + 0.01 * rng.random())}
        for f in ("words 1-2", "words 1-2, characters 2-5") for c in ("logistic", "svm") for C in (0.3, 1.0, 3.0)
    ]  # fmt: skip
    return {"knn": knn, "linear": linear}


def diagnosed(data, metric="accuracy", texts=True):
    """data/diagnostics.json: a learning curve of two methods, and suspects among train and test."""
    points = []
    for method, top in (("linear", 0.905), ("knn", 0.882)):
        for rows in (100, 400, 1600, 6400, 22207):
            value = top - 0.9 / rows**0.4
            half = 0.1 / rows**0.3
            score = {"value": value, "low": value - half, "high": value + half}
            points.append({"method": method, "rows": rows, "fraction": rows / 22207, "score": score})
    rows = []
    for i, (split, example) in enumerate(
        [("test", e) for e in data.test[:40]] + [("train", e) for e in data.train[:40]]
    ):
        other = next(label for label in data.task.labels if label != example.target)
        row = {"id": example.id, "split": split, "label": example.target, "suggested": other, "probability": 0.004 * i}
        rows.append(row | ({"text": example.input} if texts else {}))
    return {
        "format": "slmfit.diagnostics/1",
        "learning_curve": {"metric": metric, "points": points},
        "suspects": {"method": "linear", "folds": 5, "rows": rows},
    }


def training(seed=0):
    """Events of a training: running loss in steps, evaluated loss and score per epoch."""
    rng = np.random.default_rng(seed)
    for step in range(10, 601, 10):
        loss = 1.4 * 0.995**step + 0.25 + 0.05 * rng.random()
        yield {"event": "loss", "split": "train", "measured": "running", "epoch": step / 200, "loss": loss}
    for epoch in (1, 2, 3):
        at = {"event": "loss", "measured": "evaluated", "epoch": epoch}
        yield {**at, "split": "train", "loss": 0.5 / epoch + 0.1}
        yield {**at, "split": "validation", "loss": 0.4 / epoch + 0.2, "accuracy": 0.88 + 0.01 * epoch}
