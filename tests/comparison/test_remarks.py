"""Answers whose form is odd are shown, and what stands between them and a label is named."""

import json

import pytest

from conftest import make_dataset
from slmfit.comparison.compare import compare
from slmfit.comparison.remarks import remarks, shortened
from slmfit.data.given import read_answers
from slmfit.records import Entities, Prediction, Question, Span
from slmfit.tasks import by_name

TASK = by_name("text-classification").with_labels(["billing", "Delivery.", "account"])


def said(*raws, task=TASK):
    answers = [Prediction("billing"), *(Prediction(None, "invalid", raw=raw) for raw in raws)]
    return list(remarks("gpt", task, answers, ["text"] * len(answers)))


@pytest.mark.parametrize(
    "raw, way",
    [
        ("Billing", "case"),
        ("billing.", "a full stop"),
        ("'billing'", "quotation marks"),
        ("“billing”", "quotation marks"),
        ("```\nbilling\n```", "a code fence"),
        ('```json\n{"label": "billing"}\n```', "a code fence"),
        ("'Billing.'", "quotation marks, a full stop or case"),
        ('"billing".', "quotation marks or a full stop"),
        ('{"label": "BILLING"}', "case"),
        ("delivery.", "case"),
    ],
)
def test_what_stands_between_an_answer_and_a_label(raw, way):
    [sentence] = said(raw)
    verb = "stand" if " or " in way else "stands"
    assert sentence.endswith(f"; between 1 of them and a label {verb} only {way}.")
    assert sentence.startswith("gpt: 1 answer is invalid, such as '")


@pytest.mark.parametrize("raw", ["no idea", "billing or account", "bill", "{}", '{"a": 1}', "```", "'", "."])
def test_what_is_no_label_is_only_shown(raw):
    [sentence] = said(raw, "again")
    assert sentence.startswith("gpt: 2 answers are invalid, such as '") and "between" not in sentence


def test_nothing_odd_nothing_said():
    assert said() == []


def test_entity_types_that_the_data_do_not_have_are_named():
    task = by_name("token-classification").with_labels([Entities((Span(0, 2, "PER"), Span(3, 4, "LOC")))])
    answers = [Prediction(Entities((Span(0, 4, "person"), Span(0, 4, "PER")))) for _ in range(3)]
    answers.append(Prediction(None, "invalid", raw='{"entities": [{"text": "Rome", "label": "place"}]}'))
    *_, sentence = remarks("gpt", task, answers, ["Rome"] * 4)
    assert "'person', 'place' (4 times); the data have 'LOC', 'PER'." in sentence


def test_a_comparison_says_so(tmp_path, data):
    path = tmp_path / "gpt.jsonl"
    rows = [{"id": example.id, "prediction": str(example.target).title() + "."} for example in data.test]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    result = compare(data, "majority", given={"gpt": read_answers(path, data)}, out=tmp_path / "o")
    [caveat] = [one for one in result.record.verdict.caveats if "invalid" in one]
    assert "predictions-gpt: 60 answers are invalid" in caveat and "a full stop or case" in caveat


def test_and_so_for_entities(tmp_path):
    data, path = make_dataset("token-classification"), tmp_path / "gpt.jsonl"
    rows = [{"id": e.id, "spans": [[s.start, s.end, s.label.lower()] for s in e.target.spans]} for e in data.test]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    result = compare(data, "majority", given={"gpt": read_answers(path, data)}, out=tmp_path / "o")
    assert any("'city', 'day' (120 times)" in one for one in result.record.verdict.caveats)


def test_numbers_in_place_of_names_are_told_of():
    [sentence] = said("0", "2", "1.0")
    assert "write the names in their place" in sentence
    assert sentence.endswith("LabelEncoder and pandas number them, 0 is 'Delivery.', 1 is 'account', 2 is 'billing'.")
    assert said("LABEL_0", "LABEL_2")[0].endswith("2 is 'billing'.")
    for raws in (["0", "3"], ["0", "x"]):
        assert "LabelEncoder" not in said(*raws)[0]
    assert "LabelEncoder" not in said("0", task=TASK.with_labels(["1", "2"]))[0]


def test_probabilities_in_place_of_labels_are_told_of():
    assert said("0.91", "0.07", "1.0")[0].endswith("they may be probabilities, and an answer is a label.")
    assert "probabilities" not in said("0.91", "7.5")[0]


def test_positions_and_brackets_in_place_of_letters_are_told_of():
    data = make_dataset("multiple-choice")
    inputs = [example.input for example in data.test[:2]]
    [numbers] = remarks("gpt", data.task, [Prediction(None, "invalid", raw=raw) for raw in ("0", "1")], inputs)
    assert numbers.endswith("they are positions, and an answer is a letter, where A is the first option.")
    ice = Question("Ice is", {"A": "cold", "B": "hot"})
    [options] = remarks("gpt", data.task, [Prediction(None, "invalid", raw="hot")], [ice])
    assert options.endswith("such as 'hot': they are the texts of options, and an answer is a letter.")
    [small] = remarks("gpt", data.task, [Prediction(None, "invalid", raw="b)"), Prediction("A")], inputs)
    assert small.endswith("between 1 of them and a label stand only brackets or case.")


@pytest.mark.parametrize(("raw", "ways"), [
    ("The answer is B", "words before the letter"),
    ("**Answer: (B)**", "words before the letter"),
    ("B) hot", "the option's text behind the letter"),
    ("I think the correct option is B. Hot.", "words before the letter or the option's text behind the letter"),
    ("B) cold", ""), ("The answer is a secret", ""), ("A hot one", ""),
])  # fmt: skip
def test_what_stands_around_a_letter_is_told_of(raw, ways):
    ice = Question("Ice is", {"A": "cold", "B": "hot"})
    task = by_name("multiple-choice").with_labels(["A", "B"])
    [sentence] = remarks("gpt", task, [Prediction(None, "invalid", raw=raw)], [ice])
    stands = f"between 1 of them and a label {'stand' if ' or ' in ways else 'stands'} only {ways}."
    assert sentence.endswith(stands) if ways else "between" not in sentence


def test_what_kept_a_method_from_its_best_is_said():
    assert list(shortened("encoder", {"cut_short": True, "texts_cut": 0.231, "max_length": 64})) == [
        "encoder: the budget ended its training while it was still improving; a larger one may raise it.",
        "encoder read only the beginning of 23.1 % of the texts, which are longer than 64 tokens.",
    ]
    assert list(shortened("encoder", {"texts_cut": 0.02, "max_length": 64})) == []
    assert list(shortened("linear", {"C": 1.0})) == list(shortened("odd", {"texts_cut": "all", "cut_short": 1})) == []


def test_answers_without_any_intent_are_told_of():
    task = by_name("token-classification", labels=("CITY",), intents=("book",))
    bare, full = Prediction(Entities()), Prediction(Entities(intent="book"))
    [sentence] = remarks("gpt", task, [bare, bare], ["x", "y"])
    assert sentence == "gpt: no answer names an intent, so none is right; it is looked for in the column 'intent'."
    assert list(remarks("gpt", task, [bare, full], ["x", "y"])) == []
    assert list(remarks("gpt", by_name("token-classification", labels=("CITY",)), [bare], ["x"])) == []
    strange = [full, Prediction(Entities(intent="BOOK"))]
    [sentence] = remarks("gpt", task, strange, ["x", "y"])
    assert sentence.endswith("count as wrong: 'BOOK' (1 time); the data have 'book'.")


@pytest.mark.parametrize("raw", ["bi\u217cling", "b\u0456lling", "\uff42illing", "\U0001d41billing"])
def test_answers_in_look_alike_letters_are_told_of_with_their_code_points(raw):
    [sentence] = said(raw)
    assert f"'{raw}' (U+" in sentence
    assert sentence.endswith("between 1 of them and a label stands only characters that look alike.")
    [both] = said(raw.replace("g", "G"))
    assert both.endswith("a label stand only case or characters that look alike.")
