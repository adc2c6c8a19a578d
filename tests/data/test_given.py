"""Answers the user brings: matched to the test rows, or refused with the place."""

import csv
import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, settings
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from conftest import make_dataset
from slmfit.comparison.compare import train
from slmfit.data.answer_column import ASIDE
from slmfit.data.given import read_answers
from slmfit.data.load import load_data
from slmfit.errors import DataError, UsageError
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


@pytest.mark.parametrize(
    ("task", "column"),
    [("text-classification", "sentence"), ("text-classification", "Text"), ("multiple-choice", "question")],
)
def test_answers_with_the_texts_of_other_rows_beside_their_ids_are_refused(tmp_path, task, column):
    """Ids counted anew after the rows were shuffled: right by their texts, scored against other rows."""
    data = make_dataset(task)
    path = tmp_path / "answers.jsonl"

    def written(order, texts):
        rows = [{"id": e.id, column: texts(t), "prediction": t.target}
                for e, t in zip(data.test, data.test[::order], strict=True)]  # fmt: skip
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    def told(example):
        return getattr(example.input, "question", example.input)

    written(1, told)
    assert [answer.target for answer in read_answers(path, data)] == [e.target for e in data.test]
    written(-1, told)
    with pytest.raises(DataError, match="its text is that of another row"):
        read_answers(path, data)
    written(1, lambda example: f"You are a helpful judge. {told(example)}")  # a prompt under such a name
    assert len(read_answers(path, data)) == len(data.test)


@pytest.mark.parametrize(("spans", "intent"), [("predicted_spans", "predicted_intent"), ("gpt", "intent_pred")])
def test_the_truths_intent_beside_another_is_not_the_answer(tmp_path, spans, intent):
    data = make_dataset("token-classification")
    assert len(data.task.intents) > 1
    wrong = {e.id: next(i for i in data.task.intents if i != e.target.intent) for e in data.test}
    path, notes = tmp_path / "answers.jsonl", []
    rows = [{"id": e.id, spans: target_to_json(e.target)["spans"], "intent": e.target.intent, intent: wrong[e.id],
             "gold_intent": e.target.intent} for e in data.test]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert [answer.target.intent for answer in read_answers(path, data, notes=notes)] == list(wrong.values())
    assert f"intents from {intent!r}" in notes[0]
    path.write_text("".join(json.dumps({**row, "other_intent": wrong[row["id"]]}) + "\n" for row in rows))
    with pytest.raises(DataError, match="several columns could hold the intents"):
        read_answers(path, data)


@pytest.mark.parametrize("key", ["options", "choices", "columns"])
def test_letters_of_options_in_another_order_are_refused(tmp_path, key):
    """As options are shuffled against a model's bias for a place: every answer right there was 0 % here."""
    data = make_dataset("multiple-choice")
    path = tmp_path / "answers.jsonl"

    def written(order):
        texts = {e.id: list(e.input.options.values())[::order] for e in data.test}
        shown = {
            id: {key: own} if key != "columns" else dict(zip("ABC", own, strict=False)) for id, own in texts.items()
        }
        rows = [{"id": e.id, **shown[e.id], "prediction": e.target} for e in data.test]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    written(1)
    assert [answer.target for answer in read_answers(path, data)] == [e.target for e in data.test]
    written(-1)
    with pytest.raises(DataError, match="in another order, so its letter is another one"):
        read_answers(path, data)


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
    replies = {e.id: data.task.form().write(e.target, e.input) for e in data.test}
    forms = {
        "rows of data": entity_rows(data),
        "by text alone": [{k: v for k, v in row.items() if k != "id"} for row in entity_rows(data)],
        "tokens and tags": [
            {"id": e.id, "tokens": e.input.split(" "), "intent": e.target.intent,
             "tags": tags_from_spans(e.target.spans, join_tokens(e.input.split(" "))[1])} for e in data.test
        ],
        "predict": [{"text": e.input, **entity_columns(Prediction(e.target), e.input)} for e in data.test],
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
    rows = [{"id": e.id, **entity_columns(Prediction(e.target, raw="x"), e.input)} for e in data.test]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(
            {k: v if v is None or isinstance(v, str) else json.dumps(v) for k, v in row.items()} for row in rows
        )
    assert rows[0]["unplaced"] == [] and rows[0]["intent"] is None
    assert [answer.target for answer in read_answers(path, data)] == [e.target for e in data.test]


# --- which column, and which rows ---


def as_csv(path, columns, rows):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
    return path


def wrong(data, example):
    return next(label for label in data.task.labels if label != example.target)


NAMES = [
    "gpt",
    "pred",
    "y_pred",
    "completion",
    "predicted_class",
    "model_answer",
    "my-model v2",
    "prediction",
    "Answers",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_the_truth_beside_the_answers_is_not_scored(tmp_path, data, name, form):
    rows = [{"id": e.id, "label": e.target, name: wrong(data, e)} for e in data.test]
    path, notes = tmp_path / f"answers.{form}", []
    if form == "csv":
        as_csv(path, rows[0], [row.values() for row in rows])
    else:
        write(path, rows)
    answers = read_answers(path, data, notes=notes)
    assert not any(a.target == e.target for a, e in zip(answers, data.test, strict=True))
    assert notes == [f"answers.{form}: answers from column {name!r}, matched by id."]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@hypothesis_given(
    name=st.text(st.characters(codec="ascii", exclude_characters="\r\n", exclude_categories=["Cc"]), min_size=1),
    place=st.integers(0, 3),
    key=st.sampled_from(["id", "text"]),
)
def test_whatever_the_column_of_answers_is_called(tmp_path, data, name, place, key):
    known = {"id", "outcome", *ASIDE, *(c for names in data.task.roles.values() for c in names)}
    assume(name.strip() and name.strip().lower() not in known and not name.startswith("slmfit_"))
    columns = [key, "label", "note"]
    columns.insert(place, name)
    cells = {e.id: {"id": e.id, "text": e.input, "label": e.target, "note": f"row {e.id}", name: wrong(data, e)}
             for e in data.test}  # fmt: skip
    path = as_csv(tmp_path / "answers.csv", columns, [[cells[e.id][c] for c in columns] for e in data.test])
    answers = read_answers(path, data)
    assert [answer.target for answer in answers] == [wrong(data, e) for e in data.test]


@pytest.mark.parametrize(
    ("task", "role"),
    [("text-classification", "label"), ("multiple-choice", "answer"), ("token-classification", "spans")],
)
def test_truths_beside_the_answers_that_are_those_of_other_rows_are_remarked_on(tmp_path, task, role):
    """Ids counted anew in a file that was shuffled: what stands beside them as the truth gives it away."""
    data = make_dataset(task)
    data = replace(data, source={"columns": {role: role}})
    own = [e.target for e in data.test]
    for shift, remarked in ((0, False), (1, True)):
        truths = own[shift:] + own[:shift]
        cells = [t if isinstance(t, str) else target_to_json(t)["spans"][shift:] for t in truths]
        path, notes = tmp_path / "a.jsonl", []
        said = [] if task == "token-classification" else own[0]
        write(path, [{"id": e.id, role: cell, "prediction": said} for e, cell in zip(data.test, cells, strict=True)])
        read_answers(path, data, notes=notes)
        assert any("is not the truth of the test row that the id names" in note for note in notes) == remarked, notes


@pytest.mark.parametrize("named, other", [("answer", "response"), ("output", "generated_text"),
                                          ("prediction", "prediction_gpt")])  # fmt: skip
@pytest.mark.parametrize("relabelled", [0, 1])
def test_no_name_of_answers_hides_that_another_column_holds_some(tmp_path, data, named, other, relabelled):
    """Truths under `answer` beside a model's `response` scored 100 %."""
    said = [wrong(data, e) if n < relabelled else e.target for n, e in enumerate(data.test)]
    path, notes = tmp_path / "a.csv", []
    as_csv(path, ["id", named, other], [(e.id, one, wrong(data, e)) for e, one in zip(data.test, said, strict=True)])
    if named == "prediction" and relabelled:  # our own name for answers
        assert [a.target for a in read_answers(path, data, notes=notes)] == said
        assert f"{other!r} holds answers, too" in notes[-1]
        return
    with pytest.raises(DataError, match=f"several columns could hold the answers: '{named}', '{other}'"):
        read_answers(path, data)
    assert [a.target for a in read_answers(path, data, columns={"prediction": named})] == said


def test_a_label_is_the_answer_only_where_nothing_else_can_be(tmp_path, data):
    path = as_csv(tmp_path / "a.csv", ["id", "label"], [(e.id, wrong(data, e)) for e in data.test])
    assert [a.target for a in read_answers(path, data)] == [wrong(data, e) for e in data.test]
    as_csv(path, ["id", "label"], [(e.id, e.target) for e in data.test])
    assert [a.target for a in read_answers(path, data)] == [e.target for e in data.test]
    as_csv(path, ["id", "label", "gpt"], [(e.id, e.target, "sorry") for e in data.test])
    with pytest.raises(DataError, match="is the truth in every row, and 'gpt' could be meant"):
        read_answers(path, data)
    assert {a.outcome for a in read_answers(path, data, columns={"prediction": "gpt"})} == {"invalid"}
    as_csv(path, ["id", "label", "a", "b"], [(e.id, e.target, e.target, wrong(data, e)) for e in data.test])
    with pytest.raises(DataError, match="several columns could hold the answers: 'a', 'b'"):
        read_answers(path, data)
    assert [a.target for a in read_answers(path, data, columns={"prediction": "b"})] == [
        wrong(data, e) for e in data.test
    ]
    with pytest.raises(DataError, match="no column 'c'"):
        read_answers(path, data, columns={"prediction": "c"})
    with pytest.raises(UsageError, match="no column for 'lable'"):
        read_answers(path, data, columns={"lable": "b"})


def test_spans_beside_predicted_spans_are_the_truth(tmp_path):
    data = make_dataset("token-classification")
    rows = [{**row, "predicted_spans": []} for row in entity_rows(data)]
    answers = read_answers(write(tmp_path / "answers.jsonl", rows), data)
    assert all(answer.target.spans == () for answer in answers)


def loaded(tmp_path, ids=None):
    """A dataset from a file, with ids or without: 80 rows, of which some are test rows."""
    data = make_dataset(sizes=(80, 0, 0))
    rows = [{"text": f"{e.input} no {n}", "label": e.target} for n, e in enumerate(data.train)]
    for row, id in zip(rows, ids or (), strict=False):
        row["id"] = id
    return load_data(write(tmp_path / "data.jsonl", rows))


@pytest.mark.parametrize("first", [0, 1])
def test_rows_without_ids_are_counted_from_one(tmp_path, first):
    data = loaded(tmp_path)
    every = {int(e.id): e.target for split in data.splits.values() for e in split}
    path = write(tmp_path / "a.jsonl", [{"id": n - 1 + first, "gpt": every[n]} for n in sorted(every)])
    if first:
        assert [a.target for a in read_answers(path, data)] == [e.target for e in data.test]
    else:
        with pytest.raises(DataError, match=r"line 1, column 'id': '0' is no row .* counted from 1"):
            read_answers(path, data)


def test_ids_that_stand_on_several_rows_match_nothing(tmp_path):
    data = loaded(tmp_path, ids=[1, 1, *range(2, 80)])
    rows = [{"id": n, "gpt": "billing"} for n in range(1, 81)]
    with pytest.raises(DataError, match="stand on several rows"):
        read_answers(write(tmp_path / "a.jsonl", rows), data)
    rows = [{"id": n, "text": e.input, "gpt": e.target} for n, e in enumerate(data.test)]
    notes = []
    answers = read_answers(write(tmp_path / "a.jsonl", rows), data, notes=notes)
    assert [a.target for a in answers] == [e.target for e in data.test] and "matched by text" in notes[0]


def test_prodigys_answer_is_no_answer(data, tmp_path):
    rows = [{"text": e.input, "label": e.target, "answer": "reject" if i % 3 else "accept"}
            for i, e in enumerate(data.test)]  # fmt: skip
    rows[0]["label"] = next(label for label in data.task.labels if label != rows[0]["label"])
    path, notes = tmp_path / "model.jsonl", []
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    answers = read_answers(path, data, notes=notes)
    assert [a.target for a in answers] == [row["label"] for row in rows] and "column 'label'" in notes[0]


@hypothesis_given(st.permutations(range(1, 31)), st.sampled_from(["ID", "ticket_id", "Id", "column 1", "index"]))
def test_ids_of_another_column_are_no_numbers_of_rows(tmp_path_factory, numbers, column):
    assume(numbers != sorted(numbers))
    rows = [{column: n, "text": f"words number {n}", "label": "ab"[n % 2]} for n in numbers]
    data = load_data([{"text": f"other words {i}", "label": "ab"[i % 2]} for i in range(40)], test=rows)
    path = tmp_path_factory.mktemp("a") / "p.jsonl"
    answers = [{"id": row[column], "prediction": row["label"]} for row in rows]
    path.write_text("".join(json.dumps(row) + "\n" for row in answers))
    with pytest.raises(DataError, match=f"the data's column '{column}' has these ids too"):
        read_answers(path, data)
    path.write_text("".join(json.dumps({**row, "text": f"words number {row['id']}"}) + "\n" for row in answers))
    with pytest.raises(DataError, match="its text is not that of the test row"):
        read_answers(path, data)


def test_numbers_of_rows_are_said_to_be_counted(tmp_path):
    rows = [{"n": i, "text": f"words number {i}", "label": "ab"[i % 2]} for i in range(1, 31)]
    data = load_data([{"text": f"other words {i}", "label": "ab"[i % 2]} for i in range(40)], test=rows)
    path, notes = tmp_path / "p.jsonl", []
    path.write_text("".join(json.dumps({"id": i, "prediction": "a"}) + "\n" for i in range(1, 31)))
    read_answers(path, data, notes=notes)
    assert notes == ["p.jsonl: answers from column 'prediction', matched by id (rows of the data, counted from 1)."]


@pytest.mark.parametrize("beside", [{"id": "batch_req_{}"}, {}])
def test_the_column_that_holds_the_ids_is_named(tmp_path, data, beside):
    data = replace(data, source={"ids": "column"})
    path = tmp_path / "answers.jsonl"
    rows = [{k: v.format(i) for k, v in beside.items()} | {"custom_id": e.id, "prediction": e.target}
            for i, e in enumerate(data.test)]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(DataError, match="the column 'custom_id' holds the ids of the test rows: call it 'id'"):
        read_answers(path, data)
    path.write_text("".join(json.dumps(row | {"id": f"x{i}", "custom_id": 0}) + "\n" for i, row in enumerate(rows)))
    with pytest.raises(DataError, match="where they have others, such as 'x0', 'x1'"):
        read_answers(path, data)


def test_of_two_columns_of_answers_one_must_be_readable(tmp_path, data):
    rows = [{"id": e.id, "prediction": i % 3, "prediction_label": e.target} for i, e in enumerate(data.test)]
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(DataError, match="no answer in 'prediction' can be read, and 'prediction_label' could be meant"):
        read_answers(path, data)
    named = read_answers(path, data, columns={"prediction": "prediction_label"})
    assert [answer.target for answer in named] == [e.target for e in data.test]


def test_the_column_that_is_told_of_is_the_one_that_was_read(tmp_path, data):
    path, notes = tmp_path / "answers.jsonl", []
    rows = [{"id": e.id, "prediction": "wrong", "slmfit_prediction": "worse", "slmfit_slmfit_prediction": e.target}
            for e in data.test]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert [answer.target for answer in read_answers(path, data, notes=notes)] == [e.target for e in data.test]
    assert notes[0] == "answers.jsonl: answers from column 'slmfit_slmfit_prediction', matched by id."


def test_beside_the_truth_another_column_by_a_truths_name_holds_the_answers(tmp_path):
    rows = [{"id": i, "text": f"card number {i} of {i % 7}", "intent": "ab"[i % 2]} for i in range(60)]
    data = load_data(rows)
    path, notes = tmp_path / "answers.jsonl", []
    answers = [{"id": e.id, "intent": e.target, "label": "a"} for e in data.test]
    path.write_text("".join(json.dumps(row) + "\n" for row in answers))
    assert {answer.target for answer in read_answers(path, data, notes=notes)} == {"a"}
    assert "answers from column 'label'" in notes[0]
    swapped = [{**row, "intent": "a", "label": row["intent"]} for row in answers]
    path.write_text("".join(json.dumps(row) + "\n" for row in swapped))
    assert {answer.target for answer in read_answers(path, data)} == {"a"}
    path.write_text("".join(json.dumps(row | {"intent": "b"}) + "\n" for row in answers))
    with pytest.raises(DataError, match="several columns could hold the answers: 'intent', 'label'"):
        read_answers(path, data)


def test_what_is_predicted_of_spans_under_label_is_read_back(tmp_path):
    rows = [{"id": i, "text": f"go {i} to Rome", "label": [[len(f"go {i} to "), len(f"go {i} to Rome"), "CITY"]]}
            for i in range(60)]  # fmt: skip
    data = load_data(rows)
    run = train(data, "majority", out=tmp_path / "out")
    source, answers, notes = tmp_path / "in.jsonl", tmp_path / "answers.jsonl", []
    source.write_text("".join(json.dumps(rows[int(e.id)]) + "\n" for e in data.test))
    predicting.predict_file(run, source, answers)
    assert all(not answer.target.spans for answer in read_answers(answers, data, notes=notes))
    assert "answers from column 'spans'" in notes[0]


# --- as pipelines answer ---

PIPELINES = {
    "an object": lambda label: {"label": label, "score": 0.9},
    "a list of one": lambda label: [{"label": label, "score": 0.9}],
    "all scores": lambda label: [{"label": "zzz", "score": 0.1}, {"score": 0.8, "label": label}],
    "the label in a list": lambda label: [label],
}


@pytest.mark.parametrize("form", PIPELINES)
@pytest.mark.parametrize("written", ["as JSON", "in a cell", "as Python writes it"])
def test_labels_with_their_scores(tmp_path, data, form, written):
    cells = [PIPELINES[form](e.target) for e in data.test]
    as_text = {"as JSON": lambda cell: cell, "in a cell": json.dumps, "as Python writes it": str}[written]
    path = tmp_path / "answers.jsonl"
    rows = [{"id": e.id, "prediction": as_text(cell)} for e, cell in zip(data.test, cells, strict=True)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert [answer.target for answer in read_answers(path, data)] == [e.target for e in data.test]


def test_what_prodigy_rejected_is_an_answer_and_that_is_said(tmp_path, data):
    rows = [
        {"text": e.input, "label": e.target, "answer": ["accept", "reject"][i % 2]} for i, e in enumerate(data.test)
    ]
    path, notes = tmp_path / "answers.jsonl", []
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert [answer.target for answer in read_answers(path, data, notes=notes)] == [e.target for e in data.test]
    assert "answers.jsonl: Prodigy's column 'answer' is not used: what was rejected is an answer, too." in notes


def test_two_answers_to_one_id_are_not_to_be_matched_by_id(tmp_path, data):
    rows = [{"id": e.id, "prediction": label} for label in data.task.labels for e in data.test]
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(DataError, match=r"another answer to the same id as on line \d+\n  fix: keep one of them$"):
        read_answers(path, data)


@pytest.mark.parametrize("name", ["gold", "y_true", "truth", "expected", "correct_answer"])
def test_the_truth_by_another_name_is_not_the_answer(tmp_path, data, name):
    """`label` holds what the model said, as it often does where somebody put the truth beside it."""
    path = as_csv(tmp_path / "a.csv", ["id", "label", name], [(e.id, wrong(data, e), e.target) for e in data.test])
    notes = []
    assert [a.target for a in read_answers(path, data, notes=notes)] == [wrong(data, e) for e in data.test]
    assert notes == ["a.csv: answers from column 'label', matched by id."]
    first = data.test[0].id  # a truth that somebody corrected
    cells = [(e.id, wrong(data, e), wrong(data, e) if e.id == first else e.target) for e in data.test]
    as_csv(path, ["id", "label", name], cells)
    assert [a.target for a in read_answers(path, data)] == [wrong(data, e) for e in data.test]


def test_answers_as_tokens_and_tags_are_matched_by_their_tokens(tmp_path):
    data = make_dataset("token-classification")
    rows = {}
    for e in data.test:
        tokens = e.input.split(" ")
        rows[e.input] = {"tokens": tokens, "tags": tags_from_spans(e.target.spans, join_tokens(tokens)[1])}
    path = tmp_path / "a.jsonl"
    write(path, list(rows.values()))
    by_text = {e.input: e.target.spans for e in data.test}
    assert [a.target.spans for a in read_answers(path, data)] == [by_text[e.input] for e in data.test]


def test_an_answer_that_is_a_list_keeps_what_it_was(tmp_path, data):
    path = tmp_path / "a.jsonl"
    write(path, [{"id": e.id, "prediction": [e.target, wrong(data, e)]} for e in data.test])
    answers = read_answers(path, data)
    assert {a.outcome for a in answers} == {"invalid"} and answers[0].raw.startswith("[")


@pytest.mark.parametrize(("task", "column"), [("multiple-choice", "text"), ("text-classification", "comment")])
def test_texts_of_other_rows_are_seen_whatever_their_column(tmp_path, task, column):
    data = make_dataset(task)
    texts = [data.task.unparse(e).get("question", e.input) for e in data.test]
    path = tmp_path / "a.jsonl"
    rows = [{"id": e.id, column: own, "prediction": e.target} for e, own in zip(data.test, texts, strict=True)]
    write(path, rows)
    read_answers(path, data)
    write(path, [{**row, column: own} for row, own in zip(rows, texts[7:] + texts[:7], strict=True)])
    with pytest.raises(DataError, match="its text is that of another row"):
        read_answers(path, data)


def test_ids_that_no_row_has_are_told_of(tmp_path):
    """Answers to rows counted from 0, where the data's own ids begin at 1."""
    rows = [{"id": i + 1, "text": f"text {chr(97 + i % 26)}{i}", "label": "ab"[i % 2]} for i in range(60)]
    data = load_data(rows)
    path, notes = tmp_path / "a.jsonl", []
    write(path, [{"id": i, "prediction": row["label"]} for i, row in enumerate(rows)])
    if any(e.id == "60" for e in data.test):
        pytest.skip("the split took the row that has no answer")
    read_answers(path, data, notes=notes)
    assert any("1 of 60 answers (1.7 %) has an id that no row has, such as '0'" in note for note in notes), notes


@pytest.mark.parametrize("other", ["spans", "tags"])
def test_the_column_that_is_named_is_the_one_that_is_scored(tmp_path, other):
    data = make_dataset("token-classification")
    truth = [{"id": e.id, "text": e.input, **({"spans": target_to_json(e.target)["spans"]} if other == "spans" else {
        "tokens": e.input.split(" "), "tags": tags_from_spans(e.target.spans, join_tokens(e.input.split(" "))[1])})}
        for e in data.test]  # fmt: skip
    path = tmp_path / "a.jsonl"
    write(path, [{**row, "entities": []} for row in truth])
    answers = read_answers(path, data, columns={"prediction": "entities"})
    assert all(a.target.spans == () for a in answers)


def test_the_text_of_any_other_row_beside_an_id_is_refused(tmp_path):
    """Also of a row of train, and the second text of a pair: ids were counted anew after a shuffle."""
    rows = [{"id": i, "premise": f"premise {i // 3}", "hypothesis": f"hypothesis {i}", "label": "ab"[i % 2]}
            for i in range(60)]  # fmt: skip
    data = load_data(write(tmp_path / "data.jsonl", rows))
    other = {int(e.id): rows[int(data.train[n].id)] for n, e in enumerate(data.test)}
    answers = [{"id": i, "hypothesis": row["hypothesis"], "prediction": row["label"]} for i, row in other.items()]
    with pytest.raises(DataError, match="its text is that of another row"):
        read_answers(write(tmp_path / "a.jsonl", answers), data)
    with pytest.raises(DataError, match="told apart by both texts, 'premise', 'hypothesis'"):
        read_answers(write(tmp_path / "a.jsonl", [{"premise": "x", "prediction": "a"}, *rows[:3]][:1]), data)


def test_a_column_with_the_numbers_of_the_rows_is_named_where_nothing_matches(tmp_path):
    data = loaded(tmp_path)
    rows = [{"custom_id": n, "content": "billing"} for n in range(1, 91)]
    with pytest.raises(DataError, match="'custom_id' holds the ids of the test rows: call it 'id'"):
        read_answers(write(tmp_path / "a.jsonl", rows), data)


def test_test_rows_without_ids_beside_train_rows_that_have_some_are_called_so(tmp_path):
    rows = [{"id": i, "text": f"text {i}", "label": "ab"[i % 2]} for i in range(60)]
    without = [{"text": f"other {i}", "label": "ab"[i % 2]} for i in range(20)]
    data = load_data(rows, test=without)
    with pytest.raises(DataError, match="or rows have none"):
        read_answers(write(tmp_path / "a.jsonl", [{"id": i, "prediction": "a"} for i in range(20)]), data)
