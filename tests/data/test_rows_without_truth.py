"""Rows that hold no truth, however a file is written: rejected by an annotator, or with -1 for a label."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slmfit.data import load_data
from slmfit.data.added import add_rows
from slmfit.data.dataset import Dataset
from slmfit.data.layout import read_file
from slmfit.data.load import load_examples
from slmfit.errors import DataError

WORDS = "amber azure beige black brown coral cream green ivory khaki lilac mauve ochre olive pearl rouge".split()
FORMATS = ("jsonl", "jsonl.gz", "json", "csv", "tsv")  # Parquet is read in a process of its own: a few are enough
Rows = list[dict[str, Any]]


def text(i: int) -> str:
    return f"{WORDS[i % 16]} {WORDS[i // 16 % 16]} number {i} {WORDS[i * 7 % 16]}"


def write(path: Path, rows: Rows) -> Path:
    kind = path.name.removesuffix(".gz").rpartition(".")[2]
    if kind == "parquet":
        pl.DataFrame(rows, infer_schema_length=None, strict=False).write_parquet(path)
    elif kind in ("csv", "tsv"):
        flat = [{k: v if v is None or isinstance(v, str) else json.dumps(v) for k, v in row.items()} for row in rows]
        with path.open("w", newline="") as file:
            table = csv.DictWriter(file, list({k: 0 for row in rows for k in row}), delimiter=",\t"[kind == "tsv"])
            table.writeheader()
            table.writerows(flat)
    else:
        written = json.dumps(rows) if kind == "json" else "".join(json.dumps(row) + "\n" for row in rows)
        path.write_bytes(gzip.compress(written.encode()) if path.suffix == ".gz" else written.encode())
    return path


# --- an annotator's answers -------------------------------------------------------------------------------------------


def marked(i: int, kind: str, true: bool) -> dict[str, Any]:
    """A row with a label, or with a span; what is not true has a name of its own."""
    words = text(i)
    if kind == "label":
        return {"text": words, "label": "ab"[i % 2] if true else "WRONG"}
    return {"text": words, "spans": [{"start": 0, "end": len(words.split()[0]), "label": "A" if true else "WRONG"}]}


@st.composite
def annotated(draw: st.DrawFn) -> tuple[Rows, str, int, int]:
    """Rows in any order, with keys in any order: 30 that were accepted, and what was rejected and what ignored."""
    kind = draw(st.sampled_from(["label", "spans"]))
    rejected, ignored = draw(st.integers(0, 12)), draw(st.integers(0, 5))
    answers = draw(st.lists(st.sampled_from(["accept", " Accept", None, ""]), min_size=30, max_size=30))
    answers[0] = "accept"
    others = {"_input_hash": 17, "_session_id": "news-1", "priority": 0.5, "answers": "reject"}
    rows: Rows = []
    for i, answer in enumerate([*answers, *["reject"] * rejected, *["ignore"] * ignored]):
        row = {**marked(i, kind, i < 30), "answer": answer}
        if answer is None and draw(st.booleans()):
            del row["answer"]
        row |= {key: others[key] for key in draw(st.sets(st.sampled_from(sorted(others))))}
        rows.append({key: row[key] for key in draw(st.permutations(sorted(row)))})
    return draw(st.permutations(rows)), kind, rejected, ignored


def names(data: Dataset) -> set[str]:
    return set(data.task.labels)


def known(kind: str) -> Dataset:
    rows = [marked(i, kind, True) for i in range(100, 140)]
    return load_data(rows)


KNOWN = {kind: known(kind) for kind in ("label", "spans")}


@settings(max_examples=25, deadline=None)
@given(annotated(), st.sampled_from(FORMATS))
def test_what_was_rejected_is_read_as_true_by_nothing(case: tuple[Rows, str, int, int], ending: str) -> None:
    without_rejected(*case, ending)


@settings(max_examples=2, deadline=None)
@given(annotated())
def test_what_was_rejected_is_not_read_from_parquet_either(case: tuple[Rows, str, int, int]) -> None:
    without_rejected(*case, "parquet")


def without_rejected(rows: Rows, kind: str, rejected: int, ignored: int, ending: str) -> None:
    with TemporaryDirectory() as folder:
        path = write(Path(folder) / f"a.{ending}", rows)
        data, held = load_data(path), load_data(rows)
        notes: list[str] = []
        examples = load_examples(read_file(path, notes), KNOWN[kind].task, KNOWN[kind].origin, {}, notes, split="test")
        added = add_rows(KNOWN[kind], path)
    said = f"{rejected} reject" * (rejected > 0) + " and " * (min(rejected, ignored) > 0)
    said += f"{ignored} ignore" * (ignored > 0)
    for found in (data, held):
        assert "WRONG" not in names(found) and sum(map(len, found.splits.values())) == 30
    assert len(examples) == 30 and added.record["rows"] + added.record["left_out"] == 30
    for told in (data.notes, held.notes, notes, added.notes):
        assert [said in note for note in told if "Prodigy" in note] == [True] * (rejected + ignored > 0)


@pytest.mark.parametrize("other", [{"answer": "maybe"}, {"answer": "A"}, {"answer": 1}])
def test_an_answer_of_any_other_kind_is_no_annotators(other: dict[str, Any], tmp_path: Path) -> None:
    rows = [{**marked(i, "label", True), "answer": "reject"} for i in range(40)]
    rows[7] |= other
    assert sum(map(len, load_data(write(tmp_path / "a.jsonl", rows)).splits.values())) == 40


# --- -1 for a label ---------------------------------------------------------------------------------------------------

WRITINGS = {"integer": int, "text": str, "float": float, "text of a float": lambda n: f"{n}.0"}


def numbered(labels: list[int], writing: str, start: int = 0) -> Rows:
    return [{"text": text(start + i), "label": WRITINGS[writing](label)} for i, label in enumerate(labels)]


@settings(max_examples=25, deadline=None)
@given(st.data(), st.sampled_from(FORMATS))
def test_minus_one_means_none_where_train_does_not_know_it(data: st.DataObject, ending: str) -> None:
    refused(data, ending)


@settings(max_examples=2, deadline=None)
@given(st.data())
def test_minus_one_in_parquet_means_none_likewise(data: st.DataObject) -> None:
    refused(data, "parquet")


def refused(data: st.DataObject, ending: str) -> None:
    split = data.draw(st.sampled_from(["test", "validation"]))
    count, first = data.draw(st.integers(2, 5)), data.draw(st.integers(0, 1))
    ways = [data.draw(st.sampled_from(sorted(WRITINGS))) for _ in range(2)]
    train = [first + i % count for i in range(30)]
    hidden = data.draw(st.lists(st.booleans(), min_size=20, max_size=20))
    if data.draw(st.booleans()):
        hidden = [True] * 20
    held = [-1 if hide else train[i] for i, hide in enumerate(hidden)]
    with TemporaryDirectory() as folder:
        paths = [write(Path(folder) / f"{n}.{ending}", numbered(labels, way, 100 * n))
                 for n, (labels, way) in enumerate(zip((train, held), ways, strict=True))]  # fmt: skip
        if not any(hidden):
            assert load_data(paths[0], **{split: paths[1]}).task.labels == tuple(map(str, sorted(set(train))))
            return
        with pytest.raises(DataError) as caught:
            load_data(paths[0], **{split: paths[1]})
    if all(hidden):
        assert f"the {split} rows have no labels" in str(caught.value)
        assert ("leave the test file out" if split == "test" else "some of train is taken") in str(caught.value)
    else:
        assert "the label is -1, which no row of train has" in str(caught.value)
        assert f"line {hidden.index(True) + 1 + (ending in ('csv', 'tsv'))}" in str(caught.value) or ending == "json"


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_minus_one_is_a_label_where_train_has_it(data: st.DataObject) -> None:
    ending, ways = data.draw(st.sampled_from(FORMATS)), [data.draw(st.sampled_from(sorted(WRITINGS))) for _ in range(2)]
    train = data.draw(st.permutations([-1] * 6 + [0] * 10 + [1] * 10))
    held = data.draw(st.lists(st.sampled_from([-1, 0, 1]), min_size=6, max_size=20))
    if data.draw(st.booleans()):
        held = [-1] * 10
    with TemporaryDirectory() as folder:
        paths = [write(Path(folder) / f"{n}.{ending}", numbered(labels, way, 100 * n))
                 for n, (labels, way) in enumerate(zip((train, held), ways, strict=True))]  # fmt: skip
        found = load_data(paths[0], test=paths[1])
    assert found.task.labels == ("-1", "0", "1")
    assert [example.target for example in found.test] == [str(label) for label in held]


# --- offsets that count something else, where no word beside them says so ---------------------------------------------


def test_spans_inside_words_are_told_of_every_further_file(tmp_path: Path) -> None:
    """In UTF-16 units, after two emoji, every span of these texts ends one word's letter too far."""
    data = load_data([marked(i, "spans", True) | {"id": i} for i in range(60)])
    shifted = [{"text": f"😀😀{row['text']}", "spans": [{"start": 4, "end": 4 + row["spans"][0]["end"], "label": "A"}]}
               for row in (marked(i, "spans", True) for i in range(60, 90))]  # fmt: skip
    path = write(tmp_path / "utf16.jsonl", shifted)
    said = "30 of 30 spans begin or end inside a word; read as UTF-16 units, hardly any does. Convert the offsets"
    notes: list[str] = []
    load_examples(read_file(path, notes), data.task, data.origin, {}, notes, split="test")
    for told in (notes, add_rows(data, path).notes):
        assert any(said in note for note in told)
