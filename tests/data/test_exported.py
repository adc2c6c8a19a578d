"""Files that the tools' own exporters wrote: tests/data/exported/README.md says which."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from reading import read
from ten_rows import MARKED, SAID

HERE = Path(__file__).parent / "exported"
PLACES = ["Rome", "Oslo", "روما", "Lima", "New York", "Kyiv", "Bern", "Paris"]
TOKENS = [place.replace("Kyiv", "Kyiv,") for place in PLACES]  # as that tool cuts words: at spaces
CANCELLED = 4  # of the ten rows, in Label Studio's
BODY, KIND = {"--text": "body"}, {"--text": "body", "--label": "kind"}


@pytest.mark.parametrize(("name", "columns", "rows", "places"), [
    ("studio.json", BODY, 9, PLACES), ("studio-min.json", BODY, 9, PLACES), ("studio.csv", BODY, 9, PLACES),
    ("studio-tabs.csv", BODY, 9, PLACES), ("spacy.jsonl", {}, 10, PLACES), ("spacy-biluo.jsonl", {}, 10, PLACES),
    ("doccano.txt", {}, 8, TOKENS), ("studio.conll", {}, 8, [p.replace("Lima", "Lima today") for p in PLACES]),
    ("datasets-io.parquet", {}, 10, ["my", "مرحبا", "late", "x", "e\u0301", "a,b", "c", '"q"', "1", "longer"]),
])  # fmt: skip
def test_entities_are_those_that_were_marked(name: str, columns: dict[str, str], rows: int, places: list[str]) -> None:
    task, examples, _ = read(HERE / name, columns)
    assert (task, len(examples)) == ("token-classification", rows)
    found = [str(e.input)[span.start : span.end] for e in examples for span in e.target.spans]
    assert found == places


@pytest.mark.parametrize(("name", "columns", "labels"), [
    ("studio-choices.json", BODY, {"billing": 4, "delivery": 4}),
    ("studio-choices-min.json", KIND, {"billing": 4, "delivery": 4}),
    ("studio-choices.csv", KIND, {"billing": 4, "delivery": 4}),
    ("datasets.jsonl", {}, {"0": 5, "1": 5}), ("datasets-split.json", {}, {"0": 5, "1": 5}),
    ("datasets.csv", {}, {"0": 5, "1": 5}),
])  # fmt: skip
def test_labels_are_those_that_were_chosen(name: str, columns: dict[str, str], labels: dict[str, int]) -> None:
    task, examples, _ = read(HERE / name, columns)
    assert (task, Counter(e.target for e in examples)) == ("text-classification", labels)


INTENT = {"--intent": "kind"}


@pytest.mark.parametrize(("name", "asked"), [
    ("studio-both.json", {}), ("studio-both-min.json", INTENT), ("studio-both.csv", INTENT),
])  # fmt: skip
def test_marks_and_a_choice_are_those_of_the_ten_rows(name: str, asked: dict[str, str]) -> None:
    kept = [(i, row) for i, row in enumerate(MARKED, 1) if i != CANCELLED]
    _, examples, _ = read(HERE / name, asked)
    found = [(e.input, tuple((s.start, s.end, s.label) for s in e.target.spans), e.target.intent) for e in examples]
    assert found == [(row.text, row.marks, ("billing", "other")[i % 2]) for i, row in kept]


def test_categories_are_those_of_the_ten_rows() -> None:
    _, examples, _ = read(HERE / "spacy-cats.jsonl")
    assert [(e.input, e.target) for e in examples] == [tuple(row) for row in SAID]
