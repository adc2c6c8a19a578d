"""Labels may be called like outcomes, like nothing, like JSON: only the answer that is the label counts as right."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slmfit.data.dataset import Dataset
from slmfit.data.given import read_answers
from slmfit.methods import create
from slmfit.methods.base import Context
from slmfit.records import OUTCOMES, Example, Prediction
from slmfit.tasks.classification import TextClassification
from slmfit.tasks.common import label_among
from slmfit.testing import Script, scripted

ODD = (
    *OUTCOMES, "None", "none", "null", "nan", "NaN", "true", "false", "True", "[]", "{}", "1", "0", "-1", "x",
    '{"label": "x"}', '["x"]', '"x"', "valid", "label",
)  # fmt: skip


def right(task, target, prediction):
    return bool(task.components("accuracy", [target], [prediction]).rows[0, 0])


@given(st.sets(st.sampled_from(ODD), min_size=2, max_size=8), st.data())
def test_a_form_reads_back_what_it_writes_and_nothing_else(labels, data):
    task = TextClassification(tuple(sorted(labels)))
    form, target = task.form(), data.draw(st.sampled_from(task.labels))
    written = json.loads(form.write(target, "a text"))
    assert form.read(written, "a text") == form.read(target, "a text") == Prediction(target)
    for word in ODD:
        read = form.read({"label": word}, "a text")
        meant = label_among(word, labels)  # 1.0 is 1, and True is true, where there is no label of just that name
        assert read == (Prediction(meant) if meant else Prediction(None, "invalid"))
        assert right(task, target, read) == (meant == target)
        if not meant and word != '{"label": "x"}':
            assert form.read(word, "a text") == Prediction(None, "invalid")
    for value in (None, [], ["x"], {"label": target}):
        assert form.read({"label": value}, "a text").outcome == "invalid"


@given(st.sets(st.sampled_from(ODD), min_size=2, max_size=8), st.data())
def test_given_answers(tmp_path_factory, labels, data):
    task = TextClassification(tuple(sorted(labels)))
    truth = data.draw(st.lists(st.sampled_from(task.labels), min_size=3, max_size=6))
    said = data.draw(
        st.lists(st.sampled_from([*ODD, None, "I cannot help with that"]), min_size=len(truth), max_size=len(truth))
    )
    test = tuple(Example(str(i), f"text {i}", target) for i, target in enumerate(truth))
    made = Dataset("odd", task, {"train": test, "validation": test, "test": test})
    path = tmp_path_factory.mktemp("given") / "answers.jsonl"
    rows = ({"id": e.id, "prediction": word} for e, word in zip(test, said, strict=True))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    for target, word, answer in zip(truth, said, read_answers(path, made), strict=True):
        wrapped = word in ('{"label": "x"}', '["x"]') and word not in labels
        stated = "x" if wrapped else word and label_among(word, labels)
        assert right(task, target, answer) == (stated == target)
        assert (answer.outcome == "ok") == (stated in labels)


@pytest.mark.parametrize("name", ["invalid", "wrong"])
def test_a_class_called_invalid_is_not_right_for_what_cannot_be_read(tmp_path, name):
    task = TextClassification(tuple(sorted(("valid", name))))
    test = tuple(Example(str(i), f"text {i}", ("valid", name)[i % 2]) for i in range(24))
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(json.dumps({"id": e.id, "prediction": "I cannot help with that"}) + "\n" for e in test))
    answers = read_answers(path, Dataset("issues", task, {"train": test, "validation": test, "test": test}))
    assert task.score([e.target for e in test], answers).values["accuracy"].value == 0
    assert {answer.outcome for answer in answers} == {"invalid"}


def test_a_large_model_answers_exactly_what_it_means():
    task = TextClassification(tuple(sorted(ODD)))
    rows = [Example(str(i), f"text number {i}", target) for i, target in enumerate(ODD)]
    meant = {row.input: ODD[(i + (i % 3 == 0)) % len(ODD)] for i, row in enumerate(rows)}

    def answer(body):
        asked = body["messages"][-1]["content"]
        return next((meant[row.input] for row in rows if f"\n{row.input}\n" in asked), ODD[0])

    with scripted(Script(answer=answer)) as server:
        method = create("llm", {"base_url": server.url}, base_model="m")
        method.fit(task, rows, rows, Context())
        answers = method.predict([row.input for row in rows])
    assert [a.target for a in answers] == [meant[row.input] for row in rows]
    assert {a.outcome for a in answers} == {"ok"}
    for row, said in zip(rows, answers, strict=True):
        assert right(task, row.target, said) == (meant[row.input] == row.target)
