"""Questions are read from every known form, answers strictly, and a habit of letters is exposed."""

from __future__ import annotations

import json
import math
from string import ascii_uppercase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slmfit.errors import DataError, UsageError, Where
from slmfit.records import Example, Prediction, Question
from slmfit.tasks import from_plain, to_plain
from slmfit.tasks.choice import MultipleChoice

TASK = MultipleChoice(("A", "B", "C"))
HERE = Where("quiz.jsonl", 7)
ICE = {"A": "cold", "B": "hot", "C": "loud"}
QUESTION = Question("Ice is", ICE)


@pytest.mark.parametrize(
    "row",
    [
        {"question": "Ice is", "options": ICE, "answer": "A"},
        {"question": "Ice is", "options": list(ICE.values()), "answer": "A"},
        {"question": "Ice is", "options": {**ICE, "D": None}, "answer": "a"},
        {"question": "Ice is", "options": ICE, "answer": "cold", "answer_idx": "A"},
        {"question": "Ice is", "options": ICE, "answer": "cold"},
        {"question_id": "7", "question": "Ice is", "options": ICE, "answer_gt": "A", "model_output": {}},
        {"question": "Ice is", "choices": {"text": list(ICE.values()), "label": ["A", "B", "C"]}, "answerKey": "A"},
        {"question": "Ice is", "choices": {"text": list(ICE.values()), "label": ["1", "2", "3"]}, "answerKey": "1"},
        {"question": "Ice is", "choices": {"text": list(ICE.values()), "label": ["1", "2", "3"]}, "answerKey": 1},
        {"question_stem": "Ice is", "choices": {"text": list(ICE.values()), "label": list(ICE)}, "answerKey": "A"},
        {"question": "Ice is", "choices": list(ICE.values()), "answer": 0, "subject": "physics"},
        {"question": "Ice is", "choices": list(ICE.values()), "answer": "0"},
        {"question": "Ice is", "opa": "cold", "opb": "hot", "opc": "loud", "cop": 0},
        {"question": "Ice is", "opa": "cold", "opb": "hot", "opc": "loud", "cop": "a"},
    ],
)
def test_every_form_of_a_row_gives_the_same_example(row: dict[str, Any]) -> None:
    assert TASK.parse(row, HERE, "1") == Example("1", QUESTION, "A")
    assert list(TASK.parse(row, HERE, "1").input.options) == ["A", "B", "C"]  # type: ignore[union-attr]
    assert TASK.recognises(list(row))


@pytest.mark.parametrize("options", [["A. x", "B. y"], ["a. e. some", "so"], {"A": "B", "B": "A"}])
def test_letters_in_texts_that_contradict_nothing(options: Any) -> None:
    row = {"question": "?", "options": options, "answer": "B"}
    assert TASK.parse(row, Where("a.jsonl", 1), "1").target == "B"


def test_a_row_without_an_answer_has_no_target() -> None:
    for more in ({}, {"answer": None}, {"answer": -1}):
        assert TASK.parse({"question": "Ice is", "options": ICE, **more}, HERE, "1").target is None


def test_a_file_of_another_task_is_not_recognised() -> None:
    assert not TASK.recognises(["text", "label"])
    assert not TASK.recognises(["question", "answer"])


@pytest.mark.parametrize(
    ("row", "column", "says"),
    [
        ({"question": " "}, "question", "the question is empty"),
        ({"question": None}, "question", "the question is empty"),
        ({"question": 3}, "question", "the question is empty"),
        ({"context": 3}, "context", "the context is 3"),
        ({"answer": "D"}, "answer", "is not among the options"),
        ({"answer": ""}, "answer", "is not among the options"),
        ({"answer": 3}, "answer", "is not among the options"),
        ({"answer": "AB"}, "answer", "is not among the options"),
        ({"answer": ["A", "B"]}, "answer", "is several answers"),
        ({"options": ["x", "x"], "answer": "x"}, "answer", "more than one option"),
        ({"options": ["1", "0"], "answer": "1"}, "answer", "more than one option"),
        ({"options": ["O", "A", "B", "AB"], "answer": "B"}, "answer", "option B by its place, and C by its text"),
        ({"options": ["D. x", "c) y", "(B) z", "a. w"], "answer": "D"}, "answer", "option D by its place, and A"),
        ({"options": {"1": "x", "2": "y"}, "answer": "0"}, "answer", "is not among the options"),
        ({"options": None}, "options", "the question has no options"),
        ({"options": {"A": "x"}}, "options", "the number of options is 1"),
        ({"options": [str(i) for i in range(30)]}, "options", "the number of options is 30"),
        ({"options": {"A": "x", "B": ""}}, "options", "option 2 is empty"),
        ({"options": ["x", " \xa0"]}, "options", "option 2 is"),
        ({"options": ["x", 2]}, "options", "option 2 is 2"),
        ({"options": "x, y"}, "options", "the options are"),
        ({"options": 2}, "options", "the options are 2"),
        ({"options": {"text": ["x", "y"], "label": ["A"]}}, "options", "1 labels for 2 options"),
        ({"options": {"text": ["x", "y"], "label": ["A", "A"]}}, "options", "the same label"),
    ],
)
def test_a_bad_row_is_refused_with_its_place_and_a_remedy(row: dict[str, Any], column: str, says: str) -> None:
    with pytest.raises(DataError) as caught:
        TASK.parse({"question": "Ice is", "options": ICE, "answer": "A"} | row, HERE, "1")
    assert str(caught.value).startswith(f"quiz.jsonl, line 7, column '{column}': ")
    assert says in caught.value.what
    assert caught.value.fix


SOLID = st.text(min_size=1, max_size=8).filter(str.strip) | st.sampled_from(
    ["👩‍🚀", "e\u0301\t", "שָׁלוֹם\r\n", "\xa0a", "A", "B", "1", "0"])  # fmt: skip


@st.composite
def examples(draw: st.DrawFn) -> Example:
    letters = draw(st.lists(st.sampled_from(ascii_uppercase), min_size=2, max_size=8, unique=True))
    options = {letter: draw(SOLID) for letter in letters}
    question = Question(draw(SOLID), options, draw(st.none() | st.text(max_size=8)))
    return Example(draw(st.text(max_size=4)), question, draw(st.none() | st.sampled_from(letters)))


@given(examples())
def test_unparse_is_the_inverse_of_parse(example: Example) -> None:
    row = json.loads(json.dumps(TASK.unparse(example)))
    again = TASK.parse(row, HERE, row["id"])
    assert again == example
    assert list(again.input.options) == list(example.input.options)  # type: ignore[union-attr]


# --- the codec ---


@given(examples())
def test_what_is_written_is_read_back(example: Example) -> None:
    question = example.input
    assert isinstance(question, Question)
    form = TASK.form()
    for letter in question.options:
        assert form.read(form.write(letter, question), question) == Prediction(letter)


@pytest.mark.parametrize("reply", ["B", " B\n", "(B)", "B.", "B)", '{"answer": "B"}', '\n{ "answer":"B" } '])
def test_a_reply_that_is_a_letter_is_read(reply: str) -> None:
    assert TASK.form().read(reply, QUESTION) == Prediction("B")


@pytest.mark.parametrize(
    "reply",
    [
        "", "b", "D", "A or B", "A, B", "AB", "A\nB", "B. hot", "hot", "(B", "none", "The answer is B", "null", "[]",
        '"B"', '["B"]', "{}", '{"answer": "D"}', '{"answer": "(B)"}', '{"answer": ["A", "B"]}', '{"answer": null}',
        '{"answer": "A", "answer": "B"}', '{"answer": "A", "or": "B"}', '{"answer": "A"} {"answer": "B"}', "[" * 99_999,
    ],
)  # fmt: skip
def test_two_answers_none_or_one_that_does_not_exist_are_invalid(reply: str) -> None:
    assert TASK.form().read(reply, QUESTION) == Prediction(None, "invalid")


def test_prompt_lists_context_question_and_options() -> None:
    form = TASK.form()
    asked = form.ask(Question("Ice is", ICE, "Water freezes."))
    assert asked == "Water freezes.\n\nQuestion: Ice is\nA. cold\nB. hot\nC. loud\nAnswer: "
    assert form.ask(QUESTION) == "Question: Ice is\nA. cold\nB. hot\nC. loud\nAnswer: "
    assert TASK.text(Question("Ice is", ICE, "Water freezes.")) == "Water freezes.\nIce is\ncold\nhot\nloud"


def test_schema_lets_every_letter_be_answered() -> None:
    question = Question("Which?", dict.fromkeys(ascii_uppercase, "this"))
    for task, letters in ((MultipleChoice(("A", "C")), "ABC"), (MultipleChoice(), ascii_uppercase)):
        form = task.form()
        assert form.schema(question)["properties"]["answer"]["enum"] == list(letters) == list(form.candidates(question))
    assert MultipleChoice().form().candidates(QUESTION) == ("A", "B", "C")  # none that the question does not offer


# --- scores ---


def test_labels_are_the_letters_in_use() -> None:
    task = MultipleChoice().with_labels(["C", "A", "C"])
    assert task == MultipleChoice(("A", "C")) == from_plain(to_plain(task))
    assert TASK.label("B") == "B"


def answers(letters: str, outcome: Any = "ok") -> list[Prediction]:
    return [Prediction(letter, outcome=outcome) for letter in letters]


def test_a_model_that_always_says_a_is_exposed() -> None:
    inputs = [QUESTION] * 4 + [Question("?", {"A": "x", "B": "y"})] * 2
    scores = TASK.score(list("AABCAB"), answers("AAAAA") + answers("B", "truncated"), inputs=inputs)
    accuracy = scores.values["accuracy"]
    assert accuracy.value == 0.5 and accuracy.low is not None and accuracy.low < 0.5 < accuracy.high  # type: ignore[operator]
    by_letter = scores.details["by_letter"]
    assert [(row["letter"], row["support"], row["accuracy"]["value"], row["answered"]) for row in by_letter] == [
        ("A", 3, 1.0, 5 / 6), ("B", 2, 0.0, 0.0), ("C", 1, 0.0, 0.0)]  # fmt: skip
    assert scores.details["outcomes"] == {"ok": 5, "truncated": 1}
    by_options = scores.details["by_options"]
    found = [(row["options"], row["support"], row["accuracy"]["value"]) for row in by_options]
    assert found == [(2, 2, 0.5), (3, 4, 0.5)]
    assert scores.details["random_guess"]["accuracy"] == pytest.approx((4 / 3 + 2 / 2) / 6)
    assert json.loads(json.dumps(scores.details)) == scores.details


def test_without_the_questions_nothing_is_said_of_guessing() -> None:
    details = TASK.score(["A"], answers("B")).details
    assert "random_guess" not in details
    assert details["by_letter"][1] == {"letter": "B", "support": 0, "accuracy": None, "answered": 1.0}


def test_components_are_paired() -> None:
    parts = TASK.components("accuracy", list("AAB"), answers("AAA"))
    assert parts.paired_mean and parts.rows.tolist() == [[1, 1], [1, 1], [0, 1]] and parts.value == 2 / 3
    with pytest.raises(UsageError, match="no metric 'f1'"):
        TASK.components("f1", ["A"], answers("A"))


def test_probabilities_are_scored_where_every_row_has_them() -> None:
    sure = Prediction("A", probabilities={"A": 0.75, "B": 0.25})
    scores = TASK.score(["A", "B"], [sure, sure]).values
    assert scores["brier"].value == pytest.approx((2 * 0.25**2 + 2 * 0.75**2) / 2)
    assert scores["log_loss"].value == pytest.approx(-(math.log(0.75) + math.log(0.25)) / 2)
    assert scores["expected_calibration_error"].value == pytest.approx(0.25)
    details = TASK.score(["A", "B"], [sure, sure]).details
    assert [(b["rows"], b["confidence"], b["accuracy"]) for b in details["reliability"]] == [(2, 0.75, 0.5)]
    assert [(p["rows"], p["accuracy"]) for p in details["coverage"]] == [(2, 0.5)]
    unsure = TASK.score(["A", "B"], [sure, *answers("A")])
    assert set(unsure.values) == {"accuracy"} and "reliability" not in unsure.details


@pytest.mark.parametrize("answer", ["\u0410", "\uff21", "\u0391"])
def test_an_answer_in_a_look_alike_letter_is_refused_with_its_code_point(answer):
    row = {"question": "Ice is", "options": {"A": "cold", "B": "hot"}, "answer": answer}
    with pytest.raises(DataError, match=f"'{answer}' .U.{ord(answer):04X}., 'A' .U.0041."):
        MultipleChoice().parse(row, Where("f", 1), "1")
