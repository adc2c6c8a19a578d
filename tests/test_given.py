"""Answers the user brings: matched to the test rows, or refused with the place."""

import json

import pytest

from conftest import make_dataset
from slmfit.errors import DataError
from slmfit.given import read_answers


def test_questions_are_matched_by_id_alone(tmp_path):
    data = make_dataset("multiple-choice")
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(json.dumps({"prediction": e.target}) + "\n" for e in data.test))
    with pytest.raises(DataError, match="cannot be matched"):
        read_answers(path, data)
    path.write_text("".join(json.dumps({"id": e.id, "prediction": e.target}) + "\n" for e in data.test))
    assert [answer.target for answer in read_answers(path, data)] == [e.target for e in data.test]


def test_a_row_without_its_answer_or_its_id(tmp_path, data):
    rows = [{"id": e.id, "prediction": e.target} for e in data.test]
    path = tmp_path / "answers.jsonl"
    del rows[3]["prediction"]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert [answer.outcome for answer in read_answers(path, data)].count("invalid") == 1
    del rows[4]["id"]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(DataError, match="1 of 60 test rows have no answer"):
        read_answers(path, data)


def test_two_answers_to_one_row(tmp_path, data):
    rows = [{"id": e.id, "prediction": e.target} for e in data.test]
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in [*rows, rows[0]]))
    assert [answer.target for answer in read_answers(path, data)] == [e.target for e in data.test]
    other = next(label for label in data.task.labels if label != rows[0]["prediction"])
    path.write_text("".join(json.dumps(row) + "\n" for row in [*rows, {**rows[0], "prediction": other}]))
    with pytest.raises(DataError, match="line 61: another answer to the same id as on line 1"):
        read_answers(path, data)
