"""Files as other people have them: what was read wrong without a word is read right, or refused."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slmfit.data import load_data
from slmfit.data.label_cells import LabelCells
from slmfit.data.layout import read_file
from slmfit.data.load import load_examples
from slmfit.data.offsets import in_code_points
from slmfit.data.readers.rows import Part
from slmfit.errors import DataError, Where
from slmfit.tasks import by_name

WORDS = "amber azure beige black brown coral cream green ivory khaki lilac mauve ochre olive pearl rouge".split()
TAGGING = by_name("token-classification")


def text(i: int) -> str:
    return f"{WORDS[i % 16]} {WORDS[i // 16 % 16]} number {i} {WORDS[i * 7 % 16]}"


def jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def csv(path: Path, labels: list[Any], start: int = 0) -> Path:
    path.write_text("text,label\n" + "".join(f'{text(start + i)},"{label}"\n' for i, label in enumerate(labels)))
    return path


def test_rows_that_prodigy_rejected_are_left_out(tmp_path: Path) -> None:
    rows = [{"text": text(i), "label": "ab"[i % 2], "answer": ["accept", "reject", "ignore"][i % 3]} for i in range(60)]
    path = jsonl(tmp_path / "a.jsonl", rows)
    data = load_data(path)
    assert sum(map(len, data.splits.values())) == 20
    assert any("40 rows left out by Prodigy's column 'answer': 20 reject and 20 ignore" in note for note in data.notes)
    notes: list[str] = []
    assert len(load_examples(read_file(path, []), data.task, data.origin, {}, notes, split="test")) == 20
    assert any("40 rows left out by Prodigy's column 'answer'" in note for note in notes)
    other = load_data(jsonl(tmp_path / "b.jsonl", [row | {"answer": "maybe" if i == 1 else row["answer"]}
                                                   for i, row in enumerate(rows)]))  # fmt: skip
    assert sum(map(len, other.splits.values())) == 60


def part(rows: list[dict[str, Any]]) -> dict[str, Part]:
    return {"train": Part("f", "", [(Where("f", n), row) for n, row in enumerate(rows, 1)], range(1, len(rows) + 1))}


@given(st.lists(st.tuples(st.text("😀é a", max_size=6), st.sampled_from(WORDS)), min_size=1, max_size=8),
       st.sampled_from(["text", "value", "word"]), st.sampled_from([1, 2]), st.booleans())  # fmt: skip
def test_offsets_in_utf16_are_read_by_the_spans_own_words(rows: Any, key: str, unit: int, written: bool) -> None:
    made = []
    for before, word in rows:
        start = len(before) if unit == 1 else len(before.encode("utf-16-le")) // 2
        spans = [{"start": start, "end": start + len(word), "label": "X", key: word}]
        made.append({"text": before + word + " 😀", "spans": json.dumps(spans) if written else spans})
    found = in_code_points(part(made), TAGGING, {"text": "text", "spans": "spans"}, [])["train"]
    for (where, row), (_, word) in zip(found.rows, rows, strict=True):
        example = TAGGING.parse(row, where, "1")
        [span] = example.target.spans  # type: ignore[union-attr]
        assert str(example.input)[span.start : span.end] == word


def test_spans_that_are_not_their_own_words_are_refused_with_both() -> None:
    row = {"text": "see An Nguyen", "spans": [{"start": 1, "end": 2, "label": "P", "word": "Nguyen"}]}
    with pytest.raises(DataError, match="'e' in the text, but 'Nguyen' by its own 'word'"):
        TAGGING.parse(row, Where("f", 1), "1")


@pytest.mark.parametrize("cell", ["-1", -1, "", None])
def test_test_rows_without_labels_are_refused(tmp_path: Path, cell: Any) -> None:
    train = jsonl(tmp_path / "train.jsonl", [{"text": text(i), "label": i % 3} for i in range(60)])
    test = jsonl(tmp_path / "test.jsonl", [{"text": text(i), "label": cell} for i in range(60, 90)])
    with pytest.raises(DataError, match=r"the test rows have no labels\n.*test on validation, or leave the test file"):
        load_data(train, test=test)


def test_minus_one_is_a_label_where_train_has_it(tmp_path: Path) -> None:
    train = csv(tmp_path / "train.csv", [-1, 0, 1] * 20)
    assert load_data(train, test=csv(tmp_path / "test.csv", [-1] * 9, 60)).task.labels == ("-1", "0", "1")
    with pytest.raises(DataError, match=r"line 4.*beside labels that are names"):
        load_data(csv(tmp_path / "names.csv", ["a", "b", -1] * 20))


@pytest.mark.parametrize("cell", ["['joy', 'anger']", "[1, 0, 1]", "[1 0 1]", "['joy' 'anger']", "('joy', 'anger')"])
def test_a_list_in_a_cell_is_several_labels(tmp_path: Path, cell: str) -> None:
    with pytest.raises(DataError, match="several labels"):
        load_data(csv(tmp_path / "a.csv", [cell, "['joy']"] * 30))


def read(cells: list[Any], *files: list[Any], known: tuple[str, ...] = ()) -> list[str]:
    labels = LabelCells([cells, *files], known)
    return [labels.read(cell, Where("f", 1)) for cell in cells]


def test_a_list_of_one_is_that_one_and_a_class_written_so_stays() -> None:
    assert read(["['joy']", '["anger"]']) == read([["joy"], ["anger"]]) == ["joy", "anger"]
    assert read(["[1]", "joy", "[1]"]) == ["[1]", "joy", "[1]"]
    assert read(["['joy']", "joy"]) == ["joy", "joy"]


def test_one_rule_for_numbers_and_truths() -> None:
    assert read([1, 1.0, "1", "1.0", "1.5"]) == ["1", "1", "1", "1", "1.5"]
    assert read(["1.0", "b"], ["1", "2"]) == ["1", "b"]
    assert read(["1.0", "b"]) == ["1.0", "b"]
    assert read(["True", "False"], [True, False]) == ["true", "false"]
    assert read(["1", "1.0", 1.0], known=("0.0", "1.0")) == ["1.0", "1.0", "1.0"]
    assert by_name("text-classification").with_labels(["0", "1"]).form().read("1.0", "").target == "1"


def test_a_folder_of_unlabelled_texts_is_no_class_and_gzipped_texts_are_read(tmp_path: Path) -> None:
    for i in range(60):
        folder = tmp_path / "d" / ["good", "bad", "unsup"][i % 3]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{i}.txt.gz").write_bytes(gzip.compress(text(i).encode()))
    data = load_data(tmp_path / "d")
    assert data.task.labels == ("bad", "good")
    assert any("20 texts in unsup left out" in note for note in data.notes)
    assert str(data.train[0].input).split()[0] in WORDS


@pytest.mark.parametrize(("one", "two"), [
    ("sentence1", "sentence2"), ("question", "sentence"), ("premise", "hypothesis"), ("instruction", "input"),
])  # fmt: skip
def test_two_texts_are_one_input(tmp_path: Path, one: str, two: str) -> None:
    rows = [{one: text(i), two: f"then {i}", "label": "ab"[i % 2]} for i in range(60)]
    data = load_data(jsonl(tmp_path / "a.jsonl", rows))
    assert all("\nthen " in str(example.input) for split in data.splits.values() for example in split)
    assert any(f"{one!r} and then {two!r}" in note for note in data.notes)


def test_a_line_sep_and_a_comma_in_the_header_of_semicolons(tmp_path: Path) -> None:
    body = "".join(f"{text(i)};{'ab'[i % 2]};1\n" for i in range(60))
    for head in ("sep=;\ntext;label;score\n", "text;label;score, in %\n"):
        path = tmp_path / "a.csv"
        path.write_text(head + body)
        assert load_data(path).task.labels == ("a", "b")


def test_a_key_that_is_there_twice_is_noted(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("".join(f'{{"text":"{text(i)}","label":"z","label":"{"ab"[i % 2]}"}}\n' for i in range(60)))
    assert any("60 objects name a key twice" in note and "'label' on line 1" in note for note in load_data(path).notes)
