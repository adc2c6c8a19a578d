"""Answers to other rows than those of the test split, where ids begin anew in each file."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path
from typing import Any

import pytest

from slmfit.data import load_data
from slmfit.data.dataset import Dataset
from slmfit.data.given import read_answers
from slmfit.errors import DataError

WORDS = "amber azure beige black brown coral cream green ivory khaki lilac mauve ochre olive pearl rouge".split()
SIZES = {"train": 60, "validation": 30, "test": 30}
Rows = list[dict[str, Any]]


def split_rows(first: int = 0) -> dict[str, Rows]:
    """Rows of three files whose ids begin anew in each."""
    rng = random.Random(7)
    return {
        split: [
            {"id": first + n, "text": " ".join(rng.choices(WORDS, k=8)) + f" {split} {n}", "label": rng.choice("abc")}
            for n in range(size)
        ]
        for split, size in SIZES.items()
    }


def loaded(rows: dict[str, Rows], ids: bool = True) -> Dataset:
    plain = rows if ids else {s: [{k: v for k, v in r.items() if k != "id"} for r in own] for s, own in rows.items()}
    return load_data(plain["train"], validation=plain["validation"], test=plain["test"])


def written(path: Path, answers: Rows) -> Path:
    if path.suffix == ".csv":
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(answers[0]))
            writer.writeheader()
            writer.writerows(answers)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in answers))
    return path


def answers(rows: Rows, **more: Any) -> Rows:
    return [{"id": row["id"], "prediction": row["label"], **more} for row in rows]


def right(path: Path, data: Dataset, notes: list[str]) -> float:
    found = read_answers(path, data, notes=notes)
    return sum(a.target == e.target for a, e in zip(found, data.test, strict=True)) / len(found)


@pytest.mark.parametrize("name", ["p.jsonl", "p.csv"])
@pytest.mark.parametrize("ids", [True, False])
def test_answers_to_trains_rows_are_refused_where_ids_begin_anew(tmp_path: Path, name: str, ids: bool) -> None:
    rows = split_rows(first=1)
    data = loaded(rows, ids)
    with pytest.raises(DataError, match="30 answers are to rows that only train or validation has, such as '31'"):
        read_answers(written(tmp_path / name, answers(rows["train"])), data)
    named = [row | {"id": f"{split}:{row['id']}"} for split, own in rows.items() for row in answers(own)]
    assert right(written(tmp_path / name, named), data, notes := []) == 1.0
    assert "90 of 120 answers (75.0 %) are to rows of train and validation" in notes[-1]


def test_a_column_split_beside_ids_that_begin_anew_says_which_rows_are_meant(tmp_path: Path) -> None:
    rows = split_rows()
    data = loaded(rows)
    every = [row for split, own in rows.items() for row in answers(own, split={"validation": "dev"}.get(split, split))]
    notes: list[str] = []
    assert right(written(tmp_path / "p.jsonl", every), data, notes) == 1.0
    assert notes[0] == "p.jsonl: 90 answers are not to test by the column 'split', and left out."
    assert not any("begin anew" in note for note in notes)
    with pytest.raises(DataError, match="no answer is to a row of test by its own column 'split'"):
        read_answers(written(tmp_path / "p.jsonl", answers(rows["validation"], split="validation")), data)


def test_answers_that_fit_another_split_of_the_same_ids_are_told_of(tmp_path: Path) -> None:
    rows = split_rows()
    data = loaded(rows)
    notes: list[str] = []
    assert right(written(tmp_path / "p.jsonl", answers(rows["validation"])), data, notes) < 0.6
    assert any("30 are those of the validation rows with the same ids" in note for note in notes)
    assert not any("answers to train" in note for note in notes)
    assert right(written(tmp_path / "p.jsonl", answers(rows["test"])), data, fine := []) == 1.0
    assert fine == [
        "p.jsonl: answers from column 'prediction', matched by id.",
        "p.jsonl: ids begin anew in each split, and '0' is taken for the row of test; call it test:0 to be sure.",
    ]


def test_texts_beside_the_ids_say_which_rows_are_meant(tmp_path: Path) -> None:
    rows = split_rows()
    told = [one | {"text": row["text"]} for one, row in zip(answers(rows["test"]), rows["test"], strict=True)]
    assert right(written(tmp_path / "p.jsonl", told), loaded(rows), notes := []) == 1.0
    assert notes == ["p.jsonl: answers from column 'prediction', matched by id."]


@pytest.mark.parametrize("key", ["id", "text"])
def test_answers_that_are_not_scored_are_counted(tmp_path: Path, key: str) -> None:
    rows = [{**row, "id": f"{split}-{row['id']}"} for split, own in split_rows().items() for row in own]
    data = load_data(rows)
    own = [{key: row[key], "prediction": row["label"]} for row in rows]
    nobody = [{key: f"nobody {n}", "prediction": "a"} for n in range(3)]
    assert right(written(tmp_path / "p.jsonl", own + nobody), data, notes := []) == 1.0
    assert notes[1].startswith(f"p.jsonl: {120 - len(data.test)} of 123 answers (")
    assert notes[1].endswith("are to rows of train and validation, and not scored.")
    assert "3 of 123 answers (2.4 %) have" in notes[2] and "that no row has" in notes[2]
