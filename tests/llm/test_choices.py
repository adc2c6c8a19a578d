"""Labels by number: what is written is read back, and nothing is guessed."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slmfit.llm import choices as labels

TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(lambda s: s.strip() == s)
CHOICES = st.lists(TEXTS, min_size=1, max_size=30, unique=True)
TOPICS = ("billing", "delivery", "account")


@settings(deadline=None)
@given(CHOICES, st.data())
def test_what_is_asked_for_is_read_back(choices, data):
    choice = data.draw(st.sampled_from(choices))
    assert labels.chosen(labels.written(choice, choices), choices) == choice
    assert labels.chosen(f" {labels.written(choice, choices)}\n", choices) == choice


@settings(deadline=None)
@given(CHOICES, st.text(max_size=30))
def test_a_choice_is_read_only_where_it_is_stated(choices, text):
    read = labels.chosen(text, choices)
    if read is not None:
        stated = text.strip()
        number = str(choices.index(read) + 1)
        assert stated == read or (stated.startswith(number) and labels.numbered(choices))


@pytest.mark.parametrize("text", ["2", " 2 ", "2.", "2)", "2. delivery", "2: delivery", "delivery"])
def test_forms_that_state_a_choice(text):
    assert labels.chosen(text, TOPICS) == "delivery"


@pytest.mark.parametrize(
    "text",
    ["", "0", "4", "-2", "2.5", "02", "2 or 3", "maybe 2", "Delivery", "2. billing", "two", "２", "delivery billing"],
)
def test_forms_that_state_none(text):
    assert labels.chosen(text, TOPICS) is None


@pytest.mark.parametrize("choices", [("0", "1"), ("5", "10", "1"), ("A", "B"), ("2. b", "a"), ("1.5", "2.5")])
def test_labels_that_could_be_taken_for_numbers_are_answered_as_they_are(choices):
    assert not labels.numbered(choices)
    assert [labels.chosen(choice, choices) for choice in choices] == list(choices)


def test_a_label_of_several_lines_stays_one_line_of_the_list():
    choices = ("a\nb", "c")
    assert labels.told(choices) == "1. a b\n2. c"
    assert labels.chosen("1. a b", choices) == "a\nb"


@pytest.mark.parametrize(
    ("content", "stated"),
    [
        ('{"label": "billing"}', "billing"),
        ("billing", "billing"),
        ('"billing"', "billing"),
        ('{"label": "weather"}', None),
        ('{"label": "billing", "why": "x"}', None),
        ('{"label": 3}', None),
        ("I think billing", None),
    ],
)
def test_what_an_example_states(content, stated):
    assert labels.stated(content, TOPICS) == stated


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["1", "2", " 3", "x", "A"]), st.floats(-50, 0.0)), max_size=20),
    st.integers(1, 9),
)
def test_probabilities_sum_to_one(top, count):
    choices = [f"label {i}" for i in range(count)]
    found = labels.probabilities(top, choices)
    if found is not None:
        assert set(found) == set(choices)
        assert math.isclose(sum(found.values()), 1.0)
        assert all(0 <= p <= 1 for p in found.values())


def test_the_probability_of_a_choice_is_that_of_its_tokens():
    top = [("1", math.log(0.6)), (" 1", math.log(0.1)), ("2", math.log(0.2)), ("The", math.log(0.1))]
    found = labels.probabilities(top, ("yes", "no"))
    assert found["yes"] == pytest.approx(0.7 / 0.9)


def test_a_choice_that_is_not_among_the_likeliest_gets_what_is_left_at_most():
    found = labels.probabilities([("1", math.log(0.9)), ("2", math.log(0.06))], ("up", "down", "left"))
    assert found["left"] == pytest.approx(0.04 / 1.0)
    assert labels.probabilities([("x", 0.0)], ("a", "b")) is None
    assert labels.probabilities([("1", math.nan)], ("a", "b")) is None
