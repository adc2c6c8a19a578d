"""`causal` that writes a label, or reasoning and then the answer to a question; what it says is read strictly."""

from dataclasses import replace

import pytest
from finetuned import answers_the_same_loaded, fit, score, texts

import tiny
from conftest import make_dataset
from slmfit.errors import UsageError
from slmfit.finetune import pretrained
from slmfit.methods.base import Context
from slmfit.methods.causal import Causal, Settings
from slmfit.methods.finetuned.choices import MOST
from slmfit.records import Question
from slmfit.tasks.forms.letters import Reasoned

QUICK = {"answers": "written", "lora": False, "learning_rate": 5e-3, "batch_tokens": 600}
COLD = Question("Ice is", {"A": "hot", "B": "cold", "C": "B"})


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny.causal(tmp_path_factory.mktemp("base"), hidden_size=48)


@pytest.mark.parametrize(
    ("said", "letter"),
    [
        ("Answer: B\n", "B"),
        ("It melts.\nAnswer: (B)", "B"),
        ("Answer: B. cold", "B"),
        ("Answer: cold\n", "B"),
        ("B", "B"),
        ("cold", "B"),
        ("Answer: A\nNo.\nAnswer: B\n", None),  # two letters
        ("Answer: A or B\n", None),
        ("Answer: A. cold\n", None),  # a letter and the text of another
        ("Answer: D\n", None),  # a letter that is not there
        ("Answer: warm\n", None),
        ("Answer:\n", None),
        ("It is cold, so B I think.", None),
        ("", None),
    ],
)
def test_the_answer_after_reasoning_is_read_strictly(said, letter):
    read = Reasoned(tuple("ABC")).read(said, COLD)
    assert (read.target, read.outcome) == (letter, "ok" if letter else "invalid")


def test_what_is_written_is_read_back():
    form = Reasoned(tuple("ABC"))
    for letter in COLD.options:
        said = form.write(letter, COLD)
        assert form.read(said, COLD).target == letter and form.ended(said)
    assert not form.ended("Reasons.\nAnswer:\n") and not form.ended("Answer: B")


def test_a_label_is_written_under_a_grammar_of_all_of_them(base, tmp_path):
    data = make_dataset(sizes=(240, 40, 40))
    method = fit(Causal(Settings(base_model=base, epochs=6, **QUICK)), data, tmp_path)
    assert score(method, data, "accuracy") > 0.7
    answers_the_same_loaded(method, data)
    assert all(one.raw == one.target for one in method.predict(texts(data)))
    card = (tmp_path / "README.md").read_text()
    assert "It writes one of the labels of a text" in card


def test_untuned_it_writes_labels_where_there_are_too_many_to_score(base):
    made = make_dataset(sizes=(120, 4, 4))
    rows = [replace(e, target=f"label {i % (MOST + 1)}") for i, e in enumerate(made.train)]
    data = replace(made, task=made.task.with_labels([e.target for e in rows]))
    data = replace(data, splits={"train": tuple(rows), "validation": tuple(rows[:4]), "test": tuple(rows[:6])})
    method = fit(Causal(Settings(base_model=base, epochs=0, shots=2)), data)
    assert {one.outcome for one in method.predict(texts(data))} == {"ok"}
    assert "scoring" not in method.chosen


def test_questions_are_answered_in_writing(base, tmp_path):
    data = make_dataset("multiple-choice", sizes=(120, 12, 12))
    method = fit(Causal(Settings(base_model=base, epochs=8, **QUICK)), data, tmp_path)
    answers = method.predict(texts(data))
    assert [one.outcome for one in answers] == ["ok"] * len(answers)
    assert all(one.raw == f"Answer: {one.target}\n" for one in answers)
    again = Causal.load(tmp_path, data.task, method.settings)
    assert again.predict(texts(data)) == answers
    code = (tmp_path / "README.md").read_text().partition("```python\n")[2].partition("```")[0]
    with pretrained.quiet():
        exec(code.replace("this-folder", str(tmp_path)), {})


def test_untuned_it_may_say_anything_and_that_is_no_answer(base):
    data = make_dataset("multiple-choice", sizes=(20, 4, 6))
    method = fit(Causal(Settings(base_model=base, epochs=0, shots=2, answers="written", max_length=120)), data)
    answers = method.predict(texts(data))
    assert {one.outcome for one in answers} <= {"truncated", "invalid"}
    assert all(one.raw and one.target is None for one in answers)


def test_ways_that_a_task_has_not(base):
    data = make_dataset("multiple-choice", sizes=(20, 4, 6))
    with pytest.raises(UsageError, match=r"causal\.answers cannot be 'head' for multiple-choice"):
        Causal(Settings(base_model=base, answers="head")).fit(data.task, data.train, data.validation, Context())
