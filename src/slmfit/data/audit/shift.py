"""Whether the test rows are like the train rows: their labels and words, before anything is fitted.

    shift(data)
    # [{"kind": "shift", "message": "Your test rows are not like your train rows: the label 'refund' stands in 16.0 % …

Train and validation are held against test. Where slmfit drew the test rows by chance they are alike, whatever a test
says; rows that were given, and the latest rows of a split by time, are looked at.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from slmfit.data.audit.edits import Integers
from slmfit.data.audit.findings import Finding, excerpt, finding
from slmfit.data.dataset import Dataset
from slmfit.evidence import shift as tests
from slmfit.evidence.clusters import Clusters, clusters_of
from slmfit.records import Example
from slmfit.text.figures import percent
from slmfit.text.garbled import unescaped
from slmfit.text.ngrams import split_words

START = "Your test rows are not like your train rows"
_MOST = {"train": 15_000, "test": 10_000}  # rows that are read, evenly from all
_CHARACTERS = 500  # of each text
_TOLD = 3  # of either kind
_FEWEST_GROUPS = 20  # on the test side
_LENGTHS = (0, 1, 3, 6, 12, 24, 48, 96, 192)  # words, from
_DIGIT = re.compile(r"\d")
_ACCENT = re.compile("[\u0300-\u036f]")
_FORMS: dict[str, Callable[[str], bool]] = {
    "a capital letter": lambda text: text != text.lower(),
    "a small letter": lambda text: text != text.upper(),
    "a digit": lambda text: _DIGIT.search(text) is not None,
    "a question mark": lambda text: "?" in text,
    "an exclamation mark": lambda text: "!" in text,
    "a comma": lambda text: "," in text,
    "a full stop at its end": lambda text: text.rstrip().endswith("."),
    "a line break": lambda text: "\n" in text.strip(),
    "a web address": lambda text: "http" in text or "www." in text,
    "an @": lambda text: "@" in text,
    "a #": lambda text: "#" in text,
    "an accent apart from its letter (Unicode's NFD)": lambda text: _ACCENT.search(text) is not None,
    "an entity of HTML, such as &amp;,": lambda text: "&" in text and unescaped(text) != text,
}


@dataclass(frozen=True)
class _Rows:
    """Rows of both sides, and which of them are test rows. clusters: the rows that belong together."""

    examples: Sequence[Example]
    in_test: np.ndarray
    clusters: Clusters | None


def shift(data: Dataset) -> list[Finding]:
    """A finding with all that differs; none where nothing does, and where the test rows were drawn by chance."""
    if not looked_at(data) or not data.test or not data.train:
        return []
    rows = _rows(data)
    names, row, feature = _features(data, rows)
    held = tests.Held(row, feature, len(names), rows.in_test, rows.clusters)
    counted = np.array([kind == "target" for kind, _ in names], bool)
    labels, words = (tests.unlike(held.among(kept)) for kept in (counted, ~counted))
    apart = tests.told_apart(held)
    sure = apart is not None and apart.p_value < tests.EACH and apart.share >= tests.MATTERS
    if not (labels or words or sure):
        return []
    told = [_told(names[one.feature][1], one) for one in (*labels[:_TOLD], *words[:_TOLD])]
    if apart is not None and sure:
        told.append(f"a classifier tells a test row from a train row in {percent(apart.share)} of pairs")
    message = f"{START}: {'; '.join(told)}."
    fix = (
        "Scores on test are of rows such as test's. If what is to be labelled is like train, take test rows from "
        "there; if it is like test, add such rows to train."
    )
    return [finding("shift", "warning", len(labels) + len(words) + sure, message, fix)]


def looked_at(data: Dataset) -> bool:
    """Whether the test rows are the user's, or the latest; not where slmfit drew them by chance."""
    given = any(file.get("used_as") == "test" for file in data.source.get("files", ()))
    return given or bool(data.source.get("time")) or not data.source


def _rows(data: Dataset) -> _Rows:
    """The rows that are read, and those of them that belong together: with one text, or of one group."""
    before, test = [*data.train, *data.validation], list(data.test)
    kept = [_evenly(len(before), _MOST["train"]), _evenly(len(test), _MOST["test"])]
    examples = [before[k] for k in kept[0]] + [test[k] for k in kept[1]]
    in_test = np.arange(len(examples)) >= len(kept[0])
    column = _group_column(data)
    if column is None:
        return _Rows(examples, in_test, clusters_of(data.task.text(e.input) for e in examples))
    of = data.groupings[column]
    numbers = [*of["train"], *of["validation"]]
    every = [numbers[k] for k in kept[0]] + [of["test"][k] for k in kept[1]]
    return _Rows(examples, in_test, clusters_of(n if n >= 0 else -1 - k for k, n in enumerate(every)))


def _evenly(rows: int, most: int) -> list[int]:
    return list(range(rows)) if rows <= most else [k * rows // most for k in range(most)]


def _group_column(data: Dataset) -> str | None:
    """The column by which whole groups of rows were given to one side or the other; the one with fewest groups."""
    found = []
    for column, of in data.groupings.items():
        if any(len(of.get(split, ())) != len(rows) for split, rows in data.splits.items()):
            continue
        before, test = {*of["train"], *of["validation"]} - {-1}, {*of["test"]} - {-1}
        if len(test) >= _FEWEST_GROUPS and not before & test:
            found.append((len(before) + len(test), column))
    return min(found)[1] if found else None


def _features(data: Dataset, rows: _Rows) -> tuple[list[tuple[str, str]], Integers, Integers]:
    """Kind and words of each feature; and rows with the features they hold, each pair once."""
    texts = [data.task.text(e.input)[:_CHARACTERS] for e in rows.examples]
    tokens = split_words(texts)
    size = np.diff(tokens.offsets)
    names = [("word", f"the word '{excerpt(word)}' stands in") for word in tokens.vocabulary]
    row, feature = [np.repeat(np.arange(len(texts)), size)], [tokens.ids.astype(np.int64)]

    def add(kind: str, said: str, where: Integers) -> None:
        row.append(where)
        feature.append(np.full(len(where), len(names)))
        names.append((kind, said))

    for name, form in _FORMS.items():
        add("word", f"{name} stands in", np.flatnonzero([form(text) for text in texts]))
    length = np.searchsorted(_LENGTHS, size, side="right") - 1
    for of in range(len(_LENGTHS)):
        add("word", f"{_length(of)} is the length of", np.flatnonzero(length == of))
    answered = defaultdict(list)
    for k, example in enumerate(rows.examples):
        for one in set(data.task.counted(example.target)) if example.target is not None else ():
            answered[one].append(k)
    for kind, name in sorted(answered):
        add("target", f"the {kind} '{excerpt(name)}' is that of", np.array(answered[kind, name], np.int64))
    return names, *_distinct(np.concatenate(row), np.concatenate(feature))


def _length(of: int) -> str:
    low, high = _LENGTHS[of], _LENGTHS[of + 1] - 1 if of + 1 < len(_LENGTHS) else None
    if low == 0:
        return "no word"
    return f"{low} words or more" if high is None else f"{low} to {high} words"


def _distinct(row: Integers, feature: Integers) -> tuple[Integers, Integers]:
    """Each pair once, in order."""
    wide = int(feature.max(initial=0)) + 1
    found = np.sort(row * wide + feature)
    row, feature = np.divmod(found[np.concatenate([np.ones(min(len(found), 1), bool), found[1:] != found[:-1]])], wide)
    return row, feature


def _told(name: str, one: tests.Unlike) -> str:
    return f"{name} {percent(one.train)} of train and {percent(one.test)} of test"


def said_of(findings: Sequence[Finding]) -> Iterator[str]:
    """The messages of findings of this kind."""
    yield from (one["message"] for one in findings if one["kind"] == "shift")
