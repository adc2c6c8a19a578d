"""What a model is asked: rows cannot leave their tags, labels are described, examples come from train only."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import make_dataset
from slmfit.errors import DataError, UsageError
from slmfit.methods.llm.prompt import Prompt, read_descriptions
from slmfit.methods.shots import Nearest, PerClass
from slmfit.records import Example, Question
from slmfit.tasks import TASKS, by_name
from slmfit.tasks.classification import TextClassification

TASK = TextClassification(("billing", "delivery"))


@given(st.lists(st.sampled_from(["<", "/", "text", "TEXT", ">", " ", "\n", "-", "a", "</text>", "é"])).map("".join))
def test_a_row_cannot_write_the_end_of_itself(text):
    content = Prompt.of(TASK, {}).messages(text)[-1]["content"]
    tag = re.match(r"<([\w-]+)>", content)[1]
    assert content.startswith(f"<{tag}>\n{text}\n</{tag}>\n")
    assert not re.search(rf"<\W*{tag}\b", text, re.IGNORECASE)


def test_what_holds_for_all_rows_comes_first_and_is_the_same():
    for task in TASKS:
        data = make_dataset(task)
        prompt = Prompt.of(data.task, {})
        shots = PerClass.of(data.task, data.train, 3, seed=0).examples
        talks = [prompt.messages(e.input, shots) for e in data.test]
        assert len({json.dumps(talk[:-1]) for talk in talks}) == 1
        assert [m["role"] for m in talks[0]] == ["system", *["user", "assistant"] * 3, "user"]
        for shot, answer in zip(shots, talks[0][2::2], strict=True):
            assert data.task.form().read(answer["content"], shot.input).target == shot.target
        assert all(name in talks[0][0]["content"] for name in data.task.labels if task != "multiple-choice")


def test_a_question_shows_its_passage_and_options():
    question = Question("What is {{ it }}?", {"A": "<b>", "B": "two\nlines"}, context="A passage.")
    content = Prompt.of(by_name("multiple-choice"), {}).messages(question)[-1]["content"]
    assert content == (
        "<question>\nA passage.\n\nQuestion: What is {{ it }}?\nA. <b>\nB. two\nlines\n</question>\n\n"
        "Which option is right?"
    )


@pytest.mark.parametrize("form", ["toml", "json"])
def test_descriptions(tmp_path, form):
    path = tmp_path / f"labels.{form}"
    words = {"toml": 'billing = """invoices,\ncharges"""', "json": '{"billing": "invoices,\\ncharges"}'}
    path.write_text(words[form])
    assert "\n- billing: invoices, charges\n- delivery\n" in Prompt.of(TASK, read_descriptions(path)).opening


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.toml", "billing = ", "cannot be read"),
        ("a.json", "[1]", "holds no descriptions"),
        ("a.toml", "billing = 3", "'billing' is no text"),
        ("a.toml", 'billing = " "', "'billing' is no text"),
        ("a.toml", None, "No such file"),
    ],
)
def test_descriptions_that_are_none(tmp_path, name, text, says):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=says) as error:
        read_descriptions(tmp_path / name)
    assert name in str(error.value)


def test_descriptions_of_what_is_no_label():
    with pytest.raises(UsageError, match="did you mean 'billing'"):
        Prompt.of(TASK, {"biling": "charges"})
    with pytest.raises(UsageError, match="no labels to describe"):
        Prompt.of(by_name("multiple-choice", labels=("A", "B")), {"A": "the first"})


@pytest.mark.parametrize("task", TASKS)
def test_examples_per_class_come_from_train_in_equal_numbers(task):
    data = make_dataset(task)
    for n in (1, 2, 5, 9):
        drawn = PerClass.of(data.task, data.train, n, seed=1).examples
        assert len(drawn) == n and set(map(id, drawn)) <= set(map(id, data.train))
        counts = [sum(data.task.label(e.target) == name for e in drawn) for name in classes(data)]
        assert max(counts) - min(counts) <= 1
        assert drawn == PerClass.of(data.task, data.train, n, seed=1).examples
    assert drawn != PerClass.of(data.task, data.train, n, seed=2).examples


def classes(data):
    return {data.task.label(e.target) for e in data.train}


def test_there_are_no_more_examples_than_rows(data):
    assert len(PerClass.of(data.task, data.train[:3], 50, seed=0).examples) == 3
    assert len(Nearest.of(data.task, data.train[:3], 50, seed=0).before(["card"])[0]) == 3


def test_the_nearest_example_stands_next_to_the_row(data, tmp_path):
    train = [*data.train, Example("twin", "zebra refund parcel login", "billing")]
    shots = Nearest.of(data.task, train, 4, seed=0)
    (found,) = shots.before(["zebra login parcel refund"])
    assert len(found) == 4 and found[-1].id == "twin"
    shots.save(tmp_path)
    inputs = [e.input for e in data.test]
    assert Nearest.load(data.task, tmp_path, 4).before(inputs) == shots.before(inputs)
    assert shots.before([]) == []


@pytest.mark.parametrize("task", TASKS)
def test_examples_are_kept(task, tmp_path):
    data = make_dataset(task)
    shots = PerClass.of(data.task, data.train, 5, seed=0)
    shots.save(tmp_path)
    assert PerClass.load(data.task, tmp_path).examples == list(shots.examples)
