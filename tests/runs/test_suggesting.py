"""Answers in an annotation tool's own rows: taken as they are suggested, they are read as what was answered."""

import json
from types import SimpleNamespace

import pytest

from slmfit.data.annotated import accepted
from slmfit.data.columns import task_and_roles
from slmfit.data.layout import read_file
from slmfit.data.load import load_rows
from slmfit.records import Entities, Prediction, Source, Span
from slmfit.runs.predicting import predict_file
from slmfit.tasks.classification import TextClassification
from slmfit.tasks.tagging import TokenClassification

TEXTS = ("🙂 fly to Rome", "مرحبا", "no place", "to Oslo 👩‍🚀 and Lima")
MARKS = [
    Entities((Span(9, 13, "CITY"),)),
    Entities(),
    Entities((Span(3, 8, "PLACE"),)),
    Entities((Span(3, 7, "CITY"), Span(16, 20, "CITY"))),
]
LABELS = ("billing", "delivery", "billing", "other")


def run_of(answers, task):
    given = iter(answers)
    record = SimpleNamespace(origin=Source(), cascade=None, scored={"test": 1})
    return SimpleNamespace(task=task, record=record, predict=lambda inputs: [next(given) for _ in inputs])


def taken(row):
    """The row once an annotator has accepted what is suggested."""
    if "predictions" not in row:
        return row
    return {**row, "annotations": [{"was_cancelled": False, "result": row["predictions"][0]["result"]}]}


def studio(text, done=()):
    return {"id": 7, "data": {"text": text, "lang": "en"}, "annotations": list(done), "predictions": []}


MARKED = {
    "Label Studio": studio,
    "doccano": lambda text: {"id": 7, "text": text, "label": []},
    "doccano, relations": lambda text: {"id": 7, "text": text, "entities": [], "relations": [], "Comments": []},
    "Prodigy": lambda text: {"text": text, "_input_hash": 1, "_task_hash": 2},
}
CHOSEN = {
    "Label Studio": studio,
    "doccano": lambda text: {"id": 7, "text": text, "label": []},
    "Prodigy": lambda text: {"text": text, "_input_hash": 1, "options": [{"id": name} for name in set(LABELS)]},
    "Prodigy, one label": lambda text: {"text": text, "_input_hash": 1, "answer": "accept"},
}


@pytest.mark.parametrize("output", ["out.json", "out.jsonl"])
@pytest.mark.parametrize(("marks", "form"), [(m, f) for m, forms in ((1, MARKED), (0, CHOSEN)) for f in forms])
def test_what_is_suggested_is_what_was_answered(tmp_path, marks, form, output):
    task = TokenClassification(("CITY", "PLACE")) if marks else TextClassification(tuple(sorted(set(LABELS))))
    rows = [(MARKED if marks else CHOSEN)[form](text) for text in TEXTS]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    answers = [Prediction(target) for target in (MARKS if marks else LABELS)]
    notes = []
    assert predict_file(run_of(answers, task), tmp_path / "in.jsonl", tmp_path / output, notes=notes) == 4
    assert notes[-1].endswith(f"the answers stand where {form.split(',')[0]} takes suggestions from.")
    content = (tmp_path / output).read_text()
    written = json.loads(content) if output == "out.json" else [json.loads(line) for line in content.splitlines()]
    assert all(row.keys() <= new.keys() for row, new in zip(rows, written, strict=True))  # nothing of theirs is lost
    path = tmp_path / "taken.jsonl"
    path.write_text("".join(json.dumps(taken(row)) + "\n" for row in written))
    part = read_file(path, [])
    found, _ = task_and_roles({"train": accepted(part, [], [])}, None, {}, [])
    assert found.name == task.name
    assert [row.example.target for row in load_rows(part, found, Source(), {}, [], split="test")] == [
        answer.target for answer in answers
    ]


def test_names_of_the_labelling_interface_are_those_of_rows_that_have_some(tmp_path):
    region = {"from_name": "ner", "to_name": "doc", "type": "labels", "value": {"start": 0, "end": 1, "labels": ["X"]}}
    rows = [studio("to Rome"), studio("a", [{"result": [region]}])]
    (tmp_path / "in.json").write_text(json.dumps(rows))
    answers = [Prediction(Entities((Span(3, 7, "CITY"),)), span_probabilities=[0.5]), Prediction(None, "refused")]
    predict_file(run_of(answers, TokenClassification(("CITY",))), tmp_path / "in.json", tmp_path / "out.json")
    one, two = json.loads((tmp_path / "out.json").read_text())
    value = {"start": 3, "end": 7, "text": "Rome", "labels": ["CITY"]}
    expected = {"from_name": "ner", "to_name": "doc", "type": "labels", "value": value, "score": 0.5}
    assert one["predictions"] == [{"model_version": "slmfit", "result": [expected]}]
    assert two == {**rows[1], "predictions": []}


def test_what_a_person_chose_stays(tmp_path):
    rows = [{"text": "a", "label": [[0, 1, "X"]]}, {"text": "b", "label": []}]
    (tmp_path / "in.json").write_text(json.dumps(rows))
    answers = [Prediction(Entities()), Prediction(Entities((Span(0, 1, "CITY"),)))]
    predict_file(run_of(answers, TokenClassification(("CITY",))), tmp_path / "in.json", tmp_path / "out.json")
    assert [row["label"] for row in json.loads((tmp_path / "out.json").read_text())] == [
        [[0, 1, "X"]],
        [[0, 1, "CITY"]],
    ]


def test_other_rows_are_written_as_a_list(tmp_path):
    (tmp_path / "in.csv").write_text("text\na\nb\n")
    run = run_of([Prediction("other"), Prediction("billing")], TextClassification(("billing", "other")))
    predict_file(run, tmp_path / "in.csv", tmp_path / "out.json")
    assert [(row["text"], row["prediction"]) for row in json.loads((tmp_path / "out.json").read_text())] == [
        ("a", "other"), ("b", "billing"),
    ]  # fmt: skip
