"""Two questions about labels, answered by cheap means: how many do I need, and which of them are probably wrong?

    found = diagnose(data, metric="accuracy", seed=0)
    found["learning_curve"]["points"][0]    # {"method": "linear", "rows": 120, "fraction": 0.06, "score": {...}}
    found["suspects"]["rows"][0]            # the row whose label is least likely, and the label that is likelier

Both are for text-classification; other tasks get empty parts. Neither looks at the test split.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slmfit import methods
from slmfit.data.dataset import Dataset, targets
from slmfit.errors import SlmfitError
from slmfit.events import Listener
from slmfit.evidence.statistic import bootstrap_sums, share_right
from slmfit.methods.base import Context
from slmfit.records import Example, RunRecord, Score, to_plain
from slmfit.timing.budget import Budget
from slmfit.timing.work import Work, counted, told_to, uncounted

FORMAT = "slmfit.diagnostics/1"

CHEAP = {"linear": False, "knn": True}  # methods with a curve -> whether each part chooses its own settings
HALVINGS = (8, 4, 2, 1)
FEW = 1_000  # rows on which settings are chosen where no run has chosen them
MOST_FITTED = 5_000  # rows; more are in a curve only where they were fitted anyway

MOST_SUSPECTS = 500
CHARACTERS = 2_000  # of a text that the check for wrong labels reads
SHOWN = 500  # of a text that a suspect carries
WORK = 100_000_000  # features times labels that it weighs; beyond, a sample of the rows is checked
SMOOTHING = 0.3

Matrix = Any  # scipy.sparse.csr_array
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def diagnose(
    data: Dataset,
    *,
    metric: str,
    seed: int,
    known: Mapping[str, RunRecord] | None = None,
    listen: Listener | None = None,
    budget: Budget | None = None,
) -> dict[str, Any]:
    """The learning curve and the suspected label errors of a dataset; JSON as it stands.

    known: method -> its run on these data, where there is one already: the curve's last point is then its validation
    score, and its settings are those of the curve. listen: told before each fit. budget: what does not fit into it is
    left out, the largest parts of the curve first.

    Returns {"format", "learning_curve", "suspects"}, and "cut_short" where something was left out; see
    `learning_curve` and `suspected_labels`.
    """
    curve: dict[str, Any] = {}
    suspects: dict[str, Any] = {}
    budget = budget or Budget()
    cut: list[str] = []
    if data.task.classifies:
        if budget.left():
            if listen:
                listen("suspects", {"rows": len(data.train) + len(data.validation)})
            suspects = suspected_labels(data, seed=seed)
        else:
            cut.append("suspects")
        curve = learning_curve(
            data, metric=metric, seed=seed, known=known, listen=listen, budget=budget, left_out=cut.append
        )
    found = {"format": FORMAT, "learning_curve": curve, "suspects": suspects}
    return found | ({"cut_short": True} if cut else {})


# --- how many labels do I need ----------------------------------------------------------------------------------------


def learning_curve(
    data: Dataset,
    *,
    metric: str,
    seed: int,
    known: Mapping[str, RunRecord] | None = None,
    listen: Listener | None = None,
    budget: Budget | None = None,
    left_out: Callable[[str], object] = lambda what: None,
) -> dict[str, Any]:
    """Validation scores of the cheap methods, fitted on growing parts of train.

    Each part has the labels in proportion and holds the smaller parts, so that the curve bends by what is added and
    not by the luck of the draw. kNN chooses k for each part; linear keeps what was chosen on all of train, or on 1,000
    rows where no run is known, since its search is dear. Choosing on the validation rows that are scored too flatters
    all points a little. Intervals are those of the scored rows; another draw of the part would move a point as well.

    Returns {"metric", "scored_on", "rows_scored", "points": [{"method", "rows", "fraction", "score": {"value", "low",
    "high"}}]}: half of train, at most 5,000 rows, and that halved three times; then all of train where its run is
    known or it is small. A part that a method cannot be fitted on has no point.
    """
    parts = _growing_parts(data, seed)
    budget = budget or Budget()
    names = [name for name in CHEAP if not methods.unavailable(name, data.task.name)]
    every = len(names) * sum(len(part) for part in parts if _is_fitted(part))
    with counted(told_to(listen), "learning curve", every, budget) as work:
        points = list(_points(names, parts, data, metric, seed, known or {}, listen, budget, left_out, work))
    return {"metric": metric, "scored_on": "validation", "rows_scored": len(data.validation), "points": points}


def _is_fitted(part: Sequence[Example]) -> bool:
    return len(part) <= 1.2 * MOST_FITTED  # each label's rows are rounded up


def _points(
    names: Sequence[str],
    parts: Sequence[Sequence[Example]],
    data: Dataset,
    metric: str,
    seed: int,
    known: Mapping[str, RunRecord],
    listen: Listener | None,
    budget: Budget,
    left_out: Callable[[str], object],
    work: Work,
) -> Iterator[dict[str, Any]]:
    for name in names:
        run = known.get(name)
        given = {k: v for k, v in run.settings.items() if v is not None} if run else {}
        if not CHEAP[name]:
            if run is None and not budget.left():
                left_out(name)
                continue
            with uncounted():
                given = _chosen(name, given, run, data, parts, Context(seed=seed, metric=metric))
        each = 1e-9  # seconds of a row of the part before
        for part in parts:
            if run and len(part) == len(data.train):
                score = run.scores["validation"][metric]
            elif not _is_fitted(part):
                continue
            else:
                if each * len(part) > budget.left():
                    left_out(name)
                    continue
                began = budget.clock()
                if listen:
                    listen("curve", {"run": name, "rows": len(part)})
                try:
                    with uncounted():
                        score = _validation_score(name, given, data, part, Context(seed=seed, metric=metric))
                except SlmfitError:
                    continue
                work.advance(len(part))
                each = (budget.clock() - began) / len(part)
            fraction = len(part) / len(data.train)
            yield {"method": name, "rows": len(part), "fraction": fraction, "score": to_plain(score)}


def _growing_parts(data: Dataset, seed: int) -> list[list[Example]]:
    """Parts of train, each holding the one before; at least one row of every label in each."""
    labels = np.array([data.task.label(target) for target in targets(data.train)])
    share = np.empty(len(labels))  # of its label's rows that come before a row, in a random order
    rng = np.random.default_rng(seed)
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        share[rows] = np.arange(len(rows)) / len(rows)
    largest = min(0.5, MOST_FITTED / len(labels))
    sizes: dict[int, list[Example]] = {}
    for fraction in (*(largest / n for n in HALVINGS), 1.0):
        chosen = np.flatnonzero(share < fraction - 1e-9)
        sizes.setdefault(len(chosen), [data.train[i] for i in chosen])
    return list(sizes.values())


def _chosen(
    name: str,
    given: Mapping[str, Any],
    run: RunRecord | None,
    data: Dataset,
    parts: Sequence[Sequence[Example]],
    context: Context,
) -> dict[str, Any]:
    """All settings of a method: the given ones, and what its run, or else a fit on few rows, chose for the others."""
    method = methods.create(name, given)
    chosen = run.chosen if run else None
    if chosen is None:
        try:
            method.fit(data.task, next((p for p in parts if len(p) >= FEW), parts[-1]), data.validation, context)
        except SlmfitError:
            return dict(given)
        chosen = method.chosen
    return {**given, **{f.name: chosen[f.name] for f in fields(method.Settings) if f.name in chosen}}


def _validation_score(
    name: str, given: Mapping[str, Any], data: Dataset, part: Sequence[Example], context: Context
) -> Score:
    method = methods.create(name, given)
    method.fit(data.task, part, data.validation, context)
    answers = method.predict([example.input for example in data.validation])
    components = data.task.components(context.metric, targets(data.validation), answers)
    repeats = data.repeats("validation")
    if components.paired_mean:
        return share_right(components.rows[:, 0], repeats)
    return bootstrap_sums(components.rows, components.combine, seed=context.seed, clusters=repeats)


# --- which labels are probably wrong ----------------------------------------------------------------------------------


def suspected_labels(data: Dataset, *, seed: int) -> dict[str, Any]:
    """Rows of train and validation whose label the other rows speak against, the least likely label first.

    Every row is judged by a naive Bayes classifier (complement, Rennie et al. 2003) over TF-IDF of words and word
    pairs that was fitted on all rows but this one: its counts are sums, so one row is taken out of them exactly and
    nothing is fitted twice. Rows are ranked by the probability of the label they have: confident learning's
    self-confidence (Northcutt et al. 2021). Measured against logistic regression and kNN out of fold, with and
    without class thresholds or priors, on real and planted errors: benchmarks/diagnostics.py.

    Returns {"method", "folds": as many as there are rows, "judged": rows, "rows": the first 500
    with a likelier label as {"id", "split", "label", "suggested", "probability": of the label it has,
    "suggested_probability", "text": its beginning}}; empty where no two texts share a word, or there is one label only.
    Probabilities rank well and are not calibrated, and a set without a wrong label has doubtful rows too: how many are
    wrong is not known, and no number is given. Long
    texts are read up to 2,000 characters; where rows are too many for the labels, a random sample is judged.
    """
    rows = [(split, e) for split in ("train", "validation") for e in data.splits[split]]
    names = sorted({data.task.label(t) for t in targets([e for _, e in rows])})
    if len(names) < 2:
        return {}
    code = {name: i for i, name in enumerate(names)}
    labels = np.array([code[str(example.target)] for _, example in rows])
    features = word_features([data.task.text(example.input)[:CHARACTERS] for _, example in rows])
    if not features.shape[1]:
        return {}
    judged = _sample(features, len(names), seed)
    table = leave_one_out(features, labels, len(names), judged)
    own = table[np.arange(len(judged)), labels[judged]]
    doubted = np.flatnonzero(table.argmax(axis=1) != labels[judged])
    doubted = doubted[np.argsort(own[doubted], kind="stable")]
    shown = []
    for at in doubted[:MOST_SUSPECTS].tolist():
        split, example = rows[judged[at]]
        best = int(table[at].argmax())
        shown.append(
            {
                "id": example.id,
                "split": split,
                "label": str(example.target),
                "suggested": names[best],
                "probability": round(float(own[at]), 6),
                "suggested_probability": round(float(table[at, best]), 6),
                "text": data.task.text(example.input)[:SHOWN],
            }
        )
    return {
        "method": "naive Bayes",
        "folds": len(rows),
        "judged": len(judged),
        "rows": shown,
    }


def word_features(texts: Sequence[str]) -> Matrix:
    """TF-IDF of words and word pairs that two texts or more have: csr [texts, features], each row of length 1."""
    from scipy.sparse import csr_array

    from slmfit.text.ngrams import ngrams, split_words

    tokens = split_words(texts)
    codes, before = [], 0
    for n in (1, 2):
        grams = ngrams(tokens, n)
        kinds, column = np.unique(grams.keys, return_inverse=True)
        row = np.repeat(np.arange(len(texts)), np.diff(grams.offsets))
        codes.append((row, column + before))
        before += len(kinds)
    row, column = (np.concatenate(parts) for parts in zip(*codes, strict=True))
    cells, counts = np.unique(row * max(before, 1) + column, return_counts=True)
    row, column = np.divmod(cells, max(before, 1))
    spread = np.bincount(column, minlength=before)
    kept = spread[column] > 1
    number = np.cumsum(spread > 1) - 1
    row, column, counts = row[kept], number[column[kept]], counts[kept]
    idf = np.log((1 + len(texts)) / (1 + spread[spread > 1])) + 1
    values = (1 + np.log(counts)) * idf[column]
    values /= np.sqrt(np.bincount(row, values * values, len(texts)))[row]
    starts = np.searchsorted(row, np.arange(len(texts) + 1))
    return csr_array((values, column, starts), shape=(len(texts), len(idf)))


def leave_one_out(features: Matrix, labels: Integers, count: int, judged: Integers) -> Floats:
    """The probability [judged, count] of each label for some rows, each by complement naive Bayes without that row.

    The weight of feature f for label c is -log of f's share in the rows of all other labels (Rennie et al. 2003,
    eq. 6, without the normalisation of weights). A row stands in those of all labels but its own, so its values are
    subtracted there; idf is not counted anew.
    """
    size = features.shape[1]
    some = features[judged]
    place = np.repeat(np.arange(len(judged)), np.diff(some.indptr))
    mass, at, values = np.asarray(some.sum(axis=1)), some.indices, some.data
    everything = np.asarray(features.sum(axis=0))
    scores = np.empty((len(judged), count))
    for label in range(count):
        without = everything - features[np.flatnonzero(labels == label)].sum(axis=0)
        inside = labels[judged] != label
        left = np.maximum(without[at] - values * inside[place], 0) + SMOOTHING
        whole = without.sum() + SMOOTHING * size - mass * inside
        scores[:, label] = mass * np.log(whole) - np.bincount(place, values * np.log(left), len(judged))
    scores -= scores.max(axis=1, keepdims=True)
    table = np.exp(scores)
    return table / table.sum(axis=1, keepdims=True)


def _sample(features: Matrix, count: int, seed: int) -> Integers:
    """The rows that are judged: all, or as many by chance as the work allows."""
    rows = features.shape[0]
    most = max(int(WORK / (count * max(features.nnz / max(rows, 1), 1))), 1_000)
    if rows <= most:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
