"""Rows that nobody annotated are left out and counted; what was annotated and has no marks has no entities."""

from slmfit.data.annotated import accepted
from slmfit.data.readers.exports import flat
from slmfit.data.readers.rows import Part
from slmfit.errors import Where


def kept(rows):
    """Those that are left, and the notes."""
    notes = []
    placed = [(Where("a", n), flat(row)[0]) for n, row in enumerate(rows, 1)]
    part = accepted(Part("a", "", placed, range(1, len(rows) + 1)), [], notes)
    return dict(zip(part.numbers, [cells for _, cells in part.rows], strict=True)), notes


def task(*marks, **more):
    answers = [{"type": kind, "value": value} for kind, value in marks]
    return {"id": 1, "data": {"text": "Rome", "id": "mine"}, "annotations": [{"result": answers}], **more}


CITY = ("labels", {"start": 0, "end": 4, "text": "Rome", "labels": ["CITY"]})
CHOICE = ("choices", {"choices": ["pos"]})


def test_tasks_of_label_studio():
    rows, notes = kept([task(CHOICE), task(), task() | {"annotations": []}, task(CHOICE)])
    assert list(rows) == [1, 4] and rows[1]["id"] == "mine"
    assert notes == ["a: 1 row left out: not annotated yet.", "a: 1 row left out: nothing is chosen there."]
    rows, notes = kept([task(CITY), task(), task() | {"annotations": []}])
    assert list(rows) == [1, 2] and rows[2]["spans"] == [] and len(notes) == 1


def test_choices_beside_marks_are_intents_in_every_row():
    rows, notes = kept([task(CITY, CHOICE), task(CHOICE), task(CITY)])
    assert [row.get("intent") for row in rows.values()] == ["pos", "pos", None] and not notes
    assert [len(row["spans"]) for row in rows.values()] == [1, 0, 1]


def test_json_min_and_doccano():
    mark = {"start": 0, "end": 4, "labels": ["CITY"]}
    rows, notes = kept([{"text": "Rome", "ner": [mark], "annotation_id": 1}, {"text": "a", "annotation_id": 2},
                        {"text": "b", "annotation_id": None}])  # fmt: skip
    assert [row["spans"] for row in rows.values()] == [[mark], []] and len(notes) == 1
    rows, notes = kept([{"text": "a", "sentiment": "x", "annotation_id": 1}, {"text": "b", "annotation_id": 2}])
    assert list(rows) == [1] and notes == ["a: 1 row left out: nothing is chosen there."]
    rows, notes = kept([{"text": "a", "label": ["x"]}, {"text": "b", "label": []}])
    assert list(rows) == [1] and len(notes) == 1


def test_where_no_row_has_an_answer_none_is_left_out():
    assert kept([{"text": "a", "label": []}] * 2)[1] == kept([task() | {"annotations": []}] * 2)[1] == []
