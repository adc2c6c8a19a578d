"""Rows that a run learnt from, with a word more or in other letters, are told of by `evaluate`."""

import json
import random

import pytest

from slmfit.comparison.compare import train
from slmfit.data.load import load_data
from slmfit.runs.evaluation import evaluate
from slmfit.runs.predicting import predict_file

WORDS = [a + b for a in "ba de fi go ku la me ni po ra".split() for b in "ck ll mp nd rn st".split()]


def made(kind, seed, count=60):
    rng, rows = random.Random(seed), []
    for k in range(count):
        text = " ".join(rng.sample(WORDS, 12))
        spans = [[0, len(text.split()[0]), "AB"[k % 2]]]
        rows.append({
            "classes": {"text": text, "label": "ab"[k % 2]},
            "entities": {"text": text, "spans": spans},
            "questions": {"question": text, "options": ["warm", "cold"], "answer": "AB"[k % 2]},
        }[kind])  # fmt: skip
    return rows


@pytest.mark.parametrize("kind", ["classes", "entities", "questions"])
def test_near_twins_of_what_was_learnt_are_told(kind, tmp_path):
    path = tmp_path / "a.jsonl"
    rows = made(kind, 0)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    run = train(load_data(path), "majority", out=tmp_path / "o")
    key = "question" if kind == "questions" else "text"
    longer = [row | {key: row[key] + " thanks"} for row in rows]
    [note] = evaluate(run, longer).details["notes"]
    assert "48 of 60 rows (80.0 %) are nearly the same as rows that the run learnt from" in note
    [note] = evaluate(run, [row | {key: row[key].upper()} for row in rows]).details["notes"]
    assert "48 of 60 rows (80.0 %) are among those that the run learnt from" in note
    assert evaluate(run, made(kind, 1)).details["notes"] == []


def test_a_file_of_answers_tells_how_many_rows_were_learnt_from(tmp_path):
    path = tmp_path / "a.jsonl"
    rows = made("classes", 0)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    run = train(load_data(path), "majority", out=tmp_path / "o")
    half, other = tmp_path / "half.jsonl", tmp_path / "other.jsonl"
    half.write_text("".join(json.dumps(row) + "\n" for row in [*rows, *made("classes", 1)]))
    other.write_text("".join(json.dumps(row) + "\n" for row in made("classes", 1)))
    told = {file: [] for file in (half, other)}
    for file, notes in told.items():
        predict_file(run, file, tmp_path / "out.csv", notes=notes)
    assert "half.jsonl: 48 of 120 rows (40.0 %) are among those that the run learnt from" in told[half][0]
    assert told[other] == []
    path.unlink()  # what was learnt from is gone: nothing is said, and all is answered
    told[half].clear()
    assert predict_file(run, half, tmp_path / "out.csv", notes=told[half]) == 120 and told[half] == []
