"""Answers the user brings: matched to the test rows, or refused with the place."""

import csv
import json
from dataclasses import replace

import pytest

from conftest import make_dataset
from slmfit.comparison.compare import train
from slmfit.data.given import read_answers
from slmfit.errors import DataError
from slmfit.records import Prediction
from slmfit.runs import predicting
from slmfit.tasks.answers import entity_columns, target_to_json
from slmfit.tasks.spans import join_tokens, tags_from_spans


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


# --- entities ---


def entity_rows(data, **more):
    return [{"id": e.id, **data.task.unparse(e), **more} for e in data.test]


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_entities_are_given_in_every_form_that_data_have(tmp_path):
    data = make_dataset("token-classification")
    truth = [e.target for e in data.test]
    path = tmp_path / "answers.jsonl"
    replies = {e.id: data.task.write(e.target, e.input) for e in data.test}
    forms = {
        "rows of data": entity_rows(data),
        "by text alone": [{k: v for k, v in row.items() if k != "id"} for row in entity_rows(data)],
        "tokens and tags": [
            {"id": e.id, "tokens": e.input.split(" "), "intent": e.target.intent,
             "tags": tags_from_spans(e.target.spans, join_tokens(e.input.split(" "))[1])} for e in data.test
        ],
        "predict": [{"text": e.input, **entity_columns(e.input, Prediction(e.target))} for e in data.test],
        "predictions.jsonl": [{"id": e.id, "prediction": target_to_json(e.target), "outcome": "ok"} for e in data.test],
        "a reply": [{"id": e.id, "prediction": replies[e.id]} for e in data.test],
        "a reply as JSON": [{"id": e.id, "prediction": json.loads(replies[e.id])} for e in data.test],
    }  # fmt: skip
    for form, rows in forms.items():
        if form == "by text alone" or form == "predict":  # one text may stand in several rows, with several answers
            rows = list({row["text"]: row for row in rows}.values())
            answers = read_answers(write(path, rows), data)
            assert [a.target.spans for a in answers] == [t.spans for t in truth], form
            continue
        assert [answer.target for answer in read_answers(write(path, rows), data)] == truth, form


def test_an_entity_without_a_place_stays_wrong_when_it_is_given(tmp_path):
    data = make_dataset("token-classification")
    rows = entity_rows(data, unplaced=[{"text": "Kyiv", "label": "CITY"}])
    answers = read_answers(write(tmp_path / "answers.jsonl", rows), data)
    scores = data.task.score([e.target for e in data.test], answers)
    assert scores.details["unplaced"] == len(data.test)
    assert scores.values["entity_precision"].value == pytest.approx(2 / 3)


def test_entities_that_do_not_fit_the_text_are_told_with_their_line(tmp_path):
    data = make_dataset("token-classification")
    rows = entity_rows(data)
    rows[4]["spans"] = [[0, 99, "CITY"]]
    with pytest.raises(DataError, match="line 5, column 'spans': span 1, 0 to 99, is outside"):
        read_answers(write(tmp_path / "answers.jsonl", rows), data)
    rows[4] = {"id": rows[4]["id"], "spans": None}
    assert read_answers(write(tmp_path / "answers.jsonl", rows), data)[4].outcome == "invalid"
    rows[4]["outcome"] = "refused"
    assert read_answers(write(tmp_path / "answers.jsonl", rows), data)[4].outcome == "refused"
    rows.append({**rows[0], "intent": "another"})
    with pytest.raises(DataError, match="line 61: another answer"):
        read_answers(write(tmp_path / "answers.jsonl", rows), data)


@pytest.mark.parametrize("form", ["spans", "tags"])
@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_what_predict_writes_beside_the_truth_is_what_counts(tmp_path, form, ending):
    data = make_dataset("token-classification")
    run = train(data, "majority", out=tmp_path / "out")
    rows = entity_rows(data)
    if form == "tags":
        places = [join_tokens(e.input.split(" "))[1] for e in data.test]
        tags = [tags_from_spans(e.target.spans, at) for e, at in zip(data.test, places, strict=True)]
        rows = [{"id": e.id, "tokens": e.input.split(" "), "tags": t, "intent": e.target.intent}
                for e, t in zip(data.test, tags, strict=True)]  # fmt: skip
    source, output = write(tmp_path / "labelled.jsonl", rows), tmp_path / f"answered.{ending}"
    predicting.predict_file(run, source, output)
    answers = [answer.target for answer in read_answers(output, data)]
    assert answers == [p.target for p in run.predict([e.input for e in data.test])]
    assert answers != [e.target for e in data.test]


def test_an_id_with_another_text_is_refused(tmp_path):
    data = make_dataset("token-classification")
    rows = entity_rows(data)
    rows[2]["text"] = "another text"
    with pytest.raises(DataError, match=r"line 3, column 'text': its text is not that of the test row") as caught:
        read_answers(write(tmp_path / "answers.jsonl", rows), data)
    assert "remove the column 'id'" in caught.value.fix


def test_what_predict_wrote_as_csv_is_read_where_there_are_no_intents(tmp_path):
    """Cells that hold nothing are empty there, and lists are JSON."""
    data = make_dataset("token-classification")
    data = replace(data, task=replace(data.task, intents=()), splits={
        split: tuple(replace(e, target=replace(e.target, intent=None)) for e in examples)
        for split, examples in data.splits.items()})  # fmt: skip
    path = tmp_path / "answers.csv"
    rows = [{"id": e.id, **entity_columns(e.input, Prediction(e.target, raw="x"))} for e in data.test]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(
            {k: v if v is None or isinstance(v, str) else json.dumps(v) for k, v in row.items()} for row in rows
        )
    assert rows[0]["unplaced"] == [] and rows[0]["intent"] is None
    assert [answer.target for answer in read_answers(path, data)] == [e.target for e in data.test]
